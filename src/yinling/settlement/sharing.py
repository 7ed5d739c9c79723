"""How deductions and advances of a statement fall on its parts, so that medical and elder-care money stay apart to the fen. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from yinling.kernel.money import split


@dataclass(frozen=True)
class Part:
    """The dimensions of the ledger that a statement's money is kept by."""

    business: str
    fund: str
    scheme_id: int | None
    plan_year: int

    @property
    def order(self) -> tuple[str, str, int, int]:
        """A fixed order, so that a repetition gives the same parts."""
        return (self.business, self.fund, self.scheme_id or 0, self.plan_year)


Parts = dict[Part, int]


@dataclass(frozen=True)
class Shares:
    """What of each part is deducted, offset by an advance, and left to pay."""

    deducted: Parts
    offset: Parts
    payable: Parts


def spread(total: int, parts: Mapping[Part, int]) -> Parts:
    """Divide an amount over the parts that are positive, by their size, with the largest remainder (D-12)."""
    if not total:
        return {}
    able = sorted((part for part, fen in parts.items() if fen > 0), key=lambda part: part.order)
    found = zip(able, split(total, [parts[part] for part in able], range(len(able))), strict=True)
    return {part: fen for part, fen in found if fen}


def less(parts: Mapping[Part, int], taken: Mapping[Part, int]) -> Parts:
    """Return the parts less what is taken; those that come to nothing are left out."""
    left = {part: parts.get(part, 0) - taken.get(part, 0) for part in {**parts, **taken}}
    return {part: left[part] for part in sorted(left, key=lambda part: part.order) if left[part]}


def shares(gross: Mapping[Part, int], *, named: Mapping[Part, int], whole: int, offset: Mapping[Part, int]) -> Shares:
    """Return the shares of a statement: deductions from named lines and from the whole, an advance as it was booked, and the rest."""
    rest = less(gross, named)
    over = spread(whole, rest)
    deducted = {part: named.get(part, 0) + over.get(part, 0) for part in {**named, **over}}
    return Shares(deducted, dict(offset), less(less(rest, over), offset))


def whole_by_line(lines: Mapping[int, tuple[Part, int]], over: Mapping[Part, int]) -> dict[int, int]:
    """Return what of a deduction from the whole falls on each line, given its share by part: exactly as it was booked."""
    found: dict[int, int] = {}
    for part, fen in over.items():
        able = sorted(line for line, (own, left) in lines.items() if own == part and left > 0)
        found |= dict(zip(able, split(fen, [lines[line][1] for line in able], able), strict=True))
    return found
