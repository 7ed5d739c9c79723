"""Warnings: the live list, the detail with its evidence, and who may decide."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image
from tests.factories import (
    NOW,
    OTHER_DISTRICT,
    actor,
    make_assignment,
    make_check_in,
    make_finding,
    make_order,
    make_photo,
    make_staff,
    make_visit,
    system,
)

from yinling.accounts.models import Journal
from yinling.directory.models import Suspension
from yinling.orders.models import Hold
from yinling.supervision.models import Finding
from yinling.supervision.operations import write_finding
from yinling.visits.models import Evidence, Visit

SignIn = Callable[..., Client]
SCOPE = "set_config('yinling.scope'"


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(target, "JPEG")
    return target.getvalue()


def visited() -> Visit:
    order = make_order("served")
    visit = make_visit(make_assignment(order, make_staff(order.provider), state="done"), state="done")
    make_check_in(visit, distance_m=4200, accuracy_m=12.4)
    return visit


def blocked(rule: str = "distant_check_in", **facts: Any) -> Finding:
    visit = visited()
    return write_finding(
        actor=system(), now=NOW, order_id=visit.order_id, rule=rule, key=f"{rule}:{visit.pk}", visit_id=visit.pk, staff_id=visit.staff_id,
        happened_at=NOW, facts=facts or {"distance_m": 4200, "limit_m": 1000},
    )  # fmt: skip


def repeated_photo() -> tuple[Finding, Evidence, Evidence]:
    old = visited()
    first = make_photo(old, picture())
    finding = blocked(
        "same_photo", earlier_visit_id=old.pk, sha256=bytes(first.sha256).hex(), received_at=int(NOW.timestamp())
    )
    return finding, first, make_photo(finding.visit, picture())


def form_of(client: Client, address: str, action: str) -> dict[str, str]:
    html = client.get(address).content.decode()
    start = html.index(f'data-action="{action}"')
    part = html[start : html.index("</form>", start)]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(1 for one in seen.captured_queries if SCOPE not in one["sql"] and "SAVEPOINT" not in one["sql"])


def test_the_list_shows_severity_order_and_carer_and_calls_for_attention(sign_in: SignIn) -> None:
    finding, client = blocked(), sign_in("supervisor")
    make_finding(make_order("served"))
    html = client.get("/findings/").content.decode()
    assert finding.order.code in html
    assert finding.staff.name in html
    assert "签到位置严重偏离" in html
    assert 'data-alarm="2"' in html
    assert "王秀英" not in html
    only = client.get("/findings/?severity=block&rule=distant_check_in").content.decode()
    assert only.count("data-row") == 1
    assert client.get("/findings/?tab=nonsense&severity=x&page=-1").status_code == 200


def test_new_warnings_are_counted_above_the_list_without_moving_it(sign_in: SignIn) -> None:
    first, client = make_finding(make_order("served")), sign_in("supervisor")
    second = blocked()
    answer = client.get(f"/findings/?since={first.pk}", headers={"HX-Request": "true", "HX-Target": "finding-news"})
    html = answer.content.decode()
    assert "新来 1 条" in html
    assert second.order.code in html
    assert "<table" not in html


def test_a_supervisor_takes_it_up_and_releases_with_a_reason(sign_in: SignIn) -> None:
    finding, client = blocked(), sign_in("supervisor")
    address = f"/findings/{finding.pk}/"
    html = client.get(address).content.decode()
    assert "已冻结" in html
    assert "距住处 4200 米" in html
    assert "X-SUP-02" in html
    assert (
        client.post("/do/acknowledge_finding/", form_of(client, address, "acknowledge_finding"))["Location"] == address
    )
    sent = form_of(client, address, "release_finding")
    refused = client.post("/do/release_finding/", sent | {"reason": ""})
    assert refused.status_code == 422
    assert Finding.objects.get().state == "acknowledged"
    answer = client.post("/do/release_finding/", sent | {"reason": "家属证明到场", "_key": "second"})
    assert answer["Location"] == address
    assert Finding.objects.get().state == "released"
    assert not Hold.objects.filter(to_at=None).exists()
    assert not Suspension.objects.filter(to_at=None).exists()
    html = client.get(address).content.decode()
    assert "家属证明到场" in html
    assert "已恢复" in html
    assert "data-action" not in html


@pytest.mark.req("X-SUP")
def test_a_warning_leads_to_the_call_that_the_seats_are_to_make(sign_in: SignIn) -> None:
    finding = blocked("no_entitlement", unfunded_fen=4000)
    ticket = finding.follow_up
    assert ticket is not None
    html = sign_in("supervisor").get(f"/findings/{finding.pk}/").content.decode()
    assert f'href="/tickets/{ticket.pk}/"' in html
    assert ticket.code in html
    assert "40.00" in html
    seat = sign_in("seat")
    queue = seat.get("/tickets/").content.decode()
    assert f'id="ticket-{ticket.pk}"' in queue
    assert "预警回访" in queue
    assert f"{finding.order.code} 无待遇资格使用补贴" in seat.get(f"/tickets/{ticket.pk}/").content.decode()


def test_an_inspector_looks_and_decides_nothing(sign_in: SignIn) -> None:
    finding, client = blocked(), sign_in("inspector")
    address = f"/findings/{finding.pk}/"
    assert "data-action" not in client.get(address).content.decode()
    sent = form_of(sign_in("supervisor"), address, "uphold_finding")
    assert client.post("/do/uphold_finding/", sent | {"reason": "x"}).status_code == 403
    assert Finding.objects.get().state == "open"


def test_both_photos_stand_side_by_side_and_looking_is_journalled(sign_in: SignIn) -> None:
    finding, first, second = repeated_photo()
    client = sign_in("supervisor")
    html = client.get(f"/findings/{finding.pk}/").content.decode()
    assert f"/findings/photos/{first.pk}/" in html
    assert f"/findings/photos/{second.pk}/" in html
    answer = client.get(f"/findings/photos/{second.pk}/")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer.content == picture()
    assert Journal.objects.filter(event="visits.visit.inspect", subject_id=second.pk).count() == 1


def test_who_may_not_inspect_sees_no_photo(sign_in: SignIn) -> None:
    finding, first, _ = repeated_photo()
    client = sign_in("district")
    assert "/findings/photos/" not in client.get(f"/findings/{finding.pk}/").content.decode()
    assert client.get(f"/findings/photos/{first.pk}/").status_code == 403
    assert sign_in(actor("supervisor", OTHER_DISTRICT)).get(f"/findings/photos/{first.pk}/").status_code == 404


def test_suspended_carers_are_listed_with_the_cause(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    assert 'class="empty"' in client.get("/findings/suspended/").content.decode()
    finding = blocked()
    html = client.get("/findings/suspended/").content.decode()
    assert finding.staff.name in html
    assert f"/findings/{finding.pk}/" in html


@pytest.mark.parametrize("address", ["/findings/", "/findings/suspended/", "/findings/1/"])
def test_the_wrong_role_is_told_who_may(sign_in: SignIn, address: str) -> None:
    denied = sign_in("provider_manager").get(address)
    assert denied.status_code == 403
    assert "监管员" in denied.content.decode()


def test_another_area_does_not_exist(sign_in: SignIn) -> None:
    finding = blocked()
    client = sign_in(actor("supervisor", OTHER_DISTRICT))
    assert client.get(f"/findings/{finding.pk}/").status_code == 404
    assert finding.order.code not in client.get("/findings/").content.decode()
    assert 'class="empty"' in client.get("/findings/").content.decode()


@pytest.mark.parametrize("address", ["/findings/", "/findings/suspended/"])
def test_lists_take_as_many_queries_for_three_rows_as_for_one(sign_in: SignIn, address: str) -> None:
    client = sign_in("supervisor")
    blocked()
    one = queries(client, address)
    blocked(), blocked()
    assert queries(client, address) == one <= 8


def test_a_detail_takes_at_most_eight_queries(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    finding, _, _ = repeated_photo()
    one = queries(client, f"/findings/{finding.pk}/")
    make_photo(finding.visit, picture())
    assert queries(client, f"/findings/{finding.pk}/") == one
    assert queries(client, f"/findings/{blocked().pk}/") <= 8
