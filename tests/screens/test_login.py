"""Log-in with its second factor, lock-out, log-out, and what of it stands in the journal."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client
from tests.factories import actor, city, make_user

from yinling.accounts.models import Journal, SignInFailure, User
from yinling.ground.scope import OpenScope
from yinling.kernel.actor import Actor
from yinling.web import second_factor

PASSWORD = "correct-horse-1"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def seat(wide: OpenScope) -> User:
    city()
    acting: Actor = actor("seat")
    return User.objects.get(pk=acting.user_id)


def give_password(client: Client, user: User, password: str = PASSWORD, **values: str):
    return client.post("/login/", {"username": user.username, "password": password, **values})


def events() -> list[tuple[str, str]]:
    return list(
        Journal.objects.filter(event__startswith="accounts.session").order_by("pk").values_list("event", "code")
    )


def test_staff_log_in_with_password_and_code(client: Client, seat: User) -> None:
    second_factor.set_up(seat, SECRET)
    assert give_password(client, seat, next="/orders/")["Location"] == "/login/code/"
    assert client.get("/settings/").status_code == 302
    answer = client.post("/login/code/", {"code": second_factor.code_now(SECRET)})
    assert answer["Location"] == "/orders/"
    assert client.get("/")["Location"] == "/desk/"
    assert events() == [("accounts.session.open", "")]


def test_a_code_serves_once(client: Client, seat: User) -> None:
    second_factor.set_up(seat, SECRET)
    code = second_factor.code_now(SECRET)
    for _ in range(2):
        give_password(client, seat)
        answer = client.post("/login/code/", {"code": code})
        client.post("/logout/")
    assert answer.status_code == 422


@pytest.mark.parametrize(("seconds", "is_good"), [(29, True), (31, True), (59, True), (60, False), (-1, False)])
def test_a_code_is_good_until_the_end_of_the_next_half_minute(
    client: Client, seat: User, monkeypatch: pytest.MonkeyPatch, seconds: int, *, is_good: bool
) -> None:
    second_factor.set_up(seat, SECRET)
    clock = SimpleNamespace(time=lambda: 900_000_000)
    monkeypatch.setattr(second_factor, "time", clock)
    code = second_factor.code_now(SECRET)
    clock.time = lambda: 900_000_000 + seconds
    give_password(client, seat)
    assert (client.post("/login/code/", {"code": code}).status_code == 302) is is_good
    assert second_factor.is_right_code(seat, code) is False, "it serves once"


def test_a_used_code_is_remembered_beside_much_else_that_is_kept(seat: User, monkeypatch: pytest.MonkeyPatch) -> None:
    second_factor.set_up(seat, SECRET)
    monkeypatch.setattr(second_factor, "time", SimpleNamespace(time=lambda: 900_000_000))
    code = second_factor.code_now(SECRET)
    assert second_factor.is_right_code(seat, code)
    for number in range(320):
        cache.set(f"ratings:{number}", "", 3600)
    assert not second_factor.is_right_code(seat, code)


def test_a_recovery_code_opens_once(client: Client, seat: User) -> None:
    spare = second_factor.set_up(seat, SECRET)[0]
    give_password(client, seat)
    assert client.post("/login/code/", {"code": spare})["Location"] == "/"
    client.post("/logout/")
    give_password(client, seat)
    assert client.post("/login/code/", {"code": spare}).status_code == 422


def test_the_first_log_in_sets_up_the_second_factor(client: Client, seat: User) -> None:
    assert give_password(client, seat)["Location"] == "/login/setup/"
    html = client.get("/login/setup/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", html)[1]  # type: ignore[index]
    assert 'src="data:image/svg+xml;base64,' in html
    assert client.post("/login/setup/", {"code": "000000"}).status_code == 422
    done = client.post("/login/setup/", {"code": second_factor.code_now(secret)}).content.decode()
    assert len(re.findall(r"<li>\d+</li>", done)) == 10
    assert client.get("/")["Location"] == "/desk/"
    stored = second_factor.authenticator(seat)
    assert stored is not None
    assert secret not in stored.data["secret"]


def test_elders_need_no_second_factor(client: Client, wide: OpenScope) -> None:
    city()
    user = make_user(needs_second_factor=False)
    assert give_password(client, user)["Location"] == "/"


def test_the_password_alone_opens_nothing(client: Client, seat: User) -> None:
    second_factor.set_up(seat, SECRET)
    give_password(client, seat)
    assert client.get("/settings/").status_code == 302
    assert "_auth_user_id" not in client.session


def test_a_wrong_password_says_so_and_is_journalled(client: Client, seat: User) -> None:
    answer = give_password(client, seat, "wrong-horse-1")
    assert answer.status_code == 422
    assert "用户名或密码不对" in answer.content.decode()
    assert events() == [("accounts.session.fail", "session.wrong_password")]
    assert "wrong-horse-1" not in str(Journal.objects.values())


def test_an_unknown_name_gets_the_same_sentence(client: Client, wide: OpenScope) -> None:
    answer = client.post("/login/", {"username": "nobody", "password": "wrong-horse-1"})
    assert answer.status_code == 422
    assert "用户名或密码不对" in answer.content.decode()


def test_five_failures_lock_and_say_until_when(client: Client, seat: User) -> None:
    for _ in range(5):
        give_password(client, seat, "wrong-horse-1")
    answer = give_password(client, seat)
    assert answer.status_code == 429
    assert re.search(r"请在 \d\d:\d\d 之后再试", answer.content.decode())
    assert events()[-1] == ("accounts.session.lock", "session.locked")
    assert SignInFailure.objects.count() == 5


def test_another_address_and_another_name_are_not_locked(client: Client, seat: User) -> None:
    for _ in range(5):
        give_password(client, seat, "wrong-horse-1")
    assert (
        Client(REMOTE_ADDR="10.0.0.9").post("/login/", {"username": seat.username, "password": PASSWORD}).status_code
        == 302
    )
    assert give_password(client, make_user()).status_code == 302


def test_wrong_codes_lock_too(client: Client, seat: User) -> None:
    second_factor.set_up(seat, SECRET)
    give_password(client, seat)
    for _ in range(5):
        client.post("/login/code/", {"code": "000000"})
    assert client.post("/login/code/", {"code": second_factor.code_now(SECRET)}).status_code == 429


def test_the_session_gets_a_new_key_at_log_in(client: Client, seat: User) -> None:
    second_factor.set_up(seat, SECRET)
    give_password(client, seat)
    before = client.session.session_key
    client.post("/login/code/", {"code": second_factor.code_now(SECRET)})
    assert client.session.session_key != before


def test_log_out_closes_and_is_journalled(client: Client, seat: User) -> None:
    client.force_login(seat)
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/settings/").status_code == 302
    assert events() == [("accounts.session.close", "")]


def test_log_in_goes_on_to_own_pages_only(client: Client, wide: OpenScope) -> None:
    city()
    user = make_user(needs_second_factor=False)
    assert give_password(client, user, next="https://evil.example/")["Location"] == "/"
    assert give_password(client, user, next="//evil.example/")["Location"] == "/"


def test_the_demonstration_shows_logins_and_code(client: Client, seat: User, settings) -> None:
    settings.DEMO = True
    second_factor.set_up(seat, SECRET)
    assert 'data-fill="seat"' in client.get("/login/").content.decode()
    give_password(client, seat)
    assert f'id="shown-code">{second_factor.code_now(SECRET)}<' in client.get("/login/code/").content.decode()


def test_outside_a_demonstration_nothing_is_shown(client: Client, seat: User) -> None:
    second_factor.set_up(seat, SECRET)
    assert "data-fill" not in client.get("/login/").content.decode()
    give_password(client, seat)
    assert "shown-code" not in client.get("/login/code/").content.decode()


def test_a_visitor_chooses_the_language(client: Client, wide: OpenScope) -> None:
    client.post("/language/", {"language": "en", "next": "/login/"})
    assert '<html lang="en"' in client.get("/login/").content.decode()
    client.post("/language/", {"language": "xx"})
    assert '<html lang="en"' in client.get("/login/").content.decode()
