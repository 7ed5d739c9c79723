"""Sending what waits to be sent."""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string
from procrastinate.contrib.django import app

from yinling.accounts.models import Notice
from yinling.accounts.operations import mark_sent, write_seal
from yinling.accounts.ports import Sms
from yinling.accounts.queries import FIRST, audit_connection, digests_between, horizon, last_seal
from yinling.accounts.rules import is_made_up, seal_of
from yinling.ground.clock import business_now, real_now
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.masks import mask_phone

logger = logging.getLogger(__name__)
NATION = tuple("0123456789")
"""The first digits of all division codes: this context knows no cities."""


@app.periodic(cron="* * * * * */10")
@app.task(queueing_lock="send_messages")
def send_messages(timestamp: int) -> int:  # noqa: ARG001 - given by the scheduler
    """Send the short messages that wait; return how many went out."""
    line: Sms = import_string(settings.PORTS["sms"])()
    return sum(send_waiting(line, Actor(None, "系统", "system", div=digit), now=business_now()) for digit in NATION)


def send_waiting(line: Sms, actor: Actor, *, now: datetime) -> int:
    """Send what waits in one area, each message in a transaction of its own; one that fails waits for the next round."""
    failed: list[int] = []
    sent = 0
    while True:
        with scope(actor):
            waiting = Notice.objects.filter(channel="sms", sent_at=None, div__gte=actor.div, div__lt=f"{actor.div}:")
            notice = waiting.exclude(pk__in=failed).select_for_update(skip_locked=True).order_by("id").first()
            if notice is None:
                return sent
            try:
                deliver(line, notice)
            except OSError:
                logger.exception("message %s not sent", notice.key)
                failed.append(notice.pk)
                continue
            mark_sent(notice, now=now)
            sent += 1


def deliver(line: Sms, notice: Notice) -> None:
    """Give one message to the line; a made-up number goes to the log only, whatever the line is."""
    number = notice.unseal_field("address")
    if is_made_up(number):
        logger.info("sms %s to %s (made up): %s", notice.key, mask_phone(number), notice.text)
        return
    line.send(number=number, text=notice.text, key=notice.key)


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
