"""Named lists of choices that depend on the rows a person may see. A form names its list; the list is read when it is shown or checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from yinling.accounts.models import User
from yinling.directory.models import Area, Organisation
from yinling.directory.roles import DEMO_ROLES, ROLES
from yinling.ground.kept import Kept
from yinling.web.show import tr

Pairs = list[tuple[str, str]]
OPTIONS: dict[str, Callable[[Any], Pairs]] = {}


def named(name: str) -> Callable[[Callable[[Any], Pairs]], Callable[[Any], Pairs]]:
    """Register a list of choices: a function of the request."""

    def register(function: Callable[[Any], Pairs]) -> Callable[[Any], Pairs]:
        OPTIONS[name] = function
        return function

    return register


def options(source: Any, request: Any) -> Pairs:
    """Return the choices of a named list, or the literal pairs given."""
    if isinstance(source, str):
        return OPTIONS[source](request)
    return [(str(value), str(text)) for value, text in source]


@named("roles")
def role_choices(request: Any) -> Pairs:  # noqa: ARG001 - one signature for all lists
    """Every role a person can be granted."""
    return [(code, f"{tr(ROLES[code].name)}：{tr(ROLES[code].purpose)}") for code in DEMO_ROLES]


@named("users")
def user_choices(request: Any) -> Pairs:  # noqa: ARG001 - one signature for all lists
    """Active logins."""
    rows = (
        User.objects.filter(is_active=True, is_system=False).order_by("username").values_list("pk", "name", "username")
    )
    return [(str(pk), f"{name} ({username})") for pk, name, username in rows[:500]]


@named("organisations")
def organisation_choices(request: Any) -> Pairs:  # noqa: ARG001 - one signature for all lists
    """Every organisation."""
    rows = Organisation.objects.order_by("short_name").values_list("pk", "short_name")
    return [(str(pk), name) for pk, name in rows[:1000]]


PROVIDERS: Kept[Any] = Kept(
    lambda: Organisation.objects.filter(is_provider=True).order_by("short_name").values_list("pk", "short_name")[:1000]
)


@named("providers")
def provider_choices(request: Any) -> Pairs:  # noqa: ARG001 - one signature for all lists
    """Organisations that serve."""
    return [(str(pk), name) for pk, name in PROVIDERS.rows()]


@named("streets")
def street_choices(request: Any) -> Pairs:
    """City, districts and streets of the actor's area."""
    return _areas(request, ("city", "district", "street"))


@named("communities")
def community_choices(request: Any) -> Pairs:
    """Communities and villages of the actor's area."""
    return _areas(request, ("community",))


def _areas(request: Any, levels: tuple[str, ...]) -> Pairs:
    div = request.actor.div or ""
    rows = Area.objects.filter(level__in=levels, div__gte=div, div__lt=div + ":").order_by("div")
    depth = {"city": 0, "district": 0, "street": 1, "community": 0}
    return [(row.div, "　" * depth[row.level] + row.name) for row in rows.only("div", "name", "level")]


@named("streets_or_none")
def street_or_none_choices(request: Any) -> Pairs:
    """As streets, or no area of one's own."""
    return [("", _("不限定区划（角色属于机构或本人）")), *street_choices(request)]
