"""Tokens from the command line."""

from __future__ import annotations

import pytest
from django.test import Client
from tests.factories import COMMUNITY, DISTRICT, actor, city, make_elder, make_organisation, make_staff

from yinling.accounts.models import User
from yinling.cli.account import Unusable
from yinling.cli.token import main, roles
from yinling.cli.token_issue import token
from yinling.directory.roles import DEMO_ROLES
from yinling.ground.scope import OpenScope


def me(plain: str) -> dict[str, object]:
    return Client().get("/api/v1/me", headers={"Authorization": f"Bearer {plain}"}).json()  # type: ignore[no-any-return]


def test_the_login_that_has_the_role_is_used(wide: OpenScope) -> None:
    city()
    seat = actor("seat")
    before = User.objects.count()
    assert me(token("seat"))["user_id"] == seat.user_id
    assert User.objects.count() == before


def test_a_wish_makes_a_new_login_once(wide: OpenScope) -> None:
    city()
    actor("community")
    told = [me(token("community", area=COMMUNITY)) for _ in range(2)]
    assert told[0] == told[1]
    assert told[0]["div"] == COMMUNITY


@pytest.mark.parametrize("role", DEMO_ROLES)
def test_every_role_gets_a_token(wide: OpenScope, role: str) -> None:
    city()
    make_elder()
    body = make_organisation()
    for kind in ("care_worker", "nurse", "doctor"):
        make_staff(body, kind=kind)
    told = me(token(role))
    assert told["role"] == role
    assert (told["staff_id"] is not None) is (role in {"carer", "nurse", "doctor"})
    assert bool(told["elder_ids"]) is (role in {"elder", "family"})


def test_a_wish_that_does_not_fit_is_refused(wide: OpenScope) -> None:
    city()
    for wish in (
        {"role": "seat", "org": "1"},
        {"role": "elder", "area": DISTRICT},
        {"role": "carer", "org": "none"},
        {"role": "elder", "elder_id": 999999},
    ):
        with pytest.raises(Unusable):
            token(**wish)  # type: ignore[arg-type]


def test_the_roles_are_listed() -> None:
    assert [line.split()[0] for line in roles().splitlines()] == list(DEMO_ROLES)


def test_an_unknown_role_is_refused_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unusable):
        main(["nobody"])
    assert "dispatcher" in capsys.readouterr().err
    assert main([]) == 0


def test_where_real_people_are_the_command_gives_none(wide: OpenScope) -> None:
    city()
    make_elder(is_made_up=False)
    with pytest.raises(Unusable):
        token("seat")
