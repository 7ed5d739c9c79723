"""What ends a session, a role or a token ends it with the next request, though the questions that begin a request are put into words once."""

import re
from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from tests.factories import NOW, actor, make_elder
from tests.screens.test_login import PASSWORD, give_password

from yinling.accounts.models import User
from yinling.directory.models import ApiToken, Grant
from yinling.directory.operations import new_token

SignIn = Callable[..., Client]
HERE = "/settlement/transfers/"


def of(client: Client) -> User:
    return User.objects.get(pk=client.actor.user_id)  # type: ignore[attr-defined]


def deactivated(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def given_another_password(user: User) -> None:
    user.set_password("another-horse-2")
    user.save(update_fields=["password"])


def ended(_user: User) -> None:
    Session.objects.all().delete()


@pytest.mark.parametrize("act", [deactivated, given_another_password, ended])
def test_a_session_ends_with_the_next_request(sign_in: SignIn, act: Callable[[User], None]) -> None:
    client, other = sign_in("finance"), sign_in("finance")
    for one in (client, other):
        assert one.get(HERE).status_code == 200
    act(of(client))
    assert client.get(HERE)["Location"].startswith("/login/")
    assert other.get(HERE).status_code == (302 if act is ended else 200)


def test_a_role_ends_with_the_next_request(sign_in: SignIn) -> None:
    client, other = sign_in("finance"), sign_in("finance")
    for one in (client, other):
        assert one.get(HERE).status_code == 200
    Grant.objects.filter(user=of(client)).update(to_at=NOW)
    assert client.get(HERE).status_code == 403
    assert other.get(HERE).status_code == 200


@pytest.mark.parametrize("what", ["token", "login", "role"])
def test_a_token_ends_with_the_next_request(sign_in: SignIn, what: str) -> None:
    def program() -> tuple[Client, ApiToken]:
        who = actor("finance")
        row = new_token(user_id=who.user_id, grant_id=who.grant_id, name="t", days=30, elder_ids=())
        return Client(headers={"Authorization": f"Bearer {row.plain}"}), row  # type: ignore[attr-defined]

    (client, row), (other, _row) = program(), program()
    for one in (client, other):
        assert one.get("/api/v1/transfers").status_code == 200
    if what == "token":
        ApiToken.objects.filter(pk=row.pk).update(ended_at=NOW)
    elif what == "login":
        User.objects.filter(pk=row.user_id).update(is_active=False)
    else:
        Grant.objects.filter(pk=row.grant_id).update(to_at=NOW)
    assert client.get("/api/v1/transfers").status_code == 401
    assert other.get("/api/v1/transfers").status_code == 200


def test_the_token_against_forged_requests_is_one_a_page_and_another_after_the_log_in(sign_in: SignIn) -> None:
    who = actor("elder", elders=(make_elder(),))
    user = User.objects.get(pk=who.user_id)
    user.set_password(PASSWORD)
    user.needs_second_factor = False
    user.save(update_fields=["password", "needs_second_factor"])
    client = Client(enforce_csrf_checks=True)

    def token(address: str) -> str:
        (found,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(address).content.decode()))
        return str(found)

    before = token("/login/")
    assert give_password(client, user).status_code == 403
    assert give_password(client, user, csrfmiddlewaretoken=before).status_code == 302
    assert client.post("/logout/", {"csrfmiddlewaretoken": before}).status_code == 403
    assert client.post("/logout/", {"csrfmiddlewaretoken": token("/settings/")}).status_code == 302
