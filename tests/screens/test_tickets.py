"""Queue, ticket, knowledge, templates, orders from above, exchange, and complaints from outside: pages and their buttons."""

import html as marks
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    CITY,
    COMMUNITY,
    DISTRICT,
    NOW,
    TODAY,
    actor,
    make_area_tree,
    make_call,
    make_elder,
    make_organisation,
    make_service_area,
    make_ticket,
)

from yinling.ground.scope import scope
from yinling.hotline.models import Article, Callback, Exchange, Reporter, Supervision, Ticket, TicketTemplate
from yinling.hotline.operations import annotate_ticket, merge_ticket, remind_ticket, supervise_ticket
from yinling.people.sheets import open_book

SignIn = Callable[..., Client]
SCOPE = "set_config('yinling.scope'"


def form_of(client: Client, address: str, action: str, place: int = 0) -> dict[str, Any]:
    """The values of a form on a page, as a browser would send them."""
    page = client.get(address).content.decode()
    start = [found.start() for found in re.finditer(f'data-action="{action}"', page)][place]
    part = page[start : page.index("</form>", start)]
    values: dict[str, Any] = {
        name: marks.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part)
    }
    values |= {
        name: marks.unescape(text).strip()
        for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>([^<]*)</textarea>', part)
    }
    for name, value in re.findall(r'<input type="checkbox" name="([^"]+)" value="([^"]*)"[^>]*checked', part):
        values.setdefault(name, []).append(value)
    return values


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    own = [one["sql"] for one in seen.captured_queries]
    return sum(1 for sql in own if SCOPE not in sql and "SAVEPOINT" not in sql)


def make_article(**values: Any) -> Article:
    chosen = {
        "div": CITY, "title": "消费补贴怎么申请", "text": "在社区登记", "source": "锡政办发", "valid_from": TODAY, "created_at": NOW,
        "changed_at": NOW,
        **values,
    }  # fmt: skip
    row = Article.objects.create(**chosen)
    row.state, row.published_at = "published", NOW
    row.save()
    return row


def make_exchange(ticket: Ticket, **values: Any) -> Exchange:
    chosen = {
        "platform": "12345",
        "direction": "in",
        "foreign_number": f"G{ticket.pk}",
        "created_at": NOW,
        "changed_at": NOW,
        **values,
    }
    return Exchange.objects.create(div=ticket.div, ticket=ticket, **chosen)


# One ticket


@pytest.mark.req("R-CALL-04", "R-CALL-05")
def test_a_new_ticket_shows_who_should_get_it_and_one_key_does_it(sign_in: SignIn) -> None:
    make_area_tree()
    body, other = make_organisation(), make_organisation(kind="department", name="梁溪区住建局", short_name="住建局")
    make_service_area(body, family="cleaning", div=COMMUNITY)
    row, client = make_ticket(family="cleaning", title="厨房漏水"), sign_in("seat")
    here = f"/tickets/{row.pk}/"
    page = client.get(here).content.decode()
    assert "分派建议" in page
    assert "涉及居住安全" in page
    assert 'data-key="a"' in page
    form = form_of(client, here, "triage_ticket")
    assert (sorted(form["organisation_ids"]), form["reason"]) == (
        sorted([str(body.pk), str(other.pk)]),
        "涉及居住安全（漏水）",
    )
    assert client.post("/do/triage_ticket/", form)["Location"] == here
    assert set(Ticket.objects.filter(parent=row).values_list("provider_id", "level")) == {
        (body.pk, "high"),
        (other.pk, "high"),
    }
    assert "分派建议" not in client.get(here).content.decode()


def test_without_a_rule_that_fits_the_page_says_what_to_do(sign_in: SignIn) -> None:
    row = make_ticket()
    assert "请补全服务大类" in sign_in("seat").get(f"/tickets/{row.pk}/").content.decode()
    assert "分派建议" not in sign_in(actor("street", div=DISTRICT)).get(f"/tickets/{row.pk}/").content.decode()


