"""The figure of the plan: who has a device by which to call for help, of all elders who live here; and rescue among the basic services."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.devices.makers import make_device
from tests.factories import CITY, NOW, TODAY, city, make_elder, make_item, system

from yinling.catalogue.queries import public_list
from yinling.devices.models import Device
from yinling.ground.parameters import parameters, profiles
from yinling.indicators.definitions import INDICATORS
from yinling.indicators.models import Value
from yinling.indicators.operations import compute_values
from yinling.indicators.queries import target_of
from yinling.indicators.rules import Figure, reaches

pytestmark = pytest.mark.django_db
WEEK = (date(2026, 6, 15), date(2026, 6, 22))
LATER = NOW + timedelta(days=6)


def figure() -> Figure:
    compute_values(actor=system(), now=LATER, div=CITY, period_from=WEEK[0], period_to=WEEK[1])
    value = Value.objects.filter(code="call_coverage", div=CITY).latest("id")
    return Figure("percent", value.numerator, value.denominator or 0)


@pytest.mark.req("K-Q-06", "R-CALL-13")
def test_elders_who_can_call_for_help_of_all_who_live_here(wide: Any) -> None:
    city()
    reached = make_elder()
    make_device(reached)
    make_device(reached, kind="smoke")
    make_elder()
    make_device(make_elder(), last_seen_at=NOW - timedelta(days=40))
    make_device(make_elder(), installed_on=date(2026, 6, 22))
    gone = make_device(make_elder(), state="removed")
    Device.objects.filter(pk=gone.pk).update(removed_on=TODAY)
    leaves = make_device(make_elder(), state="removed")
    Device.objects.filter(pk=leaves.pk).update(removed_on=date(2026, 6, 23))
    make_device(make_elder(born_on=date(1980, 1, 1)))
    make_device(make_elder(died_on=TODAY))
    make_device(make_elder(is_resident=False))
    assert figure() == Figure("percent", 2, 6)


@pytest.mark.req("K-Q-06", "R-CALL-13")
def test_the_plan_asks_for_a_tenth() -> None:
    indicator = INDICATORS["call_coverage"]
    for on, clause in ((date(2020, 12, 31), "四(四)3"), (date(2022, 12, 31), "三(四)")):
        entry = target_of(indicator, "320681", on)
        assert entry is not None
        assert (entry.value, entry.clause) == (10, clause)
        assert reaches(Figure("percent", 1, 10), entry.value, indicator.direction)
        assert not reaches(Figure("percent", 999, 10_000), entry.value, indicator.direction)
    assert target_of(indicator, "3202", date(2026, 6, 15)) is None


@pytest.mark.req("R-IOT-08", "R-ORD-10")
def test_emergency_rescue_is_one_of_the_five_basic_services_everywhere(wide: Any) -> None:
    city()
    for profile in profiles():
        basics = parameters().value("catalogue.basic_families", profile.area, TODAY)
        assert len(basics) == 5
        assert "rescue" in basics
    make_item(family="rescue", name="紧急救援")
    shown = {family.code: family for family in public_list(CITY, TODAY, NOW)}
    assert [code for code, family in shown.items() if family.is_basic] == [
        "meal",
        "daily_care",
        "rehab_nursing",
        "rescue",
        "comfort",
    ]
    (item,) = shown["rescue"].items
    assert (item.entry.effective_on, item.guide.effective_on, item.standard.effective_on) == (TODAY, TODAY, TODAY)
