"""The moves: each changes links and keys of a few visits and says whether there is anything to judge."""

from __future__ import annotations

from yinling.dispatch.planner.arrays import FAR, NONE, NOT_YET, Board
from yinling.dispatch.planner.jit import compiled, inlined
from yinling.dispatch.planner.kernel import (
    TAILS,
    coin,
    draw,
    leave_out,
    link,
    note,
    own,
    pick,
    set_key,
    set_keys,
    swap_rings,
    take_in,
    touch,
    unlink,
    wake,
    way,
)
from yinling.dispatch.planner.kernel_times import earliest

CLOSEST = 1e-6
"""Keys closer than this leave no room between them; all are given anew."""
MARGIN = 0.1
JITTER = 0.5
KEEP_ANNOUNCED = 0.8
OTHER_PARTNER = 0.25
BESIDE = 0.8
LONGEST_CHAIN = 3
LONG_GAP = 240.0


@inlined
def key_of(b: Board, task: int, at_end: float) -> float:
    """Return the key of a task's visit; ``at_end`` for the ends of a day."""
    return float(b.tasks[task].key) if task < 2 * b.rules[0].visits else at_end


@inlined
def keeps_order(b: Board, visit: int, key: float) -> bool:
    """Whether a visit with this key still follows and leads those it must."""
    if b.visits[visit].bound == 0:
        return True
    for i in range(b.leaders_from[visit], b.leaders_from[visit + 1]):
        other = b.leaders[i]
        if b.visits[other].placed and b.tasks[2 * other + 1].key >= key:
            return False
    for i in range(b.followers_from[visit], b.followers_from[visit + 1]):
        other = b.followers[i]
        if b.visits[other].placed and b.tasks[2 * other].key <= key:
            return False
    return True


@inlined
def key_between(b: Board, visit: int, task: int, prev: int, worker: int) -> float:
    """Return a key for a visit behind ``prev``, as near as possible to its time there; ``FAR`` where there is no room."""
    low = key_of(b, prev, -FAR)
    high = key_of(b, b.tasks[prev].next, FAR)
    if b.visits[visit].bound:
        for i in range(b.leaders_from[visit], b.leaders_from[visit + 1]):
            if b.visits[b.leaders[i]].placed:
                low = max(low, b.tasks[2 * b.leaders[i] + 1].key)
        for i in range(b.followers_from[visit], b.followers_from[visit + 1]):
            if b.visits[b.followers[i]].placed:
                high = min(high, b.tasks[2 * b.followers[i]].key)
    hoped = max(earliest(b, visit), b.tasks[prev].leaves + way(b, prev, task, worker)) + JITTER * draw(b)
    if low == -FAR:
        low = min(hoped, high) - 1.0
    if high == FAR:
        high = max(hoped, low) + 1.0
    room = high - low
    if room < CLOSEST:
        b.trial[0].is_crowded = room > 0.0
        return FAR
    return min(max(hoped, low + MARGIN * room), high - MARGIN * room)


@inlined
def behind(b: Board, worker: int, key: float, hint: int) -> int:
    """Return the task of a route behind which a key belongs, looking from ``hint`` on; NONE where that key is taken."""
    end = own(b, worker)
    at = hint
    while at != end and b.tasks[at].key >= key:
        if b.tasks[at].key == key:
            return NONE
        at = b.tasks[at].prev
    follower = b.tasks[at].next
    while follower != end and b.tasks[follower].key <= key:
        if b.tasks[follower].key == key:
            return NONE
        at = follower
        follower = b.tasks[at].next
    return at


@inlined
def link_by_key(b: Board, task: int, worker: int, hint: int) -> bool:
    """Put a task into a route where its key belongs."""
    prev = behind(b, worker, b.tasks[task].key, hint)
    if prev == NONE:
        return False
    link(b, task, prev, worker)
    return True


@inlined
def any_task(b: Board, visit: int) -> int:
    """Return one of the tasks of a visit."""
    return 2 * visit + (pick(b, 2) if b.visits[visit].tasks > 1 else 0)


@inlined
def any_floor(b: Board, visit: int) -> float:
    """Return the earliest start to try: mostly the announced one, where there is one."""
    row = b.visits[visit]
    if row.usual == NOT_YET or draw(b) > KEEP_ANNOUNCED:
        return float(row.opens)
    return float(max(row.opens, min(row.usual, row.latest)))


