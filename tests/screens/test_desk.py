"""The desk's seat and queue, the caller's screen with its five functions, call-backs, groups and seats, free times."""

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from django.test import Client
from tests.factories import (
    NOW,
    actor,
    make_call,
    make_callback,
    make_contact,
    make_elder,
    make_group,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_seat,
    make_service_area,
    make_staff,
    make_ticket,
)
from tests.screens.test_hotline import form_of, queries

from yinling.catalogue.models import FAMILIES
from yinling.ground.clock import business_now
from yinling.hotline.models import Call, Callback, CallOffer, Seat, SeatGroup, SeatTraining
from yinling.kernel.period import SHANGHAI, local_date
from yinling.orders.models import Order
from yinling.web.queries.callers import DEMANDS

SignIn = Callable[..., Client]
PHONE, OTHER_PHONE = "19900009001", "19900009002"


def page(client: Client, address: str, target: str = "") -> str:
    """The text of a page, or of one of its live parts."""
    headers = {"HX-Request": "true", "HX-Target": target} if target else {}
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


# The desk


def test_a_seat_goes_on_a_break_and_comes_back_with_f8(sign_in: SignIn) -> None:
    who = actor("seat")
    seat, client = make_seat(who, state="off"), sign_in(who)
    html = page(client, "/desk/")
    assert seat.number in html
    assert 'data-key="F8"' in html
    for operation, values, state in (
        ("sign_in_seat", {}, "ready"), ("pause_seat", {"reason": "meal"}, "paused"), ("resume_seat", {}, "ready"), ("sign_out_seat", {}, "off"),
    ):  # fmt: skip
        form = form_of(client, "/desk/", operation) | values
        assert client.post(f"/do/{operation}/", form)["Location"] == "/desk/"
        seat.refresh_from_db()
        assert seat.state == state


@pytest.mark.req("R-CALL-06")
def test_the_queue_shows_rank_wait_and_where_a_call_rings(sign_in: SignIn) -> None:
    who, other = actor("seat"), actor("seat")
    seat, client = make_seat(other), sign_in(who)
    plain = make_call(number=PHONE)
    alarm = make_call(number=OTHER_PHONE, rank=0, channel="device", rang_at=NOW + timedelta(seconds=5))
    CallOffer.objects.create(call=alarm, seat_id=seat.user_id, div=alarm.div, offered_at=NOW, expires_at=NOW)
    html = page(client, "/desk/", "calls")
    assert re.findall(r'id="call-(\d+)"', html) == [str(alarm.pk), str(plain.pk)]
    assert "紧急呼叫" in html
    assert seat.user.name in html
    assert html.count('data-waited="') == 2
    assert seat.user.name in page(client, "/desk/", "present-seats")


def test_the_desk_lists_whom_to_call_back_first(sign_in: SignIn) -> None:
    plain = make_callback(call=make_call(number=PHONE))
    alarm = make_callback(call=make_call(number=OTHER_PHONE), rank=0)
    html = page(sign_in("seat"), "/desk/", "due")
    assert re.findall(r'href="/callbacks/(\d+)/"', html) == [str(alarm.pk), str(plain.pk)]


# The caller's screen


@pytest.mark.req("R-CALL-09", "R-REF-06")
def test_five_functions_are_reached_from_one_callers_screen(sign_in: SignIn) -> None:
    who, elder = actor("seat"), make_elder(phone=PHONE)
    client, call = sign_in(who), make_call(number=PHONE, elder=elder, seat=who)
    html = page(client, f"/calls/{call.pk}/")
    enquiry, booking = (
        f"/tickets/new/?call={call.pk}&amp;kind=enquiry",
        f"/tickets/new/?call={call.pk}&amp;kind=request&amp;title=",
    )
    for address in (enquiry, booking, "/line/knowledge/", "/resources/?kind=care_home&amp;beds=1"):
        assert f'href="{address}' in html, address
        page(client, address.replace("&amp;", "&"))
    assert 'data-action="hand_over_call"' in html
    assert "定位" in html
    ticket = page(client, f"/tickets/new/?call={call.pk}&kind=request&title=预约挂号")
    assert 'value="预约挂号"' in ticket


