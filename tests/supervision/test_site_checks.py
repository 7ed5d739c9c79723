"""The look on site at services that vouchers paid for: drawn alike, recorded once, and stopping what does not fit (X-PAY-04)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.factories import (
    NOW,
    OTHER_DISTRICT,
    TODAY,
    actor,
    fund_order,
    make_elder,
    make_entitlement,
    make_order,
    make_price,
    make_scheme,
    system,
)
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.catalogue.models import Price
from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refused
from yinling.orders.models import Hold, Order
from yinling.supervision.jobs import draw_city
from yinling.supervision.models import Finding, SiteCheck
from yinling.supervision.operations import draw_site_checks, record_site_check, release_finding
from yinling.supervision.queries import site_check_figures
from yinling.supervision.sampling import drawn, needed

pytestmark = [pytest.mark.usefixtures("wide"), pytest.mark.req("X-PAY-04")]
MAY = date(2026, 5, 1)
IN_MAY = NOW - timedelta(days=30)
PERCENT = Decimal("0.01")


def paid(price: Price, state: str = "served", payer: str = "voucher") -> Order:
    """A service of May of which a payer bears a part."""
    elder = make_elder()
    order = make_order(state, elder=elder, price=price, starts_at=IN_MAY)
    fund_order(order, make_entitlement(elder, make_scheme(payer=payer, fund=payer)), 1_000)
    return order


@pytest.mark.parametrize(("count", "least"), [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)])
def test_one_per_cent_is_rounded_up_and_at_least_one(count: int, least: int) -> None:
    assert needed(count, PERCENT) == least
    found = drawn(range(count), known=(), share=PERCENT, seed="320213:2026-05")
    assert len(found) == least
    assert found == drawn(list(reversed(range(count))), known=(), share=PERCENT, seed="320213:2026-05")


def test_another_month_or_county_draws_others_and_a_second_draw_only_what_is_missing() -> None:
    seeds = ["320213:2026-05", "320213:2026-06", "320211:2026-05"]
    draws = [tuple(drawn(range(1000), known=(), share=PERCENT, seed=seed)) for seed in seeds]
    assert len(set(draws)) == 3
    first = draws[0]
    assert drawn(range(1000), known=first, share=PERCENT, seed=seeds[0]) == []
    more = drawn(range(1100), known=first, share=PERCENT, seed=seeds[0])
    assert len(more) == 1
    assert not set(more) & set(first)


def test_of_each_county_at_least_one_service_of_the_month_before_is_drawn_once() -> None:
    price = make_price()
    here = {paid(price).pk for _ in range(3)}
    paid(price, "placed")
    paid(price, payer="donation")
    there = paid(price)
    Order.objects.filter(pk=there.pk).update(div=f"{OTHER_DISTRICT}001001")
    make_order("served", price=price, elder=make_elder(), starts_at=NOW)
    assert (draw_city(system(), NOW), draw_city(system(), NOW)) == (True, False)
    rows = list(SiteCheck.objects.values_list("order_id", "month", "result"))
    assert sorted((pk in here, month, result) for pk, month, result in rows) == [(False, MAY, ""), (True, MAY, "")]
    assert {pk for pk, *_rest in rows} - here == {there.pk}
    assert Journal.objects.filter(event="supervision.site_check.draw", is_refused=False).count() == 2
    for day, code in ((TODAY, "site_check.month"), (MAY, "site_check.none")):
        with refused(system(), Refused, code, contents=SiteCheck.objects.count):
            draw_site_checks(actor=system(), now=NOW, month=day)
    street = actor("street", there.div[:9])
    with refused(street, Denied, "right.missing", contents=SiteCheck.objects.count):
        draw_site_checks(actor=street, now=NOW, month=MAY)


@pytest.fixture
def check() -> SiteCheck:
    paid(make_price())
    draw_city(system(), NOW)
    return SiteCheck.objects.get()


def contents() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (SiteCheck, Finding, Hold)]


def test_what_fits_is_written_once_with_who_when_and_what(check: SiteCheck) -> None:
    street = actor("street", check.div[:9])
    asked: dict[str, Any] = {
        "actor": street, "now": NOW, "check_id": check.pk, "checked_on": TODAY, "found": "老人和家属都说服务属实"
    }  # fmt: skip
    changes: list[tuple[dict[str, Any], str]] = [
        ({"found": " "}, "text.missing"), ({"result": "maybe"}, "choice.unknown"),
        ({"checked_on": TODAY + timedelta(days=1)}, "site_check.day"),
        ({"checked_on": IN_MAY.date() - timedelta(days=1)}, "site_check.day"),
    ]  # fmt: skip
    for change, code in changes:
        with refused(street, Refused, code, contents=contents):
            record_site_check(**{**asked, "result": "fits", **change})
    with scope(street):
        record_site_check(**asked, result="fits")
    check.refresh_from_db()
    assert (check.result, check.found, check.checked_on, check.checked_by_id, check.checked_at, check.finding_id) == (
        "fits", "老人和家属都说服务属实", TODAY, street.user_id, NOW, None,
    )  # fmt: skip
    written = Journal.objects.get(event="supervision.site_check.record", is_refused=False)
    assert written.changes["result"] == ["", "fits"]
    assert (Finding.objects.count(), Hold.objects.count()) == (0, 0)
    with refused(street, NotAllowed, "site_check.done", contents=contents):
        record_site_check(**asked, result="differs")
    (figures,) = site_check_figures(street, MAY)
    assert (figures.services, figures.drawn, figures.checked, figures.differing, figures.is_enough) == (
        1,
        1,
        1,
        0,
        True,
    )


def test_what_does_not_fit_stops_the_money_until_a_supervisor_releases_it(check: SiteCheck) -> None:
    street = actor("street", check.div[:9])
    with scope(street):
        record_site_check(
            actor=street, now=NOW, check_id=check.pk, result="differs", checked_on=TODAY, found="老人说没有来过"
        )
    finding = Finding.objects.get()
    check.refresh_from_db()
    assert (check.finding_id, finding.order_id, finding.severity, finding.rule) == (
        finding.pk, check.order_id, "block", "site_check",
    )  # fmt: skip
    hold = Hold.objects.get(order=check.order_id)
    assert (hold.cause, hold.to_at) == (f"finding:{finding.pk}", None)
    release_finding(actor=actor("supervisor"), now=NOW, finding_id=finding.pk, reason="老人记错了日期，签到记录属实")
    hold.refresh_from_db()
    assert hold.to_at == NOW


def test_only_officers_of_the_area_record_and_the_provider_sees_nothing(check: SiteCheck) -> None:
    asked: dict[str, Any] = {"now": NOW, "check_id": check.pk, "result": "fits", "checked_on": TODAY, "found": "属实"}
    for who, kind, code in (
        (actor("street", f"{OTHER_DISTRICT}001"), NotFound, "row.not_found"),
        (actor("provider_manager", organisation=check.order.provider), NotFound, "row.not_found"),
        (actor("supervisor"), Denied, "right.missing"),
    ):
        with refused(who, kind, code, contents=contents):
            record_site_check(actor=who, **asked)
