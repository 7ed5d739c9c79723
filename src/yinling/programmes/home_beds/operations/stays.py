"""Stays paid by the day: admission, discharge, and one order a month for its bed-days (R-BED-06, X-PAY-03)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.catalogue.models import ServiceItem
from yinling.directory.models import Organisation
from yinling.directory.queries import system_actor
from yinling.directory.rules import known_choice, require
from yinling.ground.live import tell
from yinling.ground.models import in_force
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.operations import place_for_programme
from yinling.people.models import Circumstance, Elder
from yinling.people.operations.circumstances import end_circumstance, record_circumstance
from yinling.people.operations.elders import open_file, require_alive
from yinling.people.queries.names import PROVINCE
from yinling.programmes.home_beds.models import BedStay
from yinling.programmes.home_beds.queries.stays import billed_until, moved, next_source, stretches, unbilled
from yinling.programmes.home_beds.rules import check_discharge, paid_days

explain_constraint("bed_stay_one_at_a_time", "stay.overlap", N_("老人在这段时间已登记按床日付费的住院，请核对日期"))

Body = Annotated[int, Input(N_("机构"), least=1, widget="choice")]
Kind = Annotated[str, Input(N_("种类"), choices=BedStay.KINDS, widget="choice")]
BedDay = Annotated[str, Input(N_("床日项目"), max_length=20, widget="choice")]


def evidence_of(stay: BedStay) -> str:
    """Return how the circumstance of a stay names it."""
    return f"home_beds.stay:{stay.pk}"


def _check_free(elder: Elder, admitted_on: date) -> None:
    """Refuse a stay, open as it begins, with a day that another one counts: two on one day would be paid twice."""
    for other in BedStay.objects.filter(elder=elder):
        counted = paid_days(other.admitted_on, other.discharged_on)
        if counted.to is None or counted.to > admitted_on:
            raise Refused("stay.overlap", N_("老人在这段时间已登记按床日付费的住院，请核对日期"), field="admitted_on")


@operation("home_beds.stay.admit", label=N_("登记入院"))
def admit_to_bed(
    *, actor: Actor, now: datetime, elder_id: Id, provider_id: Body, kind: Kind, item_code: BedDay,
    admitted_on: Annotated[date, Input(N_("入院日期"), widget="date")],
) -> BedStay:  # fmt: skip
    """Register a stay that is paid by the day. The elder is then away from home: no visit can be ordered, home benefits rest."""
    elder = open_file(elder_id)
    require(actor, "home_beds.stay.admit", div=elder.div, elder_id=elder.pk)
    require_alive(elder)
    known_choice(kind, BedStay.KINDS, "kind")
    if admitted_on > local_date(now):
        raise Refused("stay.in_future", N_("入院日期晚于今天，请在入院后登记"), field="admitted_on")
    if not Organisation.objects.filter(pk=provider_id, is_provider=True).exists():
        raise Refused("stay.provider", N_("没有这家服务机构，请从列表中选择"), field="provider_id")
    item = ServiceItem.objects.filter(code=item_code, kind="bed_day", is_active=True).first()
    if item is None:
        raise Refused("stay.item", N_("服务清单中没有在用的这个床日项目，请从列表中选择"), field="item_code")
    _check_free(elder, admitted_on)
    row = BedStay.objects.create(
        div=elder.div, elder=elder, provider_id=provider_id, kind=kind, item=item, admitted_on=admitted_on, entered_by_id=actor.user_id or 0,
        created_at=now, changed_at=now,
    )  # fmt: skip
    away = str(parameter("home_beds.circumstance", elder.div, admitted_on)[kind])
    if not Circumstance.objects.filter(in_force(admitted_on), elder=elder, kind=away).exists():
        record_circumstance(
            actor=actor, now=now, elder_id=elder.pk, kind=away, valid_from=admitted_on, body=row.provider.name[:80],
            evidence=evidence_of(row),
        )  # fmt: skip
    changes = {"kind": [None, kind], "item": [None, item.code], "admitted_on": [None, admitted_on.isoformat()]}
    record(actor=actor, now=now, event="home_beds.stay.admit", subject=row, changes=changes)
    tell("bed_stays", pk=row.pk, div=row.div)
    return row


@operation("home_beds.stay.discharge", label=N_("登记出院"))
def discharge_stay(
    *, actor: Actor, now: datetime, stay_id: Id,
    discharged_on: Annotated[date, Input(N_("出院日期"), help=N_("出院当天不计床日"), widget="date")], seen: Seen = None,
) -> BedStay:  # fmt: skip
    """End a stay. The day of discharge is not counted, and the elder is at home again from that day on."""
    row = locked(BedStay.objects.all(), stay_id, seen)
    require(actor, "home_beds.stay.discharge", div=row.div)
    if row.discharged_on is not None:
        raise NotAllowed("stay.over", N_("已经登记出院"))
    today = local_date(now)
    check_discharge(
        admitted_on=row.admitted_on, discharged_on=discharged_on, today=today, billed_until=billed_until(row)
    )
    changes = changed(row, now=now, discharged_on=discharged_on)
    facts = Circumstance.objects.filter(elder_id=row.elder_id, evidence=evidence_of(row), recorded_to=None)
    for fact in facts.exclude(valid_to__lte=discharged_on).exclude(elder__died_on__isnull=False):
        end_circumstance(
            actor=actor, now=now, circumstance_id=fact.pk, valid_to=discharged_on - ONE_DAY, reason=N_("登记出院")
        )
    record(actor=actor, now=now, event="home_beds.stay.discharge", subject=row, changes=changes)
    tell("bed_stays", pk=row.pk, div=row.div)
    return row


@operation("home_beds.stay.bill", label=N_("结算床日"))
def bill_stay(*, actor: Actor, now: datetime, stay_id: Id) -> BedStay:
    """Place one order for each month of a stay that is over, or of its end: each day at its price, split by who pays on it.

    Each month is billed once, however often this is asked.
    """
    row = locked(BedStay.objects.select_related("item", "provider"), stay_id)
    require(actor, "home_beds.stay.bill", div=row.div)
    orders, system = list[Order](), system_actor(row.div[:PROVINCE])
    with scope(system):
        elder = Elder.objects.get(pk=row.elder_id)
        months = unbilled(row, elder, local_date(now))
        for month in months:
            (first, days), *later = stretches(row, month, now)
            order = place_for_programme(
                actor=system, now=now, elder=elder, item_code=row.item.code, quantity=days, service_day=first, later=later,
                provider=row.provider, source=next_source(row, month), note=f"{month.first:%Y-%m} {month.days}",
            )  # fmt: skip
            orders.append(order)
    if not months:
        raise Refused("stay.nothing_to_bill", N_("没有可以结算的床日：整月结束或出院后才能结算"))
    changes = {"bills": [[], [order.pk for order in orders]], "days": [None, sum(month.days for month in months)]}
    record(actor=actor, now=now, event="home_beds.stay.bill", subject=row, changes=changes)
    tell("bed_stays", pk=row.pk, div=row.div)
    return row


def follow_elders(div: str) -> int:
    """Bring stays to the area their elders moved to; return how many."""
    rows = list(moved(div).select_related("elder"))
    for row in rows:
        BedStay.objects.filter(pk=row.pk).update(div=row.elder.div)
    return len(rows)
