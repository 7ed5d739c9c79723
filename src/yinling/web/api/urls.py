"""The API below ``/api/v1/``: verbs from the registry, reads from the table, the documentation without any outside file."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from yinling.ground.operation import REGISTRY, Operation
from yinling.kernel.refusals import Refusal
from yinling.web.api.caller import Caller
from yinling.web.api.reads import SINGLE, list_view, row_view
from yinling.web.api.resources import RESOURCES
from yinling.web.api.verbs import address, view_of
from yinling.web.pages import public_page, render
from yinling.web.refusals import problem, problem_document

PREFIX = "/api/v1"
DESCRIPTION = (
    "Whatever a screen can do. Bearer token; Idempotency-Key on every write; refusals as application/problem+json. "
    "Money in fen, moments with offset, divisions as trimmed codes."
)
api = NinjaAPI(
    title="Yinling 银龄", version="1", description=DESCRIPTION, auth=Caller(), docs_url=None, urls_namespace="api"
)


@api.exception_handler(Refusal)
def _refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:  # noqa: ARG001 - ninja's signature
    return problem(refusal)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:  # noqa: ARG001 - ninja's signature
    faults = [
        {
            "field": ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0]),
            "code": one["type"],
            "detail": one["msg"],
        }
        for one in error.errors
    ]
    names = "、".join(dict.fromkeys(fault["field"].removeprefix("payload.") for fault in faults))
    return problem_document({
        "type": "urn:yinling:request.invalid", "title": "Invalid", "status": 422, "code": "request.invalid",
        "detail": _("这些内容不符合要求：%(names)s") % {"names": names}, "errors": faults,
    })  # fmt: skip


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:  # noqa: ARG001 - ninja's signature
    answer = problem_document({
        "type": "urn:yinling:token.invalid", "title": "Unauthenticated", "status": 401, "code": "token.invalid",
        "detail": _("没有令牌，或令牌已失效。请用 Authorization: Bearer 给出有效的令牌"),
    })  # fmt: skip
    answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:  # noqa: ARG001 - ninja's signature
    return problem_document({
        "type": "urn:yinling:request.bad", "title": "Bad request", "status": error.status_code, "code": "request.bad",
        "detail": _("请求无法识别，请检查 JSON 格式"),
    })  # fmt: skip


def _build() -> None:
    for where, view, right in SINGLE:
        api.get(
            where.replace("{id}", "{int:id}"),
            tags=["questions"],
            summary=(view.__doc__ or "").strip(),
            operation_id=view.__name__,
            openapi_extra={"x-right": right},
        )(view)
    for resource in RESOURCES.values():
        extra = {"x-right": resource.right}
        api.get(f"/{resource.noun}", tags=[resource.noun], operation_id=f"list_{resource.noun}", openapi_extra=extra)(
            list_view(resource)
        )
        place = f"/{resource.noun}/{{int:id}}" if resource.has_numbers else f"/{resource.noun}/{{id}}"
        api.get(place, tags=[resource.noun], operation_id=f"get_{resource.noun}", openapi_extra=extra)(
            row_view(resource)
        )
    for operation in _verbs():
        where = address(operation)
        needed: dict[str, Any] = {"x-right": operation.right, "parameters": [_KEY]}
        view = view_of(operation)
        api.post(
            where.replace("{id}", "{int:id}"),
            tags=[where.split("/")[1]],
            summary=operation.label,
            operation_id=operation.name,
            openapi_extra=needed,
        )(view)


_KEY = {"in": "header", "name": "Idempotency-Key", "required": True, "schema": {"type": "string", "maxLength": 100}}


def _verbs() -> list[Operation]:
    """Return the operations in the order of their addresses."""
    return sorted(REGISTRY.values(), key=address)


@public_page
def docs(request: Any) -> HttpResponse:
    """The API as a table for people."""
    reads: list[tuple[str, str, str, tuple[str, ...]]] = []
    reads += [(f"{PREFIX}{where}", (view.__doc__ or "").strip(), right, ()) for where, view, right in SINGLE]
    reads += [
        (f"{PREFIX}/{one.noun}", ", ".join(one.fields), one.right, tuple(one.filters)) for one in RESOURCES.values()
    ]
    writes = [
        (
            f"{PREFIX}{address(one)}",
            one.label,
            one.right,
            [arg for arg in one.arguments if arg.name != one.row_argument],
        )
        for one in _verbs()
    ]
    return render(request, "public/api.html", reads=reads, writes=writes)


_build()


def _marked(patterns: list[Any]) -> list[Any]:
    for pattern in patterns:
        pattern.callback.own_scope = True
        pattern.callback.right = "public" if pattern.name in {"openapi-json", "api-root"} else "operation"
    return patterns


urlpatterns = [
    path("api/v1/docs", docs),
    path("api/v1/", (_marked(api.urls[0]), api.urls[1], api.urls[2])),
]
