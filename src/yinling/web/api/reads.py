"""The reads of the API: lists and rows of every resource, and the few questions a screen asks before it writes."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from ninja import Path, Query

from yinling.accounts.queries import journal
from yinling.directory.rules import require
from yinling.dispatch.queries import BEST, MOST_SHOWN, Proposal, asked_about, ranking, why_not
from yinling.ground.clock import real_now
from yinling.hotline.models import Call
from yinling.hotline.queries import pop
from yinling.kernel.actor import Actor
from yinling.kernel.parameters import Entry
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound
from yinling.kernel.words import N_
from yinling.orders.meals import forms_of
from yinling.orders.models import Order
from yinling.orders.queries import quote
from yinling.people.models import Elder
from yinling.people.queries import find_elders
from yinling.web.api.caller import in_scope
from yinling.web.api.resource import Resource, plain_value, shown
from yinling.web.api.resources import RESOURCES
from yinling.web.api.verbs import BIGGEST, AwareMoment
from yinling.web.queries.profiles import compare

MOST = 100
Number = Annotated[int, Path(ge=1, le=BIGGEST)]


def answer(body: dict[str, Any]) -> HttpResponse:
    """Return a JSON answer with Chinese in clear."""
    return JsonResponse(body, json_dumps_params={"ensure_ascii": False})


def found(row: Any) -> Any:
    """Return the row, or refuse as not existing."""
    if row is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    return row


def list_view(resource: Resource) -> Any:
    """Return the view of a list; the filters of the resource are its query."""

    @in_scope
    def view(request: Any, **query: Any) -> HttpResponse:
        require(request.actor, resource.right)
        rows = resource.readable(request.actor).order_by(resource.order).prefetch_related(*resource.with_rows)
        for name, narrow in resource.filters.items():
            if query.get(name):
                rows = narrow(rows, query[name])
        page, size = query["page"], query["size"]
        some = list(rows[(page - 1) * size : page * size + 1])
        items = [shown(resource, row, in_full=False) for row in some[:size]]
        return answer({"items": items, "page": page, "size": size, "has_next": len(some) > size})

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    parameters += [
        inspect.Parameter(name, keyword, annotation=str, default=Query("", max_length=200)) for name in resource.filters
    ]
    parameters.append(inspect.Parameter("page", keyword, annotation=int, default=Query(1, ge=1, le=100_000)))
    parameters.append(inspect.Parameter("size", keyword, annotation=int, default=Query(20, ge=1, le=MOST)))
    return _signed(view, parameters, f"list_{resource.noun}")


def row_view(resource: Resource) -> Any:
    """Return the view of one row."""

    @in_scope
    def view(request: Any, **given: Any) -> HttpResponse:
        require(request.actor, resource.right)
        rows = resource.readable(request.actor).prefetch_related(*resource.with_rows)
        return answer(shown(resource, found(rows.filter(pk=_key(resource, given["id"])).first())))

    kind: Any = Number if resource.has_numbers else Annotated[str, Path(max_length=12)]
    parameters = [
        inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD),
        inspect.Parameter("id", inspect.Parameter.KEYWORD_ONLY, annotation=kind),
    ]
    return _signed(view, parameters, f"get_{resource.noun}")


def _key(resource: Resource, text: Any) -> Any:
    """Return the key that an address names; a text that cannot be one names nothing."""
    try:
        return resource.model._meta.pk.to_python(text)  # noqa: SLF001 - Django's own name
    except ValidationError:
        return None


def _signed(view: Any, parameters: list[inspect.Parameter], name: str) -> Any:
    view.__signature__ = inspect.Signature(parameters)
    view.__name__ = name.replace("-", "_")
    view.__annotations__ = {}
    return view


@in_scope
def me(request: Any) -> HttpResponse:
    """Return who is calling, in which role, with which rights."""
    actor: Actor = request.actor
    return answer({
        "user_id": actor.user_id, "name": actor.name, "role": actor.role, "div": actor.div, "organisation_id": actor.organisation_id,
        "elder_ids": list(actor.elder_ids), "staff_id": actor.staff_id, "rights": sorted(actor.rights),
    })  # fmt: skip


@in_scope
def clock(request: Any) -> HttpResponse:
    """Return the business time and the machine's."""
    return answer(
        {"business_at": plain_value(request.now), "machine_at": plain_value(real_now()), "is_demo": settings.DEMO}
    )


@in_scope
def order_quote(
    request: Any,
    *,
    elder_id: int,
    item_code: str,
    starts_at: AwareMoment,
    provider_id: int | None = None,
    more_items: str = "",
    meal_channel: str = "",
) -> HttpResponse:
    """Return what an order would cost whom. ``more_items`` are further codes, ``CODE`` or ``CODE*2``, separated by commas."""
    one = quote(
        actor=request.actor, elder_id=elder_id, item_code=item_code, starts_at=starts_at, now=request.now, provider_id=provider_id,
        more_items=[code for code in more_items.split(",") if code], meal_channel=meal_channel,
    )  # fmt: skip
    return answer({
        "elder_id": one.elder.pk, "item_code": one.item.code, "provider_id": one.provider.pk, "provider": one.provider.short_name,
        "starts_at": plain_value(one.starts_at), "ends_at": plain_value(one.ends_at), "total_fen": one.total_fen, "self_fen": one.self_fen,
        "lines": [asdict(line) for line in one.lines], "reasons": list(one.reasons), "beyond_fen": one.beyond_fen,
        "meal_channel": one.meal_channel, "meal_forms": forms_of(priced.item for priced in one.priced),
        "shares": [asdict(share) | {"uses": [use.as_json() for use in share.uses]} for share in one.shares],
    })  # fmt: skip


