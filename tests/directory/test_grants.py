"""Logins, grants by two persons, and tokens."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.factories import (
    CITY,
    DISTRICT,
    NOW,
    TODAY,
    actor,
    make_area_tree,
    make_grant,
    make_organisation,
    make_user,
)

from yinling.accounts.models import Journal, User
from yinling.directory.models import ApiToken, Grant
from yinling.directory.operations import (
    confirm_grant,
    end_grant,
    end_token,
    issue_token,
    propose_grant,
    register_user,
)
from yinling.directory.queries import (
    active_grants,
    token_for,
)
from yinling.ground.clock import real_now
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Denied, NotAllowed, Refused, Stale

pytestmark = pytest.mark.usefixtures("wide")


@pytest.fixture
def admins() -> tuple[Actor, Actor]:
    make_area_tree()
    return actor("security_admin"), actor("security_admin")


def test_a_new_login_can_do_nothing_yet() -> None:
    make_area_tree()
    admin = actor("system_admin")
    with scope(admin):
        user = register_user(actor=admin, now=NOW, username=" Wang.Fang ", name="王芳", password="correct-horse-1")
    assert (user.username, user.check_password("correct-horse-1")) == ("wang.fang", True)
    assert not active_grants(user.pk, NOW).exists()
    row = Journal.objects.get(event="directory.user.register")
    assert row.changes == {"username": [None, "wang.fang"]}


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"username": "x"}, "user.username", "username"),
        ({"username": "王芳"}, "user.username", "username"),
        ({"username": "taken"}, "user.exists", "username"),
        ({"name": ""}, "text.missing", "name"),
        ({"password": "short"}, "user.password", "password"),
        ({"password": "1234567890123"}, "user.password", "password"),
    ],
)
def test_wrong_logins(values: dict[str, str], code: str, field: str) -> None:
    make_area_tree()
    make_user(username="taken")
    admin = actor("system_admin")
    before = User.objects.count()
    chosen = {"username": "wangfang", "name": "王芳", "password": "correct-horse-1", **values}
    with scope(admin), pytest.raises(Refused) as refused:
        register_user(actor=admin, now=NOW, **chosen)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert User.objects.count() == before


@pytest.mark.req("X-DJ-03")
def test_two_persons_make_a_grant(admins: tuple[Actor, Actor]) -> None:
    first, second = admins
    user = make_user()
    with scope(first):
        grant = propose_grant(
            actor=first, now=NOW, user_id=user.pk, role="seat", div=CITY, reason="新坐席", to_on=TODAY
        )
        assert not active_grants(user.pk, NOW).exists()
        with pytest.raises(Refused, match="two_persons"):
            confirm_grant(actor=first, now=NOW, grant_id=grant.pk, seen=0)
    with scope(second):
        confirm_grant(actor=second, now=NOW, grant_id=grant.pk, seen=0)
    assert [row.role for row in active_grants(user.pk, NOW)] == ["seat"]
    assert [row.role for row in active_grants(user.pk, datetime(2026, 6, 15, 15, 59, tzinfo=UTC))] == ["seat"]
    assert not active_grants(user.pk, datetime(2026, 6, 15, 16, 0, tzinfo=UTC)).exists(), "the last day ends at 24:00"
    user.refresh_from_db()
    assert user.rights_version == 2
    events = Journal.objects.filter(is_refused=False, subject_type="grant").order_by("id")
    assert [(row.event, row.user_id) for row in events] == [
        ("directory.grant.propose", first.user_id),
        ("directory.grant.confirm", second.user_id),
    ]


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"role": "king"}, "grant.role", "role"),
        ({"div": ""}, "grant.area", "div"),
        ({"div": "3299"}, "area.unknown", "div"),
        ({"role": "carer"}, "grant.organisation", "organisation_id"),
        ({"role": "carer", "organisation_id": 10**9}, "organisation.unknown", "organisation_id"),
        ({"reason": ""}, "text.missing", "reason"),
        ({"to_on": date(2026, 6, 14)}, "grant.ends_before", "to_on"),
        ({"user_id": 10**9}, "user.unknown", "user_id"),
        ({"role": "audit_admin"}, "grant.exclusive", "role"),
    ],
)
def test_wrong_grants(admins: tuple[Actor, Actor], values: dict[str, Any], code: str, field: str) -> None:
    first, _ = admins
    user = make_user()
    make_grant(user, "system_admin", div=CITY)
    before = Grant.objects.count()
    chosen = {"user_id": user.pk, "role": "seat", "div": CITY, "reason": "新坐席", **values}
    with scope(first), pytest.raises(Refused) as refused:
        propose_grant(actor=first, now=NOW, **chosen)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert Grant.objects.count() == before


def test_a_grant_outside_the_own_area_is_denied() -> None:
    make_area_tree()
    admin = actor("security_admin", DISTRICT)
    with scope(admin), pytest.raises(Denied, match="outside"):
        propose_grant(actor=admin, now=NOW, user_id=make_user().pk, role="seat", div=CITY, reason="越权")


def test_an_area_beside_an_organisation_is_left_out_because_it_would_widen_the_scope(
    admins: tuple[Actor, Actor],
) -> None:
    first, _ = admins
    body = make_organisation()
    with scope(first):
        grant = propose_grant(
            actor=first,
            now=NOW,
            user_id=make_user().pk,
            role="carer",
            div=CITY,
            organisation_id=body.pk,
            reason="护理员",
        )
        area = propose_grant(
            actor=first, now=NOW, user_id=make_user().pk, role="seat", div=CITY, organisation_id=body.pk, reason="坐席"
        )
    assert (grant.div, grant.organisation_id, area.div, area.organisation_id) == ("", body.pk, CITY, None)


@pytest.mark.req("X-DJ-03")
def test_exclusion_is_checked_again_at_the_confirmation(admins: tuple[Actor, Actor]) -> None:
    first, second = admins
    user = make_user()
    with scope(first):
        grant = propose_grant(actor=first, now=NOW, user_id=user.pk, role="audit_admin", div=CITY, reason="审计")
    make_grant(user, "system_admin", div=CITY)
    with scope(second), pytest.raises(Refused, match="exclusive"):
        confirm_grant(actor=second, now=NOW, grant_id=grant.pk)
    assert Grant.objects.get(pk=grant.pk).state == "proposed"


def test_nobody_confirms_a_grant_to_himself(admins: tuple[Actor, Actor]) -> None:
    first, second = admins
    with scope(first):
        grant = propose_grant(actor=first, now=NOW, user_id=second.user_id, role="seat", div=CITY, reason="坐席")
    with scope(second), pytest.raises(Refused, match=r"grant\.self"):
        confirm_grant(actor=second, now=NOW, grant_id=grant.pk)


def test_the_same_grant_twice_is_refused(admins: tuple[Actor, Actor]) -> None:
    first, second = admins
    user = make_user()
    make_grant(user, "seat", div=CITY)
    with scope(first):
        grant = propose_grant(actor=first, now=NOW, user_id=user.pk, role="seat", div=CITY, reason="坐席")
    with scope(second), pytest.raises(Refused) as refused:
        confirm_grant(actor=second, now=NOW, grant_id=grant.pk)
    assert refused.value.code == "grant.overlap"


def test_an_ended_grant_ends_at_once_and_only_once(admins: tuple[Actor, Actor]) -> None:
    first, _ = admins
    grant = make_grant(make_user(), "seat", div=CITY)
    with scope(first):
        end_grant(actor=first, now=NOW, grant_id=grant.pk, reason="离岗", seen=0)
        assert not active_grants(grant.user_id, NOW).exists()
        with pytest.raises(NotAllowed, match=r"state\.not_allowed"):
            end_grant(actor=first, now=NOW, grant_id=grant.pk, reason="离岗")
        with pytest.raises(NotAllowed, match=r"state\.not_allowed"):
            confirm_grant(actor=first, now=NOW, grant_id=grant.pk)


def test_a_stale_page_ends_no_grant(admins: tuple[Actor, Actor]) -> None:
    grant = make_grant(make_user(), "seat", div=CITY)
    with scope(admins[0]), pytest.raises(Stale):
        end_grant(actor=admins[0], now=NOW, grant_id=grant.pk, reason="离岗", seen=5)


def test_of_a_token_only_the_hash_is_kept_and_it_ends_with_its_grant(admins: tuple[Actor, Actor]) -> None:
    manager = actor("provider_manager")
    with scope(manager):
        token = issue_token(actor=manager, now=NOW, name="对接排班系统", days=30)
    kept = ApiToken.objects.get(pk=token.pk)
    assert token.plain.startswith("yl_")
    assert token.plain.encode() not in bytes(kept.token_hash)
    found = token_for(token.plain, NOW)
    assert found is not None
    assert (found.user_id, found.grant_id) == (manager.user_id, manager.grant_id)
    assert token_for(token.plain + "x", NOW) is None
    with scope(admins[0]):
        end_grant(actor=admins[0], now=NOW, grant_id=manager.grant_id, reason="离职")
    assert token_for(token.plain, NOW + timedelta(seconds=1)) is None


def test_a_token_lives_in_real_time_and_can_be_stopped_by_its_owner() -> None:
    manager, other = actor("provider_manager"), actor("provider_manager")
    with scope(manager):
        token = issue_token(actor=manager, now=NOW, name="对接", days=1)
        assert token_for(token.plain, NOW + timedelta(days=900)) is not None
        ApiToken.objects.filter(pk=token.pk).update(expires_at=real_now())
        assert token_for(token.plain, NOW) is None
        second = issue_token(actor=manager, now=NOW, name="对接", days=1)
    with scope(other), pytest.raises(Denied, match="outside"):
        end_token(actor=other, now=NOW, token_id=second.pk)
    with scope(manager):
        end_token(actor=manager, now=NOW, token_id=second.pk)
        with pytest.raises(NotAllowed, match="ended"):
            end_token(actor=manager, now=NOW, token_id=second.pk)
    assert token_for(second.plain, NOW) is None


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"days": 0}, "token.days", "days"),
        ({"days": 367}, "token.days", "days"),
        ({"name": ""}, "text.missing", "name"),
    ],
)
def test_wrong_tokens(values: dict[str, Any], code: str, field: str) -> None:
    manager = actor("provider_manager")
    with scope(manager), pytest.raises(Refused) as refused:
        issue_token(actor=manager, now=NOW, **{"name": "对接", "days": 30, **values})
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not ApiToken.objects.exists()


def test_without_a_grant_there_is_nothing_a_token_could_act_in() -> None:
    manager = replace(actor("provider_manager"), grant_id=None)
    with scope(manager), pytest.raises(Refused) as refused:
        issue_token(actor=manager, now=NOW, name="对接", days=30)
    assert refused.value.code == "token.no_grant"
