"""All elders at once and one by one give the same answer; and the lists that are kept of it."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from tests.factories import NOW, actor, city, make_elder, make_entitlement, make_organisation, make_user, system

from yinling.accounts.models import Journal
from yinling.assessment.models import Assessment, ScaleConfirmation
from yinling.assessment.scoring import scale as scale_of
from yinling.demo.profile import validate
from yinling.entitlements.conditions import KINDS, Amounts, Grade
from yinling.entitlements.eligibility import first_fitting
from yinling.entitlements.jobs import reckon
from yinling.entitlements.models import Application, Scheme, Standing
from yinling.entitlements.operations.standings import reckon_standings
from yinling.entitlements.queries.eligibility import (
    Applied,
    amounts_of,
    may_have,
    offers,
    schemes_for,
    situations,
    terms_of,
)
from yinling.entitlements.queries.sets import eligible, eligible_all
from yinling.entitlements.queries.standings import candidates, counts_of, expiring, lost
from yinling.ground.parameters import profiles
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import ONE_DAY, add_years
from yinling.kernel.refusals import Refused
from yinling.people.models import Circumstance, Elder

DAY = date(2026, 6, 15)
RESULTS = [
    *(("gbt42195_2022", level) for level in ("intact", "mild", "moderate", "severe", "total")),
    *(("mzt039_2013", level) for level in ("intact", "moderate", "severe")), ("cq6", "lost"), ("cq6", "partial"),
    ("ltc_2021_37", "2"), ("ltc_2021_37", "4"),
]  # fmt: skip
CONFIRMED = {"zhenjiang-yyjh"}
HERE = {
    "wuxi-332": "320213021001", "zhenjiang-yyjh": "321183001001", "chongqing-shilaohua-2020": "500101001001",
    "shanwei-jujia": "441502001001", "qidong-jujia": "320681100001", "generic-2023": "990101001001",
}  # fmt: skip


def all_of(div: str) -> Actor:
    """An actor who sees a whole province."""
    return Actor(None, "全省", "system", system().rights, div=div[:2])


def load(code: str) -> str:
    """Make the schemes of a profile; return a community of it."""
    profile = validate(code)
    for scheme in profile.schemes:
        Scheme.objects.create(**({"div": profile.area} | scheme))
    return HERE[code]


def fact(elder: Elder, kind: str, first: date, to: date | None = None) -> None:
    Circumstance.objects.create(
        div=elder.div, elder=elder, kind=kind, body="民政", valid_from=first, valid_to=to, recorded_from=NOW
    )


def assess(elder: Elder, scale: str, level: str, first: date, to: date | None, body: Any) -> None:
    Assessment.objects.create(
        div=elder.div, elder=elder, provider=body, scale=scale, level=level, assessed_on=first, valid_from=first, valid_to=to,
        recorded_from=NOW, scale_version=str(scale_of(scale)["version"]),
    )  # fmt: skip


def somebody(random: Random, div: str, body: Any, home: Any = None) -> Elder:
    """Make a person whose ages and facts lie about the boundaries."""
    born = add_years(DAY, -random.choice([60, 62, 74, 75, 79, 80, 81, 85, 94, 95, 96])) + timedelta(
        days=random.choice([-1, 0, 0, 1, 40])
    )
    values: dict[str, Any] = {"born_on": born, "hukou_div": random.choice([div, "11", ""])}
    if home is not None:
        values["household"] = home
    elder = make_elder(div, **values)
    for kind in random.sample(sorted(KINDS), random.randint(0, 6)):
        first = DAY - timedelta(days=random.choice([400, 1, 0, -1]))
        fact(
            elder,
            kind,
            first,
            random.choice([None, None, max(DAY, first + ONE_DAY), max(DAY + ONE_DAY, first + ONE_DAY)]),
        )
    scales = random.sample(sorted({scale for scale, _level in RESULTS}), random.randint(0, 3))
    for scale in scales:
        level = random.choice([level for name, level in RESULTS if name == scale])
        first = DAY - timedelta(days=random.choice([200, 30, 30, 0, -1]))
        assess(elder, scale, level, first, random.choice([None, first + timedelta(days=31)]), body)
    if random.random() < 0.1:
        Elder.objects.filter(pk=elder.pk).update(died_on=DAY - timedelta(days=random.choice([1, 0])))
    return elder


@pytest.mark.parametrize("code", sorted(HERE))
def test_the_set_and_the_rule_agree_on_everybody(wide: object, code: str) -> None:
    """Random people about every boundary, some sharing a home; every scheme of the profile, as of three days."""
    random = Random(f"{code} 1")
    with scope(all_of(HERE[code])):
        div = load(code)
        body = make_organisation()
        if code in CONFIRMED:
            ScaleConfirmation.objects.create(
                div=div[:6], scale="ltc_2021_37", scale_version=str(scale_of("ltc_2021_37")["version"]), part="matrix", confirmed_by=make_user(),
                confirmed_by_name="某处长", document="原件", valid_from=DAY - timedelta(days=5), recorded_from=NOW, created_at=NOW, changed_at=NOW,
            )  # fmt: skip
        for number in range(70):
            elder = somebody(random, div, body)
            if number % 5 == 0:
                somebody(random, div, body, elder.household)
        held = {scheme.code: scheme for scheme in schemes_for(div)}
        people = list(Elder.objects.order_by("pk"))
        for elder in people[::6]:
            make_entitlement(elder, held["state_care"], valid_from=DAY - timedelta(days=9), valid_to=DAY + ONE_DAY)
        merged = people[3]
        Elder.objects.filter(pk=merged.pk).update(merged_into_id=people[4].pk)
        people = list(Elder.objects.order_by("pk"))
        for day in (DAY - timedelta(days=31), DAY, DAY + ONE_DAY):
            found = eligible_all(div[:6] if code == "zhenjiang-yyjh" else div[:2], day)
            known = situations(people, day)
            for scheme in schemes_for(div):
                terms = terms_of(scheme.code, scheme.div, day)
                expected = {
                    elder.pk: place
                    for elder in people
                    if (place := first_fitting(terms.grades if terms else (), known[elder.pk])) is not None
                }
                assert found[scheme.code] == expected, (scheme.code, day)
            assert eligible("state_care", div[:2], day) == found["state_care"]
        assert any(found.values())


def test_a_narrower_area_speaks_for_itself(wide: object) -> None:
    load("wuxi-332")
    inner = Scheme.objects.create(
        code="state_care", name="区供养", payer="state_care", fund="x", div="320213", document="x"
    )
    here, there = make_elder("320213021001"), make_elder("320281100200")
    for elder in (here, there):
        fact(elder, "destitute", date(2020, 1, 1))
    assert next(one for one in schemes_for(here.div) if one.code == "state_care") == inner
    assert eligible("state_care", "3202", DAY) == {here.pk: 0, there.pk: 0}
    reckon_standings("3202", DAY)
    assert dict(Standing.objects.values_list("elder_id", "scheme__div")) == {here.pk: "320213", there.pk: "3202"}


def names(rows: Any) -> list[int]:
    return [row.elder_id for row in rows]


@pytest.mark.req("R-PAY-11")
def test_poor_elders_with_a_label_and_no_purchase_are_listed(wide: object) -> None:
    """Qidong: every poor label with every one of six; who holds the purchase is not listed, nor who lacks one half."""
    with scope(all_of("320681")):
        div = load("qidong-jujia")
        purchase = Scheme.objects.get(code="government_purchase")
        body = make_organisation()
        exceptions = []
        for poor in ("destitute", "dibao", "dibao_marginal", "poverty_file", "hardship"):
            for label in ("lives_alone", "empty_nest", "dementia", "bereaved", "old", "disabled"):
                elder = make_elder(div, born_on=date(1946, 6, 15) if label == "old" else date(1950, 1, 1))
                fact(elder, poor, date(2026, 1, 1))
                if label == "disabled":
                    assess(elder, "gbt42195_2022", "severe", date(2026, 1, 5), None, body)
                elif label != "old":
                    fact(elder, label, date(2026, 1, 1))
                exceptions.append(elder.pk)
        only_poor, only_label, ended, holder = (make_elder(div, born_on=date(1950, 1, 1)) for _ in range(4))
        fact(only_poor, "dibao", date(2026, 1, 1))
        fact(only_label, "lives_alone", date(2026, 1, 1))
        fact(ended, "dibao", date(2025, 1, 1), DAY)
        fact(ended, "lives_alone", date(2025, 1, 1))
        for kind in ("dibao", "lives_alone"):
            fact(holder, kind, date(2025, 1, 1))
        make_entitlement(holder, purchase, valid_from=date(2026, 1, 1))
        reckon_standings("320681", DAY)
        who = Actor(None, "市民政", "city", system().rights, div="320681")
        assert names(candidates(who, purchase, DAY)) == exceptions
        make_entitlement(Elder.objects.get(pk=exceptions[0]), purchase, valid_from=date(2026, 1, 1))
        assert names(candidates(who, purchase, DAY)) == exceptions[1:]


def test_who_has_applied_is_neither_listed_nor_counted_nor_asked_to_apply_again(wide: object) -> None:
    load("wuxi-332")
    care = Scheme.objects.get(code="state_care")
    applied, idle = make_elder(), make_elder()
    for elder in (applied, idle):
        fact(elder, "destitute", date(2020, 1, 1))
    row = Application.objects.create(
        div=applied.div, elder=applied, household=applied.household, scheme=care, state="applied", applied_at=NOW, applied_by=make_user(),
        applied_as="self", signed_by="本人", verdict={}, stage_on=DAY, created_at=NOW, changed_at=NOW,
    )  # fmt: skip
    reckon_standings("3202", DAY)
    care.refresh_from_db()
    assert names(candidates(actor("city", "3202"), care, DAY)) == [idle.pk]
    assert counts_of(care, "3202") == [2, 0, 1, 0]
    offer = next(one for one in offers(applied, DAY) if one.scheme == care)
    assert (offer.answer.is_eligible, offer.applied, offer.is_candidate) == (True, Applied(row.pk, "applied"), False)
    Application.objects.filter(pk=row.pk).update(state="refused")
    assert next(one for one in offers(applied, DAY) if one.scheme == care).is_candidate


def test_who_holds_what_no_longer_fits_or_soon_ends_is_listed(wide: object) -> None:
    load("wuxi-332")
    care = Scheme.objects.get(code="state_care")
    fits, fits_not, ends = (make_elder() for _ in range(3))
    for elder in (fits, ends):
        fact(elder, "destitute", date(2020, 1, 1))
    for elder in (fits, fits_not):
        make_entitlement(elder, care, valid_from=date(2026, 1, 1))
    make_entitlement(ends, care, valid_from=date(2026, 1, 1), valid_to=DAY + timedelta(days=60))
    assert reckon_standings("3202", DAY) == 3
    assert reckon_standings("3202", DAY) == 0
    who = actor("city", "3202")
    assert (names(lost(who, care, DAY)), names(expiring(who, care, DAY)), names(candidates(who, care, DAY))) == (
        [fits_not.pk],
        [ends.pk],
        [],
    )
    care.refresh_from_db()
    assert (care.reckoned_on, counts_of(care, "3202"), counts_of(care, "320281")) == (DAY, [2, 3, 0, 1], [0, 0, 0, 0])
    fact(fits_not, "destitute", date(2026, 6, 1))
    Circumstance.objects.filter(elder=fits).update(valid_to=DAY)
    assert reckon_standings("3202", DAY) == 2
    assert names(lost(who, care, DAY)) == [fits.pk]
    assert not Journal.objects.filter(subject_type="standing").exists()


def test_lists_show_the_own_area_only(wide: object) -> None:
    load("wuxi-332")
    care = Scheme.objects.get(code="state_care")
    for div in ("320213021001", "320281100200"):
        fact(make_elder(div), "destitute", date(2020, 1, 1))
    reckon_standings("3202", DAY)
    street = actor("street", "320213021")
    with scope(street):
        assert [row.div for row in candidates(street, care, DAY)] == ["320213021001"]
        assert Standing.objects.count() == 1


def test_the_job_reckons_once_a_day(wide: object, django_assert_max_num_queries: Any) -> None:
    load("wuxi-332")
    city()
    fact(make_elder(), "destitute", date(2020, 1, 1))
    reckon(0)
    assert Standing.objects.count() == 1
    with django_assert_max_num_queries(12):
        reckon(0)


def test_an_offer_says_what_is_held_what_could_be_and_why_not(wide: object) -> None:
    load("wuxi-332")
    elder = make_elder(born_on=date(1940, 1, 1))
    fact(elder, "lives_alone", date(2020, 1, 1))
    care = Scheme.objects.get(code="state_care")
    held = make_entitlement(elder, care, valid_from=date(2026, 1, 1))
    of_the_plan = {"state_care", "home_modification", "government_purchase", "national_voucher", "weekly_visit"}
    found = [one for one in offers(elder, DAY) if one.scheme.code in of_the_plan]
    assert [(one.scheme.code, one.held, one.answer.is_eligible) for one in found] == [
        ("state_care", held, False), ("home_modification", None, True), ("government_purchase", None, False),
        ("national_voucher", None, False), ("weekly_visit", None, False),
    ]  # fmt: skip
    assert found[0].is_lost
    assert [one.is_candidate for one in found] == [False, True, False, False, False]
    assert found[3].answer.code == "not_assessed"
    assert found[1].terms is not None
    assert (found[1].terms.document, found[1].terms.clause) == ("无锡市推进“锡心医养”332计划", "一(三)、二(二)2")
    assert may_have(care, elder, DAY).code == "circumstance"


def test_a_scheme_that_pays_for_services_needs_a_published_share() -> None:
    with pytest.raises(Refused) as refused:
        amounts_of(Scheme(families=["bathing"]), Grade("x"))
    assert refused.value.code == "scheme.no_amounts"
    assert amounts_of(Scheme(families=[]), Grade("x")) == Amounts()
    assert not Amounts().is_configured


def test_every_profile_is_covered() -> None:
    assert set(HERE) == {one.code for one in profiles()}