def test_reminder_escalation_and_order_stand_on_the_page(sign_in: SignIn) -> None:
    row, client, district = make_ticket(), sign_in("seat"), sign_in(actor("district", div=DISTRICT))
    here = f"/tickets/{row.pk}/"
    client.post("/do/remind_ticket/", form_of(client, here, "remind_ticket") | {"text": "老人又来电话", "by": "caller"})
    client.post("/do/escalate_ticket/", form_of(client, here, "escalate_ticket") | {"reason": "多次催办"})
    assert "supervise_ticket" not in client.get(here).content.decode()
    order = form_of(district, here, "supervise_ticket") | {
        "reason": "三日内查清",
        "due_on": (TODAY + timedelta(days=2)).isoformat(),
    }
    assert district.post("/do/supervise_ticket/", order).status_code == 422  # the day lies before the real today
    order["due_on"] = "2190-01-01"
    assert district.post("/do/supervise_ticket/", order)["Location"] == here
    page = client.get(here).content.decode()
    for shown in ("催办 1 次", "已升级到热线班长", "320213督〔", "老人又来电话", "三日内查清"):
        assert shown in page
    client.post("/do/answer_supervision/", form_of(client, here, "answer_supervision") | {"answer": "已派人核实"})
    assert Supervision.objects.get().answer == "已派人核实"
    assert "已派人核实" in district.get("/line/supervisions/?tab=answered").content.decode()
    assert "这里没有督办" in district.get("/line/supervisions/").content.decode()


def test_an_internal_note_and_a_message_look_different(sign_in: SignIn) -> None:
    who, elder = actor("seat"), make_elder(phone="19900009001")
    row, client = make_ticket(elder=elder), sign_in(who)
    with scope(who):
        annotate_ticket(actor=who, now=NOW, ticket_id=row.pk, text="家属态度急")
        annotate_ticket(actor=who, now=NOW, ticket_id=row.pk, text="明天上午上门", is_internal=False)
    page = client.get(f"/tickets/{row.pk}/").content.decode()
    assert re.search(r'内部备注</span>\s*<p class="note">家属态度急', page)
    assert re.search(r'发给来电人</span>\s*<p class="note public">明天上午上门', page)


def test_two_seats_on_one_ticket_see_both_versions(sign_in: SignIn) -> None:
    row, first, second = make_ticket(), sign_in("seat"), sign_in("seat")
    here = f"/tickets/{row.pk}/"
    mine, theirs = form_of(first, here, "take_ticket"), form_of(second, here, "take_ticket")
    assert first.post("/do/take_ticket/", mine)["Location"] == here
    answer = second.post("/do/take_ticket/", theirs)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "刚被别人修改过" in page
    assert first.actor.name in page
    assert "open → handling" in marks.unescape(page)
    row.refresh_from_db()
    assert row.seat_id == first.actor.user_id


@pytest.mark.req("X-CALL-03")
def test_who_was_not_content_is_offered_to_be_worked_on_again(sign_in: SignIn) -> None:
    elder, client = make_elder(), sign_in("seat")
    row = make_ticket("closed", elder=elder)
    task = Callback.objects.create(
        div=row.div,
        ticket=row,
        elder=elder,
        kind="satisfaction",
        due_at=NOW,
        next_at=NOW,
        created_at=NOW,
        changed_at=NOW,
    )
    here = f"/tickets/{row.pk}/"
    assert "满意度回访" in client.get(here).content.decode()
    task.state, task.score, task.note, task.done_at = "done", 2, "扶手还是松的", NOW
    task.save()
    page = client.get(here).content.decode()
    assert "满意度 2 分" in page
    form = form_of(client, here, "reopen_ticket")
    assert form["reason"] == "回访不满意：扶手还是松的"
    client.post("/do/reopen_ticket/", form)
    row.refresh_from_db()
    assert (row.state, row.reopen_count) == ("handling", 1)


