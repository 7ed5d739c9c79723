"""The carer's phone: today, check-in, record, photo, signature, check-out."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from tests.factories import (
    actor,
    make_assignment,
    make_elder,
    make_order,
    make_organisation,
    make_price,
    make_staff,
    make_visit,
)
from tests.screens.test_hotline import form_of, queries

from yinling.dispatch.models import Assignment
from yinling.ground.clock import business_now
from yinling.visits.models import CheckIn, Evidence, Visit

SignIn = Callable[..., Client]
HERE = {"lon": "120.30", "lat": "31.57", "accuracy_m": "12"}


@dataclass
class Door:
    """A carer logged in, with an assignment that begins about now."""

    client: Client
    staff: Any
    assignment: Assignment

    @property
    def address(self) -> str:
        return f"/m/{self.assignment.pk}/"

    def send(self, name: str, **typed: Any) -> Any:
        return self.client.post(f"/do/{name}/", form_of(self.client, self.address, name) | typed)


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.DATA = tmp_path


def add(staff: Any, state: str = "accepted", hours: int = 0) -> Assignment:
    order = make_order(
        "assigned", price=make_price(organisation=staff.provider), starts_at=business_now() + timedelta(hours=hours)
    )
    return make_assignment(order, staff, state=state, accept_due_at=business_now() + timedelta(minutes=20))


@pytest.fixture
def door(sign_in: SignIn) -> Door:
    staff = make_staff()
    return Door(sign_in(actor("carer", staff=staff)), staff, add(staff))


def picture() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "PNG")
    return SimpleUploadedFile("photo.png", out.getvalue(), "image/png")


def test_today_lists_ones_own_stops_only(door: Door) -> None:
    add(make_staff(door.staff.provider))
    html = door.client.get("/m/").content.decode()
    assert html.count('class="task"') == 1
    assert f'href="{door.address}"' in html
    assert "生活照料" in html


def test_a_day_without_stops_says_so(door: Door) -> None:
    tomorrow = (business_now() + timedelta(days=2)).astimezone().date().isoformat()
    assert door.client.get("/m/", {"day": tomorrow}).status_code == 200
    other = Door(door.client, door.staff, door.assignment)
    Assignment.objects.filter(pk=other.assignment.pk).update(
        starts_at=business_now() + timedelta(days=5), ends_at=business_now() + timedelta(days=6)
    )
    assert "这一天没有任务" in door.client.get("/m/", {"day": "nonsense"}).content.decode()


def test_an_offer_is_accepted_on_the_phone(sign_in: SignIn) -> None:
    staff = make_staff()
    door = Door(sign_in(actor("carer", staff=staff)), staff, add(staff, state="offered"))
    assert door.send("accept_assignment")["Location"] == door.address
    door.assignment.refresh_from_db()
    assert door.assignment.state == "accepted"


@pytest.mark.req("R-ORD-08")
def test_from_the_check_in_to_the_check_out(door: Door) -> None:
    assert door.send("depart_visit")["Location"] == door.address
    phone_clock = "2026-06-15T02:03:04.000Z"
    assert door.send("start_visit", **HERE, device_at=phone_clock)["Location"] == door.address
    arrival = CheckIn.objects.get()
    assert (arrival.distance_m, arrival.accuracy_m) == (0, 12.0)
    assert arrival.device_at == datetime(2026, 6, 15, 2, 3, 4, tzinfo=UTC)
    html = door.client.get(door.address).content.decode()
    assert re.findall(r'name="tasks" value="([^"]+)"', html) == ["洗漱", "整理"]
    assert html.index("现场照片") < html.index("签名") < html.index("服务记录与签退")
    assert door.send("attach_evidence", content=picture()).status_code == 302
    assert Evidence.objects.get().kind == "photo"
    done = door.send(
        "finish_visit", **HERE, tasks=["洗漱", "整理"], findings="精神好", signed_by="王秀英", signed_as="self"
    )
    assert done["Location"] == door.address
    assert Visit.objects.get().state == "done"
    assert "距住处 0 米" in door.client.get(door.address).content.decode()


def test_the_kept_pictures_are_a_fragment_and_can_be_seen(door: Door) -> None:
    door.send("start_visit", **HERE)
    form = form_of(door.client, door.address, "attach_evidence") | {"kind": "signature", "content": picture()}
    answer = door.client.post("/do/attach_evidence/", form, headers={"HX-Request": "true"})
    assert (answer.status_code, '"acted"' in answer["HX-Trigger"]) == (204, True)
    html = door.client.get(door.address, headers={"HX-Request": "true", "HX-Target": "kept"}).content.decode()
    assert "已保存照片 0 张，签名 1 个" in html
    assert "<html" not in html
    shown = door.client.get(f"/evidence/{Evidence.objects.get().pk}/")
    assert (shown["Content-Type"], shown.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")


def test_evidence_of_others_is_not_found_and_not_for_every_role(door: Door, sign_in: SignIn) -> None:
    door.send("start_visit", **HERE)
    door.send("attach_evidence", content=picture())
    address = f"/evidence/{Evidence.objects.get().pk}/"
    assert sign_in(actor("carer", staff=make_staff(make_organisation()))).get(address).status_code == 404
    assert sign_in(actor("elder", elders=(make_elder(),))).get(address).status_code == 404
    assert sign_in("dispatcher").get(address).status_code == 403
    assert sign_in("supervisor").get(address).status_code == 200


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ({}, 422, "没有收到位置"),
        ({"door_code": "D-wrong"}, 422, "门牌码不对"),
        ({"lon": "abc", "lat": "31.5"}, 422, "没有保存"),
        ({"lon": "400", "lat": "31.5"}, 422, "没有保存"),
    ],
)
def test_a_check_in_that_fails_keeps_what_was_typed(
    door: Door, typed: dict[str, str], status: int, sentence: str
) -> None:
    answer = door.send("start_visit", **typed)
    html = answer.content.decode()
    assert answer.status_code == status
    assert sentence in html
    assert typed.get("door_code", "") in html
    assert Visit.objects.count() == CheckIn.objects.count() == 0


def test_the_code_at_the_door_replaces_the_position(door: Door) -> None:
    door.send("start_visit", door_code=door.assignment.order.door_code)
    assert CheckIn.objects.get().by_door_code


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"tasks": []}, "请选择“完成的服务内容”"),
        ({"tasks": ["打牌"]}, "不在可选范围内"),
        ({"signed_by": ""}, "请填写“签字人”"),
    ],
)
def test_a_check_out_that_fails_keeps_the_record(door: Door, typed: dict[str, Any], sentence: str) -> None:
    door.send("start_visit", **HERE)
    answer = door.send(
        "finish_visit", **{"tasks": ["洗漱"], "findings": "膝盖疼", "signed_by": "王秀英", "signed_as": "self", **typed}
    )
    html = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in html
    assert "膝盖疼" in html
    assert Visit.objects.get().state == "on_site"


def test_what_is_no_photo_is_refused_at_the_field(door: Door) -> None:
    door.send("start_visit", **HERE)
    answer = door.send("attach_evidence", content=SimpleUploadedFile("a.png", b"hello", "image/png"))
    assert answer.status_code == 422
    assert "这不是照片文件" in answer.content.decode()
    assert Evidence.objects.count() == 0


def test_nobody_opens(door: Door) -> None:
    assert door.send("abort_visit", reason="无人应门")["Location"] == "/m/"
    assert "无人应门" in door.client.get(door.address).content.decode()


def test_the_stop_of_a_colleague_is_not_found(door: Door, sign_in: SignIn) -> None:
    colleague = sign_in(actor("carer", staff=make_staff(door.staff.provider)))
    assert colleague.get(door.address).status_code == 404


@pytest.mark.parametrize("role", ["seat", "elder", "dispatcher", "finance"])
def test_the_phone_pages_are_for_carers(sign_in: SignIn, role: str) -> None:
    assert sign_in(role).get("/m/").status_code == 403


def test_lists_and_stop_take_a_fixed_number_of_queries(door: Door) -> None:
    before = queries(door.client, "/m/"), queries(door.client, door.address)
    add(door.staff, hours=2)
    add(door.staff, hours=4)
    after = queries(door.client, "/m/"), queries(door.client, door.address)
    assert before == after
    assert max(after) <= 8
    make_visit(door.assignment)
    assert queries(door.client, door.address) <= 8
