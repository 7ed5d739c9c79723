"""Sending what waits to be sent, channel by channel, and sealing the journal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from procrastinate.contrib.django import app

from yinling.accounts.models import Notice
from yinling.accounts.operations import (
    mark_dropped,
    mark_failed,
    mark_held,
    mark_sent,
    take_receipt,
    take_reply,
    write_seal,
)
from yinling.accounts.ports import Gateway, Receipt, Rejected, Reply, Sms, Throttled, Wechat
from yinling.accounts.queries import (
    FIRST,
    audit_connection,
    case_of,
    digests_between,
    horizon,
    last_seal,
    waiting_messages,
)
from yinling.accounts.rules import is_made_up, retry_at, seal_of, verdict
from yinling.ground.clock import business_now, real_now
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.masks import mask_phone
from yinling.kernel.period import local_date

logger = logging.getLogger(__name__)
NATION = tuple("0123456789")
"""The first digits of all division codes: this context knows no cities."""
MOST_FAILURES = 5
"""So many failures in a row are the gateway's, not the messages': the round ends and the next one looks again."""
LONGEST_ROUND = 60
"""Seconds: a round that is full leaves the rest to the next one, so that receipts are read in between."""


@app.periodic(cron="* * * * * */10")
@app.task(queueing_lock="send_messages")
def send_messages(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Send the short messages that wait; return how many went out."""
    return send_round("sms")


@app.periodic(cron="* * * * * */10")
@app.task(queueing_lock="send_wechat")
def send_wechat(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Send the messages of WeChat that wait: a task of its own, so that no gateway waits for another."""
    return send_round("wechat")


def send_round(channel: str) -> int:
    """Take what came back on the line, then send what waits everywhere."""
    now = business_now()
    line: Any = import_string(settings.PORTS[channel])()
    with closing(line):
        collect(line, channel, now=now)
        sent = sum(send_waiting(line, _system(digit), now=now, channel=channel) for digit in NATION)
        if sent:
            collect(line, channel, now=now)
        return sent


def _system(div: str) -> Actor:
    return Actor(None, "系统", "system", div=div, is_system=True)


def collect(line: Gateway, channel: str, *, now: datetime) -> None:
    """Store receipts and replies that wait on the line; a line that is shut gives them in a later round."""

    def take(what: Receipt | Reply) -> None:
        take_back(channel, what, now=now)

    try:
        line.collect(take)
    except OSError:
        logger.exception("%s: nothing could be read", channel)


def take_back(channel: str, what: Receipt | Reply, *, now: datetime) -> None:
    """Store one receipt or one reply for good; after this it may be confirmed to the provider."""
    if isinstance(what, Receipt):
        with scope(_system("")):
            take_receipt(channel, what, now=now)
        return
    for digit in NATION:
        actor = _system(digit)
        with scope(actor):
            take_reply(actor, what, now=now)


def send_waiting(line: Any, actor: Actor, *, now: datetime, channel: str = "sms") -> int:
    """Send what waits in one area, each message in a transaction of its own; one that fails waits for its next try.

    Several workers share the queue: each takes rows that no other holds. A worker that is killed between sending and marking leaves
    the row waiting, and the next one sends it with the same key, which the gateway knows.
    """
    sent = failures = 0
    until = monotonic() + LONGEST_ROUND
    while failures < MOST_FAILURES and monotonic() < until:
        with scope(actor):
            notice = waiting_messages(actor, channel, now).select_for_update(skip_locked=True, of=("self",)).first()
            if notice is None:
                break
            try:
                with transaction.atomic():
                    done = _handle(line, notice, now)
            except Throttled as error:
                pause = parameter("message.throttle_seconds", notice.div, local_date(now))
                mark_held(notice, now + timedelta(seconds=pause), error=str(error))
                break
            except Exception as error:  # noqa: BLE001 - one message that an adapter stumbles over must not hold up all others
                logger.warning("%s %s not sent: %s", channel, notice.key, type(error).__name__)
                notice.refresh_from_db()
                _fail(notice, error, now)
                failures += 1
                continue
            failures = 0
            sent += done
    return sent


def _handle(line: Any, notice: Notice, now: datetime) -> bool:
    """Send a locked message, hold it or drop it; return whether it went out."""
    day = local_date(now)
    limits = {
        "most_today": parameter("message.most_a_day", notice.div, day),
        "latest": timedelta(hours=parameter("message.latest_hours", notice.div, day)),
    }
    said = verdict(case_of(notice, now), **limits)
    if said.drop:
        mark_dropped(notice, said.drop)
    elif said.hold_until is not None:
        mark_held(notice, said.hold_until)
    else:
        return _deliver(line, notice, now)
    return False


def _deliver(line: Any, notice: Notice, now: datetime) -> bool:
    """Give one message to the line; a made-up number goes to the log only, whatever the line is."""
    address = notice.unseal_field("address")
    if notice.channel == "sms" and is_made_up(address):
        logger.info("sms %s to %s (made up): %s", notice.key, mask_phone(address), notice.text)
        mark_sent(notice, now=now, reason="made_up")
        return True
    try:
        port_ids = SENDERS[notice.channel](line, notice, address)
    except Rejected as error:
        mark_failed(notice, "rejected", error=str(error))
        return False
    mark_sent(notice, now=now, port_ids=port_ids)
    return True


def _fail(notice: Notice, error: Exception, now: datetime) -> None:
    waits = parameter("message.wait_seconds", notice.div, local_date(now))
    again = retry_at(now, notice.try_count + 1, waits)
    if again is None:
        mark_failed(notice, "gave_up", error=str(error))
    else:
        mark_held(notice, again, error=str(error), tries=1)


def _key(notice: Notice) -> str:
    """The key of a round: sent again by hand it is another message to the gateway."""
    return f"{notice.key}#{notice.round}" if notice.round else notice.key


def _by_sms(line: Sms, notice: Notice, address: str) -> Sequence[str]:
    return line.send(number=address, text=notice.text, key=_key(notice))


def _by_wechat(line: Wechat, notice: Notice, address: str) -> Sequence[str]:
    return line.send(open_id=address, title=notice.title, text=notice.text, link=notice.link, key=_key(notice))


SENDERS: dict[str, Callable[[Any, Notice, str], Sequence[str]]] = {"sms": _by_sms, "wechat": _by_wechat}


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="seal_journal")
def seal_journal(timestamp: int = 0) -> int:  # noqa: ARG001 - given by the scheduler
    """Seal the journal rows of transactions that ended since the last block; return how many."""
    last = last_seal()
    start, previous = (last.to_xid, bytes(last.seal)) if last else (0, FIRST)
    with audit_connection() as audit, audit.transaction():
        audit.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        end = horizon(audit)
        if end < start:
            logger.error(
                "the numbers of transactions went back (restored?): set them forward over %s, until then nothing is sealed",
                start,
            )
        digests = digests_between(audit, start, end) if end > start else []
    if digests:
        seal = seal_of(previous, start, end, digests)
        write_seal(span=(start, end), row_count=len(digests), previous=previous, seal=seal, at=real_now())
    return len(digests)
