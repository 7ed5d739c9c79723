"""What every page view uses: the declared right, rendering of a page or one block of it, lists with filters and pages."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.db.models.expressions import OrderBy
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.backends.utils import csrf_input
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from jinja2_fragments import render_block

from yinling.directory.rules import require
from yinling.kernel.inputs import meant_day
from yinling.web.environment import pages
from yinling.web.shell import Shell

View = Callable[..., HttpResponse]
PAGE_SIZE = 20


def page(right: str) -> Callable[[View], View]:
    """Give a view its right. Without log-in it sends to the log-in page; without the right it is refused by name of the roles."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def run(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            require(request.actor, right)
            return view(request, *args, **kwargs)

        run.right = right  # type: ignore[attr-defined]
        return run

    return decorate


def own_page(view: View) -> View:
    """Mark a page that every person who is logged in has: own settings, own notices, home."""

    @functools.wraps(view)
    def run(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    run.right = "own"  # type: ignore[attr-defined]
    return run


def public_page(view: View) -> View:
    """Mark a page that anybody may read."""
    view.right = "public"  # type: ignore[attr-defined]
    return view


def render(request: Any, template: str, *, block: str | None = None, status: int = 200, **values: Any) -> HttpResponse:
    """Render a page; for htmx only the named block, or the block named like the element that asked (``-`` as ``_``)."""
    context = page_context(request) | values
    htmx = getattr(request, "htmx", None)
    if htmx:
        name = block or (htmx.target or "").replace("-", "_")
        if name in pages().get_template(template).blocks:
            return HttpResponse(render_block(pages(), template, name, context), status=status)
    return HttpResponse(pages().get_template(template).render(context), status=status)


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return what every template may use."""
    return {
        "request": request,
        **csrf_of(request),
        "actor": getattr(request, "actor", None),
        "now": getattr(request, "now", None),
        "shell": Shell(request),
    }


def csrf_of(request: HttpRequest) -> dict[str, Any]:
    """Return field and token against forged requests, made at their first use and the same in all forms of a page."""
    made: dict[str, Any] = request.__dict__.setdefault("csrf", {})
    if not made:
        made["csrf_input"] = SimpleLazyObject(functools.partial(csrf_input, request))
        made["csrf_token"] = SimpleLazyObject(functools.partial(get_token, request))
    return made


@dataclass(frozen=True)
class Filter:
    """One filter above a list: ``kind`` is text, choice, date, month (its first day) or check; ``apply`` narrows the queryset by a valid value."""

    name: str
    label: str
    apply: Callable[[Any, Any], Any]
    kind: str = "text"
    choices: Sequence[tuple[str, str]] = ()
    empty: str = ""
    """What a choice says while nothing is chosen: all rows, if it says nothing else."""

    def value(self, raw: str) -> Any:
        """Return the value typed, or None if there is none that makes sense."""
        text = raw.strip()[:80]
        if self.kind == "choice":
            return text if text in {str(value) for value, _label in self.choices} and text else None
        if self.kind == "date":
            return meant_day(text)
        if self.kind == "month":
            return meant_day(f"{text[:7]}-01")
        return text or None


def sorting(empty: str, *ways: tuple[str, str, Sequence[str | OrderBy]]) -> Filter:
    """Return the choice of an order of a list, each way with its code, label and fields; ``empty`` names the order without one."""
    fields = {code: names for code, _label, names in ways}
    choices = [(code, label) for code, label, _names in ways]
    return Filter("by", _("排序"), lambda rows, code: rows.order_by(*fields[code]), "choice", choices, empty)


class Listing:
    """A filtered page of a queryset, or of rows read already: 20 and one more to know whether there is a next page; nothing is counted."""

    def __init__(self, request: Any, queryset: Any, *filters: Filter, size: int = PAGE_SIZE) -> None:
        self.request = request
        self.filters = filters
        self.values = {entry.name: entry.value(request.GET.get(entry.name, "")) for entry in filters}
        for entry in filters:
            if self.values[entry.name] is not None:
                queryset = entry.apply(queryset, self.values[entry.name])
        self.every = queryset
        """All rows that the filters leave, for totals and workbooks."""
        number = request.GET.get("page", "1")[:6]
        self.page = min(max(int(number), 1), 10_000) if number.isascii() and number.isdigit() else 1
        start = (self.page - 1) * size
        found = list(queryset[start : start + size + 1])
        self.rows = found[:size]
        self.has_next = len(found) > size
        self.has_previous = self.page > 1

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is in force."""
        return any(value is not None for value in self.values.values())

    def address(self, **changes: Any) -> str:
        """Return this list's address with some of its values changed; ``None`` removes one."""
        query = {name: value for name, value in self.request.GET.items() if name != "page"} | changes
        kept = {name: value for name, value in query.items() if value not in (None, "")}
        return f"{self.request.path}?{urlencode(kept)}" if kept else str(self.request.path)
