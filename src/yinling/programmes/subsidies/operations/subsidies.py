"""Subsidies: drafted from facts, reviewed, approved by another person, posted and ready to be paid out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from django.db.models import QuerySet

from yinling.accounts.operations import record
from yinling.directory.deciding import explain_hands, move, taken_up
from yinling.directory.models import Area, Organisation
from yinling.directory.queries import is_rural
from yinling.directory.rules import known_choice, person_of, require, required_text
from yinling.entitlements.models import BudgetLine
from yinling.entitlements.operations import open_line, spend
from yinling.ground.live import tell
from yinling.ground.operation import explain_constraint, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.money import MOST_FEN, yuan
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_
from yinling.people.queries.names import reader
from yinling.programmes.subsidies.models import Subsidy
from yinling.programmes.subsidies.queries.rates import PROJECT, known_offer, record_of, winners
from yinling.programmes.subsidies.rules import (
    OPEN_AT_YEAR_END,
    Amount,
    Facts,
    check_line,
    check_size,
    check_winners,
    established,
    reckon,
)
from yinling.settlement.operations import post
from yinling.settlement.operations.ledger import wait_for
from yinling.settlement.rules import Side
from yinling.settlement.states import GIVEN_UP

explain_constraint("subsidy_once", "subsidy.twice", N_("同一机构同一年度的这项补助已经登记，请核对"))
explain_hands("subsidy")

EXPENSE, OWED, TREASURY = "expense.subsidy", "payable.provider", "direct.treasury"

Kind = Annotated[str, Input(N_("补助种类"), choices=Subsidy.KINDS, widget="choice")]
Line = Annotated[int, Input(N_("列支资金"), least=1, widget="number")]
ResultYear = Annotated[
    int, Input(N_("结果年度"), help=N_("按哪一年的运营或评定结果补助"), least=2015, most=2100, widget="number")
]
Provider = Annotated[int | None, Input(N_("领取机构"), help=N_("项目由财政直接支付的可不选"), least=1, widget="number")]
Part = Annotated[str, Input(N_("食堂、站点或期次"), help=N_("一个机构有几处的，写明是哪一处"), max_length=40)]
MealMonths = Annotated[
    list[int] | None, Input(N_("供餐月份"), help=N_("当年至少一天供餐的月份，每行一个数"), widget="area")
]
Opened = Annotated[date | None, Input(N_("开办日期"), widget="date")]
Closed = Annotated[date | None, Input(N_("停办日期"), help=N_("仍在运营不填"), widget="date")]
Count = Annotated[int, Input(N_("数量"), help=N_("按床位或人数补助时填写"), least=1, most=1_000_000, widget="number")]
Actual = Annotated[
    int | None,
    Input(
        N_("实际支出（元）"),
        help=N_("按实际支出补助时填写；项目填写本次支付金额"),
        least=1,
        most=MOST_FEN,
        widget="yuan",
    ),
]
Evidence = Annotated[str, Input(N_("依据"), help=N_("评定文件、验收单或合同的名称和文号"), max_length=200)]


@operation("subsidies.subsidy.draft", label=N_("登记补助"))
def draft_subsidy(  # noqa: PLR0913 - what a subsidy rests on
    *, actor: Actor, now: datetime, kind: Kind, line_id: Line, result_year: ResultYear, provider_id: Provider = None, part: Part = "",
    opened_on: Opened = None, closed_on: Closed = None, meal_months: MealMonths = None, count: Count = 1, actual_fen: Actual = None,
    evidence: Evidence,
) -> Subsidy:  # fmt: skip
    """Enter the facts; the amount comes from the rate of the place and the year, never from the form. A project draws on its line as spent."""
    known_choice(kind, Subsidy.KINDS, "kind")
    line, provider = open_line(line_id), _provider(kind, provider_id)
    div = provider.div if provider else line.div
    require(actor, "subsidies.subsidy.draft", div=line.div)
    paper = required_text(evidence, "evidence")
    facts = Facts(
        opened_on, closed_on, _months(meal_months), is_rural(div, date(result_year, 12, 31)), count, actual_fen
    )
    facts = _established(kind, div, result_year, provider, facts)
    found, source = _amount(kind, div, result_year, facts, line, local_date(now))
    _check_places(actor, kind, div, result_year)
    _check_once(kind, provider, result_year, part, count)
    row = Subsidy.objects.create(
        div=div, kind=kind, provider=provider, line=line, result_year=result_year, booking_year=line.year, part=part.strip(),
        amount_fen=found.fen, facts=facts.as_json() | {"evidence": paper, "rule": source}, reasons=found.reasons, entered_by_id=person_of(actor),
        created_at=now, changed_at=now,
    )  # fmt: skip
    record(
        actor=actor, now=now, event="subsidies.subsidy.draft", subject=row,
        changes={"kind": [None, kind], "amount_fen": [None, found.fen], "line": [None, line.pk], "facts": [None, str(row.facts)]},
    )  # fmt: skip
    tell("budgets", pk=row.pk, div=row.div)
    return row


def _provider(kind: str, provider_id: int | None) -> Organisation | None:
    if provider_id is None and kind == PROJECT:
        return None
    row = Organisation.objects.filter(pk=provider_id or 0).first()
    if row is None:
        raise NotFound("organisation.not_found", N_("没有这个机构，请从列表中选择"), field="provider_id")
    return row


def _months(typed: Sequence[int] | None) -> tuple[int, ...]:
    months = tuple(sorted(set(typed or ())))
    if any(month not in range(1, 13) for month in months):
        raise Refused("subsidy.months", N_("月份应是1至12的数，每行一个"), field="meal_months")
    return months


def _established(kind: str, div: str, year: int, provider: Organisation | None, facts: Facts) -> Facts:
    """Put what the platform knows of a body in place of what was entered, where its rate asks when it was open and cooked (R-FUN-07)."""
    if provider is None or kind == PROJECT:
        return facts
    return established(facts, record_of(provider, year)) if known_offer(kind, div, year).rate.asks_opening else facts


def _amount(kind: str, div: str, year: int, facts: Facts, line: BudgetLine, today: date) -> tuple[Amount, str]:
    """Return the amount with its reasons and the rule's source; refuse a line that may not bear it."""
    if kind == PROJECT:
        return _project(facts, year, line)
    found = known_offer(kind, div, year)
    if OPEN_AT_YEAR_END in found.rate.needs and today < date(year, 12, 31):
        raise Refused(
            "subsidy.year_not_over", N_("要到当年12月31日才知道年末是否运营，请届时登记"), field="result_year"
        )
    if not div.startswith(line.div):
        raise Refused("subsidy.line_place", N_("这笔资金不由本地列支，请重新选择"), field="line_id")
    check_line(found.rate, div=div, result_year=year, line=(line.level, line.fund, line.year))
    return reckon(found.rate, facts, year), f"{found.document} {found.clause}"


