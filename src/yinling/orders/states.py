"""States of an order. En route and on site are states of the visit; held and evaluated are rows beside the order."""

from yinling.kernel.machine import Machine, State
from yinling.kernel.words import N_


class OrderState(State):
    """From the draft to the closed order."""

    DRAFT = "draft", N_("草稿")
    PLACED = "placed", N_("待派单")
    ACCEPTED = "accepted", N_("已接单")
    ASSIGNED = "assigned", N_("已派单")
    IN_SERVICE = "in_service", N_("服务中")
    SERVED = "served", N_("待结算")
    SETTLED = "settled", N_("已结算")
    CLOSED = "closed", N_("已完成")
    CANCELLED = "cancelled", N_("已取消")
    FAILED = "failed", N_("未完成")


S = OrderState
ORDER = Machine(
    "order",
    OrderState,
    S.DRAFT,
    [
        ("place", {S.DRAFT}, S.PLACED, N_("下单")),
        ("accept", {S.PLACED}, S.ACCEPTED, N_("接单")),
        ("refuse", {S.PLACED}, S.CANCELLED, N_("拒单")),
        ("assign", {S.PLACED, S.ACCEPTED}, S.ASSIGNED, None),
        ("return", {S.ACCEPTED, S.ASSIGNED}, S.PLACED, None),
        ("mark_started", {S.ASSIGNED}, S.IN_SERVICE, None),
        ("mark_served", {S.IN_SERVICE}, S.SERVED, None),
        ("mark_delivered", {S.PLACED}, S.SERVED, None),
        ("deliver", {S.PLACED}, S.SERVED, N_("确认已供餐")),
        ("mark_settled", {S.SERVED}, S.SETTLED, None),
        ("close", {S.SETTLED}, S.CLOSED, N_("完成")),
        ("cancel", {S.DRAFT, S.PLACED, S.ACCEPTED, S.ASSIGNED}, S.CANCELLED, N_("取消")),
        ("mark_failed", {S.ASSIGNED, S.IN_SERVICE}, S.FAILED, None),
    ],
)