@inlined
def any_anchor(b: Board, visit: int) -> int:
    """Return a task near a visit, in place and time; NONE where the one drawn is not in a route."""
    near = b.near[visit, pick(b, b.rules[0].near)]
    if near == NONE or b.visits[near].placed == 0:
        return NONE
    return any_task(b, near)


@inlined
def task_for(b: Board, visit: int, worker: int) -> int:
    """Return a task of the visit that the worker may do, or NONE."""
    task = any_task(b, visit)
    if b.may[task, worker]:
        return task
    if b.visits[visit].tasks > 1 and b.may[task ^ 1, worker]:
        return task ^ 1
    return NONE


@inlined
def partner_for(b: Board, task: int, worker: int, was: int, mate_was: int) -> int:
    """Return who does the other task of a double visit when ``worker`` does this one; NONE where nobody was found.

    Mostly the one who did it before (or who did this one, where the two change places), else someone from nearby.
    """
    other = task ^ 1
    if draw(b) < OTHER_PARTNER or mate_was == NONE:
        anchor = any_anchor(b, task >> 1)
        if anchor != NONE and b.tasks[anchor].worker != worker and b.may[other, b.tasks[anchor].worker]:
            return b.tasks[anchor].worker
    mate = mate_was if mate_was != worker else was
    if mate == NONE or mate == worker:  # noqa: PLR1714, SIM109 - numbers of two kinds make no tuple here
        return NONE
    return mate if b.may[other, mate] else NONE


@inlined
def stagger(b: Board, task: int, key: float, floor: float) -> None:
    """Let the two tasks of a visit stand apart in the order, so that their carers may meet at another visit in between.

    The first task may be held back until the second, at its present time, comes soon enough.
    """
    row = b.visits[task >> 1]
    apart = row.gap_low + draw(b) * (min(row.gap_high, LONG_GAP) - row.gap_low) + JITTER
    hold = b.tasks[task | 1].begins - row.gap_high if coin(b) else 0.0
    if task & 1:
        set_keys(b, task >> 1, key - apart, key, floor, hold)
    else:
        set_keys(b, task >> 1, key, key + apart, floor, hold)


@inlined
def put(b: Board, task: int, prev: int, worker: int, mate: int) -> bool:
    """Put an unlinked visit into routes: ``task`` behind ``prev``, its other task with ``mate`` where its key belongs."""
    visit = task >> 1
    floor = any_floor(b, visit)
    key = key_between(b, visit, task, prev, worker)
    if key == FAR:
        return False
    set_key(b, visit, key, floor)
    if b.visits[visit].gap_high > 0.0 and b.visits[visit].bound == 0 and coin(b):
        stagger(b, task, key, floor)
    link(b, task, prev, worker)
    return b.visits[visit].tasks == 1 or link_by_key(b, task ^ 1, mate, own(b, mate))


@inlined
def lift(b: Board, visit: int) -> None:
    """Take all tasks of a visit out of their routes."""
    unlink(b, 2 * visit)
    if b.visits[visit].tasks > 1:
        unlink(b, 2 * visit + 1)


@inlined
def relocate_to(b: Board, visit: int, anchor: int, is_before: bool) -> bool:  # noqa: FBT001 - no keywords in compiled code
    """Move a visit beside an anchor."""
    worker = b.tasks[anchor].worker
    task = task_for(b, visit, worker)
    if task == NONE or anchor >> 1 == visit:
        return False
    mate = NONE
    if b.visits[visit].tasks > 1:
        mate = partner_for(b, task, worker, b.tasks[task].worker, b.tasks[task ^ 1].worker)
        if mate == NONE:
            return False
    lift(b, visit)
    return put(b, task, b.tasks[anchor].prev if is_before else anchor, worker, mate)


@compiled
def relocate(b: Board) -> bool:
    """Move a visit beside one that is near."""
    visit = pick(b, b.rules[0].visits)
    if b.visits[visit].placed == 0:
        return False
    anchor = any_anchor(b, visit)
    if anchor == NONE:
        return False
    return relocate_to(b, visit, anchor, coin(b))


@inlined
def may_go_along(b: Board, task: int, visit: int, anchor: int, worker: int) -> bool:
    """Whether a task is a single visit that the worker may take over along with ``visit``."""
    if task >= 2 * b.rules[0].visits or task >> 1 == visit or task == anchor:
        return False
    return b.visits[task >> 1].tasks == 1 and bool(b.may[task, worker])


