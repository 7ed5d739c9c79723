"""The times that follow from a change, and whether the change is worth its cost.

Only what a change moves is worked out: visits wait in a queue in the order of their keys, each is done once, and those behind it join the
queue when it starts at another time. The work stops as soon as the cost exceeds the limit drawn beforehand.
"""

from __future__ import annotations

from yinling.dispatch.planner.arrays import FAR, NONE, Board
from yinling.dispatch.planner.jit import compiled, inlined
from yinling.dispatch.planner.kernel import count_times, event_of, is_split, own, set_times, way

EPS = 1e-6


@inlined
def wake_in_order(b: Board, event: int) -> None:
    """Put a task into the queue, which lies in falling order of keys; its end is the next to be done."""
    row = b.tasks[event]
    if row.queued == 0:
        row.queued = 1
        trial = b.trial[0]
        at = trial.waiting
        trial.waiting += 1
        while at > 0 and b.tasks[b.queue[at - 1]].key < row.key:
            b.queue[at] = b.queue[at - 1]
            at -= 1
        b.queue[at] = event


@inlined
def sort_queue(b: Board) -> None:
    """Put those woken by the links into order."""
    trial = b.trial[0]
    size = trial.waiting
    trial.waiting = 0
    for i in range(size):
        event = b.queue[i]
        b.tasks[event].queued = 0
        wake_in_order(b, event)


@inlined
def ended(b: Board, visit: int) -> float:
    """Return when the last task of a visit ends."""
    first = b.tasks[2 * visit].leaves
    return max(first, b.tasks[2 * visit + 1].leaves) if b.visits[visit].tasks > 1 else first


@inlined
def earliest(b: Board, visit: int) -> float:
    """Return the earliest start that the visit itself and the one it must follow allow."""
    row = b.visits[visit]
    if row.after != NONE:
        return max(row.floor, ended(b, row.after) + row.after_minutes)
    return row.floor


@inlined
def arrival(b: Board, task: int) -> float:
    """Return when the carer is at the door, no rest taken."""
    row = b.tasks[task]
    return b.tasks[row.prev].leaves + way(b, row.prev, task, row.worker)


@compiled
def rest_on_way(b: Board, task: int, to: int, floor: float, minutes: float) -> tuple[float, int]:
    """Return when the carer who leaves ``task`` is ready at ``to``, where work takes from ``floor`` on, and the rests taken by then.

    A rest is taken at the door when waiting there has room for it or when it would be too late after the work; before leaving when the
    arrival is too late for it. ``FAR`` where it cannot be taken any more.
    """
    worker = b.tasks[to].worker
    free = b.tasks[task].leaves
    rests = b.tasks[task].rests
    ways = way(b, task, to, worker)
    first = b.workers[worker].first_break
    while rests < b.workers[worker].breaks:
        rest = b.breaks[first + rests]
        at = max(free + ways, rest.opens)
        must = max(free + ways, floor) + minutes > rest.closes
        if at <= rest.closes and (must or at + rest.minutes <= floor):
            free = at + rest.minutes - ways
        elif must:
            at = max(free, rest.opens)
            if at > rest.closes + EPS:
                return FAR, rests
            free = at + rest.minutes
        else:
            break
        rests += 1
    return free + ways, rests


@inlined
def is_home_in_time(b: Board, worker: int) -> bool:
    """Whether the day of the worker ends in time, with all rests."""
    end = own(b, worker)
    last = b.tasks[end].prev
    if b.workers[worker].bounded == 0 or last == end:
        return True
    home, _ = rest_on_way(b, last, end, 0.0, 0.0)
    return home <= b.workers[worker].day_to + EPS


@inlined
def begin(b: Board, task: int, begins: float, latest: float, rests: int) -> bool:
    """Let a task start at a time; False where that breaks a hard rule. Those behind it wake when anything changed."""
    row = b.tasks[task]
    if begins > latest + EPS:
        return False
    if begins == row.begins and rests == row.rests:
        return True
    count_times(b, task, begins)
    set_times(b, task, begins, begins + row.minutes, rests)
    if row.next < 2 * b.rules[0].visits:
        wake_in_order(b, event_of(b, row.next))
        return True
    return is_home_in_time(b, row.worker)


