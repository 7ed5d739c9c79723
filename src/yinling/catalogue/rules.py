"""Decisions about the list and its prices."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from yinling.kernel.money import parse_yuan
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

MOST_LINES = 500
_SEPARATOR = re.compile(r"[,，;；\t ]+")


@dataclass(frozen=True)
class PriceLine:
    """One line of a price list as typed: the item's code, its price and the call-out fee, in fen."""

    code: str
    amount_fen: int
    callout_fee_fen: int = 0


@dataclass(frozen=True)
class OnRecord:
    """A price on record: its key and its days."""

    key: int
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Fit:
    """What publishing a price from a day on means for those on record.

    ``valid_to`` ends the new price where a later published one begins; ``closed`` leave the record; of those in ``shortened``
    the days before the new price stay on record.
    """

    valid_to: date | None
    closed: tuple[int, ...]
    shortened: tuple[int, ...]


def fit(on_record: Iterable[OnRecord], valid_from: date) -> Fit:
    """Fit a new price among those of the same item and organisation: on each day the list with the latest first day holds (D-18)."""
    later = [row.valid_from for row in on_record if row.valid_from > valid_from]
    hit = [
        row for row in on_record if row.valid_from <= valid_from and (row.valid_to is None or row.valid_to > valid_from)
    ]
    return Fit(
        valid_to=min(later, default=None),
        closed=tuple(row.key for row in hit),
        shortened=tuple(row.key for row in hit if row.valid_from < valid_from),
    )


def parse_prices(text: str) -> list[PriceLine]:
    """Read a price list: one item a line, ``code, price in yuan[, call-out fee in yuan]``. Refuses a line it cannot read."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise Refused(
            "price_list.empty",
            N_("请至少填写一个项目的价格，每行一项：项目编号, 价格(元), 上门服务费(元)"),
            field="prices",
        )
    if len(lines) > MOST_LINES:
        raise Refused("price_list.long", N_("一份价目最多 %(most)s 行，请分几份填写"), field="prices", most=MOST_LINES)
    found = [_line(number, line) for number, line in lines]
    codes = [line.code for line in found]
    if twice := next((code for code in codes if codes.count(code) > 1), None):
        raise Refused("price_list.item_twice", N_("项目 %(item)s 写了两次，请删去一行"), field="prices", item=twice)
    return found


def _line(number: int, line: str) -> PriceLine:
    parts = _SEPARATOR.split(line)
    if len(parts) not in (2, 3):
        sentence = N_("第 %(line)s 行看不懂。请写成：项目编号, 价格(元), 上门服务费(元)")
        raise Refused("price_list.line", sentence, field="prices", line=number)
    try:
        amounts = [parse_yuan(part) for part in parts[1:]]
    except Refused as refusal:
        sentence = N_("第 %(line)s 行的金额看不懂，请用数字填写，单位元，最多两位小数")
        raise Refused("price_list.amount", sentence, field="prices", line=number) from refusal
    if min(amounts) < 0:
        raise Refused("price_list.negative", N_("第 %(line)s 行的金额不能是负数"), field="prices", line=number)
    return PriceLine(parts[0], *amounts)


def check_items(lines: Sequence[PriceLine], known: Collection[str], with_callout: Collection[str]) -> None:
    """Refuse an item that is not in the list, and a call-out fee for an item that has none (R-PAY-01)."""
    for line in lines:
        if line.code not in known:
            sentence = N_("服务清单中没有在用的项目 %(item)s，请核对编号")
            raise Refused("price_list.item_unknown", sentence, field="prices", item=line.code)
        if line.callout_fee_fen and line.code not in with_callout:
            sentence = N_("项目 %(item)s 不收上门服务费，请删去这一栏")
            raise Refused("price_list.callout", sentence, field="prices", item=line.code)


def check_publisher(*, drafted_by: int, publisher: int | None) -> None:
    """Refuse that one person drafts and publishes."""
    if publisher is None or drafted_by == publisher:
        raise Refused("price_list.two_persons", N_("起草人不能自己公布，请由本机构另一位有权限的人员复核公布"))


def check_first_day(valid_from: date, today: date) -> None:
    """Refuse prices for days gone by."""
    if valid_from < today:
        raise Refused("price_list.past", N_("价目的生效日期不能早于今天，请改为今天或以后"), field="valid_from")


def check_basics(active_families: Collection[str], basics: Sequence[str], labels: dict[str, str]) -> None:
    """Refuse a list without one of the five basic services (R-ORD-10)."""
    missing = [labels.get(family, family) for family in basics if family not in active_families]
    if missing:
        sentence = N_("“%(families)s”是基本服务，清单中必须保留至少一个在用项目")
        raise Refused("item.last_basic", sentence, field="is_active", families="、".join(missing))
