"""What was said: kept encrypted, opened with a reason, deleted in time."""

from __future__ import annotations

import base64
import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.factories import CITY, NOW, TODAY, actor, make_elder, make_ticket, system
from tests.hotline.played import SOUND, company_line, recorded, talk
from tests.refusals import refused as no

from yinling.accounts.models import Journal, Notice
from yinling.cli.invariants import QUERIES
from yinling.ground.models import StoredFile
from yinling.ground.scope import scope
from yinling.hotline.jobs import check_in_area, delete_in_area
from yinling.hotline.models import QualitySample, Recording
from yinling.hotline.operations import attach_recording, delete_recording, listen_recording
from yinling.hotline.queries import is_open_to, listeners, sound_of
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refused

pytestmark = pytest.mark.django_db
OVER = NOW + timedelta(days=182)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path


def contents() -> list[dict[str, Any]]:
    return list(Recording.objects.order_by("pk").values()) + list(StoredFile.objects.order_by("pk").values())


def refused(who: Actor, kind: Any, code: str) -> Any:
    return no(who, kind, code, contents=contents)


def path_of(row: Recording, folder: Path) -> Path:
    return folder / "files" / row.file.path


def test_a_recording_is_encrypted_and_its_hash_is_in_the_journal(wide: Any, tmp_path: Path) -> None:
    call = talk(actor("seat"), elder=make_elder())
    row = recorded(call)
    sealed = path_of(row, tmp_path).read_bytes()
    assert SOUND[:64] not in sealed
    assert base64.b64encode(SOUND[:48]) not in sealed
    digest = hashlib.sha256(SOUND)
    assert bytes(row.file.sha256) == digest.digest()
    journal = Journal.objects.get(subject_type="recording", subject_id=row.pk)
    assert (journal.event, journal.changes["sha256"], journal.elder_id) == (
        "hotline.recording.attach", [None, digest.hexdigest()], call.elder_id
    )  # fmt: skip
    assert (row.keep_until, row.file.keep_until) == (TODAY + timedelta(days=180), TODAY + timedelta(days=180))
    assert sound_of(row) == SOUND


def test_the_second_arrival_of_a_recording_is_the_first(wide: Any) -> None:
    call = talk(actor("seat"))
    first, again, message = recorded(call), recorded(call, content=b"other"), recorded(call, kind="message")
    assert (first.pk, first.pk != message.pk) == (again.pk, True)
    assert sound_of(again) == SOUND
    assert StoredFile.objects.count() == 2


def test_another_line_brings_its_recording_as_base64(wide: Any) -> None:
    robot, call = system(), talk(actor("seat"))
    chosen: dict[str, Any] = {"call_id": call.pk, "started_at": NOW, "seconds": 60}
    with scope(robot):
        row = attach_recording(actor=robot, now=NOW, content=base64.b64encode(SOUND).decode(), **chosen)
    assert sound_of(row) == SOUND
    with refused(robot, Refused, "file.not_base64"):
        attach_recording(actor=robot, now=NOW, content="录音", **chosen)
    other = talk(actor("seat"))
    chosen["call_id"] = other.pk
    with refused(robot, Refused, "recording.empty"):
        attach_recording(actor=robot, now=NOW, content="", **chosen)
    with refused(robot, Refused, "choice.unknown"):
        attach_recording(actor=robot, now=NOW, content="AAAA", kind="video", **chosen)
    seat = actor("seat")
    with refused(seat, Denied, "right.missing"):
        attach_recording(actor=seat, now=NOW, content="AAAA", **chosen)


def test_listening_asks_why_and_is_seen(wide: Any) -> None:
    leader, seat = actor("line_leader"), actor("seat")
    row = recorded(talk(seat))
    with refused(leader, Refused, "text.empty"):
        listen_recording(actor=leader, now=NOW, recording_id=row.pk, reason=" ")
    with refused(seat, Denied, "right.missing"):
        listen_recording(actor=seat, now=NOW, recording_id=row.pk, reason="想听")
    with scope(leader):
        assert not is_open_to(leader, row.pk, NOW)
        listen_recording(actor=leader, now=NOW, recording_id=row.pk, reason="核实投诉")
        assert is_open_to(leader, row.pk, NOW + timedelta(minutes=29))
        assert not is_open_to(leader, row.pk, NOW + timedelta(minutes=30))
        heard = listeners([row])[row.pk]
    assert [(one.user_id, one.reason, one.business_at) for one in heard] == [(leader.user_id, "核实投诉", NOW)]
    other = actor("line_leader")
    with scope(other):
        assert not is_open_to(other, row.pk, NOW)


