"""Shown before used: nothing learned counts before a dispatcher of the area or the provider confirms it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.factories import (
    COMMUNITY,
    DISTRICT,
    NOW,
    OTHER_DISTRICT,
    STREET,
    TODAY,
    actor,
    make_area_tree,
    make_assignment,
    make_correction,
    make_elder,
    make_household,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
    system,
)
from tests.refusals import refused

from yinling.accounts.models import Journal
from yinling.dispatch.models import Correction
from yinling.dispatch.operations import (
    confirm_correction,
    end_correction,
    propose_correction,
    reject_correction,
    replace_correction,
)
from yinling.dispatch.queries import ranking
from yinling.dispatch.queries.learned import (
    corrections_of,
    impact,
    learned,
    service_minutes,
    standings,
    travel_factor,
)
from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale

pytestmark = pytest.mark.usefixtures("wide")

MEASURED = {"value": 1.4, "low": 1.2, "high": 1.7, "count": 80, "bars": [[1.0, 1.4, 40], [1.4, 1.9, 40]]}
PROPOSAL: dict[str, Any] = {
    "kind": "travel", "div": STREET, "mode": "ebike", "engine": "great_circle", "before": 1.0, "measured": MEASURED,
    "measured_from": TODAY - timedelta(days=56),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _tree(wide: Any) -> None:
    make_area_tree()


def contents() -> list[Any]:
    return list(Correction.objects.order_by("pk").values())


def confirm(row: Correction, **values: Any) -> Correction:
    return confirm_correction(**{"actor": actor("dispatcher"), "now": NOW, "correction_id": row.pk, **values})


def test_nothing_learned_counts_before_it_is_confirmed() -> None:
    row = propose_correction(actor=system(), now=NOW, **PROPOSAL)
    assert travel_factor(COMMUNITY, "ebike") == 1.0
    confirm(row)
    assert travel_factor(COMMUNITY, "ebike") == 1.4
    assert [travel_factor(COMMUNITY, "walk"), travel_factor(OTHER_DISTRICT, "ebike")] == [1.0, 1.0]
    events = Journal.objects.filter(subject_type="correction").order_by("pk").values_list("event", flat=True)
    assert list(events) == ["dispatch.correction.propose", "dispatch.correction.confirm"]


def test_ranking_uses_the_confirmed_factor_and_no_other() -> None:
    body = make_organisation()
    price = make_price(make_item(needs_qualification=""), body)
    make_staff(body, qualified=("induction",))
    order = make_order("placed", price=price)

    def way() -> float:
        return ranking(actor=actor("dispatcher"), order=order, now=NOW).proposals[0].cost

    before = way()
    row = make_correction(value=3.0)
    assert way() == before
    confirm(row)
    assert way() > before


def test_the_narrowest_area_and_the_band_come_first() -> None:
    for values in (
        {"div": DISTRICT, "value": 2.0}, {"div": DISTRICT, "value": 2.5, "hour_from": 7, "hour_to": 9},
        {"value": 1.5}, {"value": 1.8, "hour_from": 17, "hour_to": 19}, {"value": 9.0, "engine": "valhalla"},
    ):  # fmt: skip
        make_correction("used", **values)
    known = learned(COMMUNITY)
    assert [known.factor("ebike", hour) for hour in (8, 12, 17, 18, 19, None)] == [1.5, 1.5, 1.8, 1.8, 1.5, 1.5]
    beside = learned(DISTRICT + "999")
    assert [beside.factor("ebike", hour) for hour in (8, 12, None)] == [2.5, 2.0, 2.0]
    assert known.factor_at("ebike", NOW.replace(hour=9, minute=30)) == 1.8


def test_another_engine_has_other_factors(settings: Any) -> None:
    make_correction("used", engine="valhalla", value=0.9)
    assert travel_factor(STREET, "ebike") == 1.0
    settings.PORTS = settings.PORTS | {"travel": "yinling.interop.travel.valhalla.Valhalla"}
    assert travel_factor(STREET, "ebike") == 0.9
    assert learned(STREET, engine="great_circle").factor("ebike") == 1.0


def test_minutes_are_those_of_the_level_and_else_of_all() -> None:
    body, item = make_organisation(), make_item()
    common = {"kind": "minutes", "div": DISTRICT, "mode": "", "engine": "", "provider": body, "item": item}
    make_correction("used", **common, value=52.4)
    make_correction("used", **common, value=71.6, level="severe")
    make_correction(**common, value=99, level="mild")
    found = [service_minutes(item.pk, body.pk, level) for level in ("", "mild", "severe")]
    assert found == [52, 52, 72]
    assert service_minutes(item.pk, make_organisation().pk) is None


def test_a_new_proposal_takes_the_place_of_the_old_and_a_confirmed_one_of_the_used() -> None:
    first = propose_correction(actor=system(), now=NOW, **PROPOSAL)
    second = propose_correction(actor=system(), now=NOW, **PROPOSAL | {"measured": MEASURED | {"value": 1.6}})
    confirm(second)
    third = propose_correction(actor=system(), now=NOW, **PROPOSAL | {"measured": MEASURED | {"value": 1.8}})
    assert travel_factor(STREET, "ebike") == 1.6
    confirm(third)
    assert travel_factor(STREET, "ebike") == 1.8
    states = [(row.pk, row.state) for row in Correction.objects.order_by("pk")]
    assert states == [(first.pk, "replaced"), (second.pk, "replaced"), (third.pk, "used")]


def test_what_is_ended_or_rejected_counts_no_more() -> None:
    used, waiting = make_correction("used", value=1.5), make_correction(hour_from=7, hour_to=9, value=2.0)
    who = actor("dispatcher")
    end_correction(actor=who, now=NOW, correction_id=used.pk, reason="修路结束")
    reject_correction(actor=who, now=NOW, correction_id=waiting.pk, reason="那几周封路")
    assert travel_factor(STREET, "ebike", 8) == 1.0
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason, waiting.decided_by_id, waiting.decided_at) == (
        "rejected", "那几周封路", who.user_id, NOW,
    )  # fmt: skip
    standing = standings("3202")
    assert [(one.used, one.proposed, one.rejected) for one in standing.values()] == [(None, None, waiting)]


def no(who: Any, code: str, kind: type[Refusal] = Refused) -> Any:
    return refused(who, kind, code, contents=contents)


@pytest.mark.parametrize("decide", [reject_correction, end_correction])
def test_a_decision_against_needs_a_reason(decide: Callable[..., Any]) -> None:
    row = make_correction("used" if decide is end_correction else "proposed")
    who = actor("dispatcher")
    with no(who, "reason.missing"):
        decide(actor=who, now=NOW, correction_id=row.pk, reason="  ")


def test_who_decides_is_a_dispatcher_of_the_area_or_the_provider() -> None:
    ways = make_correction()
    body, other = make_organisation(), make_organisation()
    minutes = make_correction(
        kind="minutes", div=DISTRICT, mode="", engine="", provider=body, item=make_item(), value=50
    )
    seat, elsewhere = actor("seat"), actor("dispatcher", div=OTHER_DISTRICT)
    boss, stranger = (actor("provider_manager", organisation=one) for one in (body, other))
    with no(seat, "right.missing", Denied):
        confirm(ways, actor=seat)
    for who in (elsewhere, boss, stranger):
        with no(who, "row.not_found", NotFound):
            confirm(ways, actor=who)
    with no(stranger, "row.not_found", NotFound):
        confirm(minutes, actor=stranger)
    with scope(boss):
        confirm(minutes, actor=boss)
        assert list(corrections_of(boss)) == [minutes]
    assert service_minutes(minutes.item_id, body.pk) == 50


def test_ways_of_a_street_are_read_by_every_planner_and_changed_by_no_other() -> None:
    make_correction("used", value=1.5)
    boss = actor("provider_manager")
    with scope(boss):
        assert travel_factor(STREET, "ebike") == 1.5
        assert list(corrections_of(boss)) == []
        assert Correction.objects.update(value=9) == 0


def test_only_the_job_proposes() -> None:
    who = actor("dispatcher")
    with no(who, "right.missing", Denied):
        propose_correction(actor=who, now=NOW, **PROPOSAL)


def test_a_page_out_of_date_and_a_decision_already_made_are_refused() -> None:
    row = make_correction()
    who = actor("dispatcher")
    with no(who, "row.stale", Stale):
        confirm(row, actor=who, seen=7)
    confirm(row, actor=who)
    with no(who, "state.not_allowed", NotAllowed):
        confirm(row, actor=who)
    with no(system(), "correction.decided"):
        replace_correction(actor=system(), now=NOW, correction_id=row.pk)


def test_values_that_cannot_be_are_refused_by_the_database() -> None:
    for wrong, code in (
        ({"measured": MEASURED | {"value": 0}}, "correction.value"),
        ({"kind": "minutes"}, "correction.kind"),
    ):
        with no(system(), code):
            propose_correction(actor=system(), now=NOW, **PROPOSAL | wrong)


class Tomorrow:
    """Two visits of one carer, half an hour apart and 1.5 km from each other."""

    def __init__(self) -> None:
        self.body, self.item = make_organisation(), make_item()
        self.price = make_price(self.item, self.body)
        self.staff = make_staff(self.body)
        self.day = TODAY + timedelta(days=1)
        for hours, lon in ((0, 120.300), (1.25, 120.316)):
            home = make_household(lon=lon, lat=31.57)
            order = make_order(
                "assigned",
                elder=make_elder(household=home),
                price=self.price,
                starts_at=NOW + timedelta(days=1, hours=hours),
            )
            make_assignment(order, self.staff)


def test_what_a_factor_would_change_tomorrow() -> None:
    at = Tomorrow()
    found = impact(make_correction(value=2.0), at.day)
    assert (found.count, found.tight_before, found.tight_after, found.is_sample) == (1, 0, 1, False)
    assert found.minutes_before == pytest.approx(8.2, abs=0.3)
    assert found.minutes_after == pytest.approx(2 * found.minutes_before)
    assert impact(make_correction(value=2.0, hour_from=17, hour_to=19), at.day).count == 0
    assert impact(make_correction(value=2.0, mode="walk"), at.day).count == 0
    assert impact(make_correction(value=2.0, div=OTHER_DISTRICT + "100"), at.day).count == 0


def test_what_learned_minutes_would_change_tomorrow() -> None:
    at = Tomorrow()
    common = {"kind": "minutes", "div": DISTRICT, "mode": "", "engine": "", "provider": at.body}
    found = impact(make_correction(**common, item=at.item, value=80, before=60), at.day)
    assert (found.count, found.minutes_before, found.minutes_after) == (2, 120, 160)
    assert (found.tight_before, found.tight_after) == (0, 1)
    assert impact(make_correction(**common, item=make_item(), value=80, before=60), at.day).count == 0
