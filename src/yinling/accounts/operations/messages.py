"""What becomes of a message on its way out: marks of the sender, receipts of the provider, and sending it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from yinling.accounts.models import Delivery, Notice
from yinling.accounts.operations.journal import record
from yinling.accounts.operations.logins import require_area
from yinling.accounts.ports import Receipt
from yinling.accounts.queries import open_in
from yinling.accounts.rules import outcome_of
from yinling.accounts.states import NOTICE, NoticeState
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_


def mark_sent(notice: Notice, *, now: datetime, port_ids: Sequence[str] = (), reason: str = "") -> None:
    """Note that a locked message went out, and under which numbers of the provider; receipts that were faster count at once."""
    notice.sent_at = now
    _move(notice, "send", reason=reason, error="", next_at=None, sent_at=now)
    known = {one.port_id: one for one in Delivery.objects.filter(channel=notice.channel, port_id__in=port_ids)}
    for one in known.values():
        if one.notice_id not in (None, notice.pk):  # the provider counts from the beginning again
            one.outcome, one.code, one.reported_at, one.received_at = "", "", None, None
        one.notice, one.notice_div, one.round = notice, notice.div, notice.round
        one.save()
    Delivery.objects.bulk_create(
        Delivery(channel=notice.channel, port_id=name, notice=notice, notice_div=notice.div, round=notice.round)
        for name in port_ids
        if name not in known
    )
    if known:
        _follow(notice, now)


def mark_held(notice: Notice, until: datetime, *, error: str = "", tries: int = 0) -> None:
    """Note that a locked message waits until a moment, after how many failures."""
    notice.next_at, notice.error, notice.try_count = until, error[:200], notice.try_count + tries
    notice.save(update_fields=["next_at", "error", "try_count"])


def mark_failed(notice: Notice, reason: str, *, error: str = "") -> None:
    """Note that a locked message will not get there by itself; it stands in the list of those until somebody sends it again."""
    notice.try_count += 1
    _move(notice, "fail", reason=reason, error=error[:200], next_at=None, try_count=notice.try_count)
    tell("messages", pk=notice.pk, div=notice.div)


def mark_dropped(notice: Notice, reason: str) -> None:
    """Note that a locked message is not sent, and why."""
    _move(notice, "drop", reason=reason, next_at=None)


def _move(notice: Notice, verb: str, **values: object) -> None:
    notice.state = NOTICE.target(verb, str(notice.state))
    for name, value in values.items():
        setattr(notice, name, value)
    notice.save(update_fields=["state", *values])


def take_receipt(channel: str, receipt: Receipt, *, now: datetime) -> Delivery:
    """Store what the provider says of one part; twice is once, and delivered stands against every contrary word, early or late."""
    known, _is_new = Delivery.objects.get_or_create(channel=channel, port_id=receipt.port_id)
    with scope(Actor(None, "系统", "system", div=known.notice_div)):
        notice = _locked_notice(known.notice_id)  # before its part, as the sender does
        row = Delivery.objects.select_for_update(of=("self",)).get(pk=known.pk)
        if row.outcome in ("delivered", receipt.outcome):
            return row
        row.outcome, row.code, row.reported_at, row.received_at = receipt.outcome, receipt.code[:40], receipt.at, now
        row.save()
        if notice is not None:
            _follow(notice, now)
    if notice is None and row.notice_id is not None:  # the sender was here in between
        with scope(Actor(None, "系统", "system", div=row.notice_div)):
            _follow(Notice.objects.select_for_update(of=("self",)).get(pk=row.notice_id), now)
    return row


def _locked_notice(notice_id: int | None) -> Notice | None:
    return Notice.objects.select_for_update(of=("self",)).filter(pk=notice_id).first() if notice_id else None


def _follow(notice: Notice, now: datetime) -> None:
    """Bring the state of a locked message to what its parts say."""
    outcome = outcome_of(list(notice.deliveries.values_list("round", "outcome")))
    if outcome == "delivered" and notice.state != NoticeState.DELIVERED:
        _move(notice, "deliver", delivered_at=now, reason="", error="", next_at=None)
    elif outcome == "failed" and notice.state == NoticeState.SENT:
        _move(notice, "fail", reason="undelivered")
    tell("messages", pk=notice.pk, div=notice.div)


@operation("accounts.message.resend", label=N_("重新发送"))
def resend_message(*, actor: Actor, now: datetime, message_id: Id, reason: Reason) -> Notice:
    """Send a message again that did not get there, under a new key of its own, so that the gateway takes it."""
    notice = locked(Notice.objects.exclude(channel="screen"), message_id)
    require_area(actor, "accounts.message.resend", notice.div)
    target = NOTICE.target("resend", str(notice.state))
    if notice.reason == "opted_out" and open_in(notice).exists():
        raise Refused("message.opted_out", N_("收件人已退订这类消息。请电话联系，或先为其恢复接收"))
    changes = changed(
        notice, now=now, state=target, round=notice.round + 1, try_count=0, next_at=now, reason="", error=""
    )
    record(actor=actor, now=now, event="accounts.message.resend", subject=notice, changes=changes, reason=reason)
    tell("messages", pk=notice.pk, div=notice.div)
    return notice
