"""What is wrong with a request that could not be read, in words that people understand."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from yinling.kernel.inputs import EARLIEST, LATEST
from yinling.kernel.words import N_

SENTENCES = {
    "missing": N_("必须填写"),
    "string_too_long": N_("最多 %(max_length)s 个字"),
    "string_too_short": N_("至少 %(min_length)s 个字"),
    "string_type": N_("应为文字"),
    "int_type": N_("应为整数"),
    "int_parsing": N_("应为整数"),
    "int_from_float": N_("应为整数"),
    "int_parsing_size": N_("数字超出范围"),
    "float_type": N_("应为数字"),
    "float_parsing": N_("应为数字"),
    "finite_number": N_("应为数字"),
    "bool_type": N_("应为是或否"),
    "bool_parsing": N_("应为是或否"),
    "list_type": N_("应为列表"),
    "dict_type": N_("应为对象"),
    "model_attributes_type": N_("应为 JSON 对象"),
    "greater_than_equal": N_("不能小于 %(ge)s"),
    "less_than_equal": N_("不能大于 %(le)s"),
    "literal_error": N_("不在可选范围内：%(expected)s"),
    "extra_forbidden": N_("没有这一项"),
    "timezone_aware": N_("时间须带时区，如 2026-01-31T09:00:00+08:00"),
    "value_error": N_("含有无法保存的字符，或者超出了范围"),
}
DAYS = ("date_", "datetime_")


def fault_of(one: dict[str, Any]) -> dict[str, str]:
    """Return field, code and sentence of one fault that pydantic found."""
    places = [str(part) for part in one["loc"][1:]]
    name = ".".join(places).removeprefix("payload.") or str(one["loc"][0])
    return {"field": name, "code": one["type"], "detail": _sentence(one)}


def _sentence(one: dict[str, Any]) -> str:
    kind, limits = one["type"], {name: _plain(value) for name, value in one.get("ctx", {}).items()}
    if kind.startswith(DAYS):
        return _("日期或时间不对，应写成 2026-01-31 或 2026-01-31T09:00:00+08:00")
    if {limits.get("ge"), limits.get("le")} & {EARLIEST.isoformat(), LATEST.isoformat()}:
        return _("日期须在1900年到2199年之间，长期有效请留空")
    sentence = SENTENCES.get(kind)
    if sentence is None:
        return _("内容不符合要求")
    return _(sentence) % limits if limits else _(sentence)


def _plain(value: Any) -> str:
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text.removesuffix("T00:00:00+00:00").replace(" or ", _("或"))
