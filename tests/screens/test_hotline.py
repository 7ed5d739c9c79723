"""Desk, pop, queue and ticket: happy path, no right, wrong input, and a count of queries that does not grow."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories import (
    NOW,
    OTHER_COMMUNITY,
    actor,
    make_call,
    make_contact,
    make_elder,
    make_entitlement,
    make_order,
    make_organisation,
    make_ticket,
)

from yinling.ground.scope import scope
from yinling.hotline.models import Call, Emergency, Ticket, TicketNote
from yinling.hotline.operations import annotate_ticket, transfer_ticket

SignIn = Callable[..., Client]
PHONE = "19900009001"
SCOPE = "set_config('yinling.scope'"


@pytest.fixture(autouse=True)
def _demo(settings: Any) -> None:
    settings.DEMO = True


def form_of(client: Client, address: str, action: str) -> dict[str, str]:
    """The hidden fields of a form on a page."""
    html = client.get(address).content.decode()
    start = html.index(f'data-action="{action}"')
    part = html[start : html.index("</form>", start)]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))


def queries(client: Client, address: str) -> int:
    """How many statements a page takes, but for setting the scope and the savepoints of the test's transaction."""
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    own = [one["sql"] for one in seen.captured_queries]
    return sum(1 for sql in own if SCOPE not in sql and "SAVEPOINT" not in sql)


def test_a_simulated_call_rings_on_the_desk_and_is_answered(sign_in: SignIn) -> None:
    elder, client = make_elder(phone=PHONE), sign_in("seat")
    assert client.post("/desk/ring/", {"number": PHONE})["Location"] == "/desk/"
    html = client.get("/desk/").content.decode()
    assert elder.name in html
    assert "****9001" in html
    assert PHONE not in html
    answer = client.post("/do/answer_call/", form_of(client, "/desk/", "answer_call"))
    call = Call.objects.get()
    assert (answer["Location"], call.state, call.seat_id) == (f"/calls/{call.pk}/", "answered", client.actor.user_id)
    assert "F2" in html


def test_somebody_calls_and_a_number_may_be_withheld(sign_in: SignIn) -> None:
    elder, client = make_elder(phone=PHONE), sign_in("seat")
    client.post("/desk/ring/", {"somebody": "1"})
    client.post("/desk/ring/", {"number": ""})
    assert list(Call.objects.order_by("pk").values_list("elder_id", flat=True)) == [elder.pk, None]
    assert "号码隐藏" in client.get("/desk/").content.decode()


def test_a_wrong_number_is_refused_with_what_was_typed(sign_in: SignIn) -> None:
    client = sign_in("seat")
    answer = client.post("/desk/ring/", {"number": "<b>help"})
    assert answer.status_code == 422
    assert "号码只能是数字" in answer.content.decode()
    assert "&lt;b&gt;help" in answer.content.decode()
    assert Call.objects.count() == 0


def test_only_a_demonstration_rings_by_hand(sign_in: SignIn, settings: Any) -> None:
    settings.DEMO = False
    client = sign_in("seat")
    assert client.post("/desk/ring/", {"number": PHONE}).status_code == 404
    assert "/desk/ring/" not in client.get("/desk/").content.decode()


@pytest.mark.parametrize("role", ["dispatcher", "carer", "supervisor", "system_admin"])
@pytest.mark.parametrize("address", ["/desk/", "/tickets/new/"])
def test_the_desk_is_closed_to_other_roles(sign_in: SignIn, role: str, address: str) -> None:
    assert sign_in(role).get(address).status_code == 403


def test_the_live_part_of_the_desk_is_a_fragment(sign_in: SignIn) -> None:
    make_call(number=PHONE)
    html = sign_in("seat").get("/desk/", headers={"HX-Request": "true", "HX-Target": "calls"}).content.decode()
    assert "<html" not in html
    assert "****9001" in html


