"""The models of settlement, one file per subject."""

from yinling.settlement.models.decided import Decided, Revocable
from yinling.settlement.models.ledger import (
    BUSINESSES,
    UNITS,
    AreaTotal,
    Charge,
    ClaimedItem,
    ClaimedTime,
    Closing,
    LedgerEntry,
    LedgerTotal,
    Posting,
    Transfer,
)
from yinling.settlement.models.payments import (
    Distribution,
    ExpensePaper,
    Payment,
    PaymentBill,
    Refund,
    Reimbursement,
    StaffShare,
)
from yinling.settlement.models.payouts import (
    BankAccount,
    Invoice,
    Payout,
    PayoutLine,
)
from yinling.settlement.models.recoveries import (
    RECOVERY_KINDS,
    Recovery,
    RecoveryLine,
)
from yinling.settlement.models.statements import (
    Claim,
    ClaimLine,
    Deduction,
    FileLayout,
    Remittance,
    Statement,
    StatementLine,
)

__all__ = [
    "BUSINESSES",
    "RECOVERY_KINDS",
    "UNITS",
    "AreaTotal",
    "BankAccount",
    "Charge",
    "Claim",
    "ClaimLine",
    "ClaimedItem",
    "ClaimedTime",
    "Closing",
    "Decided",
    "Deduction",
    "Distribution",
    "ExpensePaper",
    "FileLayout",
    "Invoice",
    "LedgerEntry",
    "LedgerTotal",
    "Payment",
    "PaymentBill",
    "Payout",
    "PayoutLine",
    "Posting",
    "Recovery",
    "RecoveryLine",
    "Refund",
    "Reimbursement",
    "Remittance",
    "Revocable",
    "StaffShare",
    "Statement",
    "StatementLine",
    "Transfer",
]
