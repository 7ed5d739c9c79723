"""Goals of figures for which nobody set one: the first honest measurement and a fifth more (or less, where more is better).

Taken with ``--quick`` on 2 cores of an AMD EPYC that others used too.
"""

from __future__ import annotations

from dataclasses import replace

from yinling.bench.figures import Figure

TOLERANCE = 0.2
GAP_PERCENT = {10: 0.3, 60: 0.01}
"""Mean gap of a set to the best known, by CPU seconds; a hundredth of a percent is none."""
WORST_PERCENT = 1.0
"""Of any single instance, with the longest limit."""
PYVRP_PERCENT = 2.0
FIRST = {
    "pages.desk.p50": 17.09,
    "pages.desk.cpu": 11.26,
    "pages.desk.database": 4.19,
    "pages.desk.waiting": 5.33,
    "pages.desk.ratio": 2.1,
    "pages.tickets.p50": 15.84,
    "pages.tickets.waiting": 4.01,
    "pages.tickets.ratio": 3.51,
    "pages.ticket.p50": 18.91,
    "pages.ticket.cpu": 14.1,
    "pages.ticket.database": 2.73,
    "pages.ticket.waiting": 4.52,
    "pages.ticket.ratio": 3.83,
    "pages.elders.p50": 11.42,
    "pages.elders.waiting": 2.02,
    "pages.elders.ratio": 4.67,
    "pages.elder.p50": 33.8,
    "pages.elder.cpu": 28.55,
    "pages.elder.database": 3.16,
    "pages.elder.waiting": 4.85,
    "pages.elder.ratio": 6.29,
    "pages.orders.p50": 16.17,
    "pages.orders.waiting": 3.84,
    "pages.orders.ratio": 3.3,
    "pages.order.p50": 24.67,
    "pages.order.cpu": 13.34,
    "pages.order.database": 7.66,
    "pages.order.waiting": 9.93,
    "pages.order.ratio": 2.57,
    "pages.dispatch.p50": 23.95,
    "pages.dispatch.cpu": 19.12,
    "pages.dispatch.database": 3.03,
    "pages.dispatch.waiting": 4.43,
    "pages.dispatch.ratio": 3.29,
    "pages.findings.p50": 15.82,
    "pages.findings.waiting": 3.89,
    "pages.findings.ratio": 2.58,
    "pages.settlement.p50": 16.19,
    "pages.settlement.waiting": 2.17,
    "pages.settlement.ratio": 5.39,
    "pages.ratio": 3.41,
    "loop.rate": 4.4,
    "loop.requests": 52.8,
    "loop.rows": 40,
    "loop.p50": 1.66,
    "loop.p95": 2.64,
    "loop.ratio": 38.1,
    "devices.ratio": 5.05,
    "supervision.delay_p50": 4.22,
    "supervision.round": 111.6,
    "supervision.rows": 5324,
}


def with_goal(figure: Figure) -> Figure:
    """Return the figure, held against its first measurement if it has no goal of its own."""
    first = FIRST.get(figure.name)
    if figure.goal or first is None:
        return figure
    note = f"{figure.yardstick}; first {first:g}".removeprefix("; ")
    if figure.unit.endswith("/s"):
        return replace(figure, least=round(first * (1 - TOLERANCE), 3), yardstick=note)
    return replace(figure, most=round(first * (1 + TOLERANCE), 3), yardstick=note)
