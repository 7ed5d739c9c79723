"""Writing the ledger, one file per noun."""

from yinling.settlement.operations.orders import reverse_order, settle_order
from yinling.settlement.operations.recoveries import (
    approve_recovery,
    draft_recovery,
    lift_recovery,
    return_recovery,
    review_recovery,
)
from yinling.settlement.operations.statements import (
    approve_statement,
    draft_statement,
    return_statement,
    review_statement,
)

__all__ = [
    "approve_recovery",
    "approve_statement",
    "draft_recovery",
    "draft_statement",
    "lift_recovery",
    "return_recovery",
    "return_statement",
    "reverse_order",
    "review_recovery",
    "review_statement",
    "settle_order",
]
