"""Writing, one file per noun."""

from yinling.programmes.subsidies.operations.donations import register_donation, withdraw_donation
from yinling.programmes.subsidies.operations.goods import receive_donation, record_handout
from yinling.programmes.subsidies.operations.revoking import (
    collect_subsidy,
    contest_subsidy,
    revoke_subsidy,
    uphold_subsidy,
)
from yinling.programmes.subsidies.operations.spendings import record_spending
from yinling.programmes.subsidies.operations.subsidies import (
    approve_subsidy,
    draft_subsidy,
    return_subsidy,
    review_subsidy,
)

__all__ = [
    "approve_subsidy",
    "collect_subsidy",
    "contest_subsidy",
    "draft_subsidy",
    "receive_donation",
    "record_handout",
    "record_spending",
    "register_donation",
    "return_subsidy",
    "review_subsidy",
    "revoke_subsidy",
    "uphold_subsidy",
    "withdraw_donation",
]
