"""Writing the ledger, one file per noun."""

from yinling.settlement.operations.accounts import confirm_account, end_account, propose_account, reveal_account
from yinling.settlement.operations.arrivals import load_transfers, receive_transfer, reverse_transfer
from yinling.settlement.operations.bank_returns import answer_payout
from yinling.settlement.operations.claims import (
    abandon_claim_line,
    answer_claim_line,
    appeal_claim_line,
    resubmit_claim,
    submit_claim,
    withdraw_claim,
)
from yinling.settlement.operations.closings import close_closing, propose_closing
from yinling.settlement.operations.deductions import deduct_statement
from yinling.settlement.operations.distributions import (
    approve_distribution,
    correct_distribution,
    draft_distribution,
    return_distribution,
)
from yinling.settlement.operations.invoices import cancel_invoice, register_invoice
from yinling.settlement.operations.layouts import save_file_layout
from yinling.settlement.operations.ledger import post
from yinling.settlement.operations.objections import decide_bill_objection, raise_bill_objection
from yinling.settlement.operations.orders import reverse_order, settle_each, settle_order
from yinling.settlement.operations.payment_bills import load_payment_bill
from yinling.settlement.operations.payments import (
    ask_payment,
    close_payment,
    link_payment,
    match_payment,
    pay_from_balance,
    take_notice,
)
from yinling.settlement.operations.payouts import (
    approve_payout,
    draft_payout,
    drop_payout_line,
    export_payout,
    return_payout,
    review_payout,
)
from yinling.settlement.operations.recoveries import (
    approve_recovery,
    draft_recovery,
    lift_recovery,
    return_recovery,
    review_recovery,
)
from yinling.settlement.operations.refunds import credit_refund, fail_refund, finish_refund, refund_payment
from yinling.settlement.operations.reimbursements import (
    approve_reimbursement,
    attach_expense,
    collect_reimbursement,
    contest_reimbursement,
    draft_reimbursement,
    enter_item,
    return_reimbursement,
    review_reimbursement,
    revoke_reimbursement,
    uphold_reimbursement,
)
from yinling.settlement.operations.remittances import load_remittance
from yinling.settlement.operations.statements import (
    approve_statement,
    draft_statement,
    draft_statements,
    object_statement,
    return_statement,
    review_statement,
)
from yinling.settlement.operations.transfers import (
    book_transfer,
    offset_advance,
    propose_transfer,
    take_transfer,
    withdraw_transfer,
)

__all__ = [
    "abandon_claim_line",
    "answer_claim_line",
    "answer_payout",
    "appeal_claim_line",
    "approve_distribution",
    "approve_payout",
    "approve_recovery",
    "approve_reimbursement",
    "approve_statement",
    "ask_payment",
    "attach_expense",
    "book_transfer",
    "cancel_invoice",
    "close_closing",
    "close_payment",
    "collect_reimbursement",
    "confirm_account",
    "contest_reimbursement",
    "correct_distribution",
    "credit_refund",
    "decide_bill_objection",
    "deduct_statement",
    "draft_distribution",
    "draft_payout",
    "draft_recovery",
    "draft_reimbursement",
    "draft_statement",
    "draft_statements",
    "drop_payout_line",
    "end_account",
    "enter_item",
    "export_payout",
    "fail_refund",
    "finish_refund",
    "lift_recovery",
    "link_payment",
    "load_payment_bill",
    "load_remittance",
    "load_transfers",
    "match_payment",
    "object_statement",
    "offset_advance",
    "pay_from_balance",
    "post",
    "propose_account",
    "propose_closing",
    "propose_transfer",
    "raise_bill_objection",
    "receive_transfer",
    "refund_payment",
    "register_invoice",
    "resubmit_claim",
    "return_distribution",
    "return_payout",
    "return_recovery",
    "return_reimbursement",
    "return_statement",
    "reveal_account",
    "reverse_order",
    "reverse_transfer",
    "review_payout",
    "review_recovery",
    "review_reimbursement",
    "review_statement",
    "revoke_reimbursement",
    "save_file_layout",
    "settle_each",
    "settle_order",
    "submit_claim",
    "take_notice",
    "take_transfer",
    "uphold_reimbursement",
    "withdraw_claim",
    "withdraw_transfer",
]
