"""The counters of each month that placed orders and settlement move."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import F

from yinling.entitlements.models import Entitlement, Quota
from yinling.entitlements.rules import grantable
from yinling.ground.operation import explain_constraint
from yinling.kernel.actor import Actor
from yinling.kernel.period import month_start
from yinling.kernel.words import N_

explain_constraint("quota_cap", "quota.cap", N_("本月额度已用完，请重新报价"))


def _counter(entitlement: Entitlement, month: date) -> Quota:
    """Return the counter of a month, locked; the first order of the month makes it."""
    first = month_start(month)
    assert entitlement.monthly_cap_fen is not None  # noqa: S101 - callers ask for counters of capped entitlements only
    Quota.objects.get_or_create(
        entitlement=entitlement,
        unit="fen",
        per="month",
        from_on=first,
        defaults={"div": entitlement.div, "elder_id": entitlement.elder_id, "cap": entitlement.monthly_cap_fen},
    )
    return Quota.objects.select_for_update(of=("self",)).get(
        entitlement=entitlement, unit="fen", per="month", from_on=first
    )


def reserve(actor: Actor, now: datetime, entitlement: Entitlement, month: date, wanted_fen: int) -> int:  # noqa: ARG001 - the form of all plain steps
    """Set money of a month aside for an order being placed; return how much was left, at most what is wanted."""
    if entitlement.monthly_cap_fen is None:
        return wanted_fen
    row = _counter(entitlement, month)
    granted = grantable(wanted_fen, cap=row.cap, reserved=row.reserved, used=row.used)
    if granted:
        Quota.objects.filter(pk=row.pk).update(reserved=F("reserved") + granted)
    return granted


def confirm_use(actor: Actor, now: datetime, entitlement: Entitlement, month: date, amount_fen: int) -> None:  # noqa: ARG001 - as above
    """Turn reserved money into used money: the order is settled."""
    if entitlement.monthly_cap_fen is not None:
        row = _counter(entitlement, month)
        moved = {"reserved": F("reserved") - amount_fen, "used": F("used") + amount_fen}
        Quota.objects.filter(pk=row.pk).update(**moved)


def give_back(actor: Actor, now: datetime, entitlement: Entitlement, month: date, amount_fen: int) -> None:  # noqa: ARG001 - as above
    """Free reserved money: the order is cancelled or failed."""
    if entitlement.monthly_cap_fen is not None:
        row = _counter(entitlement, month)
        Quota.objects.filter(pk=row.pk).update(reserved=F("reserved") - amount_fen)


def undo_use(actor: Actor, now: datetime, entitlement: Entitlement, month: date, amount_fen: int) -> None:  # noqa: ARG001 - as above
    """Give used money back: the settlement was reversed."""
    if entitlement.monthly_cap_fen is not None:
        row = _counter(entitlement, month)
        Quota.objects.filter(pk=row.pk).update(used=F("used") - amount_fen)