def test_a_merged_ticket_leads_to_the_other_and_back(sign_in: SignIn) -> None:
    who, elder = actor("seat"), make_elder()
    first, second, client = make_ticket(elder=elder), make_ticket(elder=elder), sign_in(who)
    with scope(who):
        merge_ticket(actor=who, now=NOW, ticket_id=second.pk, into_id=first.pk, reason="同一件事")
    assert f'/tickets/{second.pk}/">{second.code}' in client.get(f"/tickets/{first.pk}/").content.decode()
    here = f"/tickets/{second.pk}/"
    assert f'/tickets/{first.pk}/">{first.code}' in client.get(here).content.decode()
    assert client.post("/do/reopen_ticket/", form_of(client, here, "reopen_ticket"))["Location"] == here
    second.refresh_from_db()
    assert (second.state, second.merged_into_id) == ("handling", None)


def test_who_reported_is_shown_masked_and_to_the_line_alone(sign_in: SignIn) -> None:
    body = make_organisation()
    row = make_ticket(provider=body, kind="report")
    reporter = Reporter(div=row.div, ticket=row, created_at=NOW)
    reporter.seal_field("name", "冯小刚")
    reporter.seal_field("phone", "19900009001")
    reporter.save()
    here = f"/tickets/{row.pk}/"
    page = sign_in("seat").get(here).content.decode()
    assert "199****9001" in page
    assert "冯小刚" not in page
    manager = sign_in(actor("provider_manager", organisation=body)).get(here).content.decode()
    assert "***9001" not in manager
    assert "19900009001" not in manager
    assert "来信人" not in manager


def test_a_ticket_goes_to_another_line_from_its_page(sign_in: SignIn) -> None:
    row, client = make_ticket(), sign_in("seat")
    here = f"/tickets/{row.pk}/exchange/"
    form = form_of(client, here, "export_ticket") | {"platform": "12345", "reason": "属于城管"}
    assert client.post("/do/export_ticket/", form)["Location"] == f"/tickets/{row.pk}/"
    page = client.get(f"/tickets/{row.pk}/").content.decode()
    assert "与其他热线的交换" in page
    assert "待发送" in page
    assert client.get("/tickets/999999/exchange/").status_code == 404


def test_a_ticket_takes_as_many_queries_with_much_beside_it(sign_in: SignIn) -> None:
    make_area_tree()
    who, district, elder = actor("seat"), actor("district", div=DISTRICT), make_elder()
    make_organisation(kind="department", name="梁溪区民政局")
    row, client = make_ticket(elder=elder, kind="complaint"), sign_in(who)
    before = queries(client, f"/tickets/{row.pk}/")
    with scope(district):
        supervise_ticket(actor=district, now=NOW, ticket_id=row.pk, reason="查清", due_on=TODAY)
    with scope(who):
        remind_ticket(actor=who, now=NOW, ticket_id=row.pk, text="快")
    make_exchange(row)
    for _ in range(3):
        Callback.objects.create(
            div=row.div, ticket=row, kind="satisfaction", due_at=NOW, next_at=NOW, created_at=NOW, changed_at=NOW
        )
    assert queries(client, f"/tickets/{row.pk}/") == before
    assert before <= 9


# New ones


def test_a_template_fills_the_form_and_keeps_what_was_typed(sign_in: SignIn) -> None:
    values: dict[str, Any] = {
        "div": CITY,
        "name": "换护理员",
        "kind": "request",
        "title": "想更换一位护理员",
        "text": "原因：",
        "created_at": NOW,
        "changed_at": NOW,
    }
    row, client = TicketTemplate.objects.create(**values), sign_in("seat")
    page = client.get("/tickets/new/").content.decode()
    assert 'data-key="1"' in page
    headers = {"HX-Request": "true", "HX-Target": "ticket-form"}
    typed = client.get(
        f"/tickets/new/?template={row.pk}", {"title": "", "text": "已经说了两次"}, headers=headers
    ).content.decode()
    filled = client.get("/tickets/new/", {"template": row.pk, "text": "已经说了两次"}, headers=headers).content.decode()
    assert "<html" not in filled
    assert "想更换一位护理员" in filled
    assert "已经说了两次" in filled
    assert "原因：" not in filled
    assert typed


