"""A visit put where an earlier plan had it."""

from __future__ import annotations

from yinling.dispatch.planner.arrays import NONE, NOT_YET, Board
from yinling.dispatch.planner.jit import compiled
from yinling.dispatch.planner.kernel import link, open_trial, own, set_keys, take_back, take_in
from yinling.dispatch.planner.kernel_moves import behind, is_led, keeps_order
from yinling.dispatch.planner.kernel_times import EPS, is_worth_it, keep

DEAREST = 1e8
"""Less than a way that does not exist."""


@compiled
def load_visit(b: Board, visit: int, keys: tuple[float, float], starts: float, worker: int, mate: int) -> bool:
    """Take a visit from the bank to these workers at this place in the order; it stays in the bank where that breaks a hard rule."""
    row = b.visits[visit]
    is_double = row.tasks > 1
    if not b.may[2 * visit, worker] or (is_double and (mate == worker or not b.may[2 * visit + 1, mate])):
        return False
    if not is_led(b, visit) or not keeps_order(b, visit, keys[0]):
        return False
    open_trial(b)
    take_in(b, visit)
    floor = row.opens if row.usual == NOT_YET else max(row.opens, min(row.usual, row.latest))
    hold = starts if keys[1] > keys[0] else 0.0
    set_keys(b, visit, keys[0], keys[1], floor if starts >= floor - EPS else row.opens, hold)
    at = behind(b, worker, keys[0], b.tasks[own(b, worker)].prev)
    if at != NONE:
        link(b, 2 * visit, at, worker)
        if is_double:
            at = behind(b, mate, keys[1], b.tasks[own(b, mate)].prev)
            if at != NONE:
                link(b, 2 * visit + 1, at, mate)
    if at != NONE and is_worth_it(b, DEAREST):
        keep(b)
        return True
    take_back(b)
    return False