def _project(facts: Facts, year: int, line: BudgetLine) -> tuple[Amount, str]:
    """A project has no rate: it books what was really paid, within the approved amount of its line (R-FUN-04)."""
    if facts.actual_fen is None or facts.actual_fen <= 0:
        raise Refused("subsidy.actual", N_("请填写实际支出"), field="actual_fen")
    if line.year != year:
        raise Refused(
            "subsidy.booking_year",
            N_("%(result)s年的结果在%(due)s年度列支，请选择%(due)s年度的资金"),
            field="line_id",
            result=year,
            due=year,
        )
    found = Amount(facts.actual_fen)
    found.because(N_("项目实际支出 %(actual)s 元，在审定金额之内"), actual=yuan(facts.actual_fen))
    return found, line.document


def _check_places(actor: Actor, kind: str, div: str, year: int) -> None:
    """Refuse one winner too many: counted where all of them are seen, one entry after the other."""
    if kind == PROJECT:
        return
    found = known_offer(kind, div, year)
    if found.rate.most is None:
        return
    if not actor.covers(found.area):
        raise Refused("subsidy.city_decides", N_("有名额限制的奖补由市级登记"), field="kind")
    list(Area.objects.select_for_update(of=("self",)).filter(pk=found.area))
    check_winners(found.rate, winners(kind, found.area, year).count())


