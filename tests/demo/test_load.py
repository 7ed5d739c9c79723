"""The made-up city: what is in it, recognisable as made up, and true to the platform's own rules."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.db import connection
from tests.databases import OWNER
from tests.demo.fixtures import serving

from yinling.accounts.models import Journal, User
from yinling.accounts.queries import audit_connection, verify_journal
from yinling.assessment.models import Assessment, Recognition, Request, ScaleConfirmation
from yinling.cli.invariants import QUERIES
from yinling.demo import load
from yinling.demo.logins import LOGINS, PASSWORD, SECRET, actor_of, table
from yinling.directory.models import Area, Organisation, Qualification, ServiceArea, Staff, Suspension
from yinling.directory.queries import coverage_gaps, responsible_body, system_actor
from yinling.directory.roles import DEMO_ROLES
from yinling.dispatch.models import Assignment
from yinling.ground.clock import real_now
from yinling.ground.models import CalendarDay, ClockOffset
from yinling.ground.scope import scope
from yinling.hotline.models import Call, Ticket
from yinling.indicators.models import Value
from yinling.kernel.geo import Datum, Position, inside
from yinling.kernel.id_number import IdNumber
from yinling.kernel.period import age_on, day_bounds, local_date
from yinling.orders.models import Hold, Order
from yinling.people.models import Elder, HealthFact, Import, ImportLine, SurveyAnswer
from yinling.people.queries import Pairs, consents_due, find_elders, representatives_ending
from yinling.people.queries.health import follow_ups
from yinling.settlement.models import Statement
from yinling.supervision.models import Finding
from yinling.visits.models import Evaluation, Evidence, Visit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo_city")]


def city() -> Any:
    """The scope of the whole city."""
    return scope(system_actor("3202"))


def test_map_is_wuxis() -> None:
    levels = Counter(Area.objects.values_list("level", flat=True))
    assert levels == {"city": 1, "district": 7, "street": 88, "community": 1254}
    assert CalendarDay.objects.filter(day__year=2026).count() == 39


@pytest.mark.req("R-ORD-04")
def test_every_community_has_one_body_per_family() -> None:
    today = local_date(real_now())
    families = set(ServiceArea.objects.values_list("family", flat=True))
    assert len(families) == 10
    for family in families:
        coverage = coverage_gaps(family, today, "3202")
        assert (coverage.gaps, coverage.overlaps) == ([], []), family
    some = Area.objects.filter(level="community").order_by("div")[::97]
    assert all(responsible_body("bathing", area.div, today) for area in some)


def test_people_are_recognisably_made_up() -> None:
    with city():
        assert Elder.objects.filter(id_type="none").count() == 2, "those registered a second time"
        elders = list(Elder.objects.filter(id_type="id"))
        assert len(elders) == load.SMALL.elders + 1, "and one from the sheet"
        today = local_date(real_now())
        for elder in elders:
            number = IdNumber.parse(elder.unseal_field("id_number"), today)
            assert number.is_made_up
            assert elder.is_made_up
            assert number.born == elder.born_on
            assert {"male": "1", "female": "2"}[number.sex] == elder.sex
            assert elder.unseal_field("phone").startswith("1990000")
            assert age_on(elder.born_on, today) >= 60
        assert len({elder.phone_index for elder in elders}) == len(elders)
    assert not Organisation.objects.exclude(name__contains="（虚构）").exists()


def test_homes_lie_in_their_district() -> None:
    outlines = dict(Area.objects.filter(level="district").values_list("div", "outline"))
    statistical = set(Area.objects.filter(is_statistical=True).values_list("div", flat=True))
    with city():
        homes = Elder.objects.exclude(household__lon=None).values_list("div", "household__lon", "household__lat")
        for div, lon, lat in homes:
            assert inside(Position(lon, lat, Datum.WGS84), outlines[div[:6]])
            assert not {div, div[:9]} & statistical


def test_elder_is_found_by_name_and_pinyin() -> None:
    seat = actor_of("seat", real_now())
    with scope(seat):
        for text in ("沈桂英", "shenguiying", "sgy", "0001"):
            assert "沈桂英" in [elder.name for elder in find_elders(seat, text)]


def test_every_role_has_a_login_with_what_it_needs() -> None:
    assert {login.role for login in LOGINS} == set(DEMO_ROLES)
    for login in LOGINS:
        user = User.objects.get(username=login.username)
        assert user.check_password(PASSWORD)
        actor = actor_of(login.username, real_now())
        assert actor.role == login.role
        assert actor.div or actor.organisation_id or actor.elder_ids
        assert bool(actor.staff_id) == (login.role in ("assessor", "carer", "nurse", "doctor"))
        if user.needs_second_factor:
            assert decrypt(Authenticator.objects.get(user=user).data["secret"]) == SECRET
    assert all(login.username in table() for login in LOGINS)


def test_no_page_is_empty() -> None:
    with city():
        states = Counter(Order.objects.values_list("state", flat=True))
        assert {"placed", "assigned", "settled", "closed", "cancelled"} <= set(states)
        tickets = Counter(Ticket.objects.values_list("state", flat=True))
        assert {"open", "handling", "resolved", "closed"} <= set(tickets)
        assert not Call.objects.filter(state__in=["ringing", "answered"]).exists()
        for model in (Evaluation, Evidence, Statement, Finding, Hold, Suspension):
            assert model.objects.exists(), model
        assert Value.objects.filter(div="3202").exists()


def test_carer_has_four_visits_today() -> None:
    now = real_now()
    carer = actor_of("carer", now)
    start, end = day_bounds(local_date(now))
    with scope(carer):
        rows = Assignment.objects.filter(staff_id=carer.staff_id, starts_at__gte=start, starts_at__lt=end)
        # A visit that would begin or end within minutes of now is left out.
        assert 3 <= rows.count() <= 4


def test_some_licences_have_lapsed_and_some_will() -> None:
    today = local_date(real_now())
    with city():
        ends = Qualification.objects.values_list("valid_to", flat=True)
        assert any(end < today for end in ends if end)
        assert any(today <= end < today + timedelta(days=30) for end in ends if end)
        lapsed = Qualification.objects.filter(valid_to__lt=today).values("staff")
        assert not Assignment.objects.filter(staff__in=lapsed).exists()


def test_block_stops_one_order_and_one_carer() -> None:
    with city():
        finding = Finding.objects.filter(severity="block", state="open").first()
        assert finding is not None
        assert finding.order is not None
        assert finding.order.state == "served"
        assert Hold.objects.filter(order=finding.order, to_at=None).count() == 1
        assert Suspension.objects.filter(staff=finding.staff, to_at=None).count() == 1
        assert not Assignment.objects.filter(staff=finding.staff, starts_at__gt=real_now()).exists()


def test_nothing_false_and_the_journal_is_whole() -> None:
    with audit_connection() as audit:
        wrong = {name: audit.execute(query).fetchall() for name, (_, query) in QUERIES.items()}
    assert {name: rows for name, rows in wrong.items() if rows} == {}
    assert verify_journal() == []


def test_history_can_be_read_from_the_journal() -> None:
    with city():
        for order in Order.objects.filter(state="closed")[:20]:
            steps = Journal.objects.filter(
                subject_type="order", subject_id=order.pk, event__startswith="orders."
            ).order_by("business_at", "id")
            moves = [row.changes["state"] for row in steps]
            assert moves[-1][1] == order.state
            assert all(before[1] == after[0] for before, after in itertools.pairwise(moves))
        assert not Visit.objects.filter(started_at__gt=real_now()).exists()


def test_second_load_changes_nothing() -> None:
    with pytest.raises(PermissionError):
        load.main("wuxi-332", quiet=True)
    with serving(str(connection.settings_dict["NAME"]), OWNER):
        before = (Elder.objects.count(), Order.objects.count(), Staff.objects.count())
        load.main("wuxi-332", quiet=True)
        assert (Elder.objects.count(), Order.objects.count(), Staff.objects.count()) == before
        moment = datetime.fromisoformat("2026-02-13T21:50+08:00")
        load.main("wuxi-332", "2026-02-13T21:50+08:00", quiet=True)
        shown = real_now() + timedelta(seconds=ClockOffset.objects.get().seconds)
        assert abs(shown - moment) < timedelta(seconds=5)
        load.main("wuxi-332", real_now(), quiet=True)


def test_city_without_made_up_people_adds_nothing_twice() -> None:
    with serving(str(connection.settings_dict["NAME"]), OWNER):
        before = (Area.objects.count(), CalendarDay.objects.count(), User.objects.count())
        load.city_only("wuxi-332")
        assert (Area.objects.count(), CalendarDay.objects.count(), User.objects.count()) == before


def test_assessments_stand_in_every_state_of_their_way() -> None:
    with city():
        states = set(Request.objects.values_list("state", flat=True))
        assert states == {"applied", "verified", "arranged", "submitted", "done"}
        assert Assessment.objects.filter(request__isnull=False, level="moderate", points=60).exists()


def test_records_pages_have_content() -> None:
    today, district = local_date(real_now()), actor_of("district", real_now())
    with scope(district):
        assert Import.objects.get().state == "done"
        assert set(ImportLine.objects.values_list("outcome", flat=True)) == {"new", "changed", "error"}
        assert SurveyAnswer.objects.exists()
        assert representatives_ending(district, today).exists()
        assert consents_due(district, today)
        assert list(Pairs(district, district.div or "")[0:1])
    with city():
        assert {"allergy", "check", "contraindication", "grade"} <= set(
            HealthFact.objects.values_list("kind", flat=True)
        )
        assert follow_ups(system_actor("3202"), today).exists()
        assert Recognition.objects.exists()
        assert not ScaleConfirmation.objects.exists(), "the insurance matrix is for a named person to confirm"
