"""Money for bodies of the made-up city, played through the operations: budget lines of two years, donations, subsidies in every state."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from yinling.demo.applications import CODE, PLACES, Clerks
from yinling.demo.bodies import BEDS, LONG_AGO, Bodies
from yinling.directory.models import Organisation
from yinling.entitlements.models import FUNDS, Budget, BudgetLine, Scheme
from yinling.entitlements.operations import approve_line, confirm_budget, fund_budget, propose_line, set_budget
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal
from yinling.programmes.subsidies.models import Subsidy
from yinling.programmes.subsidies.operations import (
    approve_subsidy,
    draft_subsidy,
    record_spending,
    register_donation,
    return_subsidy,
    review_subsidy,
)
from yinling.programmes.subsidies.queries.funds import executed_of, follow
from yinling.programmes.subsidies.queries.rates import record_of
from yinling.programmes.subsidies.rules import MONTHS

YUAN = 100
PAPER = "演示预算（虚构）"
LINES = (
    (0, "lottery", "home_care", "居家养老服务", 12_000_000),
    (0, "lottery", "elder_care", "养老机构与助餐点", 6_000_000),
    (0, "lottery", "welfare", "其他社会福利", 9_000_000),
    (0, "general", "platform", "平台运营经费", 1_000_000),
    (0, "general", "elder_care", "养老机构建设与运营补贴", 3_000_000),
    (0, "unemployment_skill", "training", "护理员技能培训", 300_000),
    (0, "donation", "home_care", "慈善助老", 0),
    (-1, "lottery", "elder_care", "养老机构与助餐点", 5_000_000),
)
"""Year from this one, fund, purpose, name and yuan of the city's budget lines; the amounts are made up."""
BEARS_PURCHASE, PURCHASED = ("lottery", "home_care"), 20_000
DONATIONS = (
    (30, "演示慈善会", 50_000, "用于高龄独居老年人助餐", False),
    (16, "匿名市民", 3_000, "", True),
    (8, "太湖义工社（虚构）", 12_600, "为独居老年人购置助浴椅", False),
)
USED = (
    ("equipment", 86_000, "康复器材一批（虚构）"),
    ("services", 32_500, "向服务商购买助浴服务（虚构）"),
    ("wages", 20_000, "护工劳务（虚构）"),
)
DECIDED = 25
"""Days ago on which the subsidies of last year were decided, or fewer while the year is young."""

ROUND = 10_000 * YUAN

Lines = dict[tuple[int, str, str], BudgetLine]


def load_support(clerks: Clerks, bodies: Bodies, area: str, district: str) -> None:
    """Plan lines, register donations, and decide on subsidies; a city without a rate or a plan goes without that part."""
    today = local_date(clerks.now)
    lines = {(shift, fund, purpose): _line(clerks, area, today.year + shift, fund, purpose, name, yuan)
             for shift, fund, purpose, name, yuan in LINES}  # fmt: skip
    _purchase(clerks, district, today.year, lines[0, *BEARS_PURCHASE].pk)
    for days, donor, yuan, wish, is_hidden in DONATIONS:
        received = max(today - timedelta(days=days), date(today.year, 1, 1))
        clerks.act(
            "finance", (today - received).days, register_donation, donor=donor, amount_fen=yuan * YUAN,
            line_id=lines[0, "donation", "home_care"].pk, received_on=received, wish=wish, is_anonymous=is_hidden,
        )  # fmt: skip
    _subsidies(clerks, bodies, lines, today)


def _line(clerks: Clerks, area: str, year: int, fund: str, purpose: str, name: str, yuan: int) -> BudgetLine:
    asked = {"div": area, "year": year, "fund": fund, "purpose": purpose, "name": name, "document": PAPER}
    row: BudgetLine = clerks.act("city", 200, propose_line, planned_fen=yuan * YUAN, **asked)
    clerks.act("city2", 199, approve_line, budget_line_id=row.pk, approved_fen=yuan * YUAN)
    return row


def _purchase(clerks: Clerks, district: str, year: int, line_id: int) -> None:
    """Let a line bear what the demonstration's own district buys for its elders. A city without the scheme buys nothing."""
    with scope(clerks.actor("finance")):
        known = Budget.objects.filter(scheme__code=CODE, div=district, year=year).first()
        cost = executed_of(known) if known else 0
    asked = {
        "scheme_code": CODE,
        "div": district,
        "year": year,
        "heads": PLACES,
        "amount_fen": max(PURCHASED * YUAN, _of_year(cost)),
    }
    try:
        budget = clerks.act("district", 6, set_budget, document="演示用预算（虚构）", **asked)
    except Refusal:
        return
    clerks.act("finance", 5, confirm_budget, budget_id=budget.pk)
    clerks.act("finance", 5, fund_budget, budget_id=budget.pk, line_id=line_id)


def load_budgets(clerks: Clerks, area: str) -> None:
    """Put a budget, and a line of its fund, behind all that schemes cost so far: each fund's way can be followed to the persons."""
    with scope(clerks.actor("finance")):
        _ways, loose = follow([])
        schemes = Scheme.objects.in_bulk({one.scheme_id for one in loose})
    wanted: dict[tuple[int, str], list[tuple[Scheme, int]]] = defaultdict(list)
    for one in loose:
        scheme = schemes[one.scheme_id]
        wanted[one.year, scheme.fund].append((scheme, _of_year(one.executed_fen)))
    for (year, fund), parts in sorted(wanted.items()):
        line = _line_for(clerks, area, year, fund, sum(fen for _scheme, fen in parts))
        for scheme, fen in parts:
            div = scheme.div if scheme.div.startswith(area) else area
            asked = {"scheme_code": scheme.code, "div": div, "year": year, "amount_fen": fen, "document": PAPER}
            budget = clerks.act("city", 198, set_budget, **asked)
            clerks.act("finance", 197, confirm_budget, budget_id=budget.pk)
            clerks.act("finance", 197, fund_budget, budget_id=budget.pk, line_id=line.pk)


