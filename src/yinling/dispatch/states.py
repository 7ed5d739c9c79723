"""States of an assignment: the offer of an order to a carer and what became of it."""

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
