"""The writes of the API, made from the registry of operations: ``POST /<nouns>/<verb>`` and ``POST /<nouns>/{id}/<verb>``."""

from __future__ import annotations

import functools
import inspect
import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from django.db.models import Model, prefetch_related_objects
from django.http import HttpResponse, JsonResponse
from ninja import Body, Path, Schema
from pydantic import AwareDatetime, ConfigDict, Field, create_model, model_validator

from yinling.ground.idempotency import once
from yinling.ground.kept import Given, Kept
from yinling.ground.operation import Argument, Operation, note_refusal
from yinling.kernel.inputs import EARLIEST, LATEST
from yinling.kernel.money import MOST_FEN
from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_
from yinling.web.actions import secrets_of
from yinling.web.afterwards import follow_up
from yinling.web.api.caller import in_scope
from yinling.web.api.resource import shown
from yinling.web.api.resources import BY_MODEL, RESOURCES
from yinling.web.fields import bare

PLURALS = {
    "delivery": "deliveries",
    "emergency": "emergencies",
    "health": "health-facts",
    "recovery": "recoveries",
    "staff": "staff",
}
BIGGEST = 2**63 - 1
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
AwareMoment = Annotated[
    AwareDatetime, Field(ge=datetime.combine(EARLIEST, time(), UTC), le=datetime.combine(LATEST, time(), UTC))
]
"""A moment with its offset, in the years that can be meant."""


class Strict(Schema):
    """A body in which unknown names are refused, so that a slip of the pen is not passed over."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, body: Any) -> Any:
        """Refuse texts that no database keeps: with a NUL or half a character."""
        check_storable(body)
        return body


def check_storable(value: Any) -> None:
    """Raise ValueError for a text with a NUL or half a character, however deep, and for a number beyond those of a row."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, str) and UNSTORABLE.search(one):
            raise ValueError("text")
        elif isinstance(one, int | float) and not -BIGGEST <= one <= BIGGEST:
            raise ValueError("number")


class BadRequest(Refusal):
    """A write without what every write needs."""

    status = 400


def plural(noun: str) -> str:
    """Return a noun as it stands in addresses."""
    return PLURALS.get(noun, f"{noun}s").replace("_", "-")


def address(operation: Operation) -> str:
    """Return the address of an operation below ``/api/v1``."""
    middle = "/{id}" if operation.row_argument else ""
    return f"/{plural(operation.noun)}{middle}/{operation.verb.replace('_', '-')}"


def body_of(operation: Operation) -> type[Strict]:
    """Return the schema of an operation's arguments, with their limits; the row itself stands in the address."""
    fields: dict[str, Any] = {}
    for argument in operation.arguments:
        if argument.name != operation.row_argument:
            fields[argument.name] = _field(argument)
    return create_model(f"{operation.name}_body", __base__=Strict, **fields)


def _field(argument: Argument) -> tuple[Any, Any]:
    kind, may_be_none = bare(argument.type)
    shape = argument.input
    limits: dict[str, Any] = {}
    if kind is str:
        limits = {"max_length": shape.max_length if shape.widget != "photo" else 12_000_000}
        if shape.choices:
            kind = Literal[tuple(value for value, _label in shape.choices)]  # type: ignore[misc]
            limits = {}
    elif kind is int:
        is_money = shape.widget == "yuan"
        limits = {
            "ge": shape.least if shape.least is not None else -BIGGEST,
            "le": shape.most if shape.most is not None else (MOST_FEN if is_money else BIGGEST),
            "strict": is_money,
        }
    elif kind is float:
        limits = {"ge": shape.least, "le": shape.most, "allow_inf_nan": False}
    elif kind is datetime:
        kind = AwareMoment
    elif kind is date:
        limits = {"ge": EARLIEST, "le": LATEST}
    hint: Any = Annotated[kind, Field(**limits)] if limits else kind
    if shape.choices and not argument.required and argument.default == "":
        hint = Literal[("", *(value for value, _label in shape.choices))]
    if may_be_none:
        hint = hint | None
    default = ... if argument.required else argument.default
    return hint, Field(default, description=shape.label)


