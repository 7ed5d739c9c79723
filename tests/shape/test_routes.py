"""Every address declares its right; every operation is within reach of the API; the top bar leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import Resolver404, URLPattern, get_resolver, path

from yinling.directory.rights import RIGHTS
from yinling.directory.roles import ROLES
from yinling.ground.operation import REGISTRY
from yinling.web import navigation
from yinling.web.addresses import by_first_part
from yinling.web.api.urls import api
from yinling.web.api.verbs import address

SPECIAL = {"public", "own", "operation"}


def routes(patterns: list[Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for one in patterns:
        where = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield where, one.callback
        else:
            yield from routes(one.url_patterns, where)


def all_routes() -> list[tuple[str, Any]]:
    return list(routes(get_resolver().url_patterns))


def test_every_address_declares_a_known_right() -> None:
    undeclared = [where for where, view in all_routes() if getattr(view, "right", "") not in RIGHTS.keys() | SPECIAL]
    assert undeclared == []


def test_only_these_addresses_are_public() -> None:
    public = {where for where, view in all_routes() if view.right == "public"}
    signed = r"line/(events|receipts|replies)/|hooks/payment/<slug:name>/|demo/pay/<str:key>/"
    expected = r"|login/|login/code/|login/setup/|language/|api/v1/|api/v1/docs|api/v1/openapi\.json|prices/.*|public/.*|sw\.js|catalogue/.*"
    expected += f"|{signed}"
    assert sorted(where for where in public if not re.fullmatch(expected, where)) == []


def test_no_address_is_declared_twice() -> None:
    known = [where for where, _view in all_routes() if not where.startswith("api/v1/")]
    assert sorted({where for where in known if known.count(where) > 1}) == []


def test_an_address_is_looked_for_among_those_that_begin_like_it() -> None:
    def read(_request: object, **_names: object) -> None: ...

    found = by_first_part([
        path("orders/", read, name="list"), path("staff/<int:pk>/", read), path("orders/<int:pk>/", read), path("sw.js", read),
    ])  # fmt: skip
    assert [str(one.pattern) for one in found] == ["orders/", "staff/", "sw.js"]
    assert [where for where, _view in routes(found)] == ["orders/", "orders/<int:pk>/", "staff/<int:pk>/", "sw.js"]
    match = found[0].resolve("orders/7/")
    assert (match.func, match.kwargs, match.route) == (read, {"pk": 7}, "<int:pk>/")
    assert found[0].resolve("orders/").url_name == "list"
    with pytest.raises(Resolver404):
        found[0].resolve("orders/x/")


def test_a_visitor_opens_no_page_that_is_not_public(client: Client, db: None) -> None:
    for where, view in all_routes():
        if view.right == "public" or where.startswith(("api/", "do/")):
            continue
        answer = client.get("/" + re.sub(r"<(int:)?\w+>", "1", re.sub(r"<(slug|str|path):\w+>", "x", where)))
        assert answer.status_code in {302, 405}, where
        if answer.status_code == 302:
            assert answer["Location"].startswith("/login/"), where


def test_every_operation_is_within_reach_of_the_api() -> None:
    paths = api.get_openapi_schema()["paths"]
    assert sorted(name for name, one in REGISTRY.items() if "post" not in paths.get(f"/api/v1{address(one)}", {})) == []


def test_no_two_operations_share_an_address() -> None:
    known = [address(one) for one in REGISTRY.values()]
    assert sorted({where for where in known if known.count(where) > 1}) == []


def test_the_navigation_names_pages_and_rights_that_exist() -> None:
    known = {"/" + where for where, _view in all_routes()}
    for entry in (*navigation.NAVIGATION, *navigation.MORE):
        assert entry.right in RIGHTS, entry
        assert entry.path in known, entry


def test_every_first_page_exists() -> None:
    known = {"/" + where for where, _view in all_routes()}
    assert sorted({role.home for role in ROLES.values()} - known) == []
