"""The frame of the pages, forms made from operations, and refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from django.test import Client
from tests.factories import actor, make_grant, make_user

from yinling.accounts.models import Notice, User
from yinling.directory.models import Grant
from yinling.directory.roles import DEMO_ROLES, ROLES
from yinling.ground.models import IdempotencyKey

SignIn = Callable[..., Client]


def hidden(html: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', html)[1]  # type: ignore[index]


def proposal(client: Client, user_id: int, **values: object) -> dict[str, object]:
    html = client.get("/grants/").content.decode()
    start = html.index('data-action="propose_grant"')
    form = {name: hidden(html[start:], name) for name in ("_key", "_form")}
    return form | {
        "user_id": user_id,
        "role": "seat",
        "div": "3202",
        "organisation_id": "",
        "reason": "新到岗",
        **values,
    }


def test_a_visitor_is_sent_to_the_log_in_page(client: Client, db: None) -> None:
    answer = client.get("/grants/?state=active")
    assert answer.status_code == 302
    assert answer["Location"] == "/login/?next=/grants/%3Fstate%3Dactive"


def test_a_role_without_the_right_is_told_which_roles_have_it(sign_in: SignIn) -> None:
    answer = sign_in("seat").get("/grants/")
    assert answer.status_code == 403
    html = answer.content.decode()
    assert 'data-code="right.missing"' in html
    assert "安全管理员" in html


def test_every_role_is_sent_to_its_own_first_page(sign_in: SignIn) -> None:
    for role in DEMO_ROLES:
        assert sign_in(role).get("/")["Location"] == ROLES[role].home


def test_the_top_bar_holds_what_the_role_may_open(sign_in: SignIn) -> None:
    html = sign_in("security_admin").get("/grants/").content.decode()
    nav = html[html.index('class="nav"') : html.index("</nav>")]
    assert re.findall(r'href="([^"]+)"', nav) == ["/resources/", "/catalogue/", "/grants/", "/system/"]


def test_a_form_runs_its_operation_and_goes_on(sign_in: SignIn) -> None:
    client = sign_in("security_admin")
    answer = client.post("/do/propose_grant/", proposal(client, make_user(username="neu").pk))
    assert (answer.status_code, answer["Location"]) == (302, "/grants/")
    grant = Grant.objects.get(user__username="neu")
    assert (grant.role, grant.state, grant.div) == ("seat", "proposed", "3202")
    assert "已完成：" in client.get("/grants/").content.decode()


def test_a_double_click_makes_one_row(sign_in: SignIn) -> None:
    client = sign_in("security_admin")
    form = proposal(client, make_user(username="neu").pk)
    answers = [client.post("/do/propose_grant/", form).status_code for _ in range(2)]
    assert answers == [302, 302]
    assert Grant.objects.filter(user__username="neu").count() == 1


def test_the_same_key_with_another_content_is_refused(sign_in: SignIn) -> None:
    client = sign_in("security_admin")
    form = proposal(client, make_user(username="neu").pk)
    client.post("/do/propose_grant/", form)
    answer = client.post("/do/propose_grant/", form | {"reason": "别的原因"})
    assert answer.status_code == 422
    assert 'data-code="idempotency.other_body"' in answer.content.decode()


def test_a_missing_reason_keeps_what_was_typed_and_changes_nothing(sign_in: SignIn) -> None:
    client = sign_in("security_admin")
    user = make_user(username="neu")
    answer = client.post("/do/propose_grant/", proposal(client, user.pk, reason=" "), headers={"HX-Request": "true"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "请填写“原因”" in html
    assert re.search(rf'<option value="{user.pk}" selected', html)
    assert "<html" not in html
    assert not Grant.objects.filter(user=user).exists()
    assert not IdempotencyKey.objects.exists()


def test_a_refusal_stands_at_its_field_and_leaves_one_journal_row(sign_in: SignIn) -> None:
    client = sign_in("security_admin")
    answer = client.post("/do/propose_grant/", proposal(client, client.actor.user_id))  # type: ignore[attr-defined]
    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'data-code="grant.self"' in html
    assert re.search(r'<ul class="errorlist" id="propose_grant-user_id_error"><li>不能为自己授权', html)
    assert 'aria-invalid="true"' in html


def test_the_same_form_is_refused_for_another_role(sign_in: SignIn) -> None:
    client = sign_in("seat")
    form = {"user_id": make_user().pk, "role": "seat", "div": "3202", "reason": "x"}
    answer = client.post("/do/propose_grant/", form)
    assert answer.status_code == 403
    assert 'data-code="right.missing"' in answer.content.decode()
    assert not Grant.objects.filter(reason="x").exists()


def test_a_page_that_is_too_old_says_what_to_do(sign_in: SignIn) -> None:
    client = sign_in("seat")
    client.handler.enforce_csrf_checks = True
    answer = client.post("/do/cancel_order/", {}, headers={"hx-request": "true"})
    html = answer.content.decode()
    assert (answer.status_code, "CSRF" in html) == (403, False)
    assert 'data-code="csrf.missing"><h2>页面已过期</h2>' in html
    whole = client.post("/do/cancel_order/", {}).content.decode()
    assert "<h1>页面已过期</h1>" in whole


def test_who_was_logged_out_meanwhile_is_led_to_the_log_in(client: Client, db: None) -> None:
    answer = client.post("/do/cancel_order/", {}, headers={"hx-request": "true"})
    html = answer.content.decode()
    assert (answer.status_code, "没有办理权限" in html) == (403, False)
    assert "登录已过期" in html
    assert '<a href="/login/" target="_blank">' in html


def test_htmx_gets_an_order_to_move_on(sign_in: SignIn) -> None:
    client = sign_in("security_admin")
    form = proposal(client, make_user(username="neu").pk)
    answer = client.post("/do/propose_grant/", form, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/grants/")


def test_a_form_without_a_next_page_tells_the_page(sign_in: SignIn) -> None:
    client = sign_in("seat")
    form = {"language": "en"}
    answer = client.post("/do/adjust_own_login/", form, headers={"HX-Request": "true"})
    told = json.loads(answer["HX-Trigger"])
    assert told["acted"]["operation"] == "adjust_own_login"
    client.actor  # type: ignore[attr-defined]  # noqa: B018
    assert client.get("/settings/").content.decode().count('lang="en"') == 1


def test_a_forged_look_is_ignored(sign_in: SignIn) -> None:
    client = sign_in("security_admin")
    form = proposal(client, make_user(username="neu").pk) | {"_form": "forged"}
    answer = client.post("/do/propose_grant/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_stale_page_is_refused_and_says_who_was_faster(sign_in: SignIn) -> None:
    first, second = sign_in("security_admin"), sign_in("security_admin")
    first.post("/do/propose_grant/", proposal(first, make_user(username="neu").pk))
    grant = Grant.objects.get(user__username="neu")
    second.post("/do/confirm_grant/", {"grant_id": grant.pk, "seen": grant.version})
    answer = second.post("/do/end_grant/", {"grant_id": grant.pk, "seen": grant.version, "reason": "写了一半"})
    html = answer.content.decode()
    assert answer.status_code == 409
    assert 'data-code="row.stale"' in html
    assert "写了一半" in html
    assert "现在的版本由" in html


def test_an_unknown_address_gets_our_page(sign_in: SignIn) -> None:
    answer = sign_in("seat").get("/nowhere/")
    assert answer.status_code == 404
    assert 'data-code="route.not_found"' in answer.content.decode()


def test_a_list_shows_twenty_and_the_way_on(sign_in: SignIn) -> None:
    client = sign_in("security_admin")
    for _ in range(21):
        actor("seat")
    html = client.get("/grants/").content.decode()
    assert html.count("data-row") == 20
    assert 'href="/grants/?page=2"' in html
    last = client.get("/grants/?page=2&role=seat").content.decode()
    assert last.count("data-row") == 1
    assert 'rel="next"' not in last


def test_a_wrong_filter_is_ignored(sign_in: SignIn) -> None:
    client = sign_in("security_admin")
    for query in ("page=-1", "page=x", "page=99999999999999999999", "state=nonsense", "role=%00", "q=%27%22"):
        assert client.get(f"/grants/?{query}").status_code == 200


def test_the_bell_counts_own_notices_only(sign_in: SignIn) -> None:
    client = sign_in("seat")
    own = client.actor.user_id  # type: ignore[attr-defined]
    for number, user in enumerate((own, own, make_user().pk)):
        Notice.objects.create(
            user_id=user,
            channel="screen",
            title=f"通知{number}",
            text="x",
            key=f"k{number}",
            created_at="2026-06-01T00:00Z",
            div="3202",
        )
    assert client.get("/notices/count/").json() == {"unread": 2}
    assert "通知2" not in client.get("/notices/").content.decode()
    assert client.post("/do/read_notices/", {"_key": "a"}).status_code == 302
    assert client.get("/notices/count/").json() == {"unread": 0}


def test_a_person_with_two_roles_switches_between_them(sign_in: SignIn) -> None:
    client = sign_in("seat")

    user = User.objects.get(pk=client.actor.user_id)  # type: ignore[attr-defined]
    other = make_grant(user, "dispatcher", div="3202")
    assert client.get("/")["Location"] == "/desk/"
    client.post("/acting/", {"grant": other.pk})
    assert client.get("/")["Location"] == "/dispatch/"
    client.post("/acting/", {"grant": 999999})
    assert client.get("/")["Location"] == "/dispatch/"


def test_an_ended_grant_ends_at_once(sign_in: SignIn) -> None:
    client = sign_in("security_admin")
    assert client.get("/grants/").status_code == 200
    grant = Grant.objects.get(pk=client.actor.grant_id)  # type: ignore[attr-defined]
    grant.state, grant.to_at, grant.ended_by_id = "ended", grant.from_at, grant.proposed_by_id
    grant.save()
    assert client.get("/grants/").status_code == 403


def test_a_page_number_beyond_all_reason_is_an_empty_page(sign_in: SignIn) -> None:
    client = sign_in("seat")
    for number in ("9" * 5000, "²", "-1", ""):
        assert client.get("/orders/", {"page": number}).status_code == 200