def view_of(operation: Operation) -> Any:
    """Return the view of an operation, with the signature from which the documentation is made."""
    schema = body_of(operation)
    has_row, has_body = bool(operation.row_argument), bool(schema.model_fields)

    @in_scope
    def view(request: Any, **given: Any) -> HttpResponse:
        payload = given.get("payload")
        arguments = {name: getattr(payload, name) for name in schema.model_fields} if payload is not None else {}
        arguments = {name: value for name, value in arguments.items() if not _is_left_out(operation, name, value)}
        if has_row:
            arguments[operation.row_argument] = given["id"]
        request.subject = _subject(operation, arguments)
        try:
            return perform(request, operation, arguments)
        except Refusal as refusal:
            note_refusal(operation.right, refusal, {"actor": request.actor, "now": request.now, **arguments})
            raise

    parameters = [inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    if has_row:
        parameters.append(
            inspect.Parameter("id", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[int, Path(ge=1, le=BIGGEST)])
        )
    if has_body:
        is_optional = all(not one.is_required() for one in schema.model_fields.values())
        default = Body(schema()) if is_optional else Body(...)
        parameters.append(
            inspect.Parameter("payload", inspect.Parameter.KEYWORD_ONLY, annotation=schema, default=default)
        )
    view.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    view.__name__ = operation.name
    view.__annotations__ = {}
    return view


def _subject(operation: Operation, arguments: dict[str, Any]) -> str:
    """Return what a refusal is about: the row of the address, else the first row the body names."""
    names = [operation.row_argument, *(name for name in arguments if name.endswith("_id"))]
    name = next((name for name in names if arguments.get(name)), "")
    return f"{name.removesuffix('_id')}:{arguments[name]}" if name else ""


def _is_left_out(operation: Operation, name: str, value: Any) -> bool:
    argument = next(one for one in operation.arguments if one.name == name)
    return not argument.required and value is None


def perform(request: Any, operation: Operation, arguments: dict[str, Any]) -> HttpResponse:
    """Run an operation once per key, keep its answer, and add what is shown only the first time."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key or len(key) > 100:  # noqa: PLR2004 - the column
        raise BadRequest("idempotency.missing", N_("请在请求头 Idempotency-Key 中给出一个不超过 100 字的唯一键"))
    secrets: dict[str, str] = {}

    def effect() -> tuple[int, Any]:
        result = operation.function(actor=request.actor, now=request.now, **arguments)
        follow_up(operation.name, result, request.now)
        secrets.update(secrets_of(result))
        return 200 if operation.row_argument else 201, answer_of(result)

    body = {
        name: value if isinstance(value, int | float | bool | list | dict) else str(value)
        for name, value in arguments.items()
    }
    route = f"/api/v1{address(operation)}"
    user_id = request.actor.user_id
    status, answer, repeated = once(user_id=user_id, key=key, route=route, body=body, perform=effect, savepoint=False)
    headers = {"Idempotency-Replayed": "true"} if repeated else {}
    return JsonResponse(
        dict(answer) | secrets, status=status, headers=headers, json_dumps_params={"ensure_ascii": False}
    )


def answer_of(result: Any) -> dict[str, Any]:
    """Return what is kept of an operation's result: the row as its resource shows it."""
    resource = BY_MODEL.get(type(result))
    if resource is not None:
        return shown(resource, _again(resource.noun, result))
    if isinstance(result, list):
        return {"id": None, "count": len(result)}
    if isinstance(result, int):
        return {"id": None, "count": result}
    return {"id": getattr(result, "pk", None)}


def _again(noun: str, row: Any) -> Any:
    """Return the row with what its resource reads beside it, fresh from the database."""
    kept = _row_of(type(row))  # type: ignore[arg-type]  # a class is hashable
    found = next(iter(kept(pk=row.pk)), row)
    prefetch_related_objects([found], *RESOURCES[noun].with_rows)
    return found


@functools.cache
def _row_of(model: type[Model]) -> Kept[Model]:
    return Kept(lambda: model._default_manager.filter(pk=Given("pk")))  # noqa: SLF001 - Django's own name
