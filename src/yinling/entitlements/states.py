"""States of an application for a scheme, and of an objection to one."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class ApplicationState(State):
    """From the signature to the decision."""

    APPLIED = "applied", N_("待初审")
    RETURNED = "returned", N_("待补正")
    REVIEWED = "reviewed", N_("初审通过")
    NOTICED = "noticed", N_("公示")
    WAITING = "waiting", N_("轮候")
    APPROVED = "approved", N_("已批准")
    REFUSED = "refused", N_("不予批准")
    WITHDRAWN = "withdrawn", N_("已撤回")


_S = ApplicationState
OPEN = (_S.APPLIED, _S.RETURNED, _S.REVIEWED, _S.NOTICED, _S.WAITING)
"""Nothing has been decided yet."""

APPLICATION = Machine(
    "application",
    ApplicationState,
    ApplicationState.APPLIED,
    [
        ("return", {_S.APPLIED}, _S.RETURNED, N_("退回补正")),
        ("complete", {_S.RETURNED}, _S.APPLIED, N_("补正")),
        ("review", {_S.APPLIED}, _S.REVIEWED, N_("初审通过")),
        ("publish", {_S.REVIEWED}, _S.NOTICED, N_("公示")),
        ("reopen", {_S.NOTICED, _S.WAITING}, _S.APPLIED, None),
        ("approve", {_S.REVIEWED, _S.NOTICED}, _S.APPROVED, N_("批准")),
        ("queue", {_S.REVIEWED, _S.NOTICED}, _S.WAITING, None),
        ("call_up", {_S.WAITING}, _S.APPROVED, None),
        ("refuse", {_S.APPLIED, _S.REVIEWED, _S.NOTICED, _S.WAITING}, _S.REFUSED, N_("不予批准")),
        ("withdraw", set(OPEN), _S.WITHDRAWN, N_("撤回")),
    ],
)


class ObjectionState(State):
    """From the word of a citizen to the answer."""

    OPEN = "open", N_("待处理")
    UPHELD = "upheld", N_("成立")
    DISMISSED = "dismissed", N_("不成立")


OBJECTION = Machine(
    "objection",
    ObjectionState,
    ObjectionState.OPEN,
    [
        ("uphold", {ObjectionState.OPEN}, ObjectionState.UPHELD, N_("成立")),
        ("dismiss", {ObjectionState.OPEN}, ObjectionState.DISMISSED, N_("不成立")),
    ],
)
