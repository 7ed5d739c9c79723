"""What the ledger takes, and which minutes may be charged. Debit is positive, credit negative."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from yinling.entitlements.rules import Use
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

RECEIVABLE = "receivable"
PAYABLE = "payable.provider"
PAID_DIRECTLY = "direct.elder"
EARNED_DIRECTLY = "direct.provider"
APPROPRIATION = "appropriation.received"
BANK = "bank"
DEPOSIT = "deposit.elder"
PREPAID = "prepaid.elder"
STAFF_PAYABLE = "payable.staff"
STAFF_POOL = "pool.staff"
ADVANCE = "advance"
TO_RECOVER = "receivable.recovery"
"""What was granted and paid, was wrong, and is to come back."""
BUSINESS = ("medical", "eldercare")
MOST_FEN = 100_000_000_00
"""The most that one transfer of money may be."""
SELF = "self"
SELF_FUND = "personal"

Minutes = tuple[datetime, datetime]
T = TypeVar("T")

ACCOUNTS: dict[str, str] = {
    "advance.state_care": N_("预付服务商特困供养款"),
    "advance.contract": N_("预付服务商家医签约款"),
    "advance.ltci": N_("预付服务商长期护理保险款"),
    "advance.medical_insurance": N_("预付服务商基本医保款"),
    "advance.government": N_("预付服务商政府购买服务款"),
    "advance.voucher": N_("预付服务商消费补贴券款"),
    "advance.meal_subsidy": N_("预付服务商助餐补贴款"),
    "advance.disability": N_("预付服务商残疾补贴款"),
    "advance.veteran": N_("预付服务商优抚款"),
    "advance.commercial": N_("预付服务商商业保险款"),
    "advance.donation": N_("预付服务商慈善捐赠款"),
    "advance.employer": N_("预付服务商单位款"),
    APPROPRIATION: N_("财政拨入"),
    BANK: N_("银行存款"),
    DEPOSIT: N_("收取老年人押金"),
    PREPAID: N_("老年人预存款"),
    "direct.treasury": N_("财政直接支付"),
    "donation.received": N_("捐赠收入"),
    "expense.reimbursement": N_("报销支出"),
    "expense.subsidy": N_("补助支出"),
    "payable.elder": N_("应付老年人款"),
    "receivable.state_care": N_("应收特困供养款"),
    "receivable.contract": N_("应收家医签约款"),
    "receivable.ltci": N_("应收长期护理保险款"),
    "receivable.medical_insurance": N_("应收基本医保款"),
    "receivable.government": N_("应收政府购买服务款"),
    "receivable.voucher": N_("应收消费补贴券款"),
    "receivable.meal_subsidy": N_("应收助餐补贴款"),
    "receivable.disability": N_("应收残疾补贴款"),
    "receivable.veteran": N_("应收优抚款"),
    "receivable.commercial": N_("应收商业保险款"),
    "receivable.donation": N_("应收慈善捐赠款"),
    "receivable.employer": N_("应收单位款"),
    TO_RECOVER: N_("应追回的补助和报销款"),
    "received.order": N_("已收待结算的个人费用"),
    PAYABLE: N_("应付服务商款"),
    STAFF_PAYABLE: N_("应付上门服务人员款（绩效工资总量外）"),
    STAFF_POOL: N_("上门服务收入分配（绩效工资总量外）"),
    PAID_DIRECTLY: N_("个人直接支付"),
    EARNED_DIRECTLY: N_("服务商直接收取"),
}


@dataclass(frozen=True)
class Share:
    """What one payer bears of one line, as frozen at placing, and which counters that draws on."""

    line_id: int
    payer: str
    amount_fen: int
    is_medical: bool
    fund: str = SELF_FUND
    scheme_id: int | None = None
    entitlement_id: int | None = None
    uses: tuple[Use, ...] = ()
    day: date | None = None
    """The day of a line that is not of its order's: of bed-days later in the month."""


@dataclass(frozen=True)
class Side:
    """One side of a posting as it is asked for: debit positive, credit negative. What is left out follows the posting."""

    account: str
    amount: int
    business: str
    fund: str
    scheme_id: int | None = None
    plan_year: int | None = None
    line_id: int | None = None
    service_day: date | None = None
    provider_id: int | None = None
    elder_id: int | None = None
    unit: str = "fen"
    div: str = ""


def accounts_of(payer: str) -> tuple[str, str]:
    """Return debit and credit account. The elder pays the provider directly; the platform records it and owes nothing (R-PAY-14)."""
    if payer == SELF:
        return PAID_DIRECTLY, EARNED_DIRECTLY
    return f"{RECEIVABLE}.{payer}", PAYABLE


