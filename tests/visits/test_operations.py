"""Visits as carers write them, and what the elder side says of them."""

import base64
import hashlib
import io
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from PIL import Image
from tests.factories import (
    NOW,
    actor,
    make_assignment,
    make_elder,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_qualification,
    make_representative,
    make_staff,
    make_user,
)
from tests.refusals import refused as no

from yinling.accounts.models import Journal
from yinling.directory.models import Staff
from yinling.dispatch.models import Assignment
from yinling.ground.files import content_of
from yinling.ground.models import StoredFile
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused, Stale
from yinling.orders.models import Order
from yinling.people.models import Elder, Representative
from yinling.visits.models import CheckIn, Evaluation, Evidence, Visit
from yinling.visits.operations import (
    abort_visit,
    attach_evidence,
    depart_visit,
    evaluate_visit,
    finish_visit,
    start_visit,
)
from yinling.visits.queries import stop_of, stops_of

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=60)
HERE = {"lon": 120.30, "lat": 31.57, "accuracy_m": 10.0}
WORK = {"tasks": ["洗漱", "整理"], "signed_by": "王秀英", "signed_as": "self"}


@dataclass
class Story:
    """A carer with an accepted assignment that begins now."""

    carer: Actor
    order: Order
    assignment: Assignment


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def story(wide: Any) -> Story:
    return new_story()


def new_story(carer: Actor | None = None, **values: Any) -> Story:
    if carer is None:
        staff = make_staff()
        carer = actor("carer", staff=staff)
    else:
        staff = Staff.objects.get(pk=carer.staff_id)
    order = make_order("assigned", price=make_price(organisation=staff.provider), **{"starts_at": NOW, **values})
    return Story(carer, order, make_assignment(order, staff, state="accepted"))


def contents() -> dict[str, list[dict[str, Any]]]:
    """Every row that a visit writes, but for the journal."""
    models = (Visit, CheckIn, Evidence, Evaluation, StoredFile, Assignment, Order)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def refused(who: Actor, kind: type[Refusal], code: str) -> AbstractContextManager[None]:
    """The body is refused, and no row of this context differs."""
    return no(who, kind, code, contents=contents)


def start(story: Story, **values: Any) -> Visit:
    with scope(story.carer):
        given = {"now": NOW, "key": f"in-{story.assignment.pk}", **HERE, **values}
        return start_visit(actor=story.carer, assignment_id=story.assignment.pk, **given)


def finish(story: Story, visit: Visit, **values: Any) -> Visit:
    with scope(story.carer):
        given = {"now": LATER, "key": f"out-{visit.pk}", **HERE, **WORK, **values}
        return finish_visit(actor=story.carer, visit_id=visit.pk, **given)


def picture(colour: str = "white") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "PNG")
    return out.getvalue()


@pytest.mark.req("R-PEO-10")
def test_an_agent_signs_only_while_on_file_for_signing(story: Story) -> None:
    visit = start(story)
    elder = Elder.objects.get(pk=story.order.elder_id)
    row = make_representative(elder, make_user(), capacity="agent", valid_to=local_date(LATER))
    with pytest.raises(Refused) as refused:
        finish(story, visit, signed_as="agent")
    assert (refused.value.code, refused.value.field) == ("visit.signer", "signed_as")
    assert Visit.objects.get(pk=visit.pk).state == "on_site"
    Representative.objects.filter(pk=row.pk).update(valid_to=local_date(LATER) + timedelta(days=1))
    done = finish(story, visit, signed_as="agent")
    assert (done.signed_as, done.signed_by) == ("agent", "王秀英")


def test_a_visit_from_the_door_of_the_office_to_the_signature(story: Story) -> None:
    with scope(story.carer):
        on_the_way = depart_visit(actor=story.carer, now=NOW - timedelta(minutes=20), assignment_id=story.assignment.pk)
    assert (on_the_way.state, on_the_way.departed_at) == ("en_route", NOW - timedelta(minutes=20))
    phone_clock = NOW - timedelta(minutes=3)
    visit = start(story, device_at=phone_clock)
    assert (visit.pk, visit.state, visit.started_at) == (on_the_way.pk, "on_site", NOW)
    arrival = CheckIn.objects.get()
    assert (arrival.kind, arrival.distance_m, arrival.device_at, arrival.received_at) == ("in", 0, phone_clock, NOW)
    story.order.refresh_from_db()
    assert story.order.state == "in_service"
    done = finish(story, visit, findings="精神好", seen=visit.version)
    assert (done.state, done.ended_at, done.tasks, done.findings) == ("done", LATER, ["洗漱", "整理"], "精神好")
    assert (done.signed_by, done.signed_as) == ("王秀英", "self")
    story.order.refresh_from_db()
    story.assignment.refresh_from_db()
    assert (story.order.state, story.order.served_at, story.assignment.state) == ("served", LATER, "done")
    events = Journal.objects.filter(subject_type="visit").order_by("pk").values_list("event", flat=True)
    assert list(events) == ["visits.visit.depart", "visits.visit.start", "visits.visit.finish"]


