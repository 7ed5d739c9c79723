"""What a settled order puts into the ledger. Debit is positive, credit negative."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

RECEIVABLE = "receivable"
PAYABLE = "payable.provider"
PAID_DIRECTLY = "direct.elder"
EARNED_DIRECTLY = "direct.provider"
SELF = "self"
SELF_FUND = "personal"

ACCOUNTS: dict[str, str] = {
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
    PAYABLE: N_("应付服务商款"),
    PAID_DIRECTLY: N_("个人直接支付"),
    EARNED_DIRECTLY: N_("服务商直接收取"),
}


@dataclass(frozen=True)
class Share:
    """What one payer bears of one line, as frozen at placing."""

    line_id: int
    payer: str
    amount_fen: int
    is_medical: bool
    fund: str = SELF_FUND
    scheme_id: int | None = None


@dataclass(frozen=True)
class Entry:
    """One side of a posting with the dimensions that the ledger keeps."""

    line_id: int
    account: str
    amount: int
    business: str
    fund: str
    scheme_id: int | None
    plan_year: int
    service_day: date
    period: date


def accounts_of(payer: str) -> tuple[str, str]:
    """Return debit and credit account. The elder pays the provider directly; the platform records it and owes nothing (R-PAY-14)."""
    if payer == SELF:
        return PAID_DIRECTLY, EARNED_DIRECTLY
    return f"{RECEIVABLE}.{payer}", PAYABLE


def entries(shares: Iterable[Share], *, service_day: date, period: date) -> list[Entry]:
    """Return both sides of every share that is not zero; medical and elder-care income stay apart (R-PAY-05)."""
    found = []
    for share in shares:
        if share.amount_fen == 0:
            continue
        debit, credit = accounts_of(share.payer)
        side = Entry(
            line_id=share.line_id, account=debit, amount=share.amount_fen, business="medical" if share.is_medical else "eldercare",
            fund=share.fund, scheme_id=share.scheme_id, plan_year=service_day.year, service_day=service_day, period=period,
        )  # fmt: skip
        found += [side, replace(side, account=credit, amount=-share.amount_fen)]
    return found


def check_complete(lines: dict[int, int], shares: Sequence[Share]) -> None:
    """Refuse when the shares of a line do not add up to its amount: such an order cannot be settled without a gap."""
    borne = dict.fromkeys(lines, 0)
    for share in shares:
        borne[share.line_id] = borne.get(share.line_id, 0) + share.amount_fen
    wrong = sorted(line for line, amount in borne.items() if lines.get(line) != amount)
    if wrong:
        raise Refused(
            "settlement.gap", N_("各付费方的份额与项目金额不相等，不能结算，请联系管理员核对订单"), lines=wrong
        )


def claim_key(*, elder_id: int, item_id: int, starts_at: datetime, billed: int) -> str:
    """Return the key under which one service can be charged once: person, item, start time, and how often it was billed before."""
    return f"{elder_id}:{item_id}:{int(starts_at.timestamp())}:{billed + 1}"


def check_statement_payer(payer: str) -> None:
    """Refuse a statement for what the elder pays the provider directly."""
    if payer == SELF:
        raise Refused(
            "statement.self", N_("个人自付部分由老人直接付给服务商，不出对账单，请选择其他付费方"), field="payer"
        )
