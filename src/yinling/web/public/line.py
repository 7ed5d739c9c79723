"""Where providers tell us what happened: the call centre of its calls, the gateway of text messages of receipts and replies.

No log-in: the signature of the body is the proof. A request is taken once per nonce; one that could not be stored leaves no trace, so
that the provider's next try is its first.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from yinling.accounts.jobs import take_back
from yinling.accounts.ports import Receipt, Reply
from yinling.directory.queries import cities, system_actor
from yinling.ground.models import IdempotencyKey
from yinling.ground.scope import scope
from yinling.interop.signed import Forged, check_signed
from yinling.interop.telephony.carrier_http import Event, area_of, fetch_sound, take_event
from yinling.kernel.refusals import Refusal
from yinling.web.pages import public_page
from yinling.web.refusals import problem

logger = logging.getLogger(__name__)
NOBODY = 0
"""The user of nonces: no login has this number."""
OK = 200
MOST = 1000
"""Receipts in one request."""
OUTCOMES = ("delivered", "failed")
Taker = Callable[[Any, datetime], dict[str, Any]]


class _Nonce:
    """The nonce of a request, kept while the request is good."""

    def __init__(self, route: str) -> None:
        self.route, self.key = route, ""

    def is_new(self, nonce: str) -> bool:
        _row, is_new = IdempotencyKey.objects.get_or_create(
            user_id=NOBODY,
            key=f"nonce:{nonce}",
            defaults={"route": self.route, "body_hash": b"", "status": OK, "answer": {}},
        )
        self.key = f"nonce:{nonce}" if is_new else ""
        return is_new

    def forget(self) -> None:
        IdempotencyKey.objects.filter(user_id=NOBODY, key=self.key).delete()


def signed(account: str) -> Callable[[Taker], Callable[..., HttpResponse]]:
    """Make a view of a function that takes the JSON of a signed POST; ``account`` names the setting with the secret."""

    def decorate(take: Taker) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @public_page
        @require_POST
        @functools.wraps(take)
        def run(request: Any) -> HttpResponse:
            secret, route, kept = getattr(settings, account)["secret"], request.path, _Nonce(request.path)
            try:
                check_signed(request.headers, secret=secret, path=route, body=request.body, is_new=kept.is_new)
                answer: HttpResponse = JsonResponse(take(json.loads(request.body), request.now))
            except Forged as error:
                logger.warning("%s: not taken, %s", route, error)
                return JsonResponse({"code": "signature.invalid"}, status=401)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                logger.warning("%s: could not be read", route, exc_info=True)
                answer = JsonResponse({"code": "request.bad"}, status=400)
            except Refusal as refusal:
                answer = problem(refusal)
            except OSError:
                logger.exception("%s: the sound could not be fetched", route)
                answer = JsonResponse({"code": "line.try_again"}, status=503)
            except BaseException:
                kept.forget()
                raise
            if answer.status_code != OK:
                kept.forget()
            return answer

        run.own_scope = True  # type: ignore[attr-defined]
        return run

    return decorate


@signed("CARRIER")
def events(body: Any, now: datetime) -> dict[str, Any]:
    """Take one event of the call centre."""
    event = Event.read(body)
    sound = fetch_sound(event) if event.kind == "recorded" else b""
    area = area_of(event, [city.div for city in cities()], now)
    actor = system_actor(area)
    with scope(actor):
        call = take_event(actor, event, now=now, sound=sound)
    return {"call": event.call, "state": str(call.state)}


@signed("SMS")
def receipts(body: Any, now: datetime) -> dict[str, Any]:
    """Take receipts: ``{"receipts": [{"id", "status": delivered or failed, "at", "code"}]}``."""
    rows = [_receipt(one) for one in body["receipts"][:MOST]]
    for one in rows:
        take_back("sms", one, now=now)
    return {"taken": len(rows)}


def _receipt(one: dict[str, Any]) -> Receipt:
    if one["status"] not in OUTCOMES:
        raise ValueError("status")
    at = datetime.fromisoformat(one["at"]) if one.get("at") else None
    if at is not None and at.tzinfo is None:
        raise ValueError("at")
    return Receipt(str(one["id"])[:100], one["status"], at, str(one.get("code", "")))


@signed("SMS")
def replies(body: Any, now: datetime) -> dict[str, Any]:
    """Take replies: ``{"replies": [{"from", "text"}]}``."""
    rows = [Reply(str(one["from"])[:20], str(one["text"])[:500]) for one in body["replies"][:MOST]]
    for one in rows:
        take_back("sms", one, now=now)
    return {"taken": len(rows)}


urlpatterns = [
    path("line/events/", events),
    path("line/receipts/", receipts),
    path("line/replies/", replies),
]