def _of_year(fen: int) -> int:
    """A round sum for a year of which some months have cost so much."""
    return -(-2 * fen // ROUND) * ROUND


def _line_for(clerks: Clerks, area: str, year: int, fund: str, fen: int) -> BudgetLine:
    """The line for home care of a fund and year, with room for so much more: approved anew, or, of donations, by one more gift."""
    with scope(clerks.actor("finance")):
        line = BudgetLine.objects.filter(div=area, year=year, fund=fund, purpose="home_care").first()
    if line is None or (fund != "donation" and (line.approved_fen or 0) - line.spent_fen < fen):
        name, spent = (line.name, line.spent_fen) if line else (f"{dict(FUNDS)[fund]}·老年人服务", 0)
        line = _line(clerks, area, year, fund, "home_care", name, 0 if fund == "donation" else (spent + fen) // YUAN)
    missing = fen - ((line.approved_fen or 0) - line.spent_fen)
    if fund == "donation" and missing > 0:
        today = local_date(clerks.now)
        received = min(max(today - timedelta(days=60), date(year, 1, 1)), date(year, 12, 31))
        clerks.act(
            "finance", (today - received).days, register_donation, donor=DONATIONS[0][0], amount_fen=missing, line_id=line.pk,
            received_on=received, wish="用于慈善助老服务",
        )  # fmt: skip
    return line


def _subsidies(clerks: Clerks, bodies: Bodies, lines: Lines, today: date) -> None:
    """Canteens and a centre are paid for last year, a centre's use is shown; others wait for one of the two persons, one was given back."""
    last, ago = today.year - 1, min(DECIDED, (today - date(today.year, 1, 1)).days)
    canteens = [body for body in bodies.of_kind("meal_point") if len(record_of(body, last).meal_days) == MONTHS]
    homes, centres = bodies.of_kind("nursing_home"), bodies.of_kind("care_centre")
    old, new, other = (
        lines[key]
        for key in ((-1, "lottery", "elder_care"), (0, "lottery", "elder_care"), (0, "general", "elder_care"))
    )
    for canteen in canteens:
        _apply(clerks, "approve", ago, kind="canteen", line=old, year=last, body=canteen, evidence="年末核查表（虚构）")
    for centre in centres[:2]:
        paid = _apply(
            clerks, "approve", ago, kind="award_township", line=new, year=last, body=centre, evidence="评定文件（虚构）"
        )
        _use(clerks, paid if centre is centres[0] else None, today)
    body, beds = homes[0], BEDS["nursing_home"]
    _apply(clerks, "approve", 12, kind="operating", line=lines[-1, "lottery", "elder_care"], year=last, body=body, evidence="床位核查表（虚构）",
           opened_on=LONG_AGO, count=beds)  # fmt: skip
    built: dict[str, Any] = {
        "kind": "building",
        "line": other,
        "year": today.year,
        "evidence": "竣工验收单（虚构）",
        "count": 10,
    }
    _apply(clerks, "review", 4, body=body, **built, actual_fen=98_000 * YUAN)
    wrong = _apply(clerks, "draft", 9, body=centres[0], **built, actual_fen=40_000 * YUAN) if centres else None
    if wrong is not None:
        clerks.act("finance", 8, return_subsidy, subsidy_id=wrong.pk, reason="验收单没有盖章，请补齐后重新登记")
    skills = lines[0, "unemployment_skill", "training"]
    _apply(
        clerks,
        "draft",
        2,
        kind="training",
        line=skills,
        year=today.year,
        body=bodies.demo,
        evidence="结业名册（虚构）",
        count=18,
    )


def _apply(
    clerks: Clerks, until: str, ago: float, *, kind: str, line: BudgetLine, year: int, body: Organisation | None, evidence: str, **facts: Any
) -> Subsidy | None:  # fmt: skip
    """Enter a subsidy and bring it so far; None where the city has no rate, or the facts do not bear it."""
    asked = {
        "kind": kind,
        "line_id": line.pk,
        "result_year": year,
        "provider_id": body.pk if body else None,
        "evidence": evidence,
        **facts,
    }
    try:
        row: Subsidy = clerks.act("city", ago, draft_subsidy, **asked)
    except Refusal:
        return None
    if until != "draft":
        clerks.act("finance", max(ago - 1, 0), review_subsidy, subsidy_id=row.pk)
    if until == "approve":
        clerks.act("finance2", max(ago - 1.5, 0), approve_subsidy, subsidy_id=row.pk)
    return row


def _use(clerks: Clerks, row: Subsidy | None, today: date) -> None:
    """Say what an award was spent on, mostly on equipment and services as it should be."""
    if row is None:
        return
    for number, (category, yuan, text) in enumerate(USED, 1):
        clerks.act(
            "finance", 0.5, record_spending, subsidy_id=row.pk, category=category, amount_fen=yuan * YUAN,
            spent_on=max(today - timedelta(days=7 * number), date(row.result_year, 1, 1)), text=text, voucher=f"记-{number:03d}",
        )  # fmt: skip