@compiled
def relocate_chain(b: Board) -> bool:
    """Move two or three visits that follow each other beside one that is near the first."""
    visit = pick(b, b.rules[0].visits)
    anchor = any_anchor(b, visit)
    if b.visits[visit].placed == 0 or anchor == NONE:
        return False
    follower = b.tasks[any_task(b, visit)].next
    if not relocate_to(b, visit, anchor, coin(b)):
        return False
    worker = b.tasks[anchor].worker
    last = 2 * visit if b.tasks[2 * visit].worker == worker else 2 * visit + 1
    for _ in range(1 + pick(b, LONGEST_CHAIN - 1)):
        if not may_go_along(b, follower, visit, anchor, worker):
            break
        task = follower
        follower = b.tasks[task].next
        unlink(b, task)
        if not put(b, task, last, worker, NONE):
            return False
        last = task
    return True


@compiled
def change_worker(b: Board) -> bool:
    """Give a task to another worker in the same place of the order; also to one without any task yet."""
    visit = pick(b, b.rules[0].visits)
    if b.visits[visit].placed == 0:
        return False
    task = any_task(b, visit)
    if coin(b):
        anchor = any_anchor(b, visit)
        worker = b.tasks[anchor].worker if anchor != NONE else NONE
    else:
        worker = pick(b, b.rules[0].workers)
    if worker == NONE or worker == b.tasks[task].worker or not b.may[task, worker]:
        return False
    if b.visits[visit].tasks > 1 and b.tasks[task ^ 1].worker == worker:
        return False
    unlink(b, task)
    return link_by_key(b, task, worker, own(b, worker))


@compiled
def swap(b: Board) -> bool:
    """Exchange a visit with one that stands beside a visit near it."""
    visit = pick(b, b.rules[0].visits)
    anchor = any_anchor(b, visit)
    if b.visits[visit].placed == 0 or anchor == NONE:
        return False
    other = b.tasks[anchor].prev if coin(b) else b.tasks[anchor].next
    if other >= 2 * b.rules[0].visits or other >> 1 == visit:
        return False
    task = any_task(b, visit)
    worker, mate = b.tasks[task].worker, b.tasks[other].worker
    if not b.may[task, mate] or not b.may[other, worker]:
        return False
    is_single = b.visits[visit].tasks == 1 and b.visits[other >> 1].tasks == 1
    if not is_single and (worker == mate or _meets(b, task, mate) or _meets(b, other, worker)):
        return False
    return exchange(b, task, other, is_single)


@inlined
def _meets(b: Board, task: int, worker: int) -> bool:
    """Whether the worker does the other task of this double visit."""
    return b.visits[task >> 1].tasks > 1 and b.tasks[task ^ 1].worker == worker


@inlined
def exchange(b: Board, task: int, other: int, is_with_keys: bool) -> bool:  # noqa: FBT001 - no keywords in compiled code
    """Exchange the workers of two tasks; of two single visits the places in the order, too."""
    visit, second = task >> 1, other >> 1
    worker, mate = b.tasks[task].worker, b.tasks[other].worker
    unlink(b, task)
    unlink(b, other)
    if is_with_keys:
        key = b.tasks[task].key
        if not keeps_order(b, visit, b.tasks[other].key) or not keeps_order(b, second, key):
            return False
        set_key(b, visit, b.tasks[other].key, any_floor(b, visit))
        set_key(b, second, key, any_floor(b, second))
    return link_by_key(b, task, mate, own(b, mate)) and link_by_key(b, other, worker, own(b, worker))


@inlined
def may_take(b: Board, head: int, end: int, mate: int, mates_key: float) -> bool:
    """Whether ``mate`` may do all from ``head`` to the end of that day; ``mates_key`` is the last of what the mate keeps."""
    task = head
    while task != end:
        if not b.may[task, mate] or (_meets(b, task, mate) and b.tasks[task ^ 1].key <= mates_key):
            return False
        task = b.tasks[task].next
    return True


