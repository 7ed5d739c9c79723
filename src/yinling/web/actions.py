"""One way from every screen to every operation: a form made from the operation's arguments, sent to ``/do/<operation>/``.

The form works without scripts. What a page changes about it (labels, lists, where to go next) travels in one signed field, so that
a refused form comes back the same, with the typed text and the sentence at its field.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from markupsafe import Markup

from yinling.accounts.models import Journal
from yinling.ground.idempotency import once
from yinling.ground.operation import REGISTRY, Operation, note_refusal, plain
from yinling.kernel.refusals import Denied, Refusal, Refused, Stale
from yinling.kernel.words import N_
from yinling.web.afterwards import follow_up
from yinling.web.environment import pages
from yinling.web.fields import bare, field_for
from yinling.web.pages import page_context, render
from yinling.web.show import refusal_text, tr

SALT = "yinling.action"
DAYS = 2


@dataclass(frozen=True)
class Look:
    """What a page says about a form: JSON values only, because it travels signed."""

    next: str = ""
    submit: str = ""
    done: str = ""
    tone: str = "primary"
    confirm: str = ""
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    key_hint: str = ""
    layout: str = ""
    place: int = 0

    @property
    def id_stem(self) -> str:
        """What tells the fields of several forms of one operation on a page apart, so that each label finds its own."""
        return f"{self.place}-" if self.place else ""

    def signed(self, name: str) -> str:
        """Return the text of the hidden field."""
        kept = {key: value for key, value in self.__dict__.items() if value}
        return signing.dumps({"name": name, **kept}, salt=SALT, compress=True)

    @classmethod
    def read(cls, text: str, name: str) -> Look:
        """Return what was signed for this operation; anything else is the plain look."""
        try:
            kept = signing.loads(text, salt=SALT, max_age=DAYS * 86400)
        except signing.BadSignature:
            return cls()
        if kept.pop("name", "") != name:
            return cls()
        return cls(**kept)


@dataclass
class ActionForm:
    """A form of one operation on one page. Templates print it with ``ui.action(form)``."""

    request: Any
    operation: Operation
    look: Look
    form: forms.Form
    key: str
    problem: str = ""
    problem_code: str = ""
    note: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the person's role has the right at all, and the page shows today: nobody acts on the past."""
        return getattr(self.request, "asked", None) is None and bool(self.request.actor.has(self.operation.right))

    @property
    def submit(self) -> str:
        """The verb on the button."""
        return tr(self.look.submit or self.operation.label)

    @property
    def target(self) -> str:
        """Where the form is sent."""
        return f"/do/{self.operation.name}/"

    @cached_property
    def signed(self) -> str:
        """The signed look."""
        return self.look.signed(self.operation.name)

    @cached_property
    def is_multipart(self) -> bool:
        """Whether a file is sent."""
        return bool(self.form.is_multipart())

    def render(self) -> Markup:
        """Return the form, or nothing for a role without the right."""
        if not self.allowed:
            return Markup()
        context = page_context(self.request) | {"action": self}
        return Markup(pages().get_template("parts/action.html").render(context))  # noqa: S704 - our own template


def action_form(request: Any, name: str, initial: dict[str, Any] | None = None, **look: Any) -> ActionForm:
    """Return the form of an operation. See ``Look`` for what a page may say: next, submit, fields, hidden, only, tone, confirm, done.

    ``fields={"organisation_id": {"options": "providers", "label": "机构", "widget": "choice"}}`` changes single fields.
    ``hidden`` names fields that are sent but not shown; with ``only`` all others but the named and the hidden are left out.
    """
    operation = REGISTRY[name]
    places = request.__dict__.setdefault("places", Counter())
    shape = Look(**look, place=places[name])
    places[name] += 1
    form = form_of(operation, request, shape, initial=initial or {})
    return ActionForm(request, operation, shape, form, uuid.uuid4().hex)


def form_of(
    operation: Operation, request: Any, look: Look, data: Any = None, files: Any = None, **values: Any
) -> forms.Form:
    """Return the form of an operation. Its fields are made for it alone, so that no class is made, nor copied from."""
    form = forms.Form(data, files, auto_id=f"{operation.name}-{look.id_stem}%s", label_suffix="", **values)
    form.fields = fields_of(operation, request, look)
    return form


def fields_of(operation: Operation, request: Any, look: Look) -> dict[str, forms.Field]:
    """Return the fields of an operation's form by name."""
    fields: dict[str, forms.Field] = {}
    for argument in operation.arguments:
        name = argument.name
        change = dict(look.fields.get(name, {}))
        if look.only and name not in look.only and name not in look.hidden and argument.input.widget != "hidden":
            continue
        if name in look.hidden:
            change["widget"] = "hidden"
        made = field_for(argument, request, change)
        if made.initial is None and argument.default is not None:
            made.initial = argument.default
        fields[name] = made
    return fields