@inlined
def wake_followers(b: Board, visit: int) -> None:
    """Wake the visits that must follow this one."""
    for i in range(b.followers_from[visit], b.followers_from[visit + 1]):
        if b.visits[b.followers[i]].placed:
            wake_in_order(b, 2 * b.followers[i])
            wake_in_order(b, event_of(b, 2 * b.followers[i] + 1))


@inlined
def retime(b: Board, task: int) -> bool:
    """Work out the start of a visit, both tasks together unless they stand apart; False where that breaks a hard rule."""
    visit = task >> 1
    row = b.visits[visit]
    floor = earliest(b, visit)
    if is_split(b, visit):
        return retime_apart(b, task, floor)
    if b.rules[0].has_breaks:
        return retime_resting(b, visit, floor)
    first = max(floor, arrival(b, task))
    if row.tasks == 1:
        return begin(b, task, first, row.latest, 0)
    second = max(floor, arrival(b, task + 1), first + row.gap_low)
    first = max(first, second - row.gap_high)
    return begin(b, task, first, row.latest, 0) and begin(b, task + 1, second, row.latest_second, 0)


@compiled
def retime_apart(b: Board, task: int, floor: float) -> bool:
    """Work out the start of one task of a staggered visit. The first does not wait for the second: where that comes too late, no plan."""
    row = b.visits[task >> 1]
    is_second = task & 1
    if is_second:
        floor = max(floor, b.tasks[task - 1].begins + row.gap_low)
    else:
        floor = max(floor, row.hold)
        wake_in_order(b, task + 1)
    ready, rests = arrival(b, task), 0
    if b.rules[0].has_breaks:
        ready, rests = rest_on_way(b, b.tasks[task].prev, task, floor, b.tasks[task].minutes)
    begins = max(floor, ready)
    if is_second and begins > b.tasks[task - 1].begins + row.gap_high + EPS:
        return False
    return begin(b, task, begins, row.latest_second if is_second else row.latest, rests)


@compiled
def retime_resting(b: Board, visit: int, floor: float) -> bool:
    """As ``retime``, with rests: a second round knows how long the other carer keeps this one waiting."""
    row = b.visits[visit]
    task = 2 * visit
    mate = task + 1
    ready, rests = rest_on_way(b, b.tasks[task].prev, task, floor, b.tasks[task].minutes)
    first = max(floor, ready)
    if row.tasks == 1:
        return begin(b, task, first, row.latest, rests)
    ready, mates_rests = rest_on_way(b, b.tasks[mate].prev, mate, floor, b.tasks[mate].minutes)
    second = max(floor, ready, first + row.gap_low)
    first = max(first, second - row.gap_high)
    ready, rests = rest_on_way(b, b.tasks[task].prev, task, first, b.tasks[task].minutes)
    first = max(first, ready)
    ready, mates_rests = rest_on_way(
        b, b.tasks[mate].prev, mate, max(second, first + row.gap_low), b.tasks[mate].minutes
    )
    second = max(second, ready, first + row.gap_low)
    first = max(first, second - row.gap_high)
    return begin(b, task, first, row.latest, rests) and begin(b, mate, second, row.latest_second, mates_rests)


@compiled
def hours_change(b: Board) -> float:
    """Return the change of the cost of hours; ``FAR`` where someone would work longer than allowed."""
    rules = b.rules[0]
    sums = b.sums[0]
    work, square, length, overtime = 0.0, 0.0, 0.0, 0.0
    for i in range(b.trial[0].touched):
        row = b.workers[b.touched[i].worker]
        was = b.touched[i].work
        if row.work > row.most + EPS and row.work > was:
            return FAR
        work += row.work - was
        square += row.work * row.work - was * was
        length += (row.work - was) * row.length
        overtime += max(0.0, row.work - row.contract) - max(0.0, was - row.contract)
    before = imbalance(b, sums.work, sums.work_square, sums.work_length)
    after = imbalance(b, sums.work + work, sums.work_square + square, sums.work_length + length)
    return float(rules.overtime * overtime + rules.imbalance * (after - before))


