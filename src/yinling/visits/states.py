"""States of a visit."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class VisitState(State):
    """From the plan to the end."""

    PLANNED = "planned", N_("待出发")
    EN_ROUTE = "en_route", N_("在途")
    ON_SITE = "on_site", N_("服务中")
    DONE = "done", N_("已完成")
    ABORTED = "aborted", N_("未完成")


V = VisitState
VISIT = Machine(
    "visit",
    VisitState,
    V.PLANNED,
    [
        ("depart", {V.PLANNED}, V.EN_ROUTE, N_("出发")),
        ("start", {V.PLANNED, V.EN_ROUTE}, V.ON_SITE, N_("签到")),
        ("finish", {V.ON_SITE}, V.DONE, N_("签退")),
        ("abort", {V.PLANNED, V.EN_ROUTE, V.ON_SITE}, V.ABORTED, N_("无法服务")),
    ],
)