def test_the_side_search_is_a_fragment_beside_the_form(sign_in: SignIn) -> None:
    row, client = make_article(), sign_in("seat")
    assert 'id="answers"' in client.get("/tickets/new/").content.decode()
    found = client.get("/line/knowledge/side/?q=补贴").content.decode()
    assert "<html" not in found
    assert row.text in found
    assert (
        client.post(
            "/do/use_article/",
            form_of(client, "/line/knowledge/side/?q=补贴", "use_article"),
            headers={"HX-Request": "true"},
        ).status_code
        == 204
    )
    row.refresh_from_db()
    assert row.use_count == 1
    assert "没有找到“助浴”" in client.get("/line/knowledge/side/?q=助浴").content.decode()


# The queue


def test_the_queue_is_narrowed_by_body_and_by_what_presses(sign_in: SignIn) -> None:
    body, district, client = make_organisation(short_name="安康居家"), actor("district", div=DISTRICT), sign_in("seat")
    rows = {
        "plain": make_ticket(), "body": make_ticket(provider=body), "reminded": make_ticket(reminder_count=1), "escalated": make_ticket(escalation=2),
        "supervised": make_ticket(),
    }  # fmt: skip
    with scope(district):
        supervise_ticket(actor=district, now=NOW, ticket_id=rows["supervised"].pk, reason="查清", due_on=TODAY)
    for query, name in (
        ("body=安康", "body"),
        ("reminded=1", "reminded"),
        ("escalated=1", "escalated"),
        ("supervised=1", "supervised"),
    ):
        page = client.get(f"/tickets/?{query}").content.decode()
        assert [key for key, row in rows.items() if f'id="ticket-{row.pk}"' in page] == [name]
    page = client.get("/tickets/").content.decode()
    for shown in ("催办 1 次", "已升级到区县", "督办"):
        assert shown in page


def test_many_are_ticked_listed_and_moved_with_their_number(sign_in: SignIn) -> None:
    body, client, rows = make_organisation(), sign_in("seat"), [make_ticket() for _ in range(3)]
    page = client.get("/tickets/").content.decode()
    assert page.count('form="bulk"') == 3
    here = f"/tickets/bulk/?id={rows[0].pk}&id={rows[1].pk}&id=x"
    form = form_of(client, here, "transfer_tickets") | {"organisation_id": str(body.pk), "reason": "归他们"}
    assert sorted(form["ticket_ids"]) == sorted(str(row.pk) for row in rows[:2])
    assert client.post("/do/transfer_tickets/", form | {"count": "3"}).status_code == 422
    assert Ticket.objects.filter(provider=body).count() == 0
    assert client.post("/do/transfer_tickets/", form | {"count": "2"})["Location"] == "/tickets/"
    assert Ticket.objects.filter(provider=body).count() == 2
    assert "没有勾选" in client.get("/tickets/bulk/").content.decode()
    assert 'form="bulk"' not in sign_in("provider_manager").get("/tickets/").content.decode()


# The knowledge base