@in_scope
def proposals(
    request: Any,
    *,
    id: Number,  # noqa: A002 - the name in the address
    limit: Annotated[int, Query(ge=1, le=MOST_SHOWN)] = BEST,
    staff_id: Annotated[int | None, Query(ge=1, le=BIGGEST)] = None,
) -> HttpResponse:
    """Return the best carers of an order with their reasons; for a carer named by ``staff_id`` also why not, or which place."""
    order = found(Order.objects.visible_to(request.actor).filter(pk=id).first())
    require(request.actor, "dispatch.order.assign", div=order.div, provider_id=order.provider_id)
    about: dict[str, Any] = {
        "actor": request.actor,
        "order": order,
        "now": request.now,
        "asked": asked_about(order, request.now),
    }
    view = ranking(**about, limit=limit)
    told = {} if staff_id is None else {"why": why_not(**about, staff_id=staff_id)}
    return answer(
        {"items": [_proposed(one) for one in view.proposals], "counts": view.counts, "is_live": view.is_live, **told}
    )


def _proposed(one: Proposal) -> dict[str, Any]:
    parts = [{"label": label, "minutes": minutes} for label, minutes in one.parts]
    second = {"staff_id": one.second[0], "name": one.second[1]} if one.second else None
    return asdict(one) | {
        "starts_at": plain_value(one.starts_at),
        "parts": parts,
        "reasons": list(one.reasons),
        "second": second,
    }


@in_scope
def elder_search(request: Any, *, q: Annotated[str, Query(min_length=1, max_length=60)]) -> HttpResponse:
    """Find elders by name, pinyin, initials, phone, id number."""
    require(request.actor, "people.elder.view")
    rows = find_elders(request.actor, q)
    return answer({"items": [shown(RESOURCES["elders"], row, in_full=False) for row in rows]})


@in_scope
def elder_timeline(request: Any, *, id: Number) -> HttpResponse:  # noqa: A002 - the name in the address
    """Return what was done about an elder, newest first."""
    require(request.actor, "people.elder.view")
    found(Elder.objects.visible_to(request.actor).filter(pk=id).first())
    rows = journal(request.actor).filter(elder_id=id)
    if not request.actor.has("people.health.view"):
        rows = rows.exclude(event__startswith="people.health.")
    rows = rows[:MOST]
    names = ("id", "at", "user_name", "role", "event", "subject_type", "subject_id", "reason", "is_refused", "code")
    return answer({"items": [{name: plain_value(getattr(row, name)) for name in names} for row in rows]})


@in_scope
def call_pop(request: Any, *, id: Number) -> HttpResponse:  # noqa: A002 - the name in the address
    """Return what the desk shows of a call."""
    require(request.actor, "hotline.call.view")
    call = found(Call.objects.visible_to(request.actor).filter(pk=id).first())
    one = pop(request.actor, call, now=request.now)
    tickets = [shown(RESOURCES["tickets"], row, in_full=False) for row in one.tickets]
    return answer({
        "call": shown(RESOURCES["calls"], call), "number": one.number, "elder": shown(RESOURCES["elders"], one.elder) if one.elder else None,
        "age": one.age, "id_number": one.id_number, "phone": one.phone, "level": one.level, "alerts": one.alerts, "circumstances": one.circumstances,
        "contacts": [asdict(line) for line in one.contacts], "tickets": tickets, "entitlements": [asdict(line) for line in one.entitlements],
        "candidates": [shown(RESOURCES["elders"], row, in_full=False) for row in one.candidates],
    })  # fmt: skip


@in_scope
def profiles(
    request: Any, *, q: Annotated[str, Query(max_length=80)] = "", on: date | None = None, differs: bool = False
) -> HttpResponse:
    """Return the parameters of all city profiles side by side, with document and clause."""
    require(request.actor, "directory.area.view")
    day = on or local_date(request.now)
    cities, lines = compare(day, text=q, only_differing=differs)
    items = [
        {"key": line.key, "differs": line.differs, "product": _entry(line.product), "cities": {
            city.code: _entry(entry) for city, entry in zip(cities, line.cities, strict=True)
        }}
        for line in lines
    ]  # fmt: skip
    return answer({"on": plain_value(day), "profiles": [asdict(city) for city in cities], "items": items})


def _entry(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {
        "value": entry.value, "area": entry.area, "document": entry.document, "clause": entry.clause,
        "from": plain_value(entry.valid.from_), "to": plain_value(entry.valid.last_day),
    }  # fmt: skip


SINGLE = (
    ("/me", me, "own"),
    ("/clock", clock, "own"),
    ("/profiles", profiles, "directory.area.view"),
    ("/orders/quote", order_quote, "orders.order.place"),
    ("/orders/{id}/proposals", proposals, "dispatch.order.assign"),
    ("/elders/search", elder_search, "people.elder.view"),
    ("/elders/{id}/timeline", elder_timeline, "people.elder.view"),
    ("/calls/{id}/pop", call_pop, "hotline.call.view"),
)
