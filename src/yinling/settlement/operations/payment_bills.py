"""A channel's bill of a day beside ours."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.queries import cities, city_of
from yinling.directory.rules import person_of, require
from yinling.ground.live import tell
from yinling.ground.operation import operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Input
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.settlement.models import PaymentBill
from yinling.settlement.paying import Movement, compare, read_bill
from yinling.settlement.ports import payment_channel
from yinling.settlement.queries.payments import movements

Text = Annotated[
    str, Input(N_("渠道账单"), help=N_("每行一笔：付款或退款,商户单号,渠道单号,金额（元）。当天没有收支就留空"), max_length=5_000_000, widget="area")
]  # fmt: skip


@operation("settlement.payment_bill.load", label=N_("核对账单"))
def load_payment_bill(*, actor: Actor, now: datetime, day: Day, text: Text = "") -> PaymentBill:
    """Compare a channel's bill of a day with ours, as often as wanted: the last comparison counts."""
    place = city_of(actor.div or "") or actor.div or ""
    require(actor, "settlement.payment_bill.load", div=place)
    if day > local_date(now):
        raise Refused("bill.day", N_("这一天还没有到，请选择已经过去的日期"), field="day")
    channel = payment_channel().name
    if not channel:
        raise NotAllowed("payment.no_channel", N_("平台没有开通网上付款，没有渠道账单要核对"))
    others = tuple(f"{one.div}-" for one in cities() if one.div != place)
    theirs = [one for one in read_bill(text) if not one.key.startswith(others)]
    ours = movements(place, channel, day)
    found = compare(ours, theirs)
    values = {
        "ours_fen": _sum(ours), "theirs_fen": _sum(theirs), "differences": found, "loaded_by_id": person_of(actor), "loaded_at": now,
    }  # fmt: skip
    row, _is_new = PaymentBill.objects.update_or_create(div=place, channel=channel, day=day, defaults=values)
    record(
        actor=actor, now=now, event="settlement.payment_bill.load", subject=row,
        changes={"ours_fen": [None, row.ours_fen], "theirs_fen": [None, row.theirs_fen], "differences": [None, len(found)]},
    )  # fmt: skip
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _sum(rows: list[Movement]) -> int:
    return sum(one.signed_fen for one in rows)
