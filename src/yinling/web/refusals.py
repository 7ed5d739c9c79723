"""How a refusal looks to a person and to a program."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from yinling.kernel.refusals import Refusal


def refusal_response(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Return the page of a refusal."""
    return HttpResponse(refusal.detail, status=refusal.status)