def test_a_seat_sees_what_holds_and_writes_drafts_that_another_publishes(sign_in: SignIn) -> None:
    shown, over = make_article(), make_article(title="旧办法", valid_from=TODAY - timedelta(days=9), valid_to=TODAY)
    seat, leader, operator = sign_in("seat"), sign_in("line_leader"), sign_in("city")
    values = {
        "title": "助餐点在哪里",
        "text": "见资源页",
        "source": "民政局",
        "valid_from": TODAY.isoformat(),
        "family": "meal",
        "words": "食堂",
    }
    where = seat.post("/do/draft_article/", form_of(seat, "/line/knowledge/new/", "draft_article") | values)["Location"]
    assert (
        "请由另一位人员发布" in seat.get(where).content.decode()
        or "publish_article" not in seat.get(where).content.decode()
    )
    assert "助餐点在哪里" not in seat.get("/line/knowledge/?q=食堂").content.decode()
    assert leader.post("/do/publish_article/", form_of(leader, where, "publish_article"))["Location"] == where
    assert "助餐点在哪里" in seat.get("/line/knowledge/?q=食堂").content.decode()
    page = seat.get("/line/knowledge/").content.decode()
    assert shown.title in page
    assert over.title not in page
    assert seat.get(f"/line/knowledge/{over.pk}/").status_code == 404
    assert over.title not in seat.get("/line/knowledge/?tab=all").content.decode()
    assert over.title in leader.get("/line/knowledge/?tab=review").content.decode()
    leader.post("/do/withdraw_article/", form_of(leader, where, "withdraw_article") | {"reason": "已停办"})
    assert "助餐点在哪里" in leader.get("/line/knowledge/?tab=withdrawn").content.decode()
    assert "助餐点在哪里" in operator.get("/line/knowledge/new/?from=" + where.split("/")[-2]).content.decode()
    assert seat.get("/line/knowledge/999999/").status_code == 404


def test_templates_are_kept_and_ended_on_their_page(sign_in: SignIn) -> None:
    client = sign_in("seat")
    assert "还没有模板" in client.get("/line/templates/").content.decode()
    values = {
        "name": "咨询补贴",
        "kind": "enquiry",
        "level": "normal",
        "title": "咨询补贴怎么申请",
        "text": "",
        "family": "",
    }
    client.post("/do/save_template/", form_of(client, "/line/templates/", "save_template") | values)
    row = TicketTemplate.objects.get()
    assert "修改“咨询补贴”" in client.get(f"/line/templates/?change={row.pk}").content.decode()
    client.post("/do/end_template/", form_of(client, "/line/templates/", "end_template"))
    row.refresh_from_db()
    assert row.is_active is False


@pytest.mark.parametrize(
    "address", ["/line/templates/", "/line/exchange/", "/line/supervisions/", "/line/knowledge/new/"]
)
def test_pages_of_the_line_are_closed_to_others(sign_in: SignIn, address: str) -> None:
    assert sign_in("carer").get(address).status_code == 403


@pytest.mark.parametrize(
    ("address", "most"),
    [("/line/knowledge/", 8), ("/line/exchange/", 8), ("/line/supervisions/?tab=all", 8), ("/tickets/bulk/", 8)],
)
def test_lists_take_as_many_queries_for_three_rows_as_for_one(sign_in: SignIn, address: str, most: int) -> None:
    client, district = sign_in("line_leader"), actor("district", div=DISTRICT)

    def add() -> None:
        make_article()
        row = make_ticket()
        make_exchange(row, error="x")
        with scope(district):
            supervise_ticket(actor=district, now=NOW, ticket_id=row.pk, reason="查清", due_on=TODAY)

    add()
    before = queries(client, address)
    add()
    add()
    assert queries(client, address) == before
    assert before <= most


# The exchange


@pytest.mark.req("R-CALL-07")
def test_errors_of_the_exchange_are_listed_and_sent_again(sign_in: SignIn) -> None:
    client, fine, wrong = (
        sign_in("seat"),
        make_exchange(make_ticket()),
        make_exchange(make_ticket(title="=1+1"), error="HTTP 503"),
    )
    page = client.get("/line/exchange/?tab=errors").content.decode()
    assert wrong.foreign_number in page
    assert f">{fine.foreign_number}<" not in page
    assert (
        client.post("/do/retry_exchange/", form_of(client, "/line/exchange/", "retry_exchange"))["Location"]
        == "/line/exchange/"
    )
    wrong.refresh_from_db()
    assert wrong.error == ""


