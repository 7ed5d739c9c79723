"""Between the request and the view: who acts, in which grant, at what time, and the scope of the database."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from yinling.directory.queries import actor_from, grants_and_time, staff_id_of
from yinling.directory.roles import ROLES
from yinling.ground.clock import business_now
from yinling.ground.scope import apply_scope, scope, scope_values
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal, Refused
from yinling.kernel.words import N_
from yinling.people.queries import representation
from yinling.web.asof import asked_by
from yinling.web.refusals import refusal_response

NOBODY = Actor(None, "", "")
UNREADABLE = N_("筛选条件含有无法识别的字符，或者超出了范围")
FIELD_ROLES = frozenset({"assessor", "carer", "nurse", "doctor"})


class ActorMiddleware:
    """Sets ``request.actor``, ``request.now`` and ``request.grants``, and runs the view inside the actor's scope.

    A refusal that a view lets through becomes its page or problem document; everything written in the request is rolled back.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; the work is in ``process_view``, where exceptions of the view can still be seen."""
        try:
            return self.get_response(request)
        finally:
            translation.deactivate()

    def process_view(
        self, request: Any, view: Callable[..., HttpResponse], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Open the scope around the view; views that need none (static texts, log-in, API with a token) say so."""
        if getattr(view, "own_scope", False):
            request.now = business_now()
            return None
        signed_in = request.user.is_authenticated
        request.grants, request.now = grants_and_time(request.user.pk) if signed_in else ([], business_now())
        actor = acting(request)
        request.actor = actor
        translation.activate(getattr(request.user, "language", "") or request.session.get("language", "zh-hans"))
        try:
            request.asked = asked_by(request) if signed_in else None
            if request.asked:
                request.now = request.asked.moment
            request.day = local_date(request.now)
            with scope(actor, request.asked) as opened:
                request.actor = completed(request, actor)
                opened.values = scope_values(request.actor)  # what a scope opened inside gives back at its end
                return view(request, *args, **kwargs)
        except Refusal as refusal:
            return refusal_response(request, refusal)
        except DataError:
            return refusal_response(request, Refused("filter.invalid", UNREADABLE))


def acting(request: Any) -> Actor:
    """Return the actor of the grant chosen in the header, else of the first."""
    request_id = uuid.uuid4().hex
    if not request.grants:
        return (
            actor_from(request.user, None, request_id=request_id)
            if request.user.is_authenticated
            else replace(NOBODY, request_id=request_id)
        )
    chosen = request.session.get("grant")
    grant = next((row for row in request.grants if row.pk == chosen), request.grants[0])
    request.grant = grant
    return actor_from(request.user, grant, request_id=request_id)


def completed(request: Any, actor: Actor) -> Actor:
    """Add the elders or the staff row that a login stands for, and widen the scope to them."""
    role = ROLES.get(actor.role)
    if role is None or actor.user_id is None:
        return actor
    if role.anchor == "self":
        elders, withheld = representation(actor.user_id, request.now)
        full = actor_from(request.user, request.grant, elder_ids=elders, request_id=actor.request_id)
        full = replace(full, withheld=withheld)
    elif actor.role in FIELD_ROLES:
        staff_id = staff_id_of(actor.user_id)
        full = actor_from(request.user, request.grant, staff_id=staff_id, request_id=actor.request_id)
    else:
        return actor
    apply_scope(scope_values(full), full.request_id)
    return full
