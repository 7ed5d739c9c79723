"""Money beyond the orders of the made-up city, played through the operations: programmes, support of bodies, claims, payouts, what staff
get, money of elders, and the months that are closed.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from django.db.models import Count, Sum

from yinling.demo.applications import Clerks
from yinling.demo.bodies import Bodies
from yinling.demo.claims import load_claims, sheet, yuan
from yinling.demo.elders import People
from yinling.demo.households import load_bills, load_homes
from yinling.demo.programmes import load_programmes
from yinling.demo.support import load_budgets, load_support
from yinling.directory.models import Organisation
from yinling.directory.queries import system_actor
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.period import local_date, month_start
from yinling.settlement.bankfile import RETURN_HEADS
from yinling.settlement.models import Charge, PayoutLine, StatementLine, Transfer
from yinling.settlement.operations import (
    answer_payout,
    approve_distribution,
    approve_payout,
    book_transfer,
    close_closing,
    confirm_account,
    draft_distribution,
    draft_payout,
    export_payout,
    propose_account,
    propose_closing,
    propose_transfer,
    receive_transfer,
    review_payout,
    take_transfer,
)
from yinling.settlement.payables import Payable
from yinling.settlement.queries import medical_income, months_to_close
from yinling.settlement.queries.payables import payables

AFTER_MONTH = 5
"""Days that settling, claiming and paying of a month take; fewer while the month is young."""
YUAN = 100


def load_finance(people: People, bodies: Bodies, area: str, now: datetime) -> None:
    """Play it, each part in the order of its days."""
    assert people.demo is not None and bodies.demo is not None  # noqa: S101, PT018 - made by the steps before
    clerks, home = Clerks(now), people.demo.div
    today = local_date(now)
    last = month_start(month_start(today) - date.resolution)
    ago = min(AFTER_MONTH, max((today - month_start(today)).days, 0.2)) - 0.1
    load_programmes(clerks, bodies, area, home[:9])
    load_support(clerks, bodies, area, home[:6])
    load_claims(clerks, area, ago * 0.9)
    homes = load_homes(clerks, area)
    _payouts(clerks, area, ago)
    _appropriation(clerks, area, [one for one in _owed(clerks, area) if one.key in homes], ago * 0.75)
    _pay(clerks, area, "居家适老化改造补贴拨付", homes, ago * 0.7, fails=False)
    _shares(clerks, bodies, last, ago)
    _transfers(clerks, bodies, people.demo.pk)
    load_bills(clerks, area, people.demo)
    load_budgets(clerks, area)
    _closings(clerks, area, last)


def _payouts(clerks: Clerks, area: str, ago: float) -> None:
    """Open an account for each body that is owed; pay subsidies and services; the bank sends one back, and one is owed again."""
    owed = [one for one in _owed(clerks, area) if one.provider_id]
    with scope(clerks.actor("finance")):
        names = dict(Organisation.objects.filter(pk__in={one.provider_id for one in owed}).values_list("pk", "name"))
    for number, (pk, name) in enumerate(sorted(names.items())):
        account = clerks.act(
            "finance", 30, propose_account, organisation_id=pk, holder=name, bank="演示银行（虚构）", number=f"6222000000{number:06d}",
            valid_from=local_date(clerks.now) - timedelta(days=30),
        )  # fmt: skip
        clerks.act("finance2", 30, confirm_account, account_id=account.pk)
    support = [one for one in owed if one.key.startswith("subsidy:")]
    services = [one for one in owed if one.key.startswith("statement:")]
    _arrivals(clerks, area, services, ago * 0.85)
    _appropriation(clerks, area, support[:-1], ago * 0.85)
    _pay(clerks, area, "补助资金拨付", [one.key for one in support[:-1]], ago * 0.8, fails=False)
    _pay(clerks, area, "上月服务费拨付", [one.key for one in services], ago * 0.6, fails=True)


def _owed(clerks: Clerks, area: str) -> list[Payable]:
    with scope(clerks.actor("finance")):
        return payables(clerks.actor("finance"), area)


def _arrivals(clerks: Clerks, area: str, services: list[Payable], ago: float) -> None:
    """Let each payer that does not answer claims send what it owes for last month, out of the funds that its statements name."""
    day = local_date(clerks.now - timedelta(days=ago))
    paid = {int(one.key.partition(":")[2]) for one in services}
    with scope(system_actor(area)):
        claimed = {*parameter("claims.payers", area, day), "donation"}
        lines = StatementLine.objects.filter(statement__in=paid, is_live=True).exclude(statement__payer__in=claimed)
        sums = lines.order_by().values_list("statement__payer", "charge__entitlement__scheme__fund")
        owed = list(
            sums.annotate(fen=Sum("charge__amount_fen")).order_by(
                "statement__payer", "charge__entitlement__scheme__fund"
            )
        )
    for number, (payer, fund, fen) in enumerate(owed, start=1):
        asked = {"payer": payer, "fund": fund, "amount_fen": fen, "on": day, "note": f"YH{day:%y%m%d}{number:04d}"}
        clerks.act("finance", ago, receive_transfer, div=area, **asked)


def _appropriation(clerks: Clerks, area: str, support: list[Payable], ago: float) -> None:
    """Let the treasury send what the subsidies to be paid need, fund by fund."""
    day = local_date(clerks.now - timedelta(days=ago))
    needed: Counter[str] = Counter()
    for one in support:
        needed[one.fund] += one.amount_fen
    for fund, fen in sorted(needed.items()):
        asked = {
            "payer": Transfer.TREASURY,
            "fund": fund,
            "amount_fen": fen,
            "on": day,
            "note": f"CZ{day:%y%m%d}{fen:010d}",
        }
        clerks.act("finance", ago, receive_transfer, div=area, **asked)


def _pay(clerks: Clerks, area: str, title: str, owed: list[str], ago: float, *, fails: bool) -> None:
    if not owed:
        return
    batch = clerks.act("finance", ago, draft_payout, title=title, keys=owed)
    clerks.act("finance", ago * 0.95, review_payout, payout_id=batch.pk)
    clerks.act("finance2", ago * 0.9, approve_payout, payout_id=batch.pk, count=len(owed))
    clerks.act("finance", ago * 0.8, export_payout, payout_id=batch.pk)
    with scope(system_actor(area)):
        lines = list(PayoutLine.objects.filter(payout=batch).order_by("pk"))
    back = lines[-1:] if fails and len(lines) > 1 else []
    rows = [
        (batch.code, line.pk, yuan(line.amount_fen), *(("失败", "账号与户名不符") if line in back else ("成功", "")))
        for line in lines
    ]
    clerks.act("finance", ago * 0.4, answer_payout, payout_id=batch.pk, content=sheet(RETURN_HEADS, rows))


def _shares(clerks: Clerks, bodies: Bodies, month: date, ago: float) -> None:
    """Share last month's income of the demonstration's own body, booked; of the next busiest, waiting for the second person."""
    assert bodies.demo is not None  # noqa: S101 - made by the steps before
    this = month_start(local_date(clerks.now))
    own, able = bodies.demo.pk, [body.pk for body in bodies.all if body.does_home_medical]
    with scope(clerks.actor("finance")):
        busy = Charge.objects.filter(
            provider__in=able,
            service_day__gte=month,
            service_day__lt=this,
            line__item__is_medical=True,
            line__order__needs_visit=True,
        )
        ranked = list(
            busy.order_by().values_list("provider").annotate(count=Count("pk")).order_by("-count", "provider")
        )
    for pk, who in [(own, "provider_manager"), *((pk, "finance") for pk, _count in ranked if pk != own)][:2]:
        with scope(clerks.actor("finance")):
            income = medical_income(pk, month, this)
        if income <= 0:
            continue
        row = clerks.act(
            who, ago * 0.5, draft_distribution, organisation_id=pk, from_month=month, cost_fen=income * 3 // 10 // YUAN * YUAN,
            cost_document="成本核算表（虚构）", drawn_fen=income // 20 // YUAN * YUAN, drawn_document="基金提取凭证（虚构）",
        )  # fmt: skip
        if pk == own:
            clerks.act("finance2", ago * 0.3, approve_distribution, distribution_id=row.pk)


def _transfers(clerks: Clerks, bodies: Bodies, elder_id: int) -> None:
    """Advance money to the demonstration's own body, propose another advance, and top up the demonstration's own elder."""
    assert bodies.demo is not None  # noqa: S101 - made by the steps before
    asked = {"kind": "advance", "provider_id": bodies.demo.pk, "payer": "medical_insurance", "business": "medical"}
    booked = clerks.act("finance", 12, propose_transfer, **asked, amount_fen=20_000 * YUAN, note="医保预付〔演示〕1号")
    clerks.act("finance2", 11, book_transfer, transfer_id=booked.pk)
    clerks.act("finance", 1, propose_transfer, **asked, amount_fen=5_000 * YUAN, note="医保预付〔演示〕2号")
    clerks.act(
        "finance",
        6,
        take_transfer,
        elder_id=elder_id,
        kind="top_up",
        amount_fen=300 * YUAN,
        method="cash",
        note="YS000001",
    )
    clerks.act(
        "finance",
        6,
        take_transfer,
        elder_id=elder_id,
        kind="deposit",
        amount_fen=200 * YUAN,
        method="card",
        note="YS000002",
    )


def _closings(clerks: Clerks, area: str, last: date) -> None:
    """Close the books of the months before last month, whose payment is still under way; a county's books belong to its city."""
    if len(area) != 4:  # noqa: PLR2004 - digits of a city
        return
    with scope(clerks.actor("finance")):
        months = [month for month in months_to_close(area, last) if month < last]
    for month in months:
        row = clerks.act("finance", 1, propose_closing, month=month, div=area)
        clerks.act("finance2", 0.9, close_closing, closing_id=row.pk)
