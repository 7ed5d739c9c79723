"""A part of Shanwei for tests of its plan: the city, three counties, and who handles money there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from tests.factories import LONG_AGO, actor, make_organisation

from yinling.directory.models import Area, Organisation
from yinling.directory.roles import ROLES
from yinling.entitlements.models import BudgetLine
from yinling.entitlements.operations import approve_line, propose_line
from yinling.kernel.actor import Actor
from yinling.programmes.subsidies.models import Subsidy
from yinling.programmes.subsidies.operations import approve_subsidy, draft_subsidy, review_subsidy

PROVINCE = Actor(None, "全省", "city", ROLES["city"].rights, div="44")
CITY, CHENGQU, HAIFENG, LUFENG, OVERSEAS = "4415", "441502", "441521", "441581", "441581400"
AT = datetime(2023, 2, 1, 2, 0, tzinfo=UTC)
"""After the year 2022 is over."""
MEALS = list(range(1, 13))


@dataclass
class Money:
    """Three persons of the city and three of a county."""

    first: Actor
    second: Actor
    third: Actor
    county: tuple[Actor, Actor, Actor]


def make_money() -> Money:
    """Areas and persons."""
    rows = [
        (CITY, "汕尾市", "city", "地级市", None), (CHENGQU, "城区", "district", "区", CITY), (HAIFENG, "海丰县", "district", "县", CITY),
        (LUFENG, "陆丰市", "district", "县级市", CITY), (OVERSEAS, "华侨管理区", "street", "统计用区园区农场", LUFENG),
        ("441521100", "梅陇镇", "street", "镇", HAIFENG), ("441521100200", "梅陇村", "community", "村委会", "441521100"),
    ]  # fmt: skip
    for div, name, level, kind, parent in rows:
        Area.objects.create(
            div=div, code=div.ljust(12, "0"), name=name, short_name=name, level=level, kind=kind, parent_id=parent, source="test",
            valid_from=LONG_AGO,
        )  # fmt: skip
    city = [actor("finance", div=CITY) for _ in range(3)]
    county = [actor("finance", div=HAIFENG) for _ in range(3)]
    return Money(city[0], city[1], city[2], (county[0], county[1], county[2]))


def make_line(
    by: tuple[Actor, Actor], fen: int, *, div: str = CITY, year: int = 2022, fund: str = "lottery", purpose: str = "elder_care", name: str = ""
) -> BudgetLine:  # fmt: skip
    """An approved line."""
    row = propose_line(
        actor=by[0],
        now=AT,
        div=div,
        year=year,
        fund=fund,
        purpose=purpose,
        name=name or f"{fund} {purpose}",
        planned_fen=fen,
        document="预算",
    )
    return approve_line(actor=by[1], now=AT, budget_line_id=row.pk, approved_fen=fen)


def canteen(div: str = CHENGQU, **values: Any) -> Organisation:
    """A body that runs a canteen."""
    return make_organisation(div=div, kind="meal_point", **values)


def drafted(by: Actor, line: BudgetLine, body: Organisation | None, **values: Any) -> Subsidy:
    """A canteen's subsidy for 2022."""
    asked: dict[str, Any] = {
        "kind": "canteen", "line_id": line.pk, "result_year": 2022, "provider_id": body.pk if body else None, "opened_on": date(2022, 1, 1),
        "meal_months": MEALS, "evidence": "运营核查表", "now": AT, **values,
    }  # fmt: skip
    return draft_subsidy(actor=by, **asked)


def decided(money: Money, row: Subsidy, now: datetime = AT) -> Subsidy:
    """The same, approved by two others."""
    review_subsidy(actor=money.second, now=now, subsidy_id=row.pk)
    return approve_subsidy(actor=money.third, now=now, subsidy_id=row.pk)