@pytest.mark.req("R-CALL-10")
def test_every_item_of_the_list_is_ordered_by_phone_from_the_callers_screen(sign_in: SignIn) -> None:
    who, elder, body = actor("seat"), make_elder(phone=PHONE), make_organisation()
    items = [make_item(family=family, name=f"项目{family}") for family, _label in FAMILIES]
    for item in items:
        make_price(item, body)
        make_service_area(body, item.family)
    client, call = sign_in(who), make_call(number=PHONE, elder=elder, seat=who)
    html = page(client, f"/calls/{call.pk}/", "call-services")
    assert [label for _code, label, _families, _offers in DEMANDS if label not in html] == []
    assert "<html" not in html
    links = dict(re.findall(r'href="(/orders/new/[^"]*item_code=(\w+)[^"]*)"', html))
    assert sorted(links.values()) == sorted(item.code for item in items)
    address = next(one for one, code in links.items() if code == items[0].code).replace("&amp;", "&")
    start = datetime.combine(local_date(business_now()) + timedelta(days=2), time(10), SHANGHAI)
    form = form_of(client, f"{address}&starts_at={start:%Y-%m-%dT%H:%M}", "place_order")
    assert client.post("/do/place_order/", form | {"note": ""}).status_code == 302
    order = Order.objects.get()
    assert (order.elder_id, order.channel) == (elder.pk, "phone")


def test_numbers_of_the_file_are_dialled_from_the_screen_after_the_call(sign_in: SignIn) -> None:
    who, elder = actor("seat"), make_elder(phone=PHONE)
    contact = make_contact(elder, phone=OTHER_PHONE)
    client, call = sign_in(who), make_call(number=PHONE, elder=elder)
    assert 'data-action="dial_call"' not in page(client, f"/calls/{call.pk}/")
    Call.objects.filter(pk=call.pk).update(state="abandoned", ended_at=NOW)
    html = page(client, f"/calls/{call.pk}/")
    assert html.count('data-action="dial_call"') == 2
    assert OTHER_PHONE not in html
    start = html.index(f'value="{contact.pk}"', html.index('name="contact_id"', html.index("联系人")))
    part = html[html.rindex("<form", 0, start) : html.index("</form>", start)]
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))
    answer = client.post("/do/dial_call/", form)
    made = Call.objects.get(is_outbound=True)
    assert answer["Location"] == f"/calls/{made.pk}/"
    assert made.unseal_field("number") == OTHER_PHONE
    html = page(client, f"/calls/{made.pk}/")
    assert "外呼" in html
    assert "未接通" in html


def test_a_doubtful_number_the_dead_and_a_second_call_are_shown(sign_in: SignIn) -> None:
    who, elder = actor("seat"), make_elder(phone=PHONE)
    dead = make_elder(phone=OTHER_PHONE, died_on=NOW.date())
    client, first = sign_in(who), make_call(number=PHONE, elder=elder, seat=who)
    second = make_call(number=PHONE, elder=elder)
    assert f'href="/calls/{second.pk}/"' in page(client, f"/calls/{first.pk}/")
    assert "同一位老人还有一通电话" in page(client, f"/calls/{second.pk}/")
    doubtful = page(client, f"/calls/{make_call(number=PHONE, is_number_doubtful=True).pk}/")
    assert "号码存疑" in doubtful
    assert elder.name in doubtful
    late = page(client, f"/calls/{make_call(number=OTHER_PHONE).pk}/")
    assert dead.name in late
    assert "已登记去世" in late