def test_a_changed_sound_is_not_played(wide: Any, tmp_path: Path) -> None:
    leader = actor("line_leader")
    row, other = recorded(talk(actor("seat"))), recorded(talk(actor("seat")), content=b"something else")
    path_of(row, tmp_path).write_bytes(path_of(other, tmp_path).read_bytes())
    with refused(leader, NotAllowed, "recording.broken"):
        listen_recording(actor=leader, now=NOW, recording_id=row.pk, reason="核实投诉")
    StoredFile.objects.filter(pk=other.file_id).update(sha256=hashlib.sha256(b"x").digest())
    with refused(leader, NotAllowed, "recording.broken"):
        listen_recording(actor=leader, now=NOW, recording_id=other.pk, reason="核实投诉")
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["recordings.hash"][1])
        assert cursor.fetchall() == [(other.pk,)]
    path_of(row, tmp_path).unlink()
    with refused(leader, NotAllowed, "recording.broken"):
        listen_recording(actor=leader, now=NOW, recording_id=row.pk, reason="核实投诉")
    with scope(system()):
        assert check_in_area(system()) == 2
        assert check_in_area(system()) == 2
    assert Notice.objects.filter(user_id=leader.user_id, title="录音校验不一致").count() == 2


def test_a_recording_is_deleted_when_its_time_is_over_and_not_before(wide: Any, tmp_path: Path) -> None:
    robot = system()
    row = recorded(talk(actor("seat")))
    with refused(robot, NotAllowed, "recording.kept"):
        delete_recording(actor=robot, now=NOW + timedelta(days=180), recording_id=row.pk)
    with scope(robot):
        delete_recording(actor=robot, now=NOW + timedelta(days=181), recording_id=row.pk)
    row.refresh_from_db()
    assert row.deleted_at == NOW + timedelta(days=181)
    assert not path_of(row, tmp_path).exists()
    assert Journal.objects.filter(event="hotline.recording.delete", is_refused=False).count() == 1
    with refused(robot, NotAllowed, "recording.deleted"):
        delete_recording(actor=robot, now=OVER, recording_id=row.pk)
    leader = actor("line_leader")
    with refused(leader, NotAllowed, "recording.deleted"):
        listen_recording(actor=leader, now=OVER, recording_id=row.pk, reason="核实投诉")


def test_what_a_ticket_or_a_check_needs_stays(wide: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinling.hotline.jobs.business_now", lambda: OVER)
    seat, robot = actor("seat"), system()
    free, asked, judged = (talk(seat) for _ in range(3))
    rows = [recorded(call) for call in (free, asked, judged)]
    make_ticket("handling", call=asked)
    QualitySample.objects.create(
        call=judged, div=CITY, seat_id=seat.user_id, drawn_at=NOW, created_at=NOW, changed_at=NOW
    )
    with refused(robot, NotAllowed, "recording.held"):
        delete_recording(actor=robot, now=OVER, recording_id=rows[1].pk)
    assert delete_in_area(robot) == 1
    assert delete_in_area(robot) == 0
    assert [Recording.objects.get(pk=row.pk).deleted_at for row in rows] == [OVER, None, None]


def test_a_company_finds_no_recording_of_another(wide: Any) -> None:
    company, person, _seat, manager = company_line()
    _other, other_person, _seat2, other_manager = company_line()
    own = recorded(talk(person, provider=company))
    with scope(other_manager):
        assert Recording.objects.count() == 0
        assert StoredFile.objects.count() == 0
    with scope(manager):
        assert [row.pk for row in Recording.objects.all()] == [own.pk]
    outside = actor("line_leader", "320281")
    with refused(outside, NotFound, "row.not_found"):
        listen_recording(actor=outside, now=NOW, recording_id=own.pk, reason="核实投诉")
    assert other_person.user_id


def test_a_city_sets_how_long_it_keeps(wide: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinling.hotline.operations.recordings.parameter", lambda _key, _div, _on: 30)
    assert recorded(talk(actor("seat"))).keep_until == date(2026, 7, 15)
