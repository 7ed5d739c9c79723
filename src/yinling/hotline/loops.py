"""What the loops of tickets do in one city; ``jobs.py`` gives them their time."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from yinling.ground.scope import scope
from yinling.hotline.exchange import FAILED, REFUSED, SENT
from yinling.hotline.operations import escalate_ticket, note_exchange, remind_ticket
from yinling.hotline.ports import ExchangeRefused, TicketExchange
from yinling.hotline.queries import outgoing, to_escalate, to_remind_of
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_


def urge_area(actor: Actor, now: datetime) -> int:
    """Remind of deadlines near or over, then bring up what is long overdue; return how many tickets were touched."""
    with scope(actor):
        near = to_remind_of(actor, now)
        for row, is_over in near:
            text = N_("工单已超过办理时限，请立即办理并说明原因") if is_over else N_("工单即将到期，请按时办结")
            remind_ticket(actor=actor, now=now, ticket_id=row.pk, text=text, by="system")
        late = to_escalate(actor, now)
        for one in late:
            reason = f"超期 {one.days} 个工作日，系统自动升级"
            escalate_ticket(actor=actor, now=now, ticket_id=one.ticket.pk, reason=reason, step=one.step)
    return len(near) + len(late)


def exchange_area(actor: Actor, now: datetime) -> int:
    """Tell other lines what they do not know yet; return how many messages arrived. Nothing is held while the network is asked."""
    line: TicketExchange = import_string(settings.PORTS["ticket_exchange"])()
    with scope(actor):
        waiting = outgoing(actor, now)
    sent = 0
    for one in waiting:
        number, error, outcome = "", "", SENT
        try:
            number = line.send(one.message)
        except ExchangeRefused as refusal:
            outcome, error = REFUSED, str(refusal)
        except OSError as fault:
            outcome, error = FAILED, str(fault) or type(fault).__name__
        with scope(actor):
            note_exchange(
                actor=actor, now=now, exchange_id=one.exchange.pk, key=one.key if outcome == SENT else one.try_key, state=one.state,
                outcome=outcome, foreign_number=number[:64], error=error[:300],
            )  # fmt: skip
        sent += outcome == SENT
    return sent