@pytest.mark.req("R-CALL-07")
def test_tables_go_out_and_come_in_by_hand(sign_in: SignIn) -> None:
    client = sign_in("seat")
    make_exchange(make_ticket(title="=1+1"), sent_state="办理中")
    text = client.get("/line/exchange/table.csv").content.decode("utf-8-sig")
    assert "'=1+1" in text
    book = open_book(client.get("/line/exchange/table.xlsx").content)
    assert book.sheet().rows[0][:3] == ["对方工单号", "对方状态", "时间"]
    sheet = "对方工单号,对方状态,时间,类别,标题\nG77,已派发,2026-06-15 10:00,咨询,问补贴\n".encode()
    answer = client.post("/line/exchange/load/", {"platform": "12345", "content": SimpleUploadedFile("a.csv", sheet)})
    assert answer["Location"] == "/line/exchange/"
    assert Ticket.objects.get(title="问补贴").kind == "enquiry"
    for content, said in (
        ("标题\n问补贴\n", "表格缺少这些列"),
        ("对方工单号,对方状态,时间,标题\nG78,已派发,明天,问\n", "第 2 行"),
        ("", ""),
    ):
        wrong = client.post(
            "/line/exchange/load/",
            {"platform": "12345", "content": SimpleUploadedFile("a.csv", content.encode() or b"\x00\x01")},
        )
        assert wrong.status_code == 422
        assert said in wrong.content.decode()
    assert client.post("/line/exchange/load/", {"platform": "12345"}).status_code == 422
    assert Exchange.objects.count() == 2


# From outside


@pytest.mark.req("R-CALL-15")
def test_anybody_may_report_without_a_name_and_not_too_often(sign_in: SignIn, client: Client) -> None:
    cache.clear()
    sign_in("seat")
    page = client.get("/public/complaint/").content.decode()
    assert "举报可以不留姓名" in page
    values = {"kind": "report", "div": DISTRICT, "title": "虚报服务", "text": "没来却签了字"}
    assert client.post("/public/complaint/", values)["Location"] == "/public/complaint/done/"
    row = Ticket.objects.get()
    assert (row.kind, row.title, row.channel, Reporter.objects.count()) == ("report", "虚报服务", "app", 0)
    assert row.code in client.get("/public/complaint/done/").content.decode()
    wrong = client.post("/public/complaint/", {**values, "kind": "complaint"})
    assert wrong.status_code == 422
    assert "请留下联系电话" in wrong.content.decode()
    assert "没来却签了字" in wrong.content.decode()
    assert client.post("/public/complaint/", {**values, "kind": "emergency"}).status_code == 422
    assert [client.post("/public/complaint/", values).status_code for _ in range(5)] == [302, 302, 302, 422, 422]
    assert Ticket.objects.count() == 4


@pytest.mark.req("R-CALL-15")
def test_an_elder_complains_on_her_own_page_and_sees_the_answer(sign_in: SignIn) -> None:
    elder = make_elder()
    client = sign_in(actor("elder", elders=(elder,)))
    form = form_of(client, "/e/complaint/", "open_ticket") | {
        "kind": "complaint",
        "title": "来得太晚",
        "text": "晚了两小时",
    }
    assert client.post("/do/open_ticket/", form)["Location"] == f"/e/complaint/?elder={elder.pk}"
    row = Ticket.objects.get()
    assert (row.kind, row.elder_id, row.channel) == ("complaint", elder.pk, "app")
    assert "来得太晚" in client.get("/e/complaint/").content.decode()


@pytest.mark.req("R-CALL-15")
def test_a_seat_takes_a_complaint_on_the_telephone(sign_in: SignIn) -> None:
    who = actor("seat")
    client, call = sign_in(who), make_call(number="19900009001", seat=who)
    form = form_of(client, f"/tickets/new/?call={call.pk}", "open_ticket") | {
        "kind": "report",
        "level": "normal",
        "title": "虚报服务",
        "text": "",
    }
    client.post("/do/open_ticket/", form)
    row = Ticket.objects.get()
    assert (row.kind, row.call_id, row.channel) == ("report", call.pk, "phone")
