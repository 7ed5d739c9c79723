"""Money in integer fen: writing, reading, shares and splits that add up (D-12)."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

if TYPE_CHECKING:
    from collections.abc import Sequence

FEN_PER_YUAN = 100
MOST_FEN = 10**15
"""Ten thousand milliard yuan: beyond it somebody held a key down."""

_AMOUNT = re.compile(r"(-?)(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?", re.ASCII)
_DIGITS = ("", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖")
_UNITS = ((10**8, "亿"), (10**4, "万"), (1000, "仟"), (100, "佰"), (10, "拾"))
_HALF = Fraction(1, 2)


def yuan(fen: int) -> str:
    """Write fen as yuan for a screen: 123450 -> ``1,234.50``."""
    whole, rest = divmod(abs(fen), FEN_PER_YUAN)
    return f"{'-' if fen < 0 else ''}{whole:,}.{rest:02d}"


def _spell(number: int) -> str:
    for size, unit in _UNITS:
        if number >= size:
            head, rest = divmod(number, size)
            gap = "零" if 0 < rest < size // 10 else ""
            return _spell(head) + unit + gap + _spell(rest)
    return _DIGITS[number]


def capital(fen: int) -> str:
    """Write fen in the capital characters of vouchers: 123450 -> 壹仟贰佰叁拾肆元伍角整.

    Where the payment rules let one write or leave out 零 (yuan or 万 place empty, next place not), it is left out.
    """
    if fen == 0:
        return "零元整"
    whole, rest = divmod(abs(fen), FEN_PER_YUAN)
    jiao, last = divmod(rest, 10)
    parts = ["负"] if fen < 0 else []
    if whole:
        parts.append(_spell(whole) + "元")
    if jiao:
        parts.append(_DIGITS[jiao] + "角")
    elif whole and last:
        parts.append("零")
    parts.append(_DIGITS[last] + "分" if last else "整")
    return "".join(parts)


def parse_yuan(text: str) -> int:
    """Read an amount in yuan as fen; separators, full-width digits, ¥ and 元 are accepted.

    Raises Refused ``money.format``, ``money.decimals``, ``money.too_large``.
    """
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).removeprefix("¥").removesuffix("元")
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        raise Refused("money.format", N_("看不懂这个金额，请用数字填写，单位元，例如 1234.50。"))
    sign, whole, decimals = found.groups(default="")
    if decimals[2:].strip("0"):
        raise Refused("money.decimals", N_("金额最多两位小数，请精确到分。"))
    digits = whole.replace(",", "").lstrip("0") + decimals[:2].ljust(2, "0")
    fen = int(digits[: len(str(MOST_FEN)) + 1])
    if fen > MOST_FEN:
        raise Refused("money.too_large", N_("金额过大，请检查是否多输了数字。"))
    return -fen if sign else fen


def _exact(fen: int, share: Fraction | str) -> Fraction:
    if isinstance(share, Fraction):
        return abs(fen) * share
    return abs(fen) * Fraction(share.strip().removesuffix("%")) / 100


def _signed(fen: int, amount: int) -> int:
    return -amount if fen < 0 else amount


def share_half_up(fen: int, share: Fraction | str) -> int:
    """Take a share, rounded half up to the fen, as any line of a bill (D-12).

    A Fraction is the share itself, a str a percentage (``"12.5"`` or ``"12.5%"``). Rounding is on the amount without
    its sign, so that a counter-entry is exactly the entry turned round. ValueError for text that is no number.
    """
    return _signed(fen, floor(_exact(fen, share) + _HALF))


def share_up(fen: int, share: Fraction | str) -> int:
    """Take a share that may not fall below a legal minimum: rounded up to the fen (D-12)."""
    return _signed(fen, ceil(_exact(fen, share)))


def share_down(fen: int, share: Fraction | str) -> int:
    """Take a share that is a cap: rounded down to the fen (D-12)."""
    return _signed(fen, floor(_exact(fen, share)))


def split(
    total: int, weights: Sequence[int | Fraction], keys: Sequence[int] | Sequence[str] | None = None
) -> list[int]:
    """Divide fen by weights with the largest remainder; the parts add up to the total (D-12).

    Equal remainders go in ascending order of key (the payee's number; without keys, the place in the list). A weight of
    zero gets nothing. A negative total gives the parts of its positive twin, negated. Raises Refused
    ``money.no_weights`` if there is nothing to divide by, ValueError for negative weights or a wrong count of keys.
    """
    order: Sequence[int] | Sequence[str] = range(len(weights)) if keys is None else keys
    if len(order) != len(weights) or any(weight < 0 for weight in weights):
        raise ValueError("every weight needs one key and may not be negative")
    whole = sum(weights, Fraction(0))
    if whole == 0:
        if total:
            raise Refused("money.no_weights", N_("没有可以分摊的对象，请先设置各方的份额。"))
        return [0] * len(weights)
    exact = [abs(total) * weight / whole for weight in weights]
    parts = [floor(amount) for amount in exact]
    by_remainder = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], order[place]))
    for place in by_remainder[: abs(total) - sum(parts)]:
        parts[place] += 1
    return [_signed(total, part) for part in parts]
