"""Pages of what leaves the house: messages with their proof, wordings, and who wants none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.accounts.gateway import REAL, Line, message
from tests.factories import NOW, actor, make_elder

from yinling.accounts.jobs import collect, send_waiting
from yinling.accounts.models import MessageTemplate, Notice, OptOut
from yinling.accounts.ports import Receipt
from yinling.kernel.actor import Actor

SignIn = Callable[..., Client]
EVERYWHERE = Actor(None, "系统", "system", div="3", is_system=True)


def sent(key: str = "a", number: str = REAL, *, line: Line | None = None, **values: Any) -> Notice:
    row = message(key, number, about=values.pop("about", None) or make_elder(), now=NOW, **values)
    send_waiting(line or Line(), EVERYWHERE, now=NOW)
    return Notice.objects.get(pk=row.pk)


def text_of(client: Client, where: str) -> str:
    answer = client.get(where)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return str(answer.content.decode())


def test_the_list_masks_numbers_and_keeps_the_text_for_the_message_itself(sign_in: SignIn) -> None:
    client = sign_in("line_leader")
    assert "还没有发往手机的消息" in text_of(client, "/messages/")
    row = sent(text="王秀英老人明天体检")
    page = text_of(client, "/messages/")
    assert "139****5678" in page
    assert REAL not in page
    assert "明天体检" not in page
    assert "明天体检" in text_of(client, f"/messages/{row.pk}/")


def test_the_filters_find_by_number_state_channel_kind_and_day(sign_in: SignIn) -> None:
    client = sign_in("city")
    sent("a")
    sent("b", "13900000002", is_urgent=True, text="x")
    assert text_of(client, f"/messages/?number={REAL}").count("data-row") == 1
    for query, count in (
        ("state=sent", 2), ("state=failed", 0), ("channel=wechat", 0), ("kind=emergency", 1), ("day=2026-06-15", 2), ("day=2026-06-16", 0),
    ):  # fmt: skip
        assert text_of(client, f"/messages/?{query}").count("data-row") == count, query


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_same_however_long_it_is(sign_in: SignIn, count: int) -> None:
    client = sign_in("line_leader")
    for number in range(count):
        sent(f"k{number}", f"1390000000{number}")
    client.get("/messages/")
    with CaptureQueriesContext(connection) as seen:
        assert text_of(client, "/messages/").count("data-row") == count
    assert len([one for one in seen if one["sql"].startswith("SELECT") and "set_config" not in one["sql"]]) <= 8


def test_a_message_shows_its_proof_and_what_failed_can_be_sent_again(sign_in: SignIn) -> None:
    client, line = sign_in("line_leader"), Line()
    row = sent(line=line)
    line.back.append(Receipt("id-a", "failed", NOW + timedelta(minutes=1), "UNDELIV 001"))
    collect(line, "sms", now=NOW + timedelta(minutes=1))
    page = text_of(client, f"/messages/{row.pk}/")
    for shown in ("id-a", "UNDELIV 001", "未送达", "/do/resend_message/"):
        assert shown in page
    done = client.post("/do/resend_message/", {"message_id": row.pk, "reason": "已开机", "_key": "k1"})
    assert done.status_code == 302
    assert Notice.objects.get(pk=row.pk).state == "waiting"
    assert "/do/resend_message/" not in text_of(client, f"/messages/{row.pk}/")


def test_a_message_of_another_district_and_a_role_without_the_right(sign_in: SignIn) -> None:
    row = sent()
    assert sign_in(actor("district", div="320281")).get(f"/messages/{row.pk}/").status_code == 404
    assert sign_in("seat").get("/messages/").status_code == 403
    assert sign_in("line_leader").get("/messages/999999/").status_code == 404


def test_a_wording_is_shown_previewed_changed_and_ended(sign_in: SignIn) -> None:
    client = sign_in("city")
    assert "服务人员 06-16 10:00 上门" in text_of(client, "/messages/wordings/")
    where = "/messages/wordings/appointed/"
    assert "还没有自拟的内容" in text_of(client, where)
    preview = client.get(
        where, {"text": "{at} 到家"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="preview"
    ).content.decode()
    assert "06-16 10:00 到家" in preview
    assert "<html" not in preview
    assert "只能用这些变量" in text_of(client, where + "?text={phone}")
    client.post("/do/write_wording/", {"code": "appointed", "text": "{at} 到家", "reason": "更短", "_key": "k1"})
    row = MessageTemplate.objects.get()
    assert "自拟第 1 版" in text_of(client, where)
    client.post("/do/end_wording/", {"wording_id": row.pk, "reason": "恢复", "_key": "k2"})
    assert MessageTemplate.objects.get().to_at is not None
    assert client.get("/messages/wordings/nothing/").status_code == 404


def test_a_wording_that_is_refused_comes_back_with_its_sentence(sign_in: SignIn) -> None:
    client = sign_in("city")
    answer = client.post(
        "/do/write_wording/", {"code": "appointed", "text": "诊断结果已出", "reason": "x", "_key": "k"}
    )
    assert answer.status_code == 422
    assert "不能出现健康等敏感内容" in answer.content.decode()
    assert not MessageTemplate.objects.exists()


def test_who_wants_none_is_listed_and_brought_back(sign_in: SignIn) -> None:
    client = sign_in("line_leader")
    assert "没有人退订" in text_of(client, "/messages/optouts/")
    client.post("/do/record_optout/", {"number": REAL, "kind": "", "_key": "k1"})
    page = text_of(client, "/messages/optouts/")
    assert "139****5678" in page
    assert REAL not in page
    client.post("/do/end_optout/", {"optout_id": OptOut.objects.get().pk, "_key": "k2"})
    assert OptOut.objects.get().to_at is not None


def test_the_family_stops_a_kind_and_brings_it_back(sign_in: SignIn) -> None:
    elder, other = make_elder(), make_elder()
    client = sign_in(actor("family", div="", elders=[elder]))
    page = text_of(client, "/e/messages/")
    assert page.count("正在接收") == 4
    assert "紧急求助" not in page
    client.post("/do/record_optout/", {"elder_id": elder.pk, "kind": "service", "_key": "k1"})
    assert text_of(client, "/e/messages/").count("已停止接收") == 1
    assert client.post("/do/record_optout/", {"elder_id": other.pk, "kind": "service", "_key": "k2"}).status_code in {
        403,
        404,
        422,
    }
    client.post("/do/end_optout/", {"optout_id": OptOut.objects.get().pk, "_key": "k3"})
    assert text_of(client, "/e/messages/").count("正在接收") == 4
