"""How values look to people: times, money, masks, time left. Registered as filters of the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from markupsafe import Markup, escape

from yinling.ground.models import MOST_COUNTED
from yinling.kernel.masks import mask_address, mask_id, mask_name, mask_phone
from yinling.kernel.money import capital, yuan
from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_

WEEKDAYS = (N_("星期一"), N_("星期二"), N_("星期三"), N_("星期四"), N_("星期五"), N_("星期六"), N_("星期日"))
PARTS = ((6, N_("凌晨")), (12, N_("上午")), (13, N_("中午")), (18, N_("下午")), (24, N_("晚上")))
NOON = 12
SOON = timedelta(hours=1)
MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR
EMPTY = "—"


def in_language(text: str) -> str:
    """Return a text of ours in the language of the page. They are written in Chinese, so Chinese pages need no look-up."""
    return text if (get_language() or "").startswith("zh") else _(text)


def tr(text: object) -> str:
    """Translate a label of a table. The result is escaped like any text (``_()`` in a template would trust it)."""
    source = str(text)
    return in_language(source) if source else ""


def source(document: object, clause: object = "") -> str:
    """Write where a rule comes from. What begins with X- is no official document but the supplement to the plans."""
    name, place = str(document), str(clause)
    if not name.startswith("X-"):
        return f"{tr(name)} {tr(place)}".strip()
    return f"{_('补充资料')} {'' if place.isascii() else tr(place)}".strip()


def moment(value: datetime | None) -> str:
    """Write a moment in local time: 2026-11-21 15:05."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else EMPTY


def second(value: datetime | None) -> str:
    """Write a moment to the second, for journals."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}" if value else EMPTY


def day(value: date | datetime | None) -> str:
    """Write a day: 2026-11-21; of a moment its local day."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return value.isoformat() if value else EMPTY


def clock(value: datetime | None) -> str:
    """Write the local time of day: 15:05."""
    return f"{timezone.localtime(value):%H:%M}" if value else EMPTY


def month(value: date) -> str:
    """Write a month: 2026-11."""
    return f"{value:%Y-%m}"


def iso(value: datetime) -> str:
    """Write a moment for ``<time datetime>`` and scripts."""
    return value.isoformat()


def elder_day(value: date | datetime) -> str:
    """Write a day for elders: 11月21日 星期六."""
    on = timezone.localtime(value).date() if isinstance(value, datetime) else value
    return _("%(month)s月%(day)s日 %(weekday)s") % {
        "month": on.month,
        "day": on.day,
        "weekday": _(WEEKDAYS[on.weekday()]),
    }


def elder_hour(value: datetime) -> str:
    """Write a time of day for elders: 下午 3 点, 上午 9 点 30 分."""
    local = timezone.localtime(value)
    part = _(next(name for limit, name in PARTS if local.hour < limit))
    hour = local.hour - NOON if local.hour > NOON else local.hour
    if local.minute:
        return _("%(part)s %(hour)s 点 %(minute)s 分") % {"part": part, "hour": hour, "minute": local.minute}
    return _("%(part)s %(hour)s 点") % {"part": part, "hour": hour}


def elder_moment(value: datetime) -> str:
    """Write a moment for elders: 11月21日 星期六 下午 3 点."""
    return f"{elder_day(value)} {elder_hour(value)}"


def appointed(order: Any) -> str:
    """Write for elders when somebody comes: while nobody is named the agreed span, afterwards the hour, and whether it was changed."""
    if order.starts_at != order.earliest_at:
        return _("%(at)s（比预约的时间有调整）") % {"at": elder_moment(order.starts_at)}
    if order.state in ("placed", "accepted") and order.latest_at > order.earliest_at:
        values = {"from": elder_moment(order.earliest_at), "to": elder_hour(order.latest_at)}
        return _("%(from)s 到 %(to)s 之间开始") % values
    return elder_moment(order.starts_at)


def named_answer(row: Any) -> str:
    """Write a carer with the answer given: 张三（已接受）."""
    return _("%(name)s（%(answer)s）") % {"name": row.staff_name, "answer": tr(row.get_state_display())}