def test_the_pop_shows_the_elder_masked_and_the_hand_over_first(sign_in: SignIn) -> None:
    elder, who = make_elder(phone=PHONE), actor("seat")
    make_contact(elder, phone="19900005555")
    make_entitlement(elder)
    order, ticket = make_order(elder=elder), make_ticket(elder=elder)
    client, call = sign_in(who), make_call(number=PHONE, elder=elder, seat=who)
    html = client.get(f"/calls/{call.pk}/").content.decode()
    for shown in (
        elder.name,
        "199****9001",
        "199****5555",
        ticket.code,
        "待派单",
        "消费补贴券",
        f"/orders/{order.pk}/",
    ):
        assert shown in html
    for secret in (PHONE, "19900005555", elder.unseal_field("id_number")):
        assert secret not in html
    actions = re.findall(r'data-action="([a-z_]+)"|href="(/tickets/new/[^"]*|/orders/new/[^"]*)"', html)
    assert [one or two for one, two in actions][:4] == [
        "hand_over_call", f"/tickets/new/?call={call.pk}", f"/orders/new/?elder={elder.pk}&amp;channel=phone", "hang_up_call",
    ]  # fmt: skip


@pytest.mark.req("R-CALL-02")
def test_an_emergency_is_handed_over_within_the_same_screen(sign_in: SignIn) -> None:
    who = actor("seat")
    client, call = sign_in(who), make_call(number=PHONE, seat=who)
    here = f"/calls/{call.pk}/"
    form = form_of(client, here, "hand_over_call") | {"service": "120", "what": "胸痛"}
    assert client.post("/do/hand_over_call/", form)["Location"] == here
    html = client.get(here).content.decode()
    assert "120 急救" in html
    step = form_of(client, here, "advance_emergency") | {"step": "arrived", "outcome": ""}
    assert client.post("/do/advance_emergency/", step)["Location"] == here
    row = Emergency.objects.get()
    assert (row.service, row.arrived_at is not None, Ticket.objects.count()) == ("120", True, 0)


def test_an_unknown_caller_is_looked_up_and_identified(sign_in: SignIn) -> None:
    elder, who = make_elder(name="钱桂兰"), actor("seat")
    client, call = sign_in(who), make_call(number="19900008888", seat=who)
    here = f"/calls/{call.pk}/"
    assert "没有登记这个号码" in client.get(here).content.decode()
    assert "没有找到" in client.get(here, {"q": "没有这人"}).content.decode()
    form = form_of(client, f"{here}?q=钱桂兰", "identify_call")
    client.post("/do/identify_call/", form)
    call.refresh_from_db()
    assert call.elder_id == elder.pk


def test_a_call_of_another_area_is_not_found(sign_in: SignIn) -> None:
    call = make_call(div=OTHER_COMMUNITY)
    assert sign_in(actor("seat", "320213")).get(f"/calls/{call.pk}/").status_code == 404


@pytest.mark.req("R-CALL-04")
def test_a_ticket_is_opened_from_a_call(sign_in: SignIn) -> None:
    elder, who = make_elder(), actor("seat")
    client, call = sign_in(who), make_call(elder=elder, seat=who)
    form = form_of(client, f"/tickets/new/?call={call.pk}", "open_ticket")
    answer = client.post(
        "/do/open_ticket/", form | {"kind": "complaint", "level": "high", "title": "护士迟到", "text": "", "family": ""}
    )
    ticket = Ticket.objects.get()
    assert answer["Location"] == f"/tickets/{ticket.pk}/"
    assert (ticket.elder_id, ticket.call_id, ticket.kind, ticket.level, ticket.channel) == (
        elder.pk, call.pk, "complaint", "high", "phone",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"title": ""}, "请填写“标题”"),
        ({"title": "长" * 81}, "81"),
        ({"kind": "gossip"}, "“类别”不在可选范围内"),
        ({"kind": ""}, "请选择“类别”"),
    ],
)
def test_a_ticket_typed_wrongly_comes_back_with_the_sentence(
    sign_in: SignIn, typed: dict[str, str], sentence: str
) -> None:
    client = sign_in("seat")
    form = form_of(client, "/tickets/new/", "open_ticket") | {"level": "normal", "channel": "phone", "kind": "request"}
    answer = client.post("/do/open_ticket/", form | {"title": "助浴", "text": "想每周洗一次澡"} | typed)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in html
    assert "想每周洗一次澡" in html
    assert Ticket.objects.count() == 0