def _check_once(kind: str, provider: Organisation | None, year: int, part: str, count: int) -> None:
    """Refuse the same place twice, whatever line is to bear it, and more places or beds than a body is registered with."""
    if provider is None or kind == PROJECT:
        return
    wait_for(f"subsidy:{kind}:{provider.pk}:{year}")
    with scope(reader(provider.div), savepoint=False):
        standing = Subsidy.objects.filter(kind=kind, provider=provider, result_year=year).exclude(state__in=GIVEN_UP)
        parts = {row.part: Facts.from_json(row.facts).count for row in standing}
    if part.strip() in parts:
        raise Refused("subsidy.twice", N_("同一机构同一年度的这项补助已经登记，请核对"), field="part")
    beds = list(provider.sites.values_list("beds", flat=True))
    rate = known_offer(kind, provider.div, year).rate
    check_size(rate, wanted=count, taken=parts.values(), places=len(beds), beds=sum(beds))


@operation("subsidies.subsidy.review", label=N_("初审通过"))
def review_subsidy(*, actor: Actor, now: datetime, subsidy_id: Id, seen: Seen = None) -> Subsidy:
    """First of the two approvals: facts and rule still give the same amount."""
    row = taken_up(actor, _rows(), subsidy_id, seen, "review")
    _check_amount(row, local_date(now))
    return move(actor, now, row, "review")


@operation("subsidies.subsidy.approve", label=N_("复核通过"))
def approve_subsidy(*, actor: Actor, now: datetime, subsidy_id: Id, seen: Seen = None) -> Subsidy:
    """Second approval, by a person who neither entered nor reviewed it: taken from its line, posted, and ready to be paid out."""
    row = taken_up(actor, _rows(), subsidy_id, seen, "approve")
    if local_date(now).year < row.booking_year:
        raise Refused("subsidy.too_early", N_("%(year)s年度的资金还不能支出"), year=row.booking_year)
    _check_amount(row, local_date(now))
    line = spend(row.line_id, row.amount_fen)
    posting = post(
        actor, now, key=f"subsidy:{row.pk}", kind="subsidy", text=f"{row.code} {row.get_kind_display()}", div=row.div,
        sides=_sides(row, line.fund), provider=row.provider,
    )  # fmt: skip
    return move(actor, now, row, "approve", posting_id=posting.pk)


def _sides(row: Subsidy, fund: str) -> list[Side]:
    """Both sides, with the fund of the line though money is pooled (R-FUN-03)."""
    credit = OWED if row.provider_id else TREASURY
    return [
        Side(EXPENSE, row.amount_fen, "eldercare", fund, plan_year=row.booking_year),
        Side(credit, -row.amount_fen, "eldercare", fund, plan_year=row.booking_year),
    ]


@operation("subsidies.subsidy.return", label=N_("退回"))
def return_subsidy(*, actor: Actor, now: datetime, subsidy_id: Id, reason: Reason, seen: Seen = None) -> Subsidy:
    """Give a subsidy up with a reason; it may be entered anew."""
    row = taken_up(actor, _rows(), subsidy_id, seen, "return")
    return move(actor, now, row, "return", reason=reason)


def _rows() -> QuerySet[Subsidy]:
    return Subsidy.objects.select_related("line", "provider")


def _check_amount(row: Subsidy, today: date) -> None:
    facts = _established(row.kind, row.div, row.result_year, row.provider, Facts.from_json(row.facts))
    found, _source = _amount(row.kind, row.div, row.result_year, facts, row.line, today)
    if found.fen != row.amount_fen:
        raise Refused(
            "subsidy.changed",
            N_("补助标准或事实已变，现应为 %(now)s 分，原为 %(then)s 分，请退回重新登记"),
            now=found.fen,
            then=row.amount_fen,
        )