def span(minutes: int) -> str:
    """Write a length of time: 2 天 3 小时, 1 小时 20 分, 15 分."""
    days, rest = divmod(max(minutes, 0), MINUTES_PER_DAY)
    hours, left = divmod(rest, MINUTES_PER_HOUR)
    parts = []
    if days:
        parts.append(ngettext("%(n)s 天", "%(n)s 天", days) % {"n": days})
    if hours:
        parts.append(ngettext("%(n)s 小时", "%(n)s 小时", hours) % {"n": hours})
    if not days and (left or not hours):
        parts.append(ngettext("%(n)s 分", "%(n)s 分", left) % {"n": left})
    return " ".join(parts)


def hours(minutes: int) -> str:
    """Write working time, which has no days: 116 小时 7 分."""
    whole, rest = divmod(max(minutes, 0), MINUTES_PER_HOUR)
    return (
        _("%(h)s 小时 %(m)s 分") % {"h": whole, "m": rest}
        if whole
        else ngettext("%(n)s 分", "%(n)s 分", rest) % {"n": rest}
    )


def time_left(due: datetime | None, now: datetime) -> str:
    """Write what remains: 剩 1 小时 20 分, 已超 15 分."""
    if due is None:
        return EMPTY
    minutes = int(abs(due - now).total_seconds() // 60)
    text = _("剩 %(span)s") if due >= now else _("已超 %(span)s")
    return text % {"span": span(minutes)}


def left_tone(due: datetime | None, now: datetime) -> str:
    """Return the tone of what remains: over, soon or calm."""
    if due is None:
        return "calm"
    return "over" if due < now else "soon" if due - now < SOON else "calm"


def amount(fen: int | None) -> str:
    """Write money with its unit: 1,234.50 元."""
    return EMPTY if fen is None else _("%(amount)s 元") % {"amount": yuan(fen)}


def percent(numerator: int, denominator: int | None) -> str:
    """Write a share with one decimal; of nothing it is n/a, never 100 %."""
    return f"{numerator * 100 / denominator:.1f} %" if denominator else _("不适用")


def label_of(value: str, choices: Any) -> str:
    """Return the translated label of a stored value among (value, label) pairs."""
    return tr(dict(choices).get(value, value))


def refusal_text(refusal: Refusal) -> str:
    """Return the sentence of a refusal in the reader's language; names in lists are translated one by one."""
    values = {name: _names(value) if isinstance(value, str) else value for name, value in refusal.values.items()}
    sentence = _(refusal.template)
    return sentence % values if values else sentence


def _names(value: str) -> str:
    return "、".join(tr(part) for part in value.split("、"))


def attributes(values: dict[str, Any]) -> Markup:
    """Write HTML attributes; None and False are left out, True stands alone."""
    kept = {name.replace("_", "-"): value for name, value in values.items() if value is not None and value is not False}
    parts = [f" {name}" if value is True else f' {name}="{escape(value)}"' for name, value in kept.items()]
    return Markup("".join(parts))  # noqa: S704 - names of ours, and values just escaped


def tally(count: int | None) -> str | None:
    """Write a count that may have ended early: 7, or 99+."""
    if count is None:
        return None
    return str(count) if count < MOST_COUNTED else f"{MOST_COUNTED - 1}+"


FILTERS: dict[str, Callable[..., Any]] = {
    "tr": tr,
    "moment": moment,
    "source": source,
    "second": second,
    "day": day,
    "clock": clock,
    "month": month,
    "iso": iso,
    "elder_day": elder_day,
    "elder_hour": elder_hour,
    "elder_moment": elder_moment,
    "appointed": appointed,
    "named_answer": named_answer,
    "span": span,
    "hours": hours,
    "time_left": time_left,
    "left_tone": left_tone,
    "yuan": yuan,
    "amount": amount,
    "capital": capital,
    "percent": percent,
    "label_of": label_of,
    "mask_name": mask_name,
    "mask_phone": mask_phone,
    "mask_id": mask_id,
    "mask_address": mask_address,
    "refusal_text": refusal_text,
    "attributes": attributes,
}
