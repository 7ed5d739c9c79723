"""Decisions about the list and its prices."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from yinling.kernel.money import parse_yuan
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

MOST_LINES = 500
MOST_COUNT = 366
MOST_METRES = 200_000
FUNDS = {"项目": "item", "item": "item", "整次": "visit", "visit": "visit"}
"""How a line of a package says what it pays: the item, or the whole visit in which it is done (D-08)."""
_SEPARATOR = re.compile(r"\s*[,;]\s*")
_TWO_NUMBERS = re.compile(r"(?<=[,;\s¥])\d{1,3}(?:,\d{3})+(?!\d)")
"""Reads as one amount with separators of thousands, or as two amounts beside each other."""
_COUNT = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class PriceLine:
    """One line of a price list as typed: the item's code, its price and the call-out fee, in fen."""

    code: str
    amount_fen: int
    callout_fee_fen: int = 0


@dataclass(frozen=True)
class PackageLine:
    """One line of a package: which item, how often in its time, and what it pays."""

    item: str
    count: int
    funds: str

    def stored(self) -> dict[str, str | int]:
        """Return the line as the row keeps it."""
        return {"item": self.item, "count": self.count, "funds": self.funds}


@dataclass(frozen=True)
class OnRecord:
    """A published row on record: its key and its days."""

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


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, without a byte order mark; full-width letters, digits and signs are as good as others."""
    for number, line in enumerate(text.replace("\ufeff", "").replace("，", ", ").splitlines(), 1):
        if plain := unicodedata.normalize("NFKC", line).strip():
            yield number, plain


def _cells(line: str) -> list[str]:
    """Divide a line as typed, as pasted from a spreadsheet (tabs) or as in a CSV (quoted); an empty cell stays in its place."""
    if "\t" in line:
        cells = [cell.strip(" ,;") for cell in line.split("\t")]
    elif '"' in line:
        cells = [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
    else:
        cells = _SEPARATOR.split(line) if _SEPARATOR.search(line) else line.split()
    while cells and not cells[-1]:
        cells.pop()
    return cells


def parse_prices(text: str) -> list[PriceLine]:
    """Read a price list: one item a line, ``code, price in yuan[, call-out fee in yuan]``. Refuses a line it cannot read."""
    lines = list(_lines(text))
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
    if "\t" not in line and '"' not in line and (unclear := _TWO_NUMBERS.search(line)):
        sentence = N_(
            "第 %(line)s 行的“%(text)s”可能是一个数，也可能是两个数。请去掉千位逗号；是两个数的，各写出两位小数"
        )
        raise Refused("price_list.thousands", sentence, field="prices", line=number, text=unclear[0])
    parts = _cells(line)
    if len(parts) not in (2, 3) or any(len(part.split()) > 1 for part in parts):
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


def check_owner(*, organisation_id: int | None, price_group: str, div: str) -> None:
    """Refuse a list of neither one organisation nor one price group in an area, and one of both."""
    if organisation_id is not None and not price_group:
        return
    if organisation_id is not None or not price_group:
        raise Refused(
            "price_list.whose", N_("请选择一家机构，或者选择一个价格类别和地区，两者选一"), field="organisation_id"
        )
    if not div:
        raise Refused("price_list.area", N_("请选择这个价格类别的价目适用的地区"), field="div")


def check_document(*, basis: str, document: str, document_on: date | None, today: date) -> None:
    """Refuse an approved or tendered list without number and date of the document, or with a date to come (R-PAY-07)."""
    if basis != "market":
        if not document.strip():
            raise Refused("price_list.document", N_("核定或招标的价目必须填写文号或中标编号"), field="document")
        if document_on is None:
            raise Refused("price_list.document_on", N_("核定或招标的价目必须填写文件日期"), field="document_on")
    if document_on is not None and document_on > today:
        raise Refused("price_list.document_to_come", N_("文件日期不能晚于今天"), field="document_on")


def parse_distances(text: str) -> dict[str, int]:
    """Read a table of ways: one division a line, ``code, metres``. Refuses a line it cannot read."""
    found: dict[str, int] = {}
    for number, line in _lines(text):
        parts = _cells(line)
        if len(parts) != 2 or not parts[0].isalnum() or not _COUNT.fullmatch(parts[1]) or int(parts[1]) > MOST_METRES:  # noqa: PLR2004 - a pair
            sentence = N_("第 %(line)s 行看不懂。请写成：区划代码, 米数（不超过 200 公里）")
            raise Refused("callout.distance", sentence, field="callout_distances", line=number)
        if parts[0] in found:
            raise Refused(
                "callout.distance_twice",
                N_("区划 %(div)s 写了两次，请删去一行"),
                field="callout_distances",
                div=parts[0],
            )
        found[parts[0]] = int(parts[1])
    return found


def parse_package(text: str) -> list[PackageLine]:
    """Read the lines of a package: one item a line, ``code, count, 项目 or 整次``. Refuses a line it cannot read."""
    lines = list(_lines(text))
    if not lines:
        raise Refused("package.empty", N_("请至少填写一个项目，每行一项：项目编号, 次数, 项目或整次"), field="lines")
    found = [_package_line(number, line) for number, line in lines]
    codes = [line.item for line in found]
    if twice := next((code for code in codes if codes.count(code) > 1), None):
        raise Refused("package.item_twice", N_("项目 %(item)s 写了两次，请删去一行"), field="lines", item=twice)
    return found


def _package_line(number: int, line: str) -> PackageLine:
    parts = _cells(line)
    if len(parts) != 3 or not _COUNT.fullmatch(parts[1]) or parts[2] not in FUNDS:  # noqa: PLR2004 - three columns
        sentence = N_("第 %(line)s 行看不懂。请写成：项目编号, 次数, 项目（只含项目费用）或整次（含上门服务费）")
        raise Refused("package.line", sentence, field="lines", line=number)
    count = int(parts[1])
    if not 1 <= count <= MOST_COUNT:
        raise Refused("package.count", N_("第 %(line)s 行的次数应在 1 到 366 之间"), field="lines", line=number)
    return PackageLine(parts[0], count, FUNDS[parts[2]])


def check_publisher(*, drafted_by: int, publisher: int | None) -> None:
    """Refuse that one person drafts and publishes."""
    if publisher is None or drafted_by == publisher:
        raise Refused("price_list.two_persons", N_("起草人不能自己公布，请由本机构另一位有权限的人员复核公布"))


def check_first_day(valid_from: date, today: date) -> None:
    """Refuse prices for days gone by: what is asked is published before it is used."""
    if valid_from < today:
        raise Refused("price_list.past", N_("价目的生效日期不能早于今天，请改为今天或以后"), field="valid_from")


SHORTEST_VISIT = 5


def check_minutes(minutes: int, *, needs_visit: bool) -> None:
    """Refuse a service at home that takes no time: visits are planned and judged by it. Goods, bed-days and fees take none."""
    if needs_visit and minutes < SHORTEST_VISIT:
        sentence = N_("上门服务的标准时长不能少于 %(least)s 分钟")
        raise Refused("item.minutes", sentence, field="standard_minutes", least=SHORTEST_VISIT)


def check_basics(active_families: Collection[str], basics: Sequence[str], labels: dict[str, str]) -> None:
    """Refuse a list without one of the five basic services (R-ORD-10)."""
    missing = [labels.get(family, family) for family in basics if family not in active_families]
    if missing:
        sentence = N_("“%(families)s”是基本服务，清单中必须保留至少一个在用项目")
        raise Refused("item.last_basic", sentence, field="is_active", families="、".join(missing))
