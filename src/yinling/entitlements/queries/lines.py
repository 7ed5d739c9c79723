"""Reading budget lines: what is left of them, what a plan asks for, and how much of the lottery fund goes to elder care."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery

from yinling.directory.models import Area
from yinling.directory.queries import ancestors
from yinling.directory.rules import require
from yinling.entitlements.lottery import LOTTERY, Share, Verdict, judge
from yinling.entitlements.models import BudgetLine
from yinling.ground.parameters import parameters
from yinling.kernel.actor import Actor
from yinling.kernel.parameters import Entry
from yinling.kernel.refusals import Refused

LOTTERY_SHARE, PLANNED = "funds.lottery_share", "funds.planned_lines"


def lines_shown(actor: Actor) -> QuerySet[BudgetLine]:
    """Lines of the actor's area with what is left of them and the name of their area, newest year first."""
    require(actor, "entitlements.budget_line.view")
    rows = BudgetLine.objects.visible_to(actor).select_related("proposed_by", "approved_by")
    area = Subquery(Area.objects.filter(pk=OuterRef("div")).values("name"))
    return rows.annotate(left_fen=F("approved_fen") - F("spent_fen"), area=area).order_by(
        "-year", "div", "fund", "name", "pk"
    )


@dataclass(frozen=True)
class LotteryCheck:
    """Whether the lottery money of one level and year goes to elder care as its plan asks, with the clause."""

    div: str
    name: str
    level: str
    year: int
    verdict: Verdict
    purposes: tuple[str, ...]
    document: str
    clause: str
    is_planned: bool
    """Whether some of its lines are only planned yet."""


def entry_on(key: str, div: str, day: date) -> Entry | None:
    """The entry of a parameter in force, or nothing where no city says one: what some cities have and others do not."""
    try:
        return parameters().entry(key, div, day)
    except Refused:
        return None


def lottery_checks(lines: Iterable[Any]) -> list[LotteryCheck]:
    """The check of every level and year that has lottery money among some lines; what is not approved counts as planned."""
    found: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for row in lines:
        if row.fund == LOTTERY:
            found[row.div, row.year].append(row)
    checks = [_check(place, year, found[place, year]) for place, year in sorted(found)]
    return [one for one in checks if one is not None]


def _check(div: str, year: int, lines: list[Any]) -> LotteryCheck | None:
    entry = entry_on(LOTTERY_SHARE, div, date(year, 12, 31))
    if entry is None:
        return None
    share = Share.read(entry.value)
    verdict = judge([(row.fund, row.purpose, _asked(row)) for row in lines], share)
    return LotteryCheck(
        div, lines[0].area, lines[0].level, year, verdict, share.purposes, entry.document, entry.clause,
        any(row.approved_fen is None for row in lines),
    )  # fmt: skip


def _asked(row: BudgetLine) -> int:
    return row.planned_fen if row.approved_fen is None else row.approved_fen


def planned_lines(actor: Actor, div: str, year: int) -> list[dict[str, Any]]:
    """What the plan of an area lists as money of a year, and no line says yet."""
    require(actor, "entitlements.budget_line.view")
    entry = entry_on(PLANNED, div, date(year, 12, 31)) if div else None
    if entry is None or entry.area != div:
        return []
    known = set(BudgetLine.objects.filter(div=div, year=year).values_list("name", flat=True))
    return [
        dict(one) | {"document": f"{entry.document} {entry.clause}"}
        for one in entry.value
        if one["name"] not in known and year in range(one["first_year"], one["last_year"] + 1)
    ]


def bearing_lines(actor: Actor, div: str, year: int) -> QuerySet[BudgetLine]:
    """Approved lines of a year that can bear something in an area, as far as the actor sees them."""
    places = [div, *ancestors(div)]
    rows = lines_shown(actor).filter(year=year, div__in=places, approved_fen__isnull=False)
    return rows.filter(approved_fen__gt=F("spent_fen")).order_by("div", "fund", "name")
