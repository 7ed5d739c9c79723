"""The API below ``/api/v1/``: verbs from the registry, reads from the table, the documentation without any outside file."""

from __future__ import annotations

import functools
from typing import Any

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from yinling.ground.operation import REGISTRY, Operation, note_refusal
from yinling.ground.scope import scope
from yinling.kernel.refusals import Refusal, Refused
from yinling.kernel.words import N_
from yinling.web.addresses import by_first_part
from yinling.web.api.caller import Caller
from yinling.web.api.faults import fault_of
from yinling.web.api.reads import SINGLE, list_view, row_view
from yinling.web.api.resources import RESOURCES
from yinling.web.api.verbs import BIGGEST, BadRequest, address, view_of
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
def _invalid(request: Any, error: ValidationError) -> HttpResponse:
    faults = [fault_of(one) for one in error.errors]
    told = "；".join(dict.fromkeys(f"{one['field']}：{one['detail']}" for one in faults))
    refusal = Refused("request.invalid", N_("这些内容不符合要求：%(told)s"), field=faults[0]["field"], told=told)
    _journal_invalid(request, refusal)
    return problem(refusal, errors=faults)


def _journal_invalid(request: Any, refusal: Refusal) -> None:
    """A write that could not be read is a refused write, too: it leaves its one row."""
    operation = OPERATIONS.get(request.resolver_match.url_name) if request.method == "POST" else None
    if operation is None or not hasattr(request, "actor"):
        return
    row_id = min(request.resolver_match.kwargs.get("id", 0), BIGGEST) or None
    kept = Refused(refusal.code, field=refusal.field)  # what was typed stays out of the journal
    with scope(request.actor):
        arguments = {"actor": request.actor, "now": request.now, operation.row_argument or "id": row_id}
        note_refusal(operation.right, kept, arguments)


@api.exception_handler(DataError)
def _unstorable(request: HttpRequest, error: DataError) -> HttpResponse:  # noqa: ARG001 - ninja's signature
    return problem(Refused("filter.invalid", N_("筛选条件含有无法识别的字符，或者超出了范围")))


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:  # noqa: ARG001 - ninja's signature
    answer = problem_document({
        "type": "urn:yinling:token.invalid", "title": "Unauthenticated", "status": 401, "code": "token.invalid",
        "detail": _("没有令牌，或令牌已失效。请用 Authorization: Bearer 给出有效的令牌"),
    })  # fmt: skip
    answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    refusal = BadRequest("request.bad", N_("请求无法识别，请检查 JSON 格式"))
    refusal.status = error.status_code
    _journal_invalid(request, refusal)
    return problem(refusal)


def _build() -> None:
    for operation in _verbs():
        where = address(operation)
        needed: dict[str, Any] = {"x-right": operation.right, "parameters": [_KEY]}
        view = view_of(operation)
        api.post(
            where.replace("{id}", "{int:id}"),
            tags=[where.split("/")[1]],
            summary=operation.label,
            operation_id=operation.name,
            url_name=operation.name,
            openapi_extra=needed,
        )(view)
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


OPERATIONS = dict(REGISTRY)
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


def _explained(view: Any) -> Any:
    """Answer a method that an address does not know as a problem, too."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = view(request, *args, **kwargs)
        if answer.status_code != 405:  # noqa: PLR2004 - method not allowed
            return answer
        told = problem_document({
            "type": "urn:yinling:request.method", "title": "Method not allowed", "status": 405, "code": "request.method",
            "detail": _("这个地址不接受这种请求方法，请查看接口文档"),
        })  # fmt: skip
        told["Allow"] = answer["Allow"]
        return told

    return run


def _marked(patterns: list[Any]) -> list[Any]:
    for pattern in patterns:
        pattern.callback = _explained(pattern.callback)
        pattern.callback.own_scope = True
        pattern.callback.right = "public" if pattern.name in {"openapi-json", "api-root"} else "operation"
    return patterns


urlpatterns = [
    path("api/v1/docs", docs),
    path("api/v1/", (by_first_part(_marked(api.urls[0])), api.urls[1], api.urls[2])),
]