def test_a_call_is_held_and_passed_on_from_the_screen(sign_in: SignIn) -> None:
    who, colleague = actor("seat"), actor("seat")
    make_seat(who)
    seat, client = make_seat(colleague), sign_in(who)
    call = make_call(number=PHONE, seat=who)
    here = f"/calls/{call.pk}/"
    assert client.post("/do/hold_call/", form_of(client, here, "hold_call"))["Location"] == here
    assert "保持中" in page(client, here)
    html = page(client, here, "call-services")
    start = html.index('data-action="transfer_call"')
    form = dict(
        re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html[start : html.index("</form>", start)])
    )
    client.post("/do/transfer_call/", form | {"to_seat_id": str(colleague.user_id)})
    assert (CallOffer.objects.get().seat_id, CallOffer.objects.get().is_transfer) == (seat.user_id, True)


# Call-backs


@pytest.mark.req("R-CALL-06")
def test_a_call_back_is_worked_through(sign_in: SignIn) -> None:
    elder, client = make_elder(phone=PHONE), sign_in("seat")
    task = make_callback(call=make_call(number=PHONE, elder=elder))
    listed = page(client, "/callbacks/")
    assert elder.name in listed
    assert PHONE not in listed
    here = f"/callbacks/{task.pk}/"
    assert client.post("/do/take_callback/", form_of(client, here, "take_callback"))["Location"] == here
    assert "199****9001" in page(client, here)
    form = form_of(client, here, "finish_callback")
    assert client.post("/do/finish_callback/", form | {"note": ""}).status_code == 422
    assert client.post("/do/finish_callback/", form | {"note": "已解答"})["Location"] == "/callbacks/"
    assert Callback.objects.get().state == "done"
    assert "没有这类回拨任务" in page(client, "/callbacks/?tab=due")
    assert elder.name in page(client, "/callbacks/?tab=done")


def test_a_satisfaction_call_asks_for_points(sign_in: SignIn) -> None:
    client, ticket = sign_in("seat"), make_ticket(elder=make_elder(phone=PHONE))
    task = make_callback("satisfaction", ticket=ticket, elder=ticket.elder)
    html = page(client, f"/callbacks/{task.pk}/")
    assert 'name="score"' in html
    form = form_of(client, f"/callbacks/{task.pk}/", "finish_callback")
    answer = client.post("/do/finish_callback/", form | {"note": "满意", "score": ""})
    assert (answer.status_code, "1 到 5 分" in answer.content.decode()) == (422, True)


# Groups and seats


@pytest.mark.req("X-CALL-01")
def test_the_page_of_groups_says_who_is_missing(sign_in: SignIn) -> None:
    client = sign_in("line_leader")
    make_group()
    assert "热线还缺 1 名班长、3 名坐席" in client.get("/line/groups/").content.decode()


def test_the_leader_sets_up_a_group_a_seat_and_a_training(sign_in: SignIn) -> None:
    client, who = sign_in("line_leader"), actor("seat")
    form = form_of(client, "/line/groups/", "add_group")
    client.post("/do/add_group/", form | {"name": "一组", "is_first": "on", "duty_phone": "0510-81234567"})
    group = SeatGroup.objects.get()
    assert page(client, f"/line/groups/{group.pk}/").count("051081234567") == 1
    form = form_of(client, "/line/seats/", "add_seat")
    answer = client.post(
        "/do/add_seat/", form | {"user_id": str(who.user_id), "group_id": str(group.pk), "number": "8001"}
    )
    seat = Seat.objects.get()
    assert answer["Location"] == f"/line/seats/{seat.pk}/"
    form = form_of(client, f"/line/seats/{seat.pk}/", "record_training")
    values = {
        "title": "话务礼仪",
        "body": "12345",
        "topic": "service",
        "held_on": "2026-06-01",
        "minutes": "90",
        "is_passed": "on",
    }
    client.post("/do/record_training/", form | values)
    assert SeatTraining.objects.get().seat_id == seat.pk
    assert "话务礼仪" in page(client, f"/line/seats/{seat.pk}/")
    assert "话务礼仪" in page(client, "/line/trainings/")


