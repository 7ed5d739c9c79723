"""Writing, one file per noun."""

from yinling.programmes.subsidies.operations.donations import register_donation, withdraw_donation
from yinling.programmes.subsidies.operations.spendings import record_spending
from yinling.programmes.subsidies.operations.subsidies import (
    approve_subsidy,
    draft_subsidy,
    return_subsidy,
    review_subsidy,
)

__all__ = [
    "approve_subsidy",
    "draft_subsidy",
    "record_spending",
    "register_donation",
    "return_subsidy",
    "review_subsidy",
    "withdraw_donation",
]
