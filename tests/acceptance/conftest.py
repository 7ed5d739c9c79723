"""What the acceptance tests share: programs with tokens, as an integrator has them, and bodies made from the API's own description."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.api.conftest import Api, api  # noqa: F401 - the fixture
from tests.factories import (
    COMMUNITY,
    DISTRICT,
    OTHER_COMMUNITY,
    STREET,
    actor,
    make_assignment,
    make_elder,
    make_entitlement,
    make_finding,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_staff,
    make_ticket,
    make_visit,
)  # fmt: skip

from yinling.directory.roles import ROLES

MakeApi = Callable[..., Api]


class Foreign:
    """Rows of another district, another provider and another elder."""

    def __init__(self) -> None:
        self.provider = make_organisation(div=OTHER_COMMUNITY)
        self.elder = make_elder(OTHER_COMMUNITY, name="远方人", phone="19900009999")
        self.staff = make_staff(self.provider, name="外人", qualified=("induction", "care_worker"))
        price = make_price(make_item(), self.provider)
        self.order = make_order("placed", elder=self.elder, price=price)
        taken = make_order("assigned", elder=self.elder, price=price)
        self.assignment = make_assignment(taken, self.staff, state="accepted")
        served = make_order("in_service", elder=self.elder, price=price)
        self.visit = make_visit(make_assignment(served, make_staff(self.provider), state="accepted"))
        self.ticket = make_ticket(elder=self.elder)
        self.entitlement = make_entitlement(self.elder)
        self.finding = make_finding(self.order)

    @property
    def rows(self) -> dict[str, Any]:
        """The rows by noun."""
        return {
            "elder": self.elder, "order": self.order, "ticket": self.ticket, "staff": self.staff, "assignment": self.assignment,
            "visit": self.visit, "entitlement": self.entitlement, "finding": self.finding,
        }  # fmt: skip


@pytest.fixture
def foreign(api: MakeApi) -> Foreign:  # noqa: F811 - the fixture
    """Return rows that nobody of the tests' district, provider or family may see."""
    return Foreign()


def insider(role: str) -> Any:
    """Return somebody with a role whose area, organisation or elder is not the foreign one."""
    anchor = ROLES[role].anchor
    if anchor == "area":
        places = {"station": STREET, "street": STREET, "community": COMMUNITY, "visitor": COMMUNITY}
        return actor(role, div=places.get(role, DISTRICT))
    if anchor == "self":
        return actor(role, elders=(make_elder(),))
    if role in ("carer", "nurse", "doctor"):
        return actor(role, staff=make_staff(make_organisation()))
    return actor(role, organisation=make_organisation())


@functools.cache
def description() -> dict[str, Any]:
    """Return the API's own description, as it hands it out."""
    found: dict[str, Any] = Client().get("/api/v1/openapi.json").json()
    return found


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow the references of a schema."""
    while "$ref" in schema or "allOf" in schema:
        schema = (
            schema["allOf"][0]
            if "allOf" in schema
            else description()["components"]["schemas"][schema["$ref"].split("/")[-1]]
        )
    return schema


def example(name: str, schema: dict[str, Any], rows: dict[str, Any]) -> Any:
    """Return a value that fits a schema; a field that names a row gets that row."""
    noun = name.removesuffix("_id")
    if name.endswith("_id") and noun in rows:
        return rows[noun].pk
    if "anyOf" in schema:
        return example(name, schema["anyOf"][0], rows)
    if "enum" in schema or "const" in schema:
        return schema.get("const", (schema.get("enum") or [""])[0])
    texts = {"date": "2026-06-16", "date-time": "2026-06-16T10:00:00+08:00"}
    plain: dict[str, Any] = {
        "string": texts.get(schema.get("format", ""), COMMUNITY if name == "div" else "测试"), "integer": 1, "number": 31.5,
        "boolean": True, "array": [], "object": {},
    }  # fmt: skip
    return plain.get(schema.get("type", "string"))


def body_for(operation: dict[str, Any], rows: dict[str, Any]) -> dict[str, Any]:
    """Return a body with every field of an operation of the API."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return {}
    fields = resolved(content["schema"])["properties"]
    return {name: example(name, field, rows) for name, field in fields.items() if name != "seen"}
