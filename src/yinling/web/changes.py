"""What is added at the door: offered, confirmed by the elder side, or dropped, on the carer's phone and on the elder's page (D-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from yinling.catalogue.queries import body_prices
from yinling.kernel.money import yuan
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.orders.models import Order, OrderLine
from yinling.orders.rules import GOODS, SERVICES
from yinling.web.actions import ActionForm, action_form


@dataclass(frozen=True)
class Change:
    """One line added at the door, what of it the elder bears, and what may be done about it."""

    line: OrderLine
    own_fen: int
    confirm: ActionForm | None
    drop: ActionForm | None


def changes_of(request: Any, order: Order, here: str, *, signed: dict[str, str] | None = None) -> list[Change]:
    """The lines added to an order, the oldest first. ``signed`` says who confirms on an own page; on the carer's phone it is asked."""
    rows = [line for line in order.lines.all() if line.added_at]
    own: dict[int, int] = {}
    for share in order.shares.all() if rows else ():
        own[share.line_id] = own.get(share.line_id, 0) + (share.amount_fen if share.payer == "self" else 0)
    return [_change(request, row, own.get(row.pk, 0), here, signed) for row in sorted(rows, key=lambda row: row.pk)]


def _change(request: Any, row: OrderLine, own_fen: int, here: str, signed: dict[str, str] | None) -> Change:
    is_open = row.confirmed_at is None and row.dropped_at is None
    start = {"line_id": row.pk} | (signed or {"signed_as": "self"})
    confirm = action_form(
        request, "confirm_line", start, next=here, done=N_("已确认"), hidden=tuple(signed or ()),
        submit=_("同意，自付 %(own)s 元") % {"own": yuan(own_fen)},
    ) if is_open else None  # fmt: skip
    drop = action_form(
        request, "drop_line", {"line_id": row.pk}, next=here, tone="", done=N_("已取消"), hidden=("reason",), submit=_("不增加")
    ) if row.dropped_at is None else None  # fmt: skip
    return Change(row, own_fen, confirm, drop)


def add_form(request: Any, order: Order, here: str) -> ActionForm:
    """The form that offers a further item, at the prices published when the order was placed."""
    asked = body_prices(order.provider_id, local_date(order.starts_at), order.placed_at or order.created_at)
    known = set(order.lines.filter(dropped_at=None, kind="item").values_list("item_id", flat=True))
    choices = [
        (item.code, f"{item.name} {yuan(fee.amount_fen)} 元 / {fee.unit}")
        for item, fee in (asked.fees if asked else ())
        if item.pk not in known and (item.kind in GOODS or (item.kind in SERVICES and item.needs_visit))
    ]
    return action_form(
        request, "add_line", {"order_id": order.pk, "quantity": 1}, next=here, done=N_("已增加，请老人或家属确认"), tone="",
        fields={"item_code": {"options": choices, "widget": "choice"}},
    )  # fmt: skip
