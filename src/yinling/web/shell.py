"""What stands around every page: navigation, the person's roles, the demo clock. Computed only when a layout asks for it."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from yinling.directory.models import Area
from yinling.directory.roles import ROLES, Role
from yinling.ground.asof import AsOf
from yinling.kernel.actor import Actor
from yinling.web.navigation import Entry, entries_for, more_for
from yinling.web.show import tr
from yinling.web.softphone import bar_words, line_of_phones

SEAT_ROLES = ("seat", "line_leader")
_names: dict[str, str] = {}


def area_name(div: str) -> str:
    """Return the short name of an area. Names are kept for the life of the process: a code never gets another place."""
    if div and div not in _names:
        found = Area.objects.filter(pk=div).values_list("short_name", flat=True).first()
        if found is None:
            return div
        _names[div] = found
    return _names.get(div, "")


def role_name(code: str) -> str:
    """Return the name of a role; an unknown code stands for itself."""
    return ROLES[code].name if code in ROLES else code


def stream_address() -> str:
    """Return where the live stream is, or nothing: pages then poll."""
    url = urlsplit(settings.STREAM_URL)
    return url._replace(path=url.path.rstrip("/") or "/live").geturl() + "/" if url.netloc else ""


class Shell:
    """The frame of one page."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.actor: Actor = getattr(request, "actor", Actor(None, "", ""))
        self.demo = settings.DEMO
        self.asked: AsOf | None = getattr(request, "asked", None)
        self.stream = stream_address()

    @cached_property
    def role(self) -> Role | None:
        """The role of the person in this request."""
        return ROLES.get(self.actor.role)

    @cached_property
    def entries(self) -> list[Entry]:
        """The top bar."""
        return entries_for(self.actor)

    @cached_property
    def phone(self) -> dict[str, str]:
        """The words of the soft-phone's bar, for people who sit on a line that rings in pages; nothing for all others."""
        is_seat = self.actor.role in SEAT_ROLES and self.actor.has("hotline.phone.use")
        return bar_words() if is_seat and line_of_phones() else {}

    @cached_property
    def more(self) -> list[Entry]:
        """The menu of the person."""
        return more_for(self.actor)

    @cached_property
    def grants(self) -> list[tuple[int, str, bool]]:
        """(id, text, is chosen) of every grant that holds now."""
        rows = getattr(self.request, "grants", [])
        return [(row.pk, self._sentence(row), row.pk == self.actor.grant_id) for row in rows]

    @staticmethod
    def _sentence(grant: Any) -> str:
        place = grant.organisation.short_name if grant.organisation else area_name(grant.div)
        role = tr(ROLES[grant.role].name)
        return f"{role} · {place}" if place else role

    @property
    def place(self) -> str:
        """Where the person acts."""
        chosen = [text for _pk, text, is_chosen in self.grants if is_chosen]
        return chosen[0] if chosen else ""

    def is_here(self, entry: Entry) -> bool:
        """Whether the page belongs to a navigation entry."""
        return bool(self.request.path.startswith(entry.path))

    @property
    def large_type(self) -> bool:
        """Whether the person wants the largest type."""
        return bool(getattr(self.request.user, "large_type", False)) if hasattr(self.request, "user") else False

    @property
    def layout(self) -> str:
        """The layout of the person's audience, for pages that serve all (refusals, forms)."""
        if self.actor.user_id is None or self.role is None:
            return "layouts/public.html"
        home = self.role.home
        return {"/m/": "layouts/mobile.html", "/e/": "layouts/elder.html"}.get(home, "layouts/console.html")