def test_a_repeated_check_in_and_check_out_are_the_first(story: Story) -> None:
    first = start(story)
    again = start(story, now=LATER)
    assert (again.pk, again.started_at, CheckIn.objects.count()) == (first.pk, NOW, 1)
    finish(story, first)
    repeated = finish(story, first, now=LATER + timedelta(minutes=5), tasks=["洗漱"])
    assert (repeated.ended_at, repeated.tasks, CheckIn.objects.count()) == (LATER, ["洗漱", "整理"], 2)
    assert Journal.objects.filter(event="visits.visit.finish").count() == 1


def test_a_key_of_another_visit_is_refused(story: Story) -> None:
    visit = start(story)
    finish(story, visit)
    other = new_story(story.carer, starts_at=NOW + timedelta(hours=2))
    with refused(story.carer, Refused, "checkin.key"):
        start_visit(
            actor=story.carer, now=NOW + timedelta(hours=2), assignment_id=other.assignment.pk, key=f"in-{story.assignment.pk}", **HERE
        )  # fmt: skip


@pytest.mark.req("X-SUP-02")
def test_a_far_check_in_is_stored_as_it_came(story: Story) -> None:
    start(story, lat=31.60, accuracy_m=400.0)
    row = CheckIn.objects.get()
    assert (row.lat, row.accuracy_m, row.distance_m) == (31.60, 400.0, 3226)


@pytest.mark.req("X-SUP-01")
def test_a_chinese_map_position_is_converted_and_kept_as_sent(story: Story) -> None:
    start(story, lon=120.304600, lat=31.568099, datum="gcj02")
    row = CheckIn.objects.get()
    assert (row.datum, row.lon, row.distance_m) == ("gcj02", 120.304600, 0)


def test_the_code_at_the_door_replaces_the_position(story: Story) -> None:
    start(story, lon=None, lat=None, accuracy_m=None, door_code=story.order.door_code)
    row = CheckIn.objects.get()
    assert (row.by_door_code, row.lon, row.distance_m) == (True, None, None)


def check_in(story: Story, **values: Any) -> None:
    given = {"now": NOW, "key": "k", **HERE, **values}
    start_visit(actor=story.carer, assignment_id=story.assignment.pk, **given)


@pytest.mark.parametrize(
    ("values", "kind", "code"),
    [
        ({"lon": None, "lat": None}, Refused, "checkin.position"),
        ({"door_code": "wrong"}, Refused, "checkin.door_code"),
        ({"datum": "mars"}, Refused, "checkin.datum"),
        ({"lon": 200.0}, Refused, "geo.range"),
        ({"now": NOW - timedelta(minutes=61)}, Refused, "visit.too_early"),
    ],
)
def test_a_check_in_that_cannot_be(story: Story, values: dict[str, Any], kind: type[Refusal], code: str) -> None:
    with refused(story.carer, kind, code):
        check_in(story, **values)


@pytest.mark.req("X-SUP-05")
def test_death_a_lapsed_certificate_and_a_second_door_are_refused(story: Story) -> None:
    second = new_story(story.carer, starts_at=NOW + timedelta(minutes=90))
    start(story)
    with refused(story.carer, NotAllowed, "visit.another_open"):
        check_in(second, now=NOW + timedelta(minutes=60))
    dead = make_elder(died_on=date(2026, 6, 14))
    third = new_story(elder=dead)
    with refused(third.carer, Refused, "visit.deceased"):
        check_in(third)
    staff = make_staff(qualified=())
    make_qualification(staff, valid_to=date(2026, 6, 15))
    order = make_order("assigned", price=make_price(organisation=staff.provider), starts_at=NOW)
    lapsed = Story(actor("carer", staff=staff), order, make_assignment(order, staff, state="accepted"))
    with refused(lapsed.carer, Refused, "visit.not_qualified"):
        check_in(lapsed)