def entries(shares: Iterable[Share], *, service_day: date) -> list[Side]:
    """Return both sides of every share that is not zero; medical and elder-care income stay apart (R-PAY-05)."""
    found = []
    for share in shares:
        if share.amount_fen == 0:
            continue
        debit, credit = accounts_of(share.payer)
        day = share.day or service_day
        side = Side(
            account=debit, amount=share.amount_fen, business="medical" if share.is_medical else "eldercare", fund=share.fund,
            scheme_id=share.scheme_id, plan_year=day.year, line_id=share.line_id, service_day=day,
        )  # fmt: skip
        found += [side, replace(side, account=credit, amount=-share.amount_fen)]
    return found


def opposite(sides: Iterable[Side]) -> list[Side]:
    """Return the sides that take others back."""
    return [replace(side, amount=-side.amount) for side in sides]


def check_sides(sides: Sequence[Side]) -> None:
    """Refuse sides that do not add up to 0 in each unit, and one without account, business or fund (R-PAY-05)."""
    for side in sides:
        if side.account not in ACCOUNTS:
            raise Refused("ledger.account", N_("没有这个科目，未入账。请联系管理员"), account=side.account)
        if side.business not in BUSINESS:
            raise Refused(
                "ledger.business", N_("没有注明医疗或养老收支，未入账。医疗与养老收入须分开核算"), account=side.account
            )
        if not side.fund:
            raise Refused("ledger.fund", N_("没有注明资金来源，未入账"), account=side.account)
    sums: dict[str, int] = {}
    for side in sides:
        sums[side.unit] = sums.get(side.unit, 0) + side.amount
    if not sides or not all(side.amount for side in sides) or any(sums.values()):
        raise Refused("ledger.not_balanced", N_("借贷不平，未入账。请联系管理员"), sums=[*sums.values()])


PAYER_FUNDS = {
    "state_care": "civil_affairs", "contract": "contract", "ltci": "insurance", "medical_insurance": "medical_insurance",
    "government": "general", "voucher": "central_subsidy", "meal_subsidy": "general", "disability": "general", "veteran": "general",
    "commercial": "commercial", "donation": "donation", "employer": "employer", SELF: SELF_FUND,
}  # fmt: skip


def fund_of_payer(payer: str) -> str:
    """Return the fund that a payer's money comes from where no scheme names it."""
    return PAYER_FUNDS[payer]


def shared_out(owed: Iterable[tuple[T, int]], fen: int) -> list[tuple[T, int]]:
    """Pay what is owed one after the other until the money is used up; what is not owed (negative) is left out."""
    found = []
    for one, amount in owed:
        part = min(amount, fen)
        if part > 0:
            found.append((one, part))
            fen -= part
    return found


def unbalanced(figures: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return by unit what the movements of a month do not add up to 0 by."""
    sums: dict[str, int] = {}
    for row in figures:
        sums[row["unit"]] = sums.get(row["unit"], 0) + row["moved"]
    return {unit: amount for unit, amount in sums.items() if amount}


def gap(lines: dict[int, int], shares: Iterable[Share]) -> list[int]:
    """Return the lines whose shares do not add up to their amount: such an order cannot be settled."""
    borne = dict.fromkeys(lines, 0)
    for share in shares:
        borne[share.line_id] = borne.get(share.line_id, 0) + share.amount_fen
    return sorted(line for line, amount in borne.items() if lines.get(line) != amount)


def own_minutes(asked: Minutes, taken: Iterable[Minutes], *, tolerance: timedelta) -> Minutes | None:
    """Return the minutes of a visit that no other one was charged for, or nothing if more of it than is tolerated was (R-PAY-04).

    A short overlap, as of a visit that ended some minutes late, is left to the visit that has it.
    """
    begin, end = asked
    overlap = sum(
        (min(end, last) - max(begin, first) for first, last in taken if first < end and begin < last), timedelta()
    )
    if overlap > tolerance:
        return None
    for first, last in sorted(taken):
        if first <= begin < last:
            begin = last
        elif begin < first < end:
            end = first
    return (begin, end) if begin < end else None


def check_statement_payer(payer: str) -> None:
    """Refuse a statement for what the elder pays the provider directly."""
    if payer == SELF:
        raise Refused(
            "statement.self", N_("个人自付部分由老人直接付给服务商，不出对账单，请选择其他付费方"), field="payer"
        )
