"""Duty on the screens: rosters with their holes, own shifts, swaps and leaves, and the forecast of seats."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.factories import NOW, TODAY, actor, make_call, make_group, make_roster, make_seat, make_shift

from yinling.directory.queries import grants_and_time
from yinling.ground.scope import scope
from yinling.hotline.models import Roster, Seat, SeatLeave, Shift, ShiftSwap
from yinling.hotline.operations import ask_leave, ask_swap, publish_roster
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_midnight

SignIn = Callable[..., Client]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOMORROW = local_midnight(TODAY + DAY)
SCOPE = "set_config('yinling.scope'"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinling.web.middleware.grants_and_time", lambda user_id: (grants_and_time(user_id)[0], NOW))


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    own = [one["sql"] for one in seen.captured_queries]
    return sum(1 for sql in own if SCOPE not in sql and "SAVEPOINT" not in sql)


def form_of(client: Client, address: str, action: str) -> dict[str, str]:
    html = client.get(address).content.decode()
    start = html.index(f'data-action="{action}"')
    part = html[start : html.index("</form>", start)]
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))
    return hidden | dict(
        re.findall(r'<input type="(?:datetime-local|number|hidden)" name="([^"]+)" value="([^"]*)"', part)
    )


def crew(count: int) -> list[tuple[Actor, Seat]]:
    group = make_group()
    found = []
    for _ in range(count):
        who = actor("seat")
        found.append((who, make_seat(who, group=group, state="off")))
    return found


def draft(seats: list[Seat], shifts: list[tuple[int, int, int]]) -> Roster:
    roster = make_roster(seats[0].group)
    for who, first, last in shifts:
        make_shift(roster, seats[who], first, last)
    return roster


COVERED = [(0, 0, 8), (1, 8, 16), (2, 16, 24)]


def published(people: list[tuple[Actor, Seat]]) -> Roster:
    roster = draft([seat for _, seat in people], COVERED)
    leader = actor("line_leader")
    with scope(leader):
        return publish_roster(actor=leader, now=NOW, roster_id=roster.pk)


def test_the_list_says_what_to_do_and_the_form_drafts_a_month(sign_in: SignIn) -> None:
    client = sign_in("line_leader")
    assert "还没有坐席班组" in client.get("/line/rosters/").content.decode()
    people = crew(4)
    assert "编制排班表" in client.get("/line/rosters/").content.decode()
    fields = form_of(client, "/line/rosters/", "draft_roster")
    fields |= {"group_id": str(people[0][1].group_id), "rotation": "3x8", "least": "1"}
    fields |= {"from_at": "2026-07-01T00:00", "to_at": "2026-08-01T00:00"}
    answer = client.post("/do/draft_roster/", fields)
    roster = Roster.objects.get()
    assert answer["Location"] == f"/line/rosters/{roster.pk}/"
    assert Shift.objects.count() == 93
    html = client.get(f"/line/rosters/{roster.pk}/").content.decode()
    assert "每一分钟都有 1 人或以上在岗" in html


def test_a_new_roster_follows_the_published_one_and_one_that_runs_is_not_offered_for_withdrawal(
    sign_in: SignIn,
) -> None:
    client, people = sign_in("line_leader"), crew(3)
    asked = form_of(client, "/line/rosters/", "draft_roster")
    assert (asked["from_at"], asked["to_at"]) == ("2026-07-01T00:00", "2026-08-01T00:00")
    runs = make_roster(people[0][1].group, from_at=local_midnight(TODAY), hours=5 * 24)
    Roster.objects.update(state="published")
    asked = form_of(client, "/line/rosters/", "draft_roster")
    assert (asked["from_at"], asked["to_at"]) == ("2026-06-20T00:00", "2026-07-01T00:00")
    ahead = make_roster(people[0][1].group, from_at=runs.to_at, hours=9 * 24)
    Roster.objects.update(state="published")
    asked = form_of(client, "/line/rosters/", "draft_roster")
    assert (asked["from_at"], asked["to_at"]) == ("2026-06-29T00:00", "2026-08-01T00:00")
    assert "withdraw_roster" not in client.get(f"/line/rosters/{runs.pk}/").content.decode()
    assert "withdraw_roster" in client.get(f"/line/rosters/{ahead.pk}/").content.decode()


@pytest.mark.req("R-CALL-03")
def test_publishing_a_gap_is_refused_on_the_page_with_the_hole_in_words(sign_in: SignIn) -> None:
    roster = draft([seat for _, seat in crew(3)], COVERED[:2])
    client = sign_in("line_leader")
    here = f"/line/rosters/{roster.pk}/"
    html = client.get(here).content.decode()
    assert "2026-06-16 16:00–24:00 缺 1 人" in html
    answer = client.post("/do/publish_roster/", form_of(client, here, "publish_roster"))
    assert answer.status_code == 422
    assert "2026-06-16 16:00–24:00 还缺1人，共有1处缺口" in answer.content.decode()
    roster.refresh_from_db()
    assert roster.state == "draft"


@pytest.mark.req("R-CALL-03")
def test_a_covered_roster_is_published_and_shown_in_every_view(sign_in: SignIn) -> None:
    people = crew(3)
    roster = draft([seat for _, seat in people], COVERED)
    client = sign_in("line_leader")
    here = f"/line/rosters/{roster.pk}/"
    assert client.post("/do/publish_roster/", form_of(client, here, "publish_roster")).status_code == 302
    for view in ("week", "month", "hours", "shares", "nonsense"):
        html = client.get(f"{here}?view={view}&day=2026-06-16").content.decode()
        assert "已发布" in html
    shares = client.get(f"{here}?view=shares").content.decode()
    assert "8 小时" in shares
    printed = client.get(f"{here}print/").content.decode()
    assert people[0][1].number in printed
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"{here}excel/").content))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[2][2] == "00:00–08:00"
    assert rows[2][4] == 8


def test_a_shift_is_moved_and_removed_on_its_page(sign_in: SignIn) -> None:
    seats = [seat for _, seat in crew(4)]
    roster = draft(seats, COVERED)
    shift = roster.shifts.order_by("from_at").first()
    client = sign_in("line_leader")
    here = f"/line/rosters/{roster.pk}/shifts/{shift.pk}/"
    fields = form_of(client, here, "move_shift") | {"seat_id": str(seats[3].pk)}
    fields |= {"from_at": "2026-06-16T00:00", "to_at": "2026-06-16T08:00"}
    assert client.post("/do/move_shift/", fields).status_code == 302
    shift.refresh_from_db()
    assert shift.seat_id == seats[3].pk
    assert client.post("/do/remove_shift/", form_of(client, here, "remove_shift")).status_code == 302
    assert client.get(here).status_code == 404


@pytest.mark.req("R-CALL-03")
def test_a_roster_that_no_longer_holds_stands_above_the_list(sign_in: SignIn) -> None:
    people = crew(4)
    published(people)
    who = people[0][0]
    with scope(who):
        ask_leave(actor=who, now=TOMORROW, kind="sick", from_at=TOMORROW, to_at=TOMORROW + 8 * HOUR, reason="发烧")
    html = sign_in("line_leader").get("/line/rosters/").content.decode()
    assert "已发布的排班出现缺口" in html
    assert "2026-06-16 00:00–08:00" in html


def test_a_seat_sees_own_shifts_and_asks_for_swap_and_leave(sign_in: SignIn) -> None:
    people = crew(4)
    published(people)
    who, _ = people[0]
    client = sign_in(who)
    html = client.get("/line/shifts/mine/").content.decode()
    assert "2026-06-16 00:00–08:00" in html
    assert "2026-06-16 08:00–16:00" not in html
    shift = Shift.objects.get(seat=people[0][1])
    page = f"/line/shifts/{shift.pk}/swap/"
    assert "空闲" in client.get(page).content.decode()
    fields = form_of(client, page, "ask_swap") | {
        "to_seat_id": str(people[3][1].pk),
        "back_id": "",
        "reason": "家中有事",
    }
    assert client.post("/do/ask_swap/", fields)["Location"] == "/line/swaps/"
    fields = form_of(client, "/line/shifts/mine/", "ask_leave")
    fields |= {"kind": "annual", "from_at": "2026-06-18T00:00", "to_at": "2026-06-19T00:00", "reason": "休假"}
    assert client.post("/do/ask_leave/", fields)["Location"] == "/line/shifts/mine/"
    assert SeatLeave.objects.get().state == "asked"
    other = sign_in(people[1][0])
    assert other.get(page).status_code == 404
    assert "休假" not in other.get("/line/leaves/").content.decode()
    assert other.get(f"/line/leaves/{SeatLeave.objects.get().pk}/").status_code == 404


def test_who_is_no_seat_is_told_so(sign_in: SignIn) -> None:
    assert "您还不是坐席" in sign_in("line_leader").get("/line/shifts/mine/").content.decode()


def test_a_swap_goes_from_colleague_to_leader(sign_in: SignIn) -> None:
    people = crew(4)
    roster = published(people)
    who, _ = people[0]
    with scope(who):
        ask_swap(
            actor=who, now=NOW, shift_id=Shift.objects.get(seat=people[0][1]).pk, to_seat_id=people[3][1].pk, reason="家中有事"
        )  # fmt: skip
    bystander = sign_in(people[1][0]).get("/line/swaps/").content.decode()
    assert 'data-action="agree_swap"' not in bystander
    colleague = sign_in(people[3][0])
    assert colleague.post("/do/agree_swap/", form_of(colleague, "/line/swaps/", "agree_swap")).status_code == 302
    leader = sign_in("line_leader")
    assert leader.post("/do/approve_swap/", form_of(leader, "/line/swaps/", "approve_swap")).status_code == 302
    assert ShiftSwap.objects.get().state == "approved"
    assert Shift.objects.get(roster=roster, is_live=True, from_at=TOMORROW).seat_id == people[3][1].pk


@pytest.mark.req("R-CALL-03")
def test_the_page_of_a_leave_shows_the_hole_and_whom_to_call(sign_in: SignIn) -> None:
    people = crew(4)
    published(people)
    who, seat = people[0]
    with scope(who):
        leave = ask_leave(actor=who, now=NOW, kind="annual", from_at=TOMORROW, to_at=TOMORROW + DAY, reason="休假")
    client = sign_in("line_leader")
    here = f"/line/leaves/{leave.pk}/"
    html = client.get(here).content.decode()
    assert "会出现 1 处缺口" in html
    assert people[3][1].number in html
    answer = client.post("/do/grant_leave/", form_of(client, here, "grant_leave"))
    assert answer.status_code == 422
    assert "可顶班的坐席" in answer.content.decode()
    leaving = client.get(f"/line/seats/{seat.pk}/leaving/").content.decode()
    assert "会出现 1 处缺口" in leaving


def test_the_forecast_answers_what_if(sign_in: SignIn) -> None:
    people = crew(3)
    published(people)
    for week in range(1, 4):
        for number in range(30):
            make_call(rang_at=NOW - timedelta(days=7 * week - 1, minutes=number % 25), key=f"old:{week}:{number}")
    client = sign_in("line_leader")
    html = client.get("/line/forecast/?day=2026-06-16&handling=300").content.decode()
    assert "坐席需求预测" in html
    assert "还没有通话记录" not in html
    slot = re.search(r'id="half-19".*?</tr>', html, re.DOTALL)
    assert slot is not None
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", slot[0])
    more = client.get("/line/forecast/?day=2026-06-16&handling=300&calls=200").content.decode()
    found = re.search(r'id="half-19".*?</tr>', more, re.DOTALL)
    assert found is not None
    tripled = re.findall(r"<td[^>]*>([^<]*)</td>", found[0])
    assert float(tripled[0]) == pytest.approx(3 * float(cells[0]), abs=0.2)
    assert int(tripled[1]) > int(cells[1]) > 1
    assert cells[5:7] == ["1", f"缺 {int(cells[1]) - 1}"]
    part = client.get(
        "/line/forecast/?patience=0&seconds=x&calls=99999&group=x&day=nie", headers={"HX-Request": "true", "HX-Target": "forecast-result"}
    ).content.decode()  # fmt: skip
    assert "<form" not in part
    assert "七天一览" in part


def test_without_history_the_forecast_says_so(sign_in: SignIn) -> None:
    assert "还没有通话记录" in sign_in("line_leader").get("/line/forecast/").content.decode()


@pytest.mark.parametrize(
    ("role", "address", "status"),
    [
        ("seat", "/line/forecast/", 403), ("carer", "/line/rosters/", 403), ("carer", "/line/shifts/mine/", 403),
        ("seat", "/line/rosters/", 200), ("seat", "/line/seats/1/leaving/", 403), ("line_leader", "/line/rosters/999999/", 404),
    ],
)  # fmt: skip
def test_who_may_open_what(sign_in: SignIn, role: str, address: str, status: int) -> None:
    assert sign_in(role).get(address).status_code == status


def test_the_number_of_queries_does_not_grow_with_the_rows(sign_in: SignIn) -> None:
    people = crew(4)
    roster = published(people)
    client = sign_in("line_leader")
    addresses = [
        "/line/rosters/",
        f"/line/rosters/{roster.pk}/",
        "/line/swaps/",
        "/line/leaves/",
        "/line/forecast/?day=2026-06-16",
    ]
    before = [queries(client, one) for one in addresses]
    extra = make_roster(people[0][1].group, from_at=TOMORROW + 10 * DAY)
    for number in range(3):
        make_shift(extra, people[number][1], 8 * number, 8 * number + 8)
        make_shift(roster, people[3][1], 0.5 * number, 0.5 * number + 0.5)
        who = people[number][0]
        with scope(who):
            shift = Shift.objects.get(seat=people[number][1], is_live=True)
            ask_leave(
                actor=who, now=NOW, kind="annual", from_at=TOMORROW + (20 + number) * DAY, to_at=TOMORROW + (21 + number) * DAY, reason="x"
            )  # fmt: skip
            ShiftSwap.objects.create(
                div=shift.div, shift=shift, to_seat=people[3][1], reason="x", created_at=NOW, changed_at=NOW
            )
    assert [queries(client, one) for one in addresses] == before
    assert max(before) <= 16, "eight of its own beside log-in, grants and clock"


def test_the_sheet_says_what_stands_against_a_draft(sign_in: SignIn) -> None:
    roster = draft([seat for _, seat in crew(2)], [(0, 0, 8), (0, 12, 24)])
    html = sign_in("line_leader").get(f"/line/rosters/{roster.pk}/").content.decode()
    assert "两班之间休息不足" in html
    html = sign_in("seat").get(f"/line/rosters/{roster.pk}/").content.decode()
    assert "/shifts/" not in html.replace("/line/shifts/mine/", "")


def test_an_unknown_address_of_a_roster_is_not_found(sign_in: SignIn) -> None:
    client: Any = sign_in("line_leader")
    roster = draft([seat for _, seat in crew(1)], [])
    for address in (
        f"/line/rosters/{roster.pk}/shifts/1/",
        "/line/shifts/1/swap/",
        "/line/leaves/1/",
        "/line/seats/1/leaving/",
    ):
        assert client.get(address).status_code == 404