@pytest.mark.parametrize(
    "address", ["/line/groups/", "/line/seats/", "/line/trainings/", "/callbacks/", "/line/availability/"]
)
def test_a_company_and_other_roles_open_none_of_these_pages(sign_in: SignIn, address: str) -> None:
    for role in ("line_operator", "family"):
        assert sign_in(role).get(address).status_code == 403


@pytest.mark.req("R-CALL-12")
@pytest.mark.parametrize("address", ["/desk/", "/callbacks/", "/tickets/", "/elders/"])
def test_the_company_that_runs_the_line_opens_no_page_with_people(sign_in: SignIn, address: str) -> None:
    company = make_organisation(kind="call_centre")
    who, call = actor("line_operator", organisation=company), make_call(elder=make_elder(phone=PHONE), provider=company)
    client = sign_in(who)
    assert client.get(address).status_code == 403
    assert client.get(f"/calls/{call.pk}/").status_code == 403


# Free times


@pytest.mark.req("R-CALL-11")
def test_an_operator_sees_who_has_somebody_free_and_books_it(sign_in: SignIn) -> None:
    body, elder = make_organisation(), make_elder(phone=PHONE)
    make_price(make_item(), body)
    make_organisation(short_name="没有价目")
    make_staff(body, day_from=time(8), day_to=time(18))
    make_staff(body, day_from=time(13), day_to=time(18))
    make_staff(body, kind="office")
    client = sign_in("seat")
    html = page(client, f"/line/availability/?elder={elder.pk}&family=daily_care")
    tomorrow = local_date(business_now()) + timedelta(days=1)
    cells = re.findall(rf"starts_at={tomorrow}T(\d\d):00&amp;channel=phone\">(\d+)<", html)
    assert cells == [("08", "1"), ("10", "1"), ("12", "1"), ("14", "2"), ("16", "2")]
    now = business_now()
    heads = re.findall(rf">{local_date(now):%m-%d} (\d\d)–", html)
    assert heads == [
        f"{hour:02d}" for hour in range(8, 18, 2) if hour > now.astimezone(SHANGHAI).hour
    ]  # begun parts are gone
    assert "没有价目" not in html
    assert "没有机构公布" in page(client, "/line/availability/?family=meal")


# Queries


def fill(seats: list[int]) -> None:
    """One more row of everything these pages list."""
    elder = make_elder()
    call = make_call(number=f"1990000{len(seats):04d}", elder=elder)
    make_callback(call=call)
    group = make_group(is_first=not seats)
    make_seat(group=group)
    body = make_organisation()
    make_price(None, body)
    make_staff(body)
    seats.append(group.pk)


@pytest.mark.parametrize("role", ["line_leader"])
def test_these_pages_take_as_many_queries_for_three_rows_as_for_one(sign_in: SignIn, role: str) -> None:
    client, made = sign_in(role), []  # type: Client, list[int]
    fill(made)
    addresses = ["/desk/", "/callbacks/", "/line/groups/", "/line/seats/", "/line/trainings/", "/line/availability/"]
    before = {address: queries(client, address) for address in addresses}
    fill(made)
    fill(made)
    after = {address: queries(client, address) for address in addresses}
    assert after == before
    assert max(after.values()) <= 8, after


def test_the_callers_screen_is_quick_whatever_is_on_file(sign_in: SignIn) -> None:
    who, elder = actor("seat"), make_elder(phone=PHONE)
    client, call = sign_in(who), make_call(number=PHONE, elder=elder, seat=who)
    make_contact(elder)
    make_ticket(elder=elder)
    make_order(elder=elder, starts_at=NOW + timedelta(days=1))
    one = queries(client, f"/calls/{call.pk}/")
    for _ in range(3):
        make_contact(elder)
        make_ticket(elder=elder)
        make_call(elder=elder)
    assert queries(client, f"/calls/{call.pk}/") == one <= 9
