"""What of a household's invoice is paid back: as spent, up to the sum, base items first (R-MOD-02 to R-MOD-05, D-10). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from yinling.kernel.words import N_

DONE, PRESENT, NOT_APPLICABLE = "done", "present", "not_applicable"
OUTCOMES = [(DONE, N_("已完成")), (PRESENT, N_("原已具备")), (NOT_APPLICABLE, N_("不适用"))]


@dataclass(frozen=True)
class Line:
    """One item of an accepted invoice, or a base item that ends in another way."""

    item: str
    name: str
    is_base: bool
    outcome: str = DONE
    amount_fen: int = 0
    reason: str = ""
    assessor: str = ""
    reviewer: str = ""
    is_eligible: bool = False
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the line as it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Line:
        """Read a line that was kept."""
        known = set(cls.__dataclass_fields__)
        return cls(**{name: value for name, value in kept.items() if name in known})


@dataclass(frozen=True)
class Result:
    """What the lines come to. The actual cost is what is left of the invoice after other funds; it is subsidy + self, always."""

    lines: tuple[Line, ...]
    open_base: tuple[str, ...]
    invoice_fen: int
    actual_fen: int
    eligible_fen: int
    subsidy_fen: int
    self_fen: int


def open_items(lines: Iterable[Line], base: Sequence[str], *, strict: bool) -> tuple[str, ...]:
    """Return the base items that ended in nothing yet; by the strict reading only done and present are ends (D-10)."""
    ends = (DONE, PRESENT) if strict else (DONE, PRESENT, NOT_APPLICABLE)
    ended = {line.item for line in lines if line.is_base and line.outcome in ends}
    return tuple(item for item in base if item not in ended)


def reckon(lines: Sequence[Line], base: Sequence[str], cap_fen: int, *, strict: bool, borne_fen: int = 0) -> Result:
    """Say what is subsidised: base items that were done, optional items only after every base item has ended, never above the cap.

    ``borne_fen`` is what another fund paid back of the same invoice: nobody pays it twice.
    """
    waiting = open_items(lines, base, strict=strict)
    judged = tuple(_judged(line, bool(waiting)) for line in lines)
    invoice = sum(line.amount_fen for line in judged)
    actual = max(0, invoice - borne_fen)
    eligible = max(0, min(actual, sum(line.amount_fen for line in judged if line.is_eligible) - borne_fen))
    subsidy = min(eligible, cap_fen)
    return Result(judged, waiting, invoice, actual, eligible, subsidy, actual - subsidy)


def _judged(line: Line, is_waiting: bool) -> Line:  # noqa: FBT001 - one call
    eligible, why = line.outcome == DONE and line.amount_fen > 0, ""
    if eligible and not line.is_base and is_waiting:
        eligible, why = False, N_("基础类项目没有全部办结，可选类项目由个人承担")
    return Line(**(line.as_json() | {"is_eligible": eligible, "why": why}))
