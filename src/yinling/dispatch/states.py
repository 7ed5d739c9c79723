"""States of an assignment (the offer of an order to a carer and what became of it), of a plan of a day, and of what was learned."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class AssignmentState(State):
    """From the offer to the end."""

    OFFERED = "offered", N_("待接受")
    ACCEPTED = "accepted", N_("已接受")
    REFUSED = "refused", N_("已谢绝")
    EXPIRED = "expired", N_("超时未接")
    WITHDRAWN = "withdrawn", N_("已改派")
    RELEASED = "released", N_("已退单")
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
        ("release", {A.ACCEPTED}, A.RELEASED, N_("退单")),
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


class CorrectionState(State):
    """From what the visits say to what plans use."""

    PROPOSED = "proposed", N_("待确认")
    USED = "used", N_("使用中")
    REJECTED = "rejected", N_("不采用")
    REPLACED = "replaced", N_("已被新结果替代")
    ENDED = "ended", N_("已停用")


C = CorrectionState
CORRECTION = Machine(
    "correction",
    CorrectionState,
    C.PROPOSED,
    [
        ("confirm", {C.PROPOSED}, C.USED, N_("采用")),
        ("reject", {C.PROPOSED}, C.REJECTED, N_("不采用")),
        ("replace", {C.PROPOSED, C.USED}, C.REPLACED, None),
        ("end", {C.USED}, C.ENDED, N_("停用")),
    ],
)