@compiled
def tail_sums(b: Board, at: int, worker: int) -> tuple[float, float, float]:
    """Return ways, service minutes and wishes behind a task of a route."""
    end = own(b, worker)
    ways, minutes, wish = 0.0, 0.0, 0.0
    is_wishing = b.rules[0].has_wishes
    task = b.tasks[at].next
    if at == end and task == end:
        return ways, minutes, wish
    while task != end:
        ways += way(b, at, task, worker)
        minutes += b.tasks[task].minutes
        if is_wishing:
            wish += b.wishes[task, worker]
        at = task
        task = b.tasks[task].next
    return ways + way(b, at, end, worker), minutes, wish


@inlined
def book_tail(b: Board, at: int, worker: int, sign: float) -> None:
    """Add to the trial what lies behind a task of a route, or take it off."""
    ways, minutes, wish = tail_sums(b, at, worker)
    trial = b.trial[0]
    trial.travel += sign * ways
    trial.wish += sign * wish
    if b.rules[0].has_hours:
        touch(b, worker, sign * (ways + minutes))


@inlined
def wake_tail(b: Board, head: int, worker: int, mate: int) -> None:
    """Wake the head of a tail that changed hands; all of it where the two carers travel or rest differently."""
    wake(b, head)
    one, other = b.workers[worker], b.workers[mate]
    task = head
    if one.mode != other.mode or one.breaks > 0 or other.breaks > 0:
        while task < 2 * b.rules[0].visits:
            wake(b, task)
            task = b.tasks[task].next


@compiled
def exchange_tails(b: Board) -> bool:
    """Exchange the rests of two days so that a visit follows one that is near."""
    visit = pick(b, b.rules[0].visits)
    anchor = any_anchor(b, visit)
    if b.visits[visit].placed == 0 or anchor == NONE:
        return False
    task = any_task(b, visit)
    if b.tasks[anchor].key > b.tasks[task].key:
        anchor, task = task, anchor
    worker, mate = b.tasks[anchor].worker, b.tasks[task].worker
    prev, head = b.tasks[task].prev, b.tasks[anchor].next
    key, mates_key = key_of(b, anchor, -FAR), key_of(b, prev, -FAR)
    if worker == mate or key >= key_of(b, task, FAR) or mates_key >= key_of(b, head, FAR):
        return False
    if not may_take(b, task, own(b, mate), worker, key) or not may_take(b, head, own(b, worker), mate, mates_key):
        return False
    book_tail(b, anchor, worker, -1.0)
    book_tail(b, prev, mate, -1.0)
    swap_rings(b, anchor, prev, worker, mate)
    note(b, TAILS, anchor).prev = prev
    book_tail(b, anchor, worker, 1.0)
    book_tail(b, prev, mate, 1.0)
    wake_tail(b, task, mate, worker)
    wake_tail(b, head, worker, mate)
    return True


@compiled
def bring_in(b: Board) -> bool:
    """Bring in a visit left out, beside one near it; half the time in place of that one, which is left out instead."""
    visit = b.bank[pick(b, b.sums[0].banked)]
    worker = pick(b, b.rules[0].workers)
    anchor = any_anchor(b, visit)
    if anchor != NONE and draw(b) < BESIDE:
        worker = b.tasks[anchor].worker
    else:
        anchor = own(b, worker)
    task = task_for(b, visit, worker)
    if task == NONE or not is_led(b, visit):
        return False
    mate = partner_for(b, task, worker, pick(b, b.rules[0].workers), NONE) if b.visits[visit].tasks > 1 else NONE
    if b.visits[visit].tasks > 1 and mate == NONE:
        return False
    prev = b.tasks[anchor].prev if coin(b) else anchor
    if coin(b) and anchor < 2 * b.rules[0].visits:
        if not is_free_to_go(b, anchor >> 1) or b.visits[visit].after == anchor >> 1:
            return False
        prev = b.tasks[anchor].prev
        if prev >> 1 == anchor >> 1:
            return False
        leave_out(b, anchor >> 1)
    take_in(b, visit)
    return put(b, task, prev, worker, mate)


@inlined
def is_led(b: Board, visit: int) -> bool:
    """Whether the visit that this one must follow in time is in the plan."""
    after = b.visits[visit].after
    return after == NONE or b.visits[after].placed != 0


@inlined
def is_free_to_go(b: Board, visit: int) -> bool:
    """Whether no visit in the plan must follow this one in time."""
    for i in range(b.followers_from[visit], b.followers_from[visit + 1]):
        other = b.visits[b.followers[i]]
        if other.after == visit and other.placed:
            return False
    return True
