"""Money of made-up households, played through the operations: a home made safe and paid back, bills paid on the phone, one of them given
back, a bill that is doubted, and services that went on after a death.
"""

from __future__ import annotations

import base64
import io
from datetime import date, timedelta
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from PIL import Image

from yinling.demo.applications import Clerks
from yinling.directory.queries import system_actor
from yinling.entitlements.models import Entitlement
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal
from yinling.orders.models import Order
from yinling.orders.states import OrderState
from yinling.people.models import Elder
from yinling.people.operations import bury_elder
from yinling.settlement.channel import send_refunds, tend_payments
from yinling.settlement.models import Payment, Reimbursement
from yinling.settlement.operations import (
    approve_reimbursement,
    ask_payment,
    attach_expense,
    confirm_account,
    draft_recovery,
    draft_reimbursement,
    enter_item,
    propose_account,
    raise_bill_objection,
    refund_payment,
    review_reimbursement,
    take_notice,
)
from yinling.settlement.queries.reimbursements import item_list

YUAN = 100
SCHEME, MOST_FEN = "home_modification", 3_000 * YUAN
"""No city has published how much it gives for a home: the sum is made up."""
DONE = (980, 640, 1_260)
"""Yuan of the first items of a home; the others were there before."""
PERFORMED = (OrderState.SERVED, OrderState.SETTLED, OrderState.CLOSED)


def load_homes(clerks: Clerks, area: str) -> list[str]:
    """Two households of the city enter what their home cost: one is approved by two persons, one waits. Return what is owed."""
    today = local_date(clerks.now)
    with scope(system_actor(area)):
        held = Entitlement.objects.within(area).filter(scheme__code=SCHEME, recorded_to=None, valid_to=None)
        rows = list(
            held.filter(elder__died_on=None, valid_from__lt=today - timedelta(days=60))
            .select_related("elder")
            .order_by("pk")[:2]
        )
        Entitlement.objects.filter(pk__in=[row.pk for row in rows]).update(once_fen=MOST_FEN)
    owed = []
    for number, row in enumerate(rows):
        made = _entered(clerks, row, today - timedelta(days=20), number)
        if number or made is None:
            break
        account = clerks.act(
            "finance", 15, propose_account, elder_id=row.elder_id, holder=row.elder.name, bank="演示银行（虚构）", number="6217000000000332",
            valid_from=today - timedelta(days=15),
        )  # fmt: skip
        clerks.act("finance2", 15, confirm_account, account_id=account.pk)
        clerks.act("finance", 14, review_reimbursement, reimbursement_id=made.pk, invoice_fen=sum(DONE) * YUAN)
        clerks.act("finance2", 13, approve_reimbursement, reimbursement_id=made.pk)
        owed.append(f"reimbursement:{made.pk}")
    return owed


def _entered(clerks: Clerks, row: Entitlement, accepted_on: date, number: int) -> Reimbursement | None:
    """Enter a home's items and keep the picture of its invoice; None where the platform refuses."""
    try:
        made: Reimbursement = clerks.act(
            "city", 16, draft_reimbursement, entitlement_id=row.pk, contractor="安居适老改造公司（虚构）", accepted_on=accepted_on,
            invoice_number=f"2432000000{number:04d}",
        )  # fmt: skip
    except Refusal:
        return None
    base = [item.code for item in item_list(SCHEME, row.div, accepted_on).values() if item.is_base]
    for place, code in enumerate(base):
        said: dict[str, Any] = (
            {"outcome": "done", "amount_fen": DONE[place] * YUAN} if place < len(DONE) else {"outcome": "present"}
        )
        clerks.act("city", 16, enter_item, reimbursement_id=made.pk, item=code, **said)
    clerks.act("city", 16, attach_expense, reimbursement_id=made.pk, title="发票", content=_picture())
    return made


def _picture() -> str:
    target = io.BytesIO()
    Image.new("RGB", (320, 200), "#f4efe2").save(target, "JPEG")
    return base64.b64encode(target.getvalue()).decode()


def load_bills(clerks: Clerks, area: str, elder: Elder) -> None:
    """The family pays two bills on the phone, and one comes back as it was paid at the door too; a neighbour doubts a bill; and news of a
    death comes after services.
    """
    performed = Order.objects.filter(state__in=PERFORMED).order_by("-starts_at", "pk")
    with scope(system_actor(area)):
        own = list(performed.filter(elder=elder, self_fen__gt=0)[:6])
        near = performed.within(elder.div[:9]).exclude(elder=elder)
        doubted = list(near.filter(self_fen__gt=0)[:4])[-1:]
        gone = _gone(near.exclude(elder__in=[one.elder_id for one in doubted]), clerks)
    paid = list(islice((row for order in own if (row := _paid(clerks, area, order)) is not None), 2))
    if len(paid) > 1:
        clerks.act(
            "finance", 0.5, refund_payment, payment_id=paid[1].pk, amount_fen=paid[1].amount_fen,
            reason="老人当日已付现金给护理员，家属又在手机上付了一次（虚构）",
        )  # fmt: skip
        send_refunds(system_actor(area), clerks.now - timedelta(hours=6))
    for order in doubted:
        clerks.act(
            "seat",
            0.4,
            raise_bill_objection,
            order_id=order.pk,
            text="老人说当天没有做完说好的项目，账单照全部项目收（虚构）",
        )
    if gone is not None:
        died_on = local_date(gone.starts_at) - timedelta(days=1)
        clerks.act(
            "street", 0.3, bury_elder, elder_id=gone.elder_id, died_on=died_on, evidence="火化证（虚构），家属迟报"
        )
        clerks.act("finance", 0.2, draft_recovery, elder_id=gone.elder_id)


def _paid(clerks: Clerks, area: str, order: Order) -> Payment | None:
    """Pay a bill at the made-up channel; None where there is nothing to pay, or no channel."""
    moment, system = clerks.now - timedelta(days=1), system_actor(area)
    try:
        row: Payment = clerks.act("family", 1, ask_payment, order_id=order.pk)
    except Refusal:
        return None
    with scope(system):
        row = take_notice(
            actor=system,
            now=moment,
            key=row.key,
            number=f"D{row.pk:024d}",
            amount_fen=row.amount_fen,
            paid_at=moment,
            channel=row.channel,
        )
    tend_payments(system, moment)
    return row


def _gone(rows: QuerySet[Order], clerks: Clerks) -> Order | None:
    """A lunch, else another service, of somebody for whom nothing more is booked."""
    booked = Order.objects.filter(starts_at__gte=clerks.now).exclude(
        state__in=[OrderState.CANCELLED, OrderState.FAILED]
    )
    since = clerks.now - timedelta(days=40)
    late = rows.filter(starts_at__gte=since, elder__died_on=None).exclude(elder__in=booked.values("elder"))
    return late.filter(lines__item__family="meal").first() or late.first()
