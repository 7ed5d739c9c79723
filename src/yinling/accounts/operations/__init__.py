"""Writing the journal and messages, and the preferences of one's own login."""

from yinling.accounts.operations.journal import (
    NATION,
    journal_session,
    record,
    record_each,
    write_refusal,
    write_seal,
)
from yinling.accounts.operations.logins import adjust_own_login, fail_sign_in, read_notices, sign_in_lock
from yinling.accounts.operations.messages import (
    mark_dropped,
    mark_failed,
    mark_held,
    mark_sent,
    resend_message,
    take_receipt,
)
from yinling.accounts.operations.notices import Message, Recipient, Worded, notify, notify_each
from yinling.accounts.operations.optouts import opt_in, opt_out, take_reply
from yinling.accounts.operations.wordings import end_wording, write_wording
from yinling.accounts.rules import digest_of

__all__ = [
    "NATION",
    "Message",
    "Recipient",
    "Worded",
    "adjust_own_login",
    "digest_of",
    "end_wording",
    "fail_sign_in",
    "journal_session",
    "mark_dropped",
    "mark_failed",
    "mark_held",
    "mark_sent",
    "notify",
    "notify_each",
    "opt_in",
    "opt_out",
    "read_notices",
    "record",
    "record_each",
    "resend_message",
    "sign_in_lock",
    "take_receipt",
    "take_reply",
    "write_refusal",
    "write_seal",
    "write_wording",
]
