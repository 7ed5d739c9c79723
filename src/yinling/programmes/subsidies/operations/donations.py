"""Donations: a numbered receipt, a posting, and so much more that their line may spend (R-FUN-09)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.models import Area
from yinling.directory.rules import person_of, require, required_text
from yinling.entitlements.operations import open_line, raise_line
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.money import MOST_FEN
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.programmes.subsidies.models import Donation
from yinling.programmes.subsidies.queries.funds import standing_donations
from yinling.settlement.operations import post
from yinling.settlement.rules import Side

explain_constraint("subsidies_donation_receipt_number_key", "donation.receipt", N_("收据号重复，请刷新后重试"))

FUND = "donation"
BANK, RECEIVED = "bank", "donation.received"

Donor = Annotated[str, Input(N_("捐赠人"), help=N_("个人或单位的全称，收据上这样写"), max_length=80)]
Anonymous = Annotated[bool, Input(N_("不公开姓名"), widget="check")]
Given = Annotated[int, Input(N_("金额（元）"), least=1, most=MOST_FEN, widget="yuan")]
Line = Annotated[
    int, Input(N_("列入资金"), help=N_("来源为慈善捐赠、已审定的资金；用途随它"), least=1, widget="number")
]
Wish = Annotated[str, Input(N_("捐赠意愿"), help=N_("捐赠人指定的用途，可不填"), max_length=200)]
ReceivedOn = Annotated[date, Input(N_("到账日期"), widget="date")]


@operation("subsidies.donation.register", label=N_("登记捐赠"))
def register_donation(
    *, actor: Actor, now: datetime, donor: Donor, amount_fen: Given, line_id: Line, received_on: ReceivedOn, wish: Wish = "",
    is_anonymous: Anonymous = False,
) -> Donation:  # fmt: skip
    """Register money received. Its line may spend so much more; the receipt has the next number of the place and year."""
    line = open_line(line_id)
    require(actor, "subsidies.donation.register", div=line.div)
    if line.fund != FUND:
        raise Refused("donation.line", N_("捐赠只能列入来源为慈善捐赠的资金"), field="line_id")
    if not 0 < amount_fen <= MOST_FEN:
        raise Refused("donation.amount", N_("捐赠金额应大于零"), field="amount_fen")
    if received_on > local_date(now) or received_on.year != line.year:
        raise Refused("donation.day", N_("到账日期应在该资金的年度内，且不晚于今天"), field="received_on")
    name = required_text(donor, "donor", most=80)
    number = next_number(line.div, received_on.year)
    posting = post(
        actor, now, key=f"donation:{number}", kind="donation", text=f"{N_('捐赠')} {number}", div=line.div, sides=_sides(amount_fen, line.year)
    )  # fmt: skip
    raise_line(line.pk, amount_fen)
    row = Donation.objects.create(
        div=line.div, donor=name, is_anonymous=is_anonymous, amount_fen=amount_fen, purpose=line.purpose, wish=wish.strip(),
        received_on=received_on, receipt_number=number, line=line, posting=posting, entered_by_id=person_of(actor), created_at=now, changed_at=now,
    )  # fmt: skip
    record(
        actor=actor, now=now, event="subsidies.donation.register", subject=row,
        changes={"amount_fen": [None, amount_fen], "line": [None, line.pk], "receipt_number": [None, number]},
    )  # fmt: skip
    tell("budgets", pk=row.pk, div=row.div)
    return row


def _sides(fen: int, year: int) -> list[Side]:
    return [
        Side(BANK, fen, "eldercare", FUND, plan_year=year),
        Side(RECEIVED, -fen, "eldercare", FUND, plan_year=year),
    ]


@operation("subsidies.donation.withdraw", label=N_("撤销捐赠"))
def withdraw_donation(
    *, actor: Actor, now: datetime, donation_id: Id, reason: Reason, seen: Seen = None
) -> Donation:  # fmt: skip
    """Take a donation back that was given back to the donor or entered wrong, by another person than who entered it.

    Its receipt keeps its number and says so; its line may spend so much less, so nothing may be arranged with it any more.
    """
    row = locked(Donation.objects.select_related("line"), donation_id, seen)
    require(actor, "subsidies.donation.withdraw", div=row.div)
    why = required_text(reason, "reason", most=500)
    if actor.user_id == row.entered_by_id:
        raise Refused("donation.two_persons", N_("登记人不能撤销自己登记的捐赠，请由另一位有权限的人员办理"))
    if not standing_donations().filter(pk=row.pk).exists():
        raise NotAllowed("donation.withdrawn", N_("这笔捐赠已经撤销"))
    if row.line is None:
        if row.handed_quantity:
            raise Refused("donation.handed", N_("已经发放的实物捐赠不能撤销，请先更正发放记录"))
        changes = changed(row, now=now, withdrawn_at=now)
    else:
        raise_line(row.line.pk, -row.amount_fen)
        post(
            actor, now, key=f"donation_back:{row.receipt_number}", kind="donation", text=f"{N_('撤销捐赠')} {row.receipt_number}", div=row.div,
            sides=_sides(-row.amount_fen, row.line.year), reverses=row.posting,
        )  # fmt: skip
        changes = changed(row, now=now)
    changes |= {"amount_fen": [row.amount_fen, 0]}
    record(actor=actor, now=now, event="subsidies.donation.withdraw", subject=row, changes=changes, reason=why)
    tell("budgets", pk=row.pk, div=row.div)
    return row


def next_number(div: str, year: int) -> str:
    """Return the next receipt number of a place and year, without gaps: those who take one wait for each other."""
    list(Area.objects.select_for_update(of=("self",)).filter(pk=div))
    stem = f"JZ{div}-{year}-"
    last = Donation.objects.filter(div=div, receipt_number__startswith=stem).order_by("-receipt_number").first()
    count = int(last.receipt_number.rpartition("-")[2]) if last else 0
    return f"{stem}{count + 1:06d}"