def test_a_double_click_opens_one_ticket(sign_in: SignIn) -> None:
    client = sign_in("seat")
    form = form_of(client, "/tickets/new/", "open_ticket") | {
        "level": "normal",
        "channel": "phone",
        "kind": "request",
        "title": "助浴",
    }
    first, second = client.post("/do/open_ticket/", form), client.post("/do/open_ticket/", form)
    assert first["Location"] == second["Location"]
    assert Ticket.objects.count() == 1


def test_the_queue_has_tabs_with_counts_and_stages_of_orders(sign_in: SignIn) -> None:
    elder = make_elder()
    ticket = make_ticket(elder=elder)
    make_order("assigned", elder=elder, ticket=ticket)
    make_ticket(state="closed")
    html = sign_in("seat").get("/tickets/").content.decode()
    tabs = re.findall(r'<a href="/tickets/\?tab=(\w+)"[^>]*>[^<]+<span class="count">(\d+)</span>', html)
    assert tabs == [
        ("open", "1"),
        ("handling", "0"),
        ("overdue", "1" if "已超" in html else "0"),
        ("resolved", "0"),
    ]
    assert re.findall(r'id="ticket-(\d+)"', html) == [str(ticket.pk)]
    assert "已派单" in html


def test_the_queue_is_filtered_and_empty_says_why(sign_in: SignIn) -> None:
    make_ticket(kind="complaint")
    client = sign_in("seat")
    assert "没有符合条件的工单" in client.get("/tickets/", {"kind": "enquiry"}).content.decode()
    assert (
        'id="ticket-'
        in client.get("/tickets/", {"kind": "complaint", "level": "nonsense", "page": "x"}).content.decode()
    )


def test_new_rows_are_announced_and_urgent_ones_named(sign_in: SignIn) -> None:
    client, first = sign_in("seat"), make_ticket()
    address = re.search(r'id="ticket-news" hx-get="([^"]+)"', client.get("/tickets/").content.decode())[1]  # type: ignore[index]
    assert f"since={first.pk}" in address
    make_ticket()
    urgent = make_ticket(level="urgent")
    headers = {"HX-Request": "true", "HX-Target": "ticket-news"}
    html = client.get(address.replace("&amp;", "&"), headers=headers).content.decode()
    assert "新来 2 条，按 R 显示" in html
    assert urgent.code in html
    assert "<table" not in html


def test_the_detail_beside_the_queue_is_a_fragment(sign_in: SignIn) -> None:
    ticket = make_ticket(text="每周一次")
    html = (
        sign_in("seat")
        .get(f"/tickets/{ticket.pk}/", headers={"HX-Request": "true", "HX-Target": "detail"})
        .content.decode()
    )
    assert "<html" not in html
    assert "每周一次" in html


def test_a_ticket_shows_notes_apart_and_its_story(sign_in: SignIn) -> None:
    who, elder, body = actor("seat"), make_elder(), make_organisation()
    client, ticket = sign_in(who), make_ticket(elder=elder)
    with scope(who):
        annotate_ticket(actor=who, now=NOW, ticket_id=ticket.pk, text="家属着急", is_internal=True)
        annotate_ticket(actor=who, now=NOW, ticket_id=ticket.pk, text="明天上门", is_internal=False)
        transfer_ticket(actor=who, now=NOW, ticket_id=ticket.pk, organisation_id=body.pk, reason="属其责任区")
    html = client.get(f"/tickets/{ticket.pk}/").content.decode()
    assert '<p class="note">家属着急' in html
    assert '<p class="note public">明天上门' in html
    assert f"→ {body.short_name} 属其责任区" in html
    herself = sign_in(actor("elder", elders=(elder,)))
    own = herself.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "明天上门" in own
    assert "家属着急" not in own


