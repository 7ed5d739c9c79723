"""Settling what is due."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import TypeVar

from django.db import DatabaseError, connection
from procrastinate.contrib.django import app

from yinling.directory.queries import cities, system_actor
from yinling.ground.clock import business_now
from yinling.ground.rounds import daily, tried
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.states import OrderState
from yinling.settlement.channel import fetch_bill, send_refunds, tend_payments
from yinling.settlement.drafting import draft_month
from yinling.settlement.operations import draft_recovery, lift_recovery, return_recovery, settle_each, settle_order
from yinling.settlement.operations.statements import DRAFT_TASK
from yinling.settlement.queries import due_orders, overpaid, unfounded_recoveries
from yinling.settlement.states import RecoveryState

MOST_A_ROUND = 200
MOST_ORDERS, BATCH = 20_000, 300
BILL_DAYS = 3
CORRECTED = N_("去世或迁出的登记已更正")
logger = logging.getLogger("yinling.settlement")
T = TypeVar("T")


def batched(rows: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Yield rows in parts of a size."""
    left = iter(rows)
    while some := tuple(islice(left, size)):
        yield some


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="settle_due", pass_context=False)
def settle_due(timestamp: int = 0) -> int:  # noqa: ARG001 - the timer passes it
    """Settle orders whose waiting time after the service is over; return how many."""
    return sum(settle_area(system_actor(city.div), business_now()) for city in list(cities()))


def settle_area(actor: Actor, now: datetime) -> int:
    """Settle what is due in an area, some hundred orders to a transaction: killed at any moment, it goes on where it was."""
    with scope(actor):
        due = list(due_orders(actor.div or "", now).values_list("pk", flat=True)[:MOST_ORDERS])
    return sum(_settle_batch(actor, now, list(some)) for some in batched(due, BATCH))


def _settle_batch(actor: Actor, now: datetime, numbers: Sequence[int]) -> int:
    """Settle a batch without what others have in hand; if the database refuses it as a whole, settle one by one."""
    try:
        with scope(actor):
            free = Order.objects.select_for_update(of=("self",), skip_locked=True)
            rows = list(free.filter(pk__in=numbers, state=OrderState.SERVED).order_by("served_at", "pk"))
            return len(rows) - len(settle_each(actor, now, rows))
    except (Refusal, DatabaseError) as error:
        logger.warning("batch of %s from order %s: %s", len(numbers), numbers[0], error)
    return sum(tried(actor, now, settle_order, order_id=pk) for pk in numbers)


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="settlement.roll_totals", pass_context=False)
def roll_totals(timestamp: int = 0) -> int:  # noqa: ARG001 - the timer passes it
    """Add the ledger's new totals to those of their areas; return how many rows they became."""
    return _counted("SELECT settlement_roll_totals()")


@app.periodic(cron=daily(3, 20))
@app.task(queueing_lock="settlement.merge_totals", pass_context=False)
def merge_totals(timestamp: int = 0) -> int:  # noqa: ARG001 - the timer passes it
    """Merge rows of the ledger's totals that say the same and were rolled up apart; return how many are left of them."""
    return _counted("SELECT settlement_merge_totals()")


def _counted(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="settlement.recover", pass_context=False)
def recover(timestamp: int = 0) -> None:  # noqa: ARG001 - the timer passes it
    """Draw up and give up recovery lists in every city."""
    for city in list(cities()):
        recover_overpaid(system_actor(city.div), business_now())


def recover_overpaid(actor: Actor, now: datetime, elder_id: int | None = None) -> int:
    """List what was performed after a death or a move, in an area or of one elder, and give up lists whose cause is gone."""
    area = actor.div or ""
    with scope(actor):
        gone = unfounded_recoveries(area, elder_id)
        late = sorted({one.order.elder_id for one in overpaid(area, now, elder_id)})[:MOST_A_ROUND]
    done = 0
    for row in gone:
        give_up = lift_recovery if row.state == RecoveryState.APPROVED else return_recovery
        done += tried(actor, now, give_up, recovery_id=row.pk, reason=CORRECTED)
    for pk in late:
        done += tried(actor, now, draft_recovery, elder_id=pk)
    return done


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="settlement.payments", pass_context=False)
def payments(timestamp: int = 0) -> None:  # noqa: ARG001 - the timer passes it
    """Move payments on in every city, then tell the channel of refunds."""
    for city in list(cities()):
        actor, now = system_actor(city.div), business_now()
        tend_payments(actor, now)
        send_refunds(actor, now)


@app.periodic(cron=daily(10, 20))
@app.task(queueing_lock="settlement.payment_bills", pass_context=False)
def payment_bills(timestamp: int = 0) -> None:  # noqa: ARG001 - the timer passes it
    """Compare the channel's bills of the last days with ours: a bill may come late."""
    now = business_now()
    for city in list(cities()):
        for days in range(BILL_DAYS, 0, -1):
            fetch_bill(system_actor(city.div), now, local_date(now) - timedelta(days=days))


@app.task(name=DRAFT_TASK, pass_context=False)
def draft_all(div: str, month: str, user_id: int) -> int:
    """Draw up the statements of a month that somebody asked for."""
    return draft_month(div, date.fromisoformat(month), user_id)
