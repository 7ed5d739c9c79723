"""The line's pages: wall, calls with recordings, seats, report, quality checks, contracts and statements."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.factories import (
    CITY,
    DISTRICT,
    NOW,
    OTHER_COMMUNITY,
    actor,
    make_call,
    make_callback,
    make_elder,
    make_seat,
    make_ticket,
)
from tests.hotline.played import SOUND, company_line, contract, recorded, talk

from yinling.accounts.models import Journal
from yinling.directory.queries import grants_and_time
from yinling.ground.scope import scope
from yinling.hotline.models import CallOffer, LineContract, OperatorStatement, QualitySample, SeatSpan
from yinling.hotline.operations import draft_operator_statement, send_operator_statement
from yinling.kernel.masks import mask_name

SignIn = Callable[..., Client]
SCOPE = "set_config('yinling.scope'"
PHONE = "19900009001"
PAGES = ("/line/", "/line/calls/", "/line/agents/", "/line/report/", "/line/quality/", "/line/contracts/")


@pytest.fixture(autouse=True)
def quiet(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA = tmp_path
    later = NOW + timedelta(hours=2)
    monkeypatch.setattr("yinling.web.middleware.grants_and_time", lambda user_id: (grants_and_time(user_id)[0], later))


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(1 for one in seen.captured_queries if SCOPE not in one["sql"] and "SAVEPOINT" not in one["sql"])


def form_of(html: str, action: str) -> dict[str, str]:
    start = html.index(f'data-action="{action}"')
    part = html[start : html.index("</form>", start)]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))


def played(number: int = 1) -> Any:
    """A seat with calls, a sample, a call-back and a recording of the last one."""
    person, elder = actor("seat"), make_elder(phone=PHONE)
    seat = make_seat(person)
    SeatSpan.objects.create(div=CITY, seat=seat, state="ready", from_at=NOW)
    for place in range(number):
        call = talk(person, elder=elder, number=PHONE, at=NOW + timedelta(minutes=place))
        CallOffer.objects.create(
            call=call, div=CITY, seat_id=person.user_id, offered_at=NOW, expires_at=NOW, ended_at=NOW, outcome="answered"
        )  # fmt: skip
        make_callback(call=call)
        make_ticket("handling", call=call, elder=elder)
        QualitySample.objects.create(
            call=call, div=call.div, seat_id=person.user_id, drawn_at=NOW, created_at=NOW, changed_at=NOW
        )
    return call, seat, recorded(call)


@pytest.mark.parametrize("address", PAGES)
def test_without_the_right_a_page_is_refused_and_empty_ones_say_so(sign_in: SignIn, address: str) -> None:
    assert sign_in("station").get(address).status_code == 403
    answer = sign_in("line_leader").get(address)
    assert answer.status_code == 200
    assert 'class="empty"' in answer.content.decode()


@pytest.mark.parametrize("address", [one for one in PAGES if one != "/line/contracts/"])
def test_one_row_costs_as_many_queries_as_three(sign_in: SignIn, address: str) -> None:
    client = sign_in("line_leader")
    make_seat(actor("seat"))
    played()
    first = queries(client, address)
    for _ in range(2):
        played(2)
    assert (queries(client, address), first <= 8) == (first, True)


@pytest.mark.req("R-CALL-08")
def test_the_wall_shows_today_against_the_targets(sign_in: SignIn) -> None:
    client = sign_in("line_leader")
    call, seat, _row = played(2)
    talk(None, state="abandoned", elder=make_elder(div=OTHER_COMMUNITY))
    make_call(rang_at=NOW + timedelta(hours=2) - timedelta(seconds=75))
    html = client.get("/line/").content.decode()
    for text in (
        "最久 1:15",
        "66.6<i>%</i>",
        "≥ 95 %",
        "100.0<i>%</i>",
        "≥ 80 %",
        "33.4<i>%</i>",
        "&lt; 5 %",
        "梁溪区",
        "江阴市",
        "未达标",
    ):
        assert text in html, text
    assert f'id="seat-{seat.pk}"' in html
    assert 'hx-trigger="live:calls from:body, live:seats from:body, every 10s"' in html
    part = client.get("/line/", headers={"HX-Request": "true", "HX-Target": "wall"}).content.decode()
    assert "wall-figures" in part
    assert "<html" not in part
    assert call.pk


def test_calls_are_narrowed_by_each_filter(sign_in: SignIn) -> None:
    client = sign_in("line_leader")
    call, seat, _row = played()
    other = talk(
        actor("seat"),
        at=NOW - timedelta(days=3),
        is_outbound=True,
        elder=make_elder(div=OTHER_COMMUNITY, name="周桂英"),
    )
    lost = talk(None, state="abandoned", number="19900005678")
    old = talk(actor("seat"), at=NOW - timedelta(days=60))

    def found(query: str) -> set[int]:
        return {int(pk) for pk in re.findall(r'id="call-(\d+)"', client.get(f"/line/calls/?{query}").content.decode())}

    assert found("") == {call.pk, other.pk, lost.pk}
    assert found("since=2026-01-01") == {call.pk, other.pk, lost.pk, old.pk}
    assert found("since=2026-06-15&until=2026-06-15") == {call.pk, lost.pk}
    assert found(f"seat={seat.user_id}") == {call.pk}
    assert found(f"district={DISTRICT}") == {call.pk}
    assert found("state=abandoned") == {lost.pk}
    assert found("last4=5678") == {lost.pk}
    assert found("way=out") == {other.pk}
    assert found("recorded=1") == {call.pk}
    assert found("elder=周桂英") == {other.pk}
    assert found("seat=x&state=nonsense&since=tomorrow") == {call.pk, other.pk, lost.pk}
    sheet = client.get("/line/calls/excel/?state=abandoned")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet.content)).get_sheet_by_index(0).to_python()
    assert [(row[0], row[3]) for row in rows[1:]] == [(lost.pk, "*******5678")]


def test_a_recording_is_heard_only_after_the_reason_and_the_page_says_who_did(sign_in: SignIn) -> None:
    call, _seat, row = played()
    client, sound = sign_in("line_leader"), f"/line/recordings/{row.pk}/sound/"
    assert client.get(sound)["Location"] == f"/line/calls/{call.pk}/"
    html = client.get(f"/line/calls/{call.pk}/").content.decode()
    assert "<audio" not in html
    assert mask_name(call.elder.name) in html
    assert PHONE not in html
    sent = form_of(html, "listen_recording")
    assert client.post("/do/listen_recording/", sent | {"reason": ""}).status_code == 422
    assert client.post("/do/listen_recording/", sent | {"reason": "核实投诉"})["Location"] == f"/line/calls/{call.pk}/"
    html = client.get(f"/line/calls/{call.pk}/").content.decode()
    assert "<audio" in html
    assert "核实投诉" in html
    assert Journal.objects.filter(event="hotline.recording.listen", is_refused=False).count() == 1
    answer = client.get(sound)
    assert answer.content == SOUND
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["Content-Disposition"].startswith("inline")
    part = client.get(sound, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content, part["Content-Range"]) == (206, SOUND[4:8], f"bytes 4-7/{len(SOUND)}")
    assert client.get(sound, headers={"Range": "bytes=2000-"}).content == SOUND[2000:]
    assert client.get(sound, headers={"Range": "bytes=9999-"}).status_code == 416
    other = sign_in("line_leader")
    assert other.get(sound).status_code == 302
    assert "核实投诉" in other.get(f"/line/calls/{call.pk}/").content.decode()
    for role in ("city", "seat"):
        assert sign_in(role).get(sound).status_code == 403
    assert sign_in(actor("line_leader", "320281")).get(f"/line/calls/{call.pk}/").status_code == 404


@pytest.mark.req("R-CALL-12")
def test_a_company_sees_its_line_without_the_people_who_called(sign_in: SignIn) -> None:
    elder = make_elder(phone=PHONE, name="欧阳秀兰")
    company, person, seat, manager = company_line("甲热线公司")
    _other, other_person, other_seat, _manager = company_line("乙热线公司")
    call = talk(person, provider=company, elder=elder, number=PHONE, summary="欧阳老人头晕")
    strange = talk(other_person, provider=_other, elder=elder, number=PHONE)
    recorded(call)
    client = sign_in(manager)
    pages = {address: client.get(address).content.decode() for address in PAGES}
    pages["call"] = client.get(f"/line/calls/{call.pk}/").content.decode()
    sheet = client.get("/line/calls/excel/").content
    cells = str(CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python())
    for name, html in [*pages.items(), ("excel", cells)]:
        for secret in (
            "欧阳",
            "欧**",
            mask_name(elder.name),
            PHONE,
            f"*{PHONE[-4:]}",
            elder.unseal_field("id_number"),
            "乙热线",
        ):
            assert secret not in html, (name, secret)
    assert f'id="call-{call.pk}"' in pages["/line/calls/"]
    assert f'id="call-{strange.pk}"' not in pages["/line/calls/"]
    assert (
        f'id="agent-{seat.pk}"' in pages["/line/agents/"],
        f'id="agent-{other_seat.pk}"' in pages["/line/agents/"],
    ) == (True, False)
    for address in (f"/line/calls/{strange.pk}/", "/line/statements/1/"):
        assert client.get(address).status_code == 404
    for address in (
        f"/calls/{call.pk}/",
        "/elders/",
        "/tickets/",
        f"/line/recordings/{call.recordings.get().pk}/sound/",
    ):
        assert client.get(address).status_code == 403, address
    assert client.get(f"/api/v1/calls/{call.pk}").status_code == 403


@pytest.mark.req("R-CALL-12")
def test_the_report_compares_a_time_with_the_targets(sign_in: SignIn) -> None:
    client = sign_in("city")
    played(3)
    talk(None, state="abandoned")
    html = client.get("/line/report/?since=2026-06-01&until=2026-06-30").content.decode()
    part = html[html.index('id="measure-answered"') :]
    assert [text in part[: part.index("</tr>")] for text in ("75.0 %", "≥ 95 %", "未达标")] == [True] * 3
    assert "2026-06-01" in html
    book = client.get("/line/report/excel/?since=2026-06-01&until=2026-06-30")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert rows[2][:5] == ["接通率", "75.0", "≥ 95 %", "未达标", 3]
    seats = client.get("/line/agents/excel/?since=2026-06-01&until=2026-06-30")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(seats.content)).get_sheet_by_index(0).to_python()
    assert rows[2][8] == 3


def test_points_are_given_objected_to_and_settled_on_the_page(sign_in: SignIn) -> None:
    _call, seat, _row = played()
    sample = QualitySample.objects.get()
    here = f"/line/quality/{sample.pk}/"
    leader, own = sign_in("line_leader"), sign_in("seat")
    full = {"greeting": 10, "identity": 15, "listening": 15, "solution": 30, "ticket": 15, "attitude": 15}
    assert leader.post(f"{here}score/", full | {"solution": 31}).status_code == 422
    assert leader.post(f"{here}score/", full | {"seen": 5}).status_code == 409
    assert leader.post(f"{here}nonsense/", full).status_code == 404
    assert leader.post(f"{here}score/", full | {"solution": 12, "words": "慢"}).status_code == 302
    assert own.get(here).status_code == 404  # another seat's
    assert sign_in("line_leader").post(f"{here}settle/", full | {"words": "好"}).status_code == 409
    html = leader.get("/line/quality/").content.decode()
    assert "82.0" in html
    QualitySample.objects.filter(pk=sample.pk).update(state="objected", objection="不合理")
    assert leader.post(f"{here}settle/", full | {"words": "好"}).status_code == 403
    other = sign_in("line_leader")
    assert other.post(f"{here}settle/", full).status_code == 422
    assert other.post(f"{here}settle/", full | {"words": "改为满分"}).status_code == 302
    sample.refresh_from_db()
    assert (sample.total, sample.state, seat.user_id) == (100, "settled", sample.seat_id)


def test_calls_are_drawn_from_the_page(sign_in: SignIn) -> None:
    client = sign_in("line_leader")
    talk(actor("seat"))
    html = client.get("/line/quality/").content.decode()
    answer = client.post("/do/draw_samples/", form_of(html, "draw_samples") | {"month": "2026-06-01"})
    assert answer["Location"] == "/line/quality/?month=2026-06-01"
    assert QualitySample.objects.count() == 1


def statement() -> tuple[OperatorStatement, Any]:
    company, person, _seat, manager = company_line("甲热线公司")
    row = contract(company)
    for _ in range(3):
        talk(person, provider=company, wait_s=20)
    who = actor("city")
    later = NOW + timedelta(days=20)
    with scope(who):
        made = draft_operator_statement(actor=who, now=later, line_contract_id=row.pk, month=date(2026, 6, 1))
        send_operator_statement(actor=who, now=later, operator_statement_id=made.pk)
    return made, manager


@pytest.mark.req("R-CALL-12")
def test_paper_and_workbook_of_a_statement_are_equal_to_the_fen(sign_in: SignIn) -> None:
    made, manager = statement()
    here = f"/line/statements/{made.pk}/"
    client = sign_in(manager)
    assert (made.base_fen, made.calls_fen, made.deduction_fen) == (1_000_000, 600, 50_030)
    paper = client.get(f"{here}print/").content.decode()
    amounts = [re.sub(r"[,\s]", "", one) for one in re.findall(r'<td class="right">(-?[\d,]+\.\d\d)</td>', paper)]
    assert amounts == ["10000.00", "6.00", "-500.30", "9505.70"]
    assert "玖仟伍佰零伍元柒角" in paper
    book = (
        CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"{here}excel/").content))
        .get_sheet_by_index(0)
        .to_python()
    )
    cells = [row[2] for row in book if isinstance(row[2], float | int)]
    assert [round(cell * 100) for cell in cells] == [1_000_000, 600, -50_030, 950_570]
    page = client.get(here).content.decode()
    assert 'data-action="confirm_operator_statement"' in page
    assert 'data-action="approve_operator_statement"' not in page
    assert (
        client.post("/do/confirm_operator_statement/", form_of(page, "confirm_operator_statement")).status_code == 302
    )
    third = sign_in("city")
    page = third.get(here).content.decode()
    assert third.post("/do/approve_operator_statement/", form_of(page, "approve_operator_statement")).status_code == 302
    made.refresh_from_db()
    assert made.state == "approved"


def test_contracts_and_statements_cost_the_same_queries(sign_in: SignIn) -> None:
    client = sign_in("city")
    statement()
    first = queries(client, "/line/contracts/")
    for _ in range(2):
        statement()
    assert (queries(client, "/line/contracts/"), first <= 8) == (first, True)
    html = client.get("/line/contracts/").content.decode()
    assert html.count('id="contract-') == 3
    sent = form_of(html, "sign_line_contract") | {
        "organisation_id": LineContract.objects.first().provider_id, "number": "9号", "valid_from": "2027-02-01", "last_on": "2027-12-31",
        "monthly_fen": "100", "per_call_fen": "0", "deduct_bp_per_point": "0", "most_deduct_bp": "0",
    }  # fmt: skip
    assert client.post("/do/sign_line_contract/", sent).status_code == 302
    assert LineContract.objects.get(number="9号").monthly_fen == 10_000