def test_only_an_accepted_assignment_leads_to_a_visit(wide: Any) -> None:
    staff = make_staff()
    order = make_order("assigned", price=make_price(organisation=staff.provider), starts_at=NOW)
    story = Story(actor("carer", staff=staff), order, make_assignment(order, staff))
    with refused(story.carer, NotAllowed, "visit.not_accepted"):
        check_in(story)
    with refused(story.carer, NotAllowed, "visit.not_accepted"):
        depart_visit(actor=story.carer, now=NOW, assignment_id=story.assignment.pk)
    with refused(story.carer, NotAllowed, "visit.not_accepted"):
        abort_visit(actor=story.carer, now=NOW, assignment_id=story.assignment.pk, reason="无人应门")


def test_a_colleague_may_not_and_a_stranger_does_not_see(story: Story) -> None:
    colleague = actor("carer", staff=make_staff(story.order.provider))
    stranger = actor("carer", staff=make_staff())
    manager = actor("provider_manager", organisation=story.order.provider)
    for who, kind, code in (
        (colleague, Denied, "visit.not_own"),
        (stranger, NotFound, "row.not_found"),
        (manager, Denied, "right.missing"),
    ):
        with refused(who, kind, code):
            check_in(Story(who, story.order, story.assignment))
    visit = start(story)
    for who, kind, code in ((colleague, Denied, "visit.not_own"), (stranger, NotFound, "row.not_found")):
        with refused(who, kind, code):
            finish_visit(actor=who, now=LATER, visit_id=visit.pk, key="out", **HERE, **WORK)


@pytest.mark.req("R-ORD-08")
@pytest.mark.parametrize(
    ("values", "kind", "code"),
    [
        ({"tasks": []}, Refused, "visit.no_tasks"),
        ({"tasks": ["打牌"]}, Refused, "visit.unknown_task"),
        ({"signed_by": " "}, Refused, "visit.not_signed"),
        ({"signed_as": "dog"}, Refused, "choice.unknown"),
        ({"door_code": "wrong"}, Refused, "checkin.door_code"),
        ({"seen": 0}, Stale, "row.stale"),
    ],
)
def test_a_check_out_that_cannot_be(story: Story, values: dict[str, Any], kind: type[Refusal], code: str) -> None:
    visit = start(story)
    with refused(story.carer, kind, code):
        finish_visit(actor=story.carer, now=LATER, visit_id=visit.pk, key="out", **{**HERE, **WORK, **values})


def test_a_visit_does_not_end_before_it_begins_nor_twice(story: Story) -> None:
    with scope(story.carer):
        planned = depart_visit(actor=story.carer, now=NOW, assignment_id=story.assignment.pk)
    with refused(story.carer, NotAllowed, "state.not_allowed"):
        finish_visit(actor=story.carer, now=LATER, visit_id=planned.pk, key="out", **HERE, **WORK)
    finish(story, start(story))
    with refused(story.carer, NotAllowed, "state.not_allowed"):
        finish_visit(actor=story.carer, now=LATER, visit_id=planned.pk, key="other", **HERE, **WORK)


def test_a_photo_is_kept_clean_under_the_hash_of_what_was_sent(story: Story) -> None:
    visit, sent = start(story), picture()
    with scope(story.carer):
        row = attach_evidence(
            actor=story.carer,
            now=LATER,
            visit_id=visit.pk,
            kind="photo",
            content=base64.b64encode(sent).decode(),
            taken_at=NOW,
        )
        again = attach_evidence(
            actor=story.carer, now=LATER, visit_id=visit.pk, kind="photo",
            content="data:image/png;base64," + base64.b64encode(sent).decode(),
        )  # fmt: skip
    assert (bytes(row.sha256), row.taken_at, row.received_at) == (hashlib.sha256(sent).digest(), NOW, LATER)
    assert (again.pk, Evidence.objects.count()) == (row.pk, 1)
    assert content_of(row.file)[:3] == b"\xff\xd8\xff"


def test_what_is_no_photo_is_refused(story: Story) -> None:
    visit = start(story)
    for content, code in (
        ("***", "file.not_base64"),
        (base64.b64encode(b"hello").decode(), "file.not_image"),
    ):
        with refused(story.carer, Refused, code):
            attach_evidence(actor=story.carer, now=LATER, visit_id=visit.pk, kind="photo", content=content)
    with refused(story.carer, Refused, "choice.unknown"):
        attach_evidence(actor=story.carer, now=LATER, visit_id=visit.pk, kind="song", content="")
    finish(story, visit)
    late = base64.b64encode(picture("red")).decode()
    with refused(story.carer, NotAllowed, "visit.not_on_site"):
        attach_evidence(actor=story.carer, now=LATER, visit_id=visit.pk, kind="photo", content=late)


