"""How a refusal looks to a person and to a program."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from yinling.kernel.refusals import Denied, NotFound, Refusal, Stale
from yinling.kernel.words import N_
from yinling.web.pages import render
from yinling.web.show import refusal_text

SAFE = {
    403: N_("什么也没有改变。"),
    404: N_("什么也没有改变。"),
    409: N_("您填写的内容还在，已有的记录没有改变。"),
    422: N_("没有保存任何内容，已有的记录没有改变。"),
}
TITLES = {
    403: N_("您没有办理权限"),
    404: N_("没有找到"),
    409: N_("现在不能这样做"),
    422: N_("没有保存"),
}
EXPIRED = {"login.needed": N_("登录已过期"), "csrf.missing": N_("页面已过期")}
"""What is no question of rights, though its status says so."""


def refusal_response(request: Any, refusal: Refusal) -> HttpResponse:
    """Return the page of a refusal, the fragment for htmx, or the problem document for a program."""
    if request.path.startswith("/api/"):
        return problem(refusal)
    return told(request, refusal.status, refusal_text(refusal), code=refusal.code)


def told(request: Any, status: int, sentence: str, *, code: str = "") -> HttpResponse:
    """Say what happened, what is safe, what to do, and the number under which it is found in the journal."""
    number = ((getattr(request, "actor", None) and request.actor.request_id) or "")[:8]
    values: dict[str, Any] = {
        "title": _(EXPIRED.get(code) or TITLES.get(status, TITLES[422])),
        "sentence": sentence,
        "safe": _(SAFE.get(status, SAFE[422])),
        "number": number,
        "code": code,
        "status_code": status,
    }
    if getattr(request, "htmx", False):
        return render(request, "parts/refusal.html", status=status, **values)
    return render(request, "parts/refusal_page.html", status=status, **values)


def problem(refusal: Refusal, *, subject: str = "", **more: Any) -> HttpResponse:
    """Return the problem document (RFC 9457) of a refusal."""
    title = "stale" if isinstance(refusal, Stale) else type(refusal).__name__
    body = {
        "type": f"urn:yinling:{refusal.code}",
        "title": title,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal_text(refusal),
        "subject": subject,
        "field": refusal.field,
    }
    return problem_document(body | more)


def problem_document(body: dict[str, Any]) -> HttpResponse:
    """Return a problem document with its media type."""
    kept = {name: value for name, value in body.items() if value != ""} | {"subject": body.get("subject", "")}
    return JsonResponse(
        kept, status=body["status"], content_type="application/problem+json", json_dumps_params={"ensure_ascii": False}
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer an unknown address."""
    if request.path.startswith("/api/"):
        return problem(NotFound("route.not_found", N_("没有这个地址，请查看接口文档")))
    return told(request, 404, _("没有这个页面，或者它已被移走。请从导航重新进入。"), code="route.not_found")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer what Django itself forbids."""
    if request.path.startswith("/api/"):
        return problem(Denied("right.missing", N_("没有权限")))
    return told(request, 403, _("您没有权限打开这个页面，请联系管理员。"))


def bad_token(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer a form whose protection token is missing or old."""
    if request.path.startswith("/api/"):
        return problem(Denied("csrf.missing", N_("缺少或过期的 CSRF 令牌，请重新登录")))
    return told(request, 403, _("页面打开太久，请刷新后再提交。您可以先复制已填写的内容。"), code="csrf.missing")


def broken(request: HttpRequest) -> HttpResponse:
    """Answer a fault of ours."""
    if request.path.startswith("/api/"):
        return problem_document(
            {
                "type": "urn:yinling:fault",
                "title": "Fault",
                "status": 500,
                "code": "fault",
                "detail": _("系统出错，请稍后重试"),
            }
        )
    return told(request, 500, _("系统出错了。请稍后重试；若再次出现，请把下面的编号告诉管理员。"), code="fault")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer a request that cannot be read."""
    return told(request, 400, _("请求无法识别，请刷新页面后重试。"), code="request.bad")
