"""Nobody reads or changes what belongs to another district, another provider or another elder: every role, every operation, every row."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from tests.acceptance.conftest import Foreign, MakeApi, body_for, description, insider
from tests.api.conftest import Api
from tests.factories import WIDE, actor

from yinling.directory.models import Staff
from yinling.directory.roles import DEMO_ROLES
from yinling.ground.scope import OpenScope, scope
from yinling.hotline.models import Ticket
from yinling.orders.models import Order
from yinling.people.models import Elder
from yinling.web.api.resources import RESOURCES

REFUSED = {403, 404, 409, 422}
TABLES = (
    "people_elder", "people_contact", "people_circumstance", "people_consent", "people_representative", "orders_order", "orders_hold",
    "hotline_ticket", "hotline_ticketnote", "dispatch_assignment", "visits_visit", "visits_evidence", "visits_evaluation",
    "entitlements_entitlement", "settlement_posting", "supervision_finding", "directory_staff", "directory_qualification",
    "assessment_assessment",
)  # fmt: skip


def contents(foreign: Foreign) -> list[Any]:
    """Return a fingerprint of every row about the foreign elder, provider and staff."""
    found = []
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"SELECT count(*), coalesce(sum(hashtext(t::text)::bigint), 0) FROM {table} t"  # noqa: S608 - the names stand above
                " WHERE t::text LIKE %s OR to_jsonb(t)->>'elder_id' = %s OR to_jsonb(t)->>'provider_id' = %s",
                [f"%{foreign.elder.div}%", str(foreign.elder.pk), str(foreign.provider.pk)],
            )
            found.append((table, *cursor.fetchone()))
    return found


@pytest.mark.parametrize("role", DEMO_ROLES)
def test_no_role_writes_foreign_rows(api: MakeApi, foreign: Foreign, wide: OpenScope, role: str) -> None:
    caller: Api = api(insider(role))
    before = contents(foreign)
    passed = []
    for place, methods in description()["paths"].items():
        if "post" not in methods:
            continue
        operation = methods["post"]
        noun = operation["x-right"].split(".")[1]
        body = body_for(operation, foreign.rows)
        touches = "{id}" in place or any(name in body for name in ("elder_id", "order_id", "assignment_id", "staff_id"))
        if not touches or ("{id}" in place and noun not in foreign.rows):
            continue
        pk = foreign.rows[noun].pk if noun in foreign.rows else 0
        answer = caller.post(place.removeprefix("/api/v1").replace("{id}", str(pk)), body)
        if answer.status_code not in REFUSED or "远方人" in answer.content.decode():
            passed.append((operation["operationId"], answer.status_code, answer.content[:200]))
        wide.afterwards.clear()
    assert passed == []
    assert contents(foreign) == before


@pytest.mark.parametrize("role", DEMO_ROLES)
def test_no_role_reads_foreign_rows(api: MakeApi, foreign: Foreign, role: str) -> None:
    caller: Api = api(insider(role))
    leaked = []
    for noun, resource in RESOURCES.items():
        known = next((row for row in foreign.rows.values() if type(row) is resource.model), None)
        for where in (f"/{noun}?size=100", f"/{noun}/{known.pk}" if known else ""):
            if not where:
                continue
            answer = caller.get(where)
            text = answer.content.decode()
            is_list = where.endswith("size=100")
            ids = [one["id"] for one in answer.json().get("items", [])] if is_list and answer.status_code == 200 else []
            if (
                (known and known.pk in ids)
                or "远方人" in text
                or "外人" in text
                or (not is_list and answer.status_code == 200)
            ):
                leaked.append((where, answer.status_code))
    found = caller.get("/elders/search", q="远方人")
    assert leaked == []
    assert found.status_code == 403 or found.json()["items"] == []
    assert caller.get(f"/elders/{foreign.elder.pk}/timeline").status_code in {403, 404}


@pytest.mark.parametrize("role", ["district", "provider_manager", "nurse", "elder", "family", "community"])
def test_the_database_hides_foreign_rows_when_the_application_forgets_to_filter(
    api: MakeApi, foreign: Foreign, role: str
) -> None:
    who = insider(role)
    models: list[tuple[Any, Any]] = [
        (Elder, foreign.elder), (Order, foreign.order), (Ticket, foreign.ticket), (Staff, foreign.staff)
    ]  # fmt: skip
    with scope(who):
        for model, row in models:
            assert not model.objects.filter(pk=row.pk).exists(), model
            assert model.objects.filter(pk=row.pk).update(version=99) == 0, model
    with scope(WIDE):
        assert all(model.objects.filter(pk=row.pk, version=row.version).exists() for model, row in models)


@pytest.mark.parametrize("role", ["provider_manager", "nurse"])
def test_a_provider_reads_its_own_orders_without_seeing_the_elder(api: MakeApi, foreign: Foreign, role: str) -> None:
    who = actor(role, organisation=foreign.provider) if role == "provider_manager" else actor(role, staff=foreign.staff)
    caller = api(who)
    for noun in ("assignments", "visits"):
        assert caller.get(f"/{noun}").json()["items"] != [], noun
    if role == "nurse":  # who goes to the door sees what it needs on the own visits, and no other home
        assert {caller.get(path).status_code for path in ("/orders", f"/orders/{foreign.order.pk}")} == {403}
        return
    assert caller.get("/orders").json()["items"] != []
    order = caller.get(f"/orders/{foreign.order.pk}").json()
    assert (order["lon"], order["lat"]) == (foreign.order.lon, foreign.order.lat)
    assert caller.get(f"/elders/{foreign.elder.pk}").status_code in {403, 404}