def arguments_from(operation: Operation, cleaned: dict[str, Any]) -> dict[str, Any]:
    """Return what the operation is called with: an empty optional field means its default."""
    values: dict[str, Any] = {}
    for argument in operation.arguments:
        if argument.name not in cleaned:
            continue
        value = cleaned[argument.name]
        kind, _none = bare(argument.type)
        if value in (None, "") and kind is not bool and not argument.required:
            continue
        values[argument.name] = value
    return values


@require_POST
def perform(request: Any, name: str) -> HttpResponse:
    """Run an operation from a form: shape, idempotency, operation, then on to the next page or back with the sentence."""
    operation = REGISTRY.get(name)
    if operation is None:
        raise Http404
    if not request.user.is_authenticated:
        raise Denied("login.needed", N_("请先复制已填写的内容，重新登录后再提交"))
    look = Look.read(request.POST.get("_form", ""), name)
    form = form_of(operation, request, look, request.POST, request.FILES)
    key = request.POST.get("_key", "")[:100] or uuid.uuid4().hex
    action = ActionForm(request, operation, look, form, key)
    if not form.is_valid():
        _note_shape(request, operation, form)
        return refused(action, 422)
    arguments = arguments_from(operation, form.cleaned_data)
    try:
        answer = _run(request, operation, key, arguments)
    except Refusal as refusal:
        note_refusal(operation.right, refusal, {"actor": request.actor, "now": request.now, **arguments})
        _explain(action, refusal, arguments)
        return refused(action, refusal.status)
    return _onwards(request, action, answer)


perform.right = "operation"  # type: ignore[attr-defined]


def _note_shape(request: Any, operation: Operation, form: forms.Form) -> None:
    """A form that could not be read is a refused write, too: it leaves its one row, without what was typed."""
    refusal = Refused("request.invalid", field=next(iter(form.errors), ""))
    row = {operation.row_argument: form.cleaned_data.get(operation.row_argument)} if operation.row_argument else {}
    note_refusal(operation.right, refusal, {"actor": request.actor, "now": request.now, **row})


def _run(request: Any, operation: Operation, key: str, arguments: dict[str, Any]) -> dict[str, Any]:
    secrets: dict[str, str] = {}

    def effect() -> tuple[int, Any]:
        result = operation.function(actor=request.actor, now=request.now, **arguments)
        follow_up(operation.name, result, request.now)
        secrets.update(secrets_of(result))
        return 200, {"id": getattr(result, "pk", None), "code": str(getattr(result, "code", ""))}

    body = {name: plain(value) if not isinstance(value, list | dict) else value for name, value in arguments.items()}
    route = f"/do/{operation.name}/"
    _status, answer, _again = once(user_id=request.user.pk, key=key, route=route, body=body, perform=effect)
    return dict(answer) | {"shown": secrets}


def secrets_of(result: Any) -> dict[str, str]:
    """Return what is shown once and never stored: a new token, the clear values of a revealed file."""
    if isinstance(result, dict):
        return {name: str(value) for name, value in result.items()}
    text = getattr(result, "plain", "")
    return {"token": text} if text else {}


def _explain(action: ActionForm, refusal: Refusal, arguments: dict[str, Any]) -> None:
    sentence = refusal_text(refusal)
    action.problem_code = refusal.code
    shown = action.form.fields.get(refusal.field)
    if shown is not None and not shown.widget.is_hidden:
        action.form.add_error(refusal.field, sentence)
    else:
        action.problem = sentence
    if isinstance(refusal, Stale):
        action.note = _last_change(action.operation, arguments)


def _last_change(operation: Operation, arguments: dict[str, Any]) -> str:
    """Say who changed the row last and to what, so that both versions stand side by side."""
    pk = arguments.get(operation.row_argument) if operation.row_argument else None
    row = (
        Journal.objects.filter(subject_type=operation.noun, subject_id=pk, is_refused=False).order_by("-pk").first()
        if pk
        else None
    )
    if row is None:
        return ""
    changes = "；".join(
        f"{name}: {pair[0]} → {pair[1]}" for name, pair in row.changes.items() if isinstance(pair, list)
    )
    return _("现在的版本由 %(name)s 保存。%(changes)s") % {"name": row.user_name, "changes": changes}


def refused(action: ActionForm, status: int) -> HttpResponse:
    """Show the form again with what was typed."""
    if action.request.htmx:
        return render(action.request, "parts/action.html", status=status, action=action)
    return render(action.request, "parts/action_page.html", status=status, action=action)


def _onwards(request: Any, action: ActionForm, answer: dict[str, Any]) -> HttpResponse:
    done = tr(action.look.done) if action.look.done else _("已完成：%(label)s") % {"label": action.submit}
    if answer["shown"]:
        return render(
            request,
            "parts/shown_once.html" if request.htmx else "parts/shown_once_page.html",
            answer=answer,
            action=action,
            done=done,
        )
    target = action.look.next.replace("{id}", str(answer.get("id") or "")).replace("{code}", answer.get("code", ""))
    if not target and request.htmx:
        told = {"toast": done, "acted": {"operation": action.operation.name, "id": answer.get("id")}}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(told)})
    messages.success(request, done)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target or "/")
