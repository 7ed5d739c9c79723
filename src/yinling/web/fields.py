"""Form fields made from the arguments of an operation: shape is checked here, meaning by the operation."""

from __future__ import annotations

import base64
import json
import types
import typing
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yinling.ground.operation import Argument
from yinling.kernel.inputs import EARLIEST, LATEST
from yinling.kernel.money import parse_yuan, yuan
from yinling.kernel.refusals import Refused
from yinling.web.options import options
from yinling.web.show import tr

MOST_PHOTO = 8 * 1024 * 1024


class YuanField(forms.CharField):
    """Typed in yuan, stored in fen, within the limits of its argument."""

    def __init__(self, *, least: int | None, most: int | None, **values: Any) -> None:
        self.least, self.most = least, most
        super().__init__(**values)

    def clean(self, value: Any) -> Any:
        """Return fen."""
        text = super().clean(value)
        if not text:
            return None
        try:
            fen = parse_yuan(text)
        except Refused as refusal:
            raise ValidationError(tr(refusal.template)) from refusal
        if self.least is not None and fen < self.least:
            raise ValidationError(_("金额不能少于 %(sum)s 元") % {"sum": yuan(self.least)})
        if self.most is not None and fen > self.most:
            raise ValidationError(_("金额不能多于 %(sum)s 元") % {"sum": yuan(self.most)})
        return fen

    def prepare_value(self, value: Any) -> Any:
        """Show fen as yuan; text typed before stays as typed."""
        return yuan(value) if isinstance(value, int) else value


class PhotoField(forms.FileField):
    """A picture of the camera or gallery, handed on as base64 text."""

    widget = forms.FileInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the content as base64."""
        picture = super().clean(data, initial)
        if not picture:
            return ""
        if picture.size > MOST_PHOTO:
            raise ValidationError(_("照片超过 8 MB，请缩小后再传"))
        return base64.b64encode(picture.read()).decode()


class LinesField(forms.CharField):
    """Several values, one a line."""

    def clean(self, value: Any) -> Any:
        """Return the lines that are not empty."""
        return [line.strip() for line in (super().clean(value) or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        """Show a list as lines."""
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value


class JsonField(forms.CharField):
    """A structure typed or written by a script as JSON."""

    def clean(self, value: Any) -> Any:
        """Return the structure."""
        text = super().clean(value)
        if "\\u0000" in (text or ""):
            raise ValidationError(_("含有无法保存的字符"))
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("格式不正确，请检查括号和引号")) from error

    def prepare_value(self, value: Any) -> Any:
        """Show a structure as JSON."""
        return value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False)


def bare(kind: Any) -> tuple[Any, bool]:
    """Return the type without None, and whether None was allowed."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        rest = [part for part in typing.get_args(kind) if part is not type(None)]
        return rest[0], len(rest) < len(typing.get_args(kind))
    return kind, False


def field_for(argument: Argument, request: Any, change: dict[str, Any]) -> forms.Field:
    """Return the field of one argument; ``change`` may give label, help, widget, options, choices, required."""
    shown = argument.input
    widget = change.get("widget", shown.widget)
    kind, may_be_none = bare(argument.type)
    required = argument.required and not may_be_none and kind is not bool
    common: dict[str, Any] = {
        "label": tr(change.get("label", shown.label)),
        "help_text": tr(change.get("help", shown.help)),
        "required": change.get("required", required),
    }
    choices = (
        options(change["options"], request)
        if "options" in change
        else [(v, tr(text)) for v, text in change.get("choices", shown.choices)]
    )
    field = (
        _choice(kind, widget, choices, common, optional=not common["required"])
        if choices or "options" in change
        else None
    )
    field = field or _plain(kind, widget, argument, common)
    _dress(field, widget, common["label"])
    return field


def _choice(kind: Any, widget: str, choices: list[Any], common: dict[str, Any], *, optional: bool) -> forms.Field:
    if typing.get_origin(kind) is list:
        return forms.TypedMultipleChoiceField(
            choices=choices, coerce=typing.get_args(kind)[0], widget=forms.CheckboxSelectMultiple, **common
        )
    blank = any(str(value) == "" for value, _text in choices)
    if widget == "radio":
        picked: Any = forms.RadioSelect
    elif widget == "hidden":
        picked = forms.HiddenInput
    else:
        picked = forms.Select
        choices = choices if blank else [("", _("请选择")), *choices]
    empty = None if kind is int and optional else ""
    return forms.TypedChoiceField(choices=choices, coerce=kind, empty_value=empty, widget=picked, **common)


def _plain(kind: Any, widget: str, argument: Argument, common: dict[str, Any]) -> forms.Field:
    shown = argument.input
    if widget == "yuan":
        return YuanField(least=shown.least, most=shown.most, **common)
    if widget in OF_WIDGET:
        return OF_WIDGET[widget](**common)
    if kind in SIMPLE:
        return SIMPLE[kind](**common)
    if kind in (int, float):
        number = forms.IntegerField if kind is int else forms.FloatField
        return number(min_value=shown.least, max_value=shown.most, **common)
    if kind is str:
        return forms.CharField(max_length=shown.max_length, strip=widget != "password", **common)
    is_lines = typing.get_origin(kind) is list and typing.get_args(kind) != (dict,)
    return (LinesField if is_lines else JsonField)(widget=forms.Textarea, **common)


def _in_range(value: date) -> None:
    day = value.date() if isinstance(value, datetime) else value
    if not EARLIEST <= day <= LATEST:
        raise ValidationError(_("日期须在1900年到2199年之间，长期有效请留空"))


def _moment(**common: Any) -> forms.Field:
    return forms.DateTimeField(
        validators=[_in_range],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        **common,
    )


def _day(**common: Any) -> forms.Field:
    return forms.DateField(
        validators=[_in_range], widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **common
    )


def _month(**common: Any) -> forms.Field:
    return forms.DateField(
        validators=[_in_range], input_formats=["%Y-%m", "%Y-%m-%d"], widget=forms.DateInput(attrs={"type": "month"}, format="%Y-%m"), **common
    )  # fmt: skip


SIMPLE: dict[Any, Any] = {bool: forms.BooleanField, datetime: _moment, date: _day}
OF_WIDGET: dict[str, Any] = {"photo": PhotoField, "month": _month}
INPUTS: dict[str, Any] = {
    "area": lambda: forms.Textarea(attrs={"rows": 3}),
    "hidden": forms.HiddenInput,
    "password": lambda: forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    "position": lambda: forms.HiddenInput(attrs={"data-position": ""}),
    "photo": lambda: forms.FileInput(attrs={"accept": "image/*"}),
}


def _dress(field: forms.Field, widget: str, label: str) -> None:
    if widget in INPUTS and not isinstance(field, forms.ChoiceField):
        dressed = INPUTS[widget]()
        dressed.attrs |= field.widget_attrs(dressed)
        dressed.is_required = field.required
        field.widget = dressed
    if isinstance(field, forms.IntegerField | YuanField):
        field.widget.attrs["inputmode"] = "numeric" if type(field) is forms.IntegerField else "decimal"
    field.error_messages |= {
        "required": _("请填写“%(label)s”") % {"label": label},
        "invalid": _("“%(label)s”的格式不对，请重新填写") % {"label": label},
        "invalid_choice": _("“%(label)s”不在可选范围内，请重新选择") % {"label": label},
    }
    if isinstance(field, forms.ChoiceField) or widget in {"date", "moment", "month"}:
        field.error_messages["required"] = _("请选择“%(label)s”") % {"label": label}
