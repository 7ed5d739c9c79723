"""States of an assignment (the offer of an order to a carer and what became of it) and of a plan of a day."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class AssignmentState(State):
    """From the offer to the end."""

    OFFERED = "offered", N_("待接受")
    ACCEPTED = "accepted", N_("已接受")
    REFUSED = "refused", N_("已谢绝")
    EXPIRED = "expired", N_("超时未接")
    WITHDRAWN = "withdrawn", N_("已改派")
    DONE = "done", N_("已完成")


A = AssignmentState
ASSIGNMENT = Machine(
    "assignment",
    AssignmentState,
    A.OFFERED,
    [
        ("accept", {A.OFFERED}, A.ACCEPTED, N_("接受")),
        ("refuse", {A.OFFERED}, A.REFUSED, N_("谢绝")),
        ("expire", {A.OFFERED}, A.EXPIRED, None),
        ("withdraw", {A.OFFERED, A.ACCEPTED}, A.WITHDRAWN, None),
        ("finish", {A.ACCEPTED}, A.DONE, None),
    ],
)


class PlanState(State):
    """From the wish for a plan to the day itself."""

    QUEUED = "queued", N_("排队中")
    RUNNING = "running", N_("计算中")
    READY = "ready", N_("待发布")
    PUBLISHED = "published", N_("已发布")
    SUPERSEDED = "superseded", N_("已被新计划替代")
    DISCARDED = "discarded", N_("已弃用")
    FAILED = "failed", N_("计算失败")


P = PlanState
DAY_PLAN = Machine(
    "day_plan",
    PlanState,
    P.QUEUED,
    [
        ("run", {P.QUEUED}, P.RUNNING, None),
        ("requeue", {P.RUNNING}, P.QUEUED, None),
        ("finish", {P.RUNNING}, P.READY, None),
        ("fail", {P.RUNNING, P.QUEUED}, P.FAILED, None),
        ("publish", {P.READY}, P.PUBLISHED, N_("发布")),
        ("supersede", {P.PUBLISHED}, P.SUPERSEDED, None),
        ("discard", {P.QUEUED, P.READY, P.FAILED}, P.DISCARDED, N_("弃用")),
    ],
)
