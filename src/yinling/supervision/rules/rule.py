"""What a rule of supervision is, and the two flat tables it looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis
from ibis.expr.types import Table

from yinling.kernel.words import N_

WARNING, BLOCK = "warning", "block"

PARAMETERS: dict[str, str] = {
    "checkin.radius_m": "int64",
    "checkin.block_m": "int64",
    "visit.late_minutes": "int64",
    "visit.min_share": "decimal(6, 4)",
    "visit.max_share": "decimal(6, 4)",
    "cancel.days": "int64",
    "cancel.elder_least": "int64",
    "cancel.provider_least": "int64",
    "double.most": "int64",
}
"""Thresholds of rules and their kind. Each stands in a column of ``services`` (dots as underscores), as in force for that row."""

SERVICES: dict[str, str] = {
    "order_id": "int64", "assignment_id": "int64", "visit_id": "int64", "staff_id": "int64", "provider_id": "int64", "elder_id": "int64",
    "div": "string", "order_state": "string", "assignment_state": "string", "is_current": "boolean", "is_first": "boolean",
    "slot": "int64", "is_first_visit": "boolean",
    "placed_at": "int64", "order_accept_due_at": "int64", "order_accepted_at": "int64", "offered_at": "int64", "first_offered_at": "int64",
    "accept_due_at": "int64", "accepted_at": "int64", "assignment_ended_at": "int64", "starts_at": "int64", "ends_at": "int64",
    "started_at": "int64", "ended_at": "int64", "standard_minutes": "int64", "distance_m": "int64", "death_over_at": "int64",
    "hospital_from_at": "int64", "hospital_to_at": "int64", "charged_fen": "int64", "allowed_fen": "int64", "unfunded_fen": "int64",
    "cancelled_at": "int64", "is_declined": "boolean", "claimed_again_at": "int64", "claimed_again_month": "int64",
    "claimed_again_count": "int64",
    "as_of": "int64", **{key.replace(".", "_"): kind for key, kind in PARAMETERS.items()},
}  # fmt: skip
"""One row per order, assignment and visit; ``_at`` in epoch seconds, ``as_of`` the moment of looking.

``is_current`` marks the assignment that counts (offered, accepted or done; without one the last), ``is_first`` one row per order.
``slot`` is 2 for the second carer of an order for two; ``is_first_visit`` marks the visit of an order that began first.
``death_over_at`` is the end of the day on which the elder died; ``hospital_from_at`` the end of the first and ``hospital_to_at`` the
beginning of the last day in hospital, of the stay that holds on the day of the service. Of the lines' ``charged_fen``, ``allowed_fen`` is
what the published list asks at most; ``unfunded_fen`` is what schemes pay that the elder had no entitlement to on the service day.
``cancelled_at`` is when somebody gave the order up (not the platform, for a death, a stay or a meal nobody confirmed), ``is_declined``
whether the provider did that. ``claimed_again_at`` is when charging the service of the order a second time was refused,
``claimed_again_count`` how many orders of the provider were so by then in that month.
"""

PHOTOS: dict[str, str] = {
    "photo_id": "int64", "visit_id": "int64", "order_id": "int64", "staff_id": "int64", "sha256": "string", "received_at": "int64",
}  # fmt: skip

HIT = ("subject_id", "order_id", "visit_id", "staff_id", "happened_at")
"""Columns every rule returns; the others are facts. ``subject_id`` makes the finding of a rule unique."""

FACTS: dict[str, tuple[str, str]] = {
    "accept_due_at": (N_("应接单时间"), "moment"),
    "accepted_at": (N_("实际接单时间"), "moment"),
    "starts_at": (N_("预约开始"), "moment"),
    "started_at": (N_("签到时间"), "moment"),
    "ended_at": (N_("签退时间"), "moment"),
    "limit_minutes": (N_("时限（分钟）"), "number"),
    "distance_m": (N_("签到距离（米）"), "number"),
    "limit_m": (N_("限值（米）"), "number"),
    "served_seconds": (N_("实际时长"), "seconds"),
    "standard_minutes": (N_("标准时长（分钟）"), "number"),
    "share": (N_("时长下限比例"), "number"),
    "earlier_visit_id": (N_("另一次上门"), "visit"),
    "earlier_ended_at": (N_("另一次签退时间"), "moment"),
    "death_over_at": (N_("死亡日结束"), "moment"),
    "most_share": (N_("时长上限比例"), "number"),
    "hospital_from_at": (N_("入院次日"), "moment"),
    "hospital_to_at": (N_("出院当日"), "moment"),
    "charged_fen": (N_("实际收费"), "money"),
    "allowed_fen": (N_("按公布价目最多可收"), "money"),
    "unfunded_fen": (N_("无资格的补贴金额"), "money"),
    "cancel_count": (N_("取消次数"), "number"),
    "cancel_days": (N_("统计天数"), "number"),
    "claimed_again_count": (N_("本月被拒绝的重复收费"), "number"),
    "sha256": (N_("照片指纹"), "text"),
    "earlier_received_at": (N_("首次上传时间"), "moment"),
    "received_at": (N_("上传时间"), "moment"),
}
"""What people read of a fact: label and kind."""


@dataclass(frozen=True)
class Rule:
    """One rule. ``find`` is an expression over the two tables; ``basis`` the law or the document it rests on."""

    code: str
    title: str
    severity: str
    basis: str
    parameters: tuple[str, ...]
    find: Callable[[Table, Table], Table]


@dataclass(frozen=True)
class ByHand:
    """What a person finds, not an expression: a finding says it and rests on it like on a rule."""

    code: str
    title: str
    severity: str
    basis: str


def tables() -> tuple[Table, Table]:
    """Return the two tables without data, for expressions that an engine compiles."""
    return ibis.table(SERVICES, name="services"), ibis.table(PHOTOS, name="photos")


def absent() -> Any:
    """Return an empty number: a hit without a visit or a carer."""
    return ibis.null().cast("int64")
