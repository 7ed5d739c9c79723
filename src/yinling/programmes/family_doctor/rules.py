"""Decisions about contracts with family doctors: which package fits whom, and what of its lines is used. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

GROUP_NAMES = {
    "disabled": N_("失能"), "semi_disabled": N_("半失能"), "dementia": N_("失智"), "severe_disability": N_("重残"),
    "disability": N_("残疾"), "limited_mobility": N_("行动不便"), "lives_alone": N_("独居"), "empty_nest": N_("空巢"),
    "chronic": N_("慢性病"), "great_age": N_("高龄"),
}  # fmt: skip


@dataclass(frozen=True)
class Use:
    """What became of one line of a package: how often it may be had, how often it was, and how often it is booked."""

    code: str
    funds: str
    count: int | None
    used: int = 0
    reserved: int = 0

    @property
    def left(self) -> int | None:
        """How often it may still be booked; nothing: as often as wanted."""
        return None if self.count is None else max(0, self.count - self.used - self.reserved)


def items_of(lines: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the lines of a package as an entitlement keeps them: by item code what is funded, and how often (D-08)."""
    return {str(line["item"]): {"funds": line.get("funds", "item"), "count": line.get("count")} for line in lines}


def uses_of(lines: Iterable[Mapping[str, Any]], counters: Mapping[str, tuple[int, int]]) -> tuple[Use, ...]:
    """Return the lines of a contract with what the counters (by item: used, reserved) say."""
    return tuple(
        Use(code, line["funds"], line["count"], *counters.get(code, (0, 0))) for code, line in items_of(lines).items()
    )


def rank(groups: Collection[str], order: Sequence[str]) -> int:
    """Return the place in the call list: that of the first group somebody belongs to (R-FAM-05, R-FAM-06)."""
    return next((place for place, group in enumerate(order) if group in groups), len(order))


def check_audience(audience: str, groups: Collection[str], audiences: Mapping[str, Collection[str]]) -> None:
    """Refuse a package made for others (R-FAM-03)."""
    wanted = audiences.get(audience)
    if wanted is not None and not set(wanted) & set(groups):
        raise Refused(
            "contract.audience",
            N_("这个服务包不是为这位老人的情况设计的，请另选服务包，或先更新评估和人群类别"),
            field="package_id",
        )


def check_payer(payer: str, payers: Collection[str]) -> None:
    """Refuse a payer of the fee that the package does not name."""
    if payer not in (payers or ("self",)):
        raise Refused("contract.payer", N_("这个服务包的签约费不能由此付费方支付，请另选"), field="payer")
