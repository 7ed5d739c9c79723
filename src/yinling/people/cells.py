"""Reading one cell: days, numbers of documents and phones as people and programs write them. Pure.

What a spreadsheet program lost (digits of a long number) is refused, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isnan

from yinling.kernel.names import normalise_phone
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.sheets import Cell

EXACT = 10**15
"""Programs keep fifteen digits of a number; behind them stand zeros."""
LARGEST = 1e300
FIRST_DAY = date(1900, 1, 1)
LAST_SERIAL = 80_000
COUNTED_FROM = date(1899, 12, 30)
COUNTED_FROM_1904 = date(1904, 1, 1)
LEAP_MISTAKE = 60
"""Excel believes in 29 February 1900: serial numbers below this are one day off."""
_UNSEEN = dict.fromkeys(
    [0xAD, 0x61C, 0x180E, 0x2060, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－﹣"), "-")
_LOOK_ALIKE = str.maketrans({
    **dict.fromkeys("OoОоΟο〇零○", "0"), **dict.fromkeys("lIіІ丨｜|ⅠΙι", "1"), **dict.fromkeys("xХхΧχ×✕ⅩⅹХ", "X"),
})  # fmt: skip
_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d+))?[Ee]\+?(\d{1,3})", re.ASCII)
_LOST = N_("号码在表格里被存成了数字，末尾几位已经丢失。请把这一列设为“文本”格式，按原件重新填写后再导入")


def text_of(cell: Cell) -> str:
    """Return a cell as it was meant: without spaces around and unseen characters; a whole number without ``.0``."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        plain = unicodedata.normalize("NFKC", cell.translate(_UNSEEN))
        return re.sub(r"\s+", " ", plain.replace("\x00", "")).strip()
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, int | float):
        is_finite = abs(cell) < LARGEST  # also false for what is no number
        return format(Decimal(repr(cell)), "f").removesuffix(".0") if is_finite else ""
    return _time_text(cell)


def _time_text(cell: date | time | timedelta) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(" ", "seconds")
    return str(cell) if isinstance(cell, timedelta) else cell.isoformat()


def digits_of(cell: Cell, field: str) -> str:
    """Return a long number as text. Raises Refused ``cell.digits_lost`` where the program kept only its first digits."""
    if isinstance(cell, float | int) and not isinstance(cell, bool):
        if isnan(cell):  # a file may hold it, and it is nothing
            return ""
        if abs(cell) >= EXACT:
            raise Refused("cell.digits_lost", _LOST, field=field)
        if cell != int(cell) or cell < 0:
            raise Refused("cell.not_number", N_("这里应是号码，请按原件填写"), field=field)
        return str(int(cell))
    text = text_of(cell).strip("'‘’\"“”")
    if (short := _SCIENTIFIC.fullmatch(text)) is not None:
        whole, part, power = short[1], short[2] or "", int(short[3])
        if len(part) < power:
            raise Refused("cell.digits_lost", _LOST, field=field)
        return whole + part[:power]
    if re.fullmatch(r"\d+\.0+", text, re.ASCII):
        return text.split(".")[0]
    return text


def id_text(cell: Cell) -> tuple[str, bool]:
    """Return the number of a document, and whether characters that look alike were read as digits."""
    plain = re.sub(r"[\s\-]", "", digits_of(cell, "id_number").translate(_DASHES))
    upper = re.sub(r"(?<=\d)x$", "X", plain, flags=re.ASCII)
    if len(upper) < 15 or re.fullmatch(r"\d{15}(\d\d[\dX])?", upper, re.ASCII):  # noqa: PLR2004 - shorter is a passport or a slip
        return upper.upper(), False
    meant = upper.translate(_LOOK_ALIKE)
    if re.fullmatch(r"\d{15}(\d\d[\dX])?", meant, re.ASCII):
        return meant, True
    return upper.upper(), False


def phone_text(cell: Cell) -> str:
    """Return a phone number in digits. Raises Refused ``phone.format`` or ``cell.digits_lost``."""
    text = digits_of(cell, "phone").translate(_DASHES)
    if not text:
        return ""
    first = re.split(r"[、,;/，；]| (?=1[3-9]\d{9})", text)[0].strip()
    tries = [text, first, first.translate(_LOOK_ALIKE)]
    for one in tries[:-1]:
        try:
            return normalise_phone(one)
        except Refused:
            continue
    return normalise_phone(tries[-1])


_FORMS = (
    re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII),
    re.compile(r"(\d{4})[-/.\s](\d{1,2})[-/.\s](\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?", re.ASCII),
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]?", re.ASCII),
)
_DAY_FORM = N_("认不出这个日期。请写成 1949-12-31 的形式，年份写四位")
_NO_SUCH_DAY = N_("没有这一天，请核对年、月、日")


def day_of(cell: Cell, *, counts_from_1904: bool = False) -> date | None:
    """Return a day written in any usual form, or nothing for an empty cell. Raises Refused ``cell.day`` or ``cell.no_such_day``."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = text_of(cell).translate(_DASHES)
    if not text or text.strip("-/. ") == "":
        return None
    if re.fullmatch(r"\d{3,5}(\.\d+)?", text, re.ASCII) and not isinstance(cell, bool):
        return _from_serial(int(float(text)), text, counts_from_1904=counts_from_1904)
    compact = text.replace(" ", "") if "年" in text else text
    found = next((hit for form in _FORMS if (hit := form.fullmatch(compact))), None)
    if found is None:
        raise Refused("cell.day", _DAY_FORM)
    year, month, day = (int(part) for part in found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        raise Refused("cell.no_such_day", _NO_SUCH_DAY) from None


def _from_serial(number: int, text: str, *, counts_from_1904: bool) -> date:
    """Read the number by which spreadsheets count days; a year alone is no day."""
    is_year = FIRST_DAY.year <= number <= FIRST_DAY.year + 200 and len(text) == len("1949")
    if is_year or not 0 < number <= LAST_SERIAL:
        raise Refused("cell.day", _DAY_FORM)
    if counts_from_1904:
        return COUNTED_FROM_1904 + timedelta(days=number)
    return COUNTED_FROM + timedelta(days=number + (number < LEAP_MISTAKE))