def test_a_ticket_is_taken_transferred_and_closed_by_forms(sign_in: SignIn) -> None:
    client, ticket, body = sign_in("seat"), make_ticket(), make_organisation()
    here = f"/tickets/{ticket.pk}/"
    client.post("/do/take_ticket/", form_of(client, here, "take_ticket"))
    form = form_of(client, f"{here}transfer/", "transfer_ticket") | {"organisation_id": body.pk, "reason": "属其责任区"}
    assert client.post("/do/transfer_ticket/", form)["Location"] == here
    client.post("/do/take_ticket/", form_of(client, here, "take_ticket"))
    form = form_of(client, here, "close_ticket")
    assert client.post("/do/close_ticket/", form | {"result": ""}).status_code == 422
    assert client.post("/do/close_ticket/", form | {"result": "已上门解决"})["Location"] == here
    ticket.refresh_from_db()
    assert (ticket.state, ticket.provider_id, ticket.result) == ("closed", body.pk, "已上门解决")


def test_a_stale_page_keeps_what_was_typed(sign_in: SignIn) -> None:
    client, ticket = sign_in("seat"), make_ticket(state="handling")
    form = form_of(client, f"/tickets/{ticket.pk}/", "resolve_ticket")
    Ticket.objects.filter(pk=ticket.pk).update(version=9)
    answer = client.post("/do/resolve_ticket/", form | {"result": "已联系社区"})
    assert answer.status_code == 409
    assert "已联系社区" in answer.content.decode()


def test_a_role_that_only_reads_is_offered_nothing(sign_in: SignIn) -> None:
    ticket = make_ticket()
    html = sign_in("adviser").get(f"/tickets/{ticket.pk}/").content.decode()
    assert 'data-action="' not in html
    assert f"/tickets/{ticket.pk}/transfer/" not in html
    assert sign_in("adviser").get(f"/tickets/{ticket.pk}/transfer/").status_code == 403
    assert TicketNote.objects.count() == 0


def fill(rows: int) -> None:
    for _ in range(rows):
        elder = make_elder()
        ticket = make_ticket(elder=elder, opened_at=NOW - timedelta(hours=1))
        make_order(elder=elder, ticket=ticket)
        make_call(elder=elder)


@pytest.mark.parametrize(("address", "most"), [("/desk/", 8), ("/tickets/", 8), ("/tickets/new/", 8)])
def test_lists_take_as_many_queries_for_three_rows_as_for_one(sign_in: SignIn, address: str, most: int) -> None:
    client = sign_in("seat")
    fill(1)
    one = queries(client, address)
    fill(2)
    assert queries(client, address) == one <= most


def test_pop_and_ticket_take_as_many_queries_for_three_rows_as_for_one(sign_in: SignIn) -> None:
    who, elder = actor("seat"), make_elder(phone=PHONE)
    client, call, ticket = sign_in(who), make_call(number=PHONE, elder=elder, seat=who), make_ticket(elder=elder)

    def add() -> None:
        make_contact(elder)
        make_ticket(elder=elder, parent=ticket)
        make_order(elder=elder, ticket=ticket, starts_at=NOW + timedelta(days=1))

    add()
    before = [queries(client, address) for address in (f"/calls/{call.pk}/", f"/tickets/{ticket.pk}/")]
    add()
    add()
    after = [queries(client, address) for address in (f"/calls/{call.pk}/", f"/tickets/{ticket.pk}/")]
    assert before == after
    assert max(after) <= 9, after
