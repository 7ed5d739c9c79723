"""Gifts in kind: a numbered receipt, no money and no ledger; handed out against a signature until they are used up (R-FUN-09)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from django.db.models import Sum

from yinling.accounts.operations import record
from yinling.directory.models import Area, Organisation
from yinling.directory.rules import known_choice, person_of, require, required_text
from yinling.entitlements.models import PURPOSES
from yinling.ground.live import tell
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input
from yinling.kernel.money import MOST_FEN
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.programmes.subsidies.models import Donation, Handout
from yinling.programmes.subsidies.operations.donations import Anonymous, Donor, Wish, next_number
from yinling.programmes.subsidies.queries.funds import standing_donations

USED_UP = N_("发放的数量超过剩余的数量，请核对")
MOST = 10_000_000
explain_constraint("donation_handed", "handout.used_up", USED_UP)

Goods = Annotated[str, Input(N_("物品"), help=N_("名称、规格"), max_length=80)]
Quantity = Annotated[int, Input(N_("数量"), least=1, most=MOST, widget="number")]
Unit = Annotated[str, Input(N_("单位"), help=N_("件、台、箱、公斤"), max_length=10)]
Value = Annotated[
    int, Input(N_("估价合计（元）"), help=N_("只作登记，不入账、不增加资金"), least=1, most=MOST_FEN, widget="yuan")
]
Basis = Annotated[str, Input(N_("估价依据"), help=N_("发票、市场价或评估报告，写明来源"), max_length=200)]
Purpose = Annotated[str, Input(N_("用途"), choices=PURPOSES, widget="choice")]
Div = Annotated[str, Input(N_("接收的区划"), max_length=12)]
ReceivedOn = Annotated[date, Input(N_("收到日期"), widget="date")]
ElderId = Annotated[int | None, Input(N_("老年人编号"), help=N_("发给老年人的填写"), least=1, widget="number")]
BodyId = Annotated[int | None, Input(N_("机构"), help=N_("发给机构的选择"), least=1, widget="number")]
Handed = Annotated[int, Input(N_("数量"), help=N_("更正以前多登记的，填负数"), least=-MOST, most=MOST, widget="number")]
Signed = Annotated[str, Input(N_("签收人"), help=N_("在签收单上签字的人"), max_length=40)]
Note = Annotated[str, Input(N_("说明"), help=N_("签收单编号等"), max_length=200)]


@operation("subsidies.donation.receive", label=N_("登记实物捐赠"))
def receive_donation(  # noqa: PLR0913 - what a receipt says
    *, actor: Actor, now: datetime, donor: Donor, goods: Goods, quantity: Quantity, unit: Unit, amount_fen: Value, basis: Basis,
    purpose: Purpose, div: Div, received_on: ReceivedOn, wish: Wish = "", is_anonymous: Anonymous = False,
) -> Donation:  # fmt: skip
    """Register goods received with what they are estimated at. No account and no line knows of them; the receipt has the next number."""
    require(actor, "subsidies.donation.receive", div=div)
    known_choice(purpose, PURPOSES, "purpose")
    if not Area.objects.filter(pk=div).exists():
        raise Refused("area.unknown", N_("没有这个区划，请从列表中选择"), field="div")
    if received_on > local_date(now):
        raise Refused("donation.day", N_("收到日期不能晚于今天"), field="received_on")
    if not 0 < quantity <= MOST or not 0 < amount_fen <= MOST_FEN:
        raise Refused(
            "donation.amount", N_("数量和估价应大于零"), field="quantity" if not 0 < quantity <= MOST else "amount_fen"
        )
    row = Donation.objects.create(
        div=div, kind=Donation.GOODS, donor=required_text(donor, "donor", most=80), is_anonymous=is_anonymous, amount_fen=amount_fen,
        purpose=purpose, wish=wish.strip(), received_on=received_on, receipt_number=next_number(div, received_on.year),
        goods=required_text(goods, "goods", most=80), quantity=quantity, unit=required_text(unit, "unit", most=10),
        basis=required_text(basis, "basis"), entered_by_id=person_of(actor), created_at=now, changed_at=now,
    )  # fmt: skip
    record(
        actor=actor, now=now, event="subsidies.donation.receive", subject=row,
        changes={"goods": [None, row.goods], "quantity": [None, quantity], "receipt_number": [None, row.receipt_number]},
    )  # fmt: skip
    tell("budgets", pk=row.pk, div=row.div)
    return row


@operation("subsidies.handout.record", label=N_("登记发放"))
def record_handout(  # noqa: PLR0913 - what a receipt says
    *, actor: Actor, now: datetime, donation_id: Id, elder_id: ElderId = None, provider_id: BodyId = None, quantity: Handed,
    handed_on: Annotated[date, Input(N_("发放日期"), widget="date")], received_by: Signed, note: Note = "",
) -> Handout:  # fmt: skip
    """Hand goods to one elder or one body, who signs; never more than was given, and no receiver below zero."""
    row = locked(Donation.objects.all(), donation_id)
    require(actor, "subsidies.handout.record", div=row.div)
    if row.kind != Donation.GOODS or not standing_donations().filter(pk=row.pk).exists():
        raise Refused("handout.no_goods", N_("这笔捐赠不是实物，或者已经撤销，不能发放"))
    whose = _receiver(elder_id, provider_id)
    if quantity == 0 or not row.received_on <= handed_on <= local_date(now):
        field = "quantity" if quantity == 0 else "handed_on"
        raise Refused("handout.wrong", N_("数量不能为零；发放日期应在收到以后，且不晚于今天"), field=field)
    if quantity > row.left:
        raise Refused("handout.used_up", USED_UP, field="quantity", left=row.left)
    had = Handout.objects.filter(donation=row, **whose).aggregate(sum=Sum("quantity"))["sum"] or 0
    if had + quantity < 0:
        raise Refused("handout.below_zero", N_("更正的数量多于已登记发给对方的数量"), field="quantity")
    found = Handout.objects.create(
        div=row.div, donation=row, **whose, quantity=quantity, handed_on=handed_on, received_by=required_text(received_by, "received_by", most=40),
        note=note.strip(), entered_by_id=person_of(actor), entered_at=now,
    )  # fmt: skip
    record(
        actor=actor, now=now, event="subsidies.handout.record", subject=row,
        changes={"quantity": [None, quantity], "received_by": [None, found.received_by], **{name: [None, pk] for name, pk in whose.items()}},
    )  # fmt: skip
    tell("budgets", pk=row.pk, div=row.div)
    return found


def _receiver(elder_id: int | None, provider_id: int | None) -> dict[str, int]:
    """Return the one who gets it; refuse none, two, and whom the actor does not see."""
    if (elder_id is None) == (provider_id is None):
        raise Refused("handout.whose", N_("请填写一位老年人，或者选择一个机构"), field="elder_id")
    if elder_id is not None:
        if not Elder.objects.filter(pk=elder_id).exists():
            raise NotFound("elder.not_found", N_("没有这位老年人，请核对编号"), field="elder_id")
        return {"elder_id": elder_id}
    if not Organisation.objects.filter(pk=provider_id or 0).exists():
        raise NotFound("organisation.not_found", N_("没有这个机构，请从列表中选择"), field="provider_id")
    return {"provider_id": provider_id or 0}
