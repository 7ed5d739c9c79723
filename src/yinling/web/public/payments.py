"""Where payment channels tell us of money, and the cashier of the made-up channel.

No log-in: the signature is the proof. A forged notice changes nothing and leaves one row in the journal.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from yinling.directory.queries import cities, system_actor
from yinling.ground.operation import note_refusal
from yinling.ground.scope import scope
from yinling.interop.payment.fake import FakePayment
from yinling.kernel.refusals import Denied, Refusal
from yinling.kernel.words import N_
from yinling.settlement.models import Payment
from yinling.settlement.operations import take_notice
from yinling.settlement.ports import NoticeRefused, PaymentChannel, payment_channel
from yinling.web.pages import public_page, render
from yinling.web.refusals import problem

RIGHT = "settlement.payment.take"
MOST_BYTES = 64 * 1024
logger = logging.getLogger(__name__)


def take(channel: PaymentChannel, headers: Mapping[str, str], body: bytes, now: datetime) -> Payment:
    """Take one notice. A refusal is journalled and raised again."""
    places = [city.div for city in cities()] or [""]
    try:
        notice = channel.parse_notice(headers=headers, body=body)
    except NoticeRefused as fault:
        logger.warning("payment notice: not taken, %s", fault)
        refusal = Denied("notice.forged", N_("付款通知的签名、时间或内容不对，未入账"), why=str(fault))
        actor = system_actor(places[0])
        with scope(actor):
            note_refusal(RIGHT, refusal, {"actor": actor, "now": now})
        raise refusal from fault
    area = notice.key.partition("-")[0]
    actor = system_actor(area if area in places else places[0])
    with scope(actor):
        return take_notice(
            actor=actor, now=now, key=notice.key, number=notice.number, amount_fen=notice.amount_fen, paid_at=notice.paid_at,
            channel=channel.name,
        )  # fmt: skip


@csrf_exempt
@public_page
@require_POST
def hook(request: Any, name: str) -> HttpResponse:
    """One notice of a channel. 200 tells it not to send the notice again."""
    channel = payment_channel()
    if name != channel.name:
        return JsonResponse({"code": "channel.unknown"}, status=404)
    if len(request.body) > MOST_BYTES:
        return JsonResponse({"code": "request.too_large"}, status=413)
    try:
        row = take(channel, request.headers, request.body, request.now)
    except Refusal as refusal:
        return problem(refusal)
    return JsonResponse({"taken": row.key, "state": str(row.state)})


hook.own_scope = True  # type: ignore[attr-defined]


@public_page
@require_http_methods(["GET", "POST"])
def cashier(request: Any, key: str) -> HttpResponse:
    """The cashier of the made-up channel: one button pays."""
    channel = payment_channel()
    if not settings.DEMO or not isinstance(channel, FakePayment):
        raise Http404
    with scope(system_actor(key.partition("-")[0])):
        row = Payment.objects.filter(key=key, channel=channel.name).select_related("order").first()
    if row is None:
        raise Http404
    if request.method == "POST":
        headers, body = channel.pay(key=key, amount_fen=row.amount_fen, at=request.now)
        take(channel, headers, body, request.now)
        return HttpResponseRedirect(f"/e/pay/{row.pk}/")
    return render(request, "public/cashier.html", row=row)


urlpatterns = [
    path("hooks/payment/<slug:name>/", hook),
    path("demo/pay/<str:key>/", cashier),
]
