"""Grants, users, tokens, journal, calendar, clock, dictionaries, system state."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories import actor, make_user

from yinling.accounts.models import Journal
from yinling.directory.models import ApiToken, Grant
from yinling.ground.models import CalendarDay
from yinling.ground.scope import OpenScope

SignIn = Callable[..., Client]
PAGES = {
    "/grants/": "security_admin", "/roles/": "security_admin", "/users/": "system_admin", "/tokens/": "city", "/journal/": "audit_admin",
    "/system/": "system_admin", "/calendar/": "city", "/clock/": "city", "/dictionaries/": "system_admin", "/settings/": "carer",
    "/notices/": "elder",
}  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
def test_the_page_opens_for_its_role_within_eight_queries(sign_in: SignIn, address: str) -> None:
    client = sign_in(PAGES[address])
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    assert answer.status_code == 200
    counted = [
        q["sql"] for q in queries if not re.match(r"SAVEPOINT|RELEASE|SELECT set_config|SELECT\s+set_config", q["sql"])
    ]
    most = 16 if address == "/system/" else 8
    assert len(counted) <= most, counted


@pytest.mark.parametrize(
    "address", [address for address in PAGES if address not in {"/clock/", "/settings/", "/notices/"}]
)
def test_the_page_is_refused_for_an_elder(sign_in: SignIn, address: str) -> None:
    assert sign_in("elder").get(address).status_code == 403


def test_two_security_administrators_make_a_grant(sign_in: SignIn) -> None:
    first, second = sign_in("security_admin"), sign_in("security_admin")
    user = make_user(username="neu")
    first.post("/do/propose_grant/", {"user_id": user.pk, "role": "seat", "div": "3202", "reason": "新到岗"})
    grant = Grant.objects.get(user=user)
    row = first.get("/grants/").content.decode()
    assert 'data-action="confirm_grant"' not in row
    assert 'data-action="confirm_grant"' in second.get("/grants/").content.decode()
    refused = first.post("/do/confirm_grant/", {"grant_id": grant.pk, "seen": grant.version})
    assert refused.status_code in {409, 422}
    second.post("/do/confirm_grant/", {"grant_id": grant.pk, "seen": grant.version})
    grant.refresh_from_db()
    assert grant.state == "active"


def test_a_new_token_is_shown_once_and_never_stored(sign_in: SignIn) -> None:
    client = sign_in("city")
    html = client.post("/do/issue_token/", {"name": "对接", "days": "30", "_key": "k1"}).content.decode()
    plain = re.search(r'<code class="copy">([^<]+)</code>', html)[1]  # type: ignore[index]
    token = ApiToken.objects.get()
    assert plain not in client.get("/tokens/").content.decode()
    assert plain.encode() != bytes(token.token_hash)
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer::text FROM ground_idempotencykey")
        assert plain not in str(cursor.fetchall())
    client.post("/do/end_token/", {"token_id": token.pk})
    token.refresh_from_db()
    assert token.ended_at is not None


def test_the_journal_is_filtered_by_person_subject_and_refusal(sign_in: SignIn, wide: OpenScope) -> None:
    audit, security = sign_in("audit_admin"), sign_in("security_admin")
    user = make_user(username="neu")
    security.post("/do/propose_grant/", {"user_id": user.pk, "role": "seat", "div": "3202", "reason": "新到岗"})
    security.post(
        "/do/propose_grant/", {"user_id": security.actor.user_id, "role": "seat", "div": "3202", "reason": "自己"}
    )  # type: ignore[attr-defined]
    for write in wide.afterwards:
        write()
    grant = Grant.objects.get(user=user)
    name = security.actor.name  # type: ignore[attr-defined]

    def rows(query: str) -> int:
        return audit.get(f"/journal/?{query}").content.decode().count("data-row")

    assert rows(f"user={name}") == 2
    assert rows(f"user={name}&refused=1") == 1
    assert rows(f"subject=grant:{grant.pk}") == 1
    assert rows("subject=grant:99999999999999999999999") == 0
    assert rows(f"user={name}&context=orders") == 0
    assert rows(f"user={name}&context=directory") == 2
    assert rows("day=2001-01-01") == 0


def test_a_journal_of_another_city_is_not_shown(sign_in: SignIn) -> None:
    audit = sign_in("audit_admin")
    other = actor("security_admin", div="3205")
    Journal.objects.create(
        business_at="2026-06-01T00:00Z",
        user_id=other.user_id,
        user_name="外地",
        role="seat",
        event="x.y.z",
        subject_type="x",
        div="3205",
        digest=b"",
    )
    assert "外地" not in audit.get("/journal/").content.decode()


def test_the_seals_are_verified_on_request(sign_in: SignIn) -> None:
    html = (
        sign_in("audit_admin")
        .get("/journal/verify/", headers={"HX-Request": "true", "HX-Target": "result"})
        .content.decode()
    )
    assert "<html" not in html
    assert any(word in html for word in ("核验通过", "无法核验", "不一致"))


def test_a_calendar_year_is_loaded_and_unloaded(sign_in: SignIn) -> None:
    client = sign_in("city")
    text = "date,weekday,kind,name,in_lieu\n2031-01-01,三,holiday,元旦,\n2031-01-04,六,makeup_workday,元旦,\n"
    answer = client.post("/do/load_calendar/", {"text": text, "source": "国办发明电〔2030〕1号"})
    assert answer.status_code == 302, answer.content.decode()
    assert "2031" in client.get("/calendar/").content.decode()
    client.post("/do/unload_calendar/", {"year": "2031"})
    assert not CalendarDay.objects.filter(day__year=2031).exists()


@pytest.mark.parametrize(
    ("at", "shown", "missing"),
    [
        (datetime(2026, 12, 31, 15, 59, tzinfo=UTC), "2026-10-01", "2027"),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "2027-01-01", ""),
        (datetime(2026, 10, 31, 4, 0, tzinfo=UTC), "2026-10-01", ""),
    ],
)
def test_the_calendar_shows_the_year_in_china_and_says_which_year_is_missing(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, at: datetime, shown: str, missing: str
) -> None:
    monkeypatch.setattr("yinling.directory.queries.real_now", lambda: at)
    for day in ("2026-10-01", *(() if missing else ("2027-01-01",))):
        CalendarDay.objects.create(day=day, kind=CalendarDay.HOLIDAY, name="放假", source="test")
    html = sign_in("city").get("/calendar/").content.decode()
    assert re.findall(r'id="day-([0-9-]+)"', html) == [shown]
    assert (f"{missing} 年的放假安排还没有载入" in html) is bool(missing)
    state = sign_in("system_admin").get("/system/").content.decode()
    assert ("还没有载入：2027" in state) is bool(missing)


def test_the_clock_stands_outside_a_demonstration(sign_in: SignIn) -> None:
    client = sign_in("city")
    answer = client.post("/do/move_clock/", {"to": "2026-02-13T21:50"})
    assert answer.status_code == 422
    assert 'data-code="clock.not_demo"' in answer.content.decode()
    assert "不能调整" in client.get("/clock/").content.decode()


def test_the_clock_of_a_demonstration_moves_for_everybody(sign_in: SignIn, settings) -> None:
    settings.DEMO = True
    sign_in("city").post("/do/move_clock/", {"to": "2026-02-13T21:50"})
    assert "2026-02-13 21:" in sign_in("seat").get("/settings/").content.decode()


def test_a_password_must_be_long(sign_in: SignIn) -> None:
    answer = sign_in("system_admin").post(
        "/do/register_user/", {"username": "neu", "name": "新人", "password": "short"}
    )
    assert answer.status_code == 422
    assert 'value="short"' not in answer.content.decode()