def test_nobody_opens_the_door(story: Story) -> None:
    with refused(story.carer, Refused, "visit.no_reason"):
        abort_visit(actor=story.carer, now=NOW, assignment_id=story.assignment.pk, reason=" ")
    with scope(story.carer):
        visit = abort_visit(actor=story.carer, now=NOW, assignment_id=story.assignment.pk, reason="无人应门")
    story.order.refresh_from_db()
    story.assignment.refresh_from_db()
    assert (visit.state, visit.abort_reason, visit.ended_at) == ("aborted", "无人应门", None)
    assert (story.order.state, story.assignment.state) == ("failed", "done")


# Evaluation


@pytest.mark.req("R-CMP-02")
@pytest.mark.parametrize(("role", "by"), [("elder", "elder"), ("family", "family"), ("seat", "follow_up")])
def test_the_elder_side_evaluates(story: Story, role: str, by: str) -> None:
    finish(story, start(story))
    who = actor(role, elders=() if role == "seat" else (story.order.elder,))
    with scope(who):
        row = evaluate_visit(actor=who, now=LATER, order_id=story.order.pk, score=5, comment="很好", by=by)
    assert (row.score, row.by, row.user_id, row.elder_id) == (5, by, who.user_id, story.order.elder_id)
    with refused(who, NotAllowed, "evaluation.twice"):
        evaluate_visit(actor=who, now=LATER, order_id=story.order.pk, score=1, by=by)


@pytest.mark.req("R-CMP-02")
def test_the_carer_never_evaluates(story: Story) -> None:
    finish(story, start(story))
    with refused(story.carer, Denied, "right.missing"):
        evaluate_visit(actor=story.carer, now=LATER, order_id=story.order.pk, score=5, by="elder")
    paid_by_the_family = Actor(
        story.carer.user_id,
        "女儿",
        "family",
        actor("family", elders=(story.order.elder,)).rights,
        elder_ids=(story.order.elder_id,),
    )
    with refused(paid_by_the_family, Denied, "evaluation.own_visit"):
        evaluate_visit(actor=paid_by_the_family, now=LATER, order_id=story.order.pk, score=5, by="family")


@pytest.mark.req("D-21")
def test_what_an_evaluation_refuses(story: Story) -> None:
    her = actor("elder", elders=(story.order.elder,))
    stranger = actor("elder", elders=(make_elder(),))
    with refused(her, NotAllowed, "evaluation.not_served"):
        evaluate_visit(actor=her, now=LATER, order_id=story.order.pk, score=5, by="elder")
    finish(story, start(story))
    with refused(stranger, NotFound, "row.not_found"):
        evaluate_visit(actor=stranger, now=LATER, order_id=story.order.pk, score=5, by="elder")
    with refused(her, Refused, "evaluation.by"):
        evaluate_visit(actor=her, now=LATER, order_id=story.order.pk, score=5, by="follow_up")
    with refused(her, Refused, "evaluation.score"):
        evaluate_visit(actor=her, now=LATER, order_id=story.order.pk, score=9, by="elder")
    with refused(her, Refused, "evaluation.late"):
        evaluate_visit(actor=her, now=LATER + timedelta(days=8), order_id=story.order.pk, score=5, by="elder")
    assert Evaluation.objects.count() == 0


# The carer's day


def test_the_day_of_a_carer_in_the_order_of_the_clock(story: Story) -> None:
    later = new_story(story.carer, starts_at=NOW + timedelta(hours=3))
    new_story(story.carer, starts_at=NOW + timedelta(days=1))
    new_story()
    start(story)
    with scope(story.carer):
        stops = stops_of(story.carer, day=date(2026, 6, 15), now=NOW + timedelta(hours=4))
    assert [(stop.assignment.pk, stop.is_late) for stop in stops] == [
        (story.assignment.pk, False),
        (later.assignment.pk, True),
    ]
    assert (stops[0].items, stops[0].steps, stops[0].visit.state) == (["生活照料"], ["洗漱", "整理"], "on_site")


def test_an_item_without_steps_is_a_step_itself(wide: Any) -> None:
    staff = make_staff()
    price = make_price(make_item(steps=[], name="陪诊"), staff.provider)
    order = make_order("assigned", price=price, starts_at=NOW)
    carer, row = actor("carer", staff=staff), make_assignment(order, staff, state="accepted")
    other = actor("carer", staff=make_staff(make_organisation()))
    with scope(carer):
        stop = stop_of(carer, row.pk, now=NOW)
    with scope(other):
        assert stop_of(other, row.pk, now=NOW) is None
    assert (stop.steps, stop.order.pk) == (["陪诊"], order.pk)