@inlined
def imbalance(b: Board, work: float, square: float, length: float) -> float:
    """Return the squared hours of work above or below the fair share, of all carers, from sums over the carers."""
    sums = b.sums[0]
    share = work / sums.length
    return float((square - 2 * share * length + share * share * sums.length_square) / 3600)


@compiled
def worst_of_all(b: Board) -> float:
    """Return the largest tardiness."""
    worst = 0.0
    for task in range(2 * b.rules[0].visits):
        worst = max(worst, b.tasks[task].begins - b.visits[task >> 1].closes)
    return worst


@inlined
def cost_of_times(b: Board, worst: float) -> float:
    """Return the change of cost by tardiness and announced starts."""
    trial, rules = b.trial[0], b.rules[0]
    change = rules.tardiness * trial.tardiness + rules.shift * trial.shift
    return float(change + rules.worst * (worst - b.sums[0].worst))


@inlined
def may_cost_less(b: Board) -> float:
    """Return a bound of what better times could still save."""
    rules, sums = b.rules[0], b.sums[0]
    return float(rules.tardiness * sums.tardiness + rules.worst * sums.worst + rules.shift * sums.shift)


@inlined
def settle(b: Board) -> bool:
    """Work out all times that change; False when that breaks a hard rule or costs more than the limit."""
    trial, rules = b.trial[0], b.rules[0]
    room = trial.limit - trial.fixed + may_cost_less(b)
    while trial.waiting > 0:
        trial.waiting -= 1
        event = b.queue[trial.waiting]
        b.tasks[event].queued = 0
        visit = event >> 1
        if b.visits[visit].placed == 0:
            continue
        if not retime(b, event):
            return False
        if b.followers_from[visit] < b.followers_from[visit + 1]:
            wake_followers(b, visit)
        if rules.tardiness * trial.grown + rules.worst * trial.peak > room:
            return False
    return True


@compiled
def is_worth_it(b: Board, limit: float) -> bool:
    """Whether the plan as changed keeps the hard rules and costs at most ``limit`` more than before."""
    trial, rules, sums = b.trial[0], b.rules[0], b.sums[0]
    trial.limit = limit
    trial.fixed = rules.travel * trial.travel + rules.wish * trial.wish + trial.left
    if rules.has_hours:
        trial.hours = hours_change(b)
        trial.fixed += trial.hours
    if trial.fixed - may_cost_less(b) > limit:
        return False
    sort_queue(b)
    if not settle(b):
        return False
    if rules.has_hours:
        for i in range(trial.touched):
            if not is_home_in_time(b, b.touched[i].worker):
                return False
    trial.worst = max(sums.worst, trial.peak)
    if trial.is_peak_lost and trial.peak < sums.worst:
        if trial.fixed + cost_of_times(b, 0.0) > limit:
            return False
        trial.worst = worst_of_all(b)
    trial.change = trial.fixed + cost_of_times(b, trial.worst)
    return bool(trial.change <= limit)


@compiled
def keep(b: Board) -> None:
    """Book the trial: the plan as changed is the plan now."""
    trial, rules, sums = b.trial[0], b.rules[0], b.sums[0]
    sums.total += trial.change
    sums.travel += trial.travel
    sums.wish += trial.wish
    sums.left += trial.left
    sums.hours += trial.hours
    sums.tardiness += trial.tardiness
    sums.shift += trial.shift
    sums.worst = trial.worst
    if rules.has_hours:
        for i in range(trial.touched):
            row = b.workers[b.touched[i].worker]
            was = b.touched[i].work
            sums.work += row.work - was
            sums.work_square += row.work * row.work - was * was
            sums.work_length += (row.work - was) * row.length
