"""Reading contracts: lists, what of the package is used, names that the actor's own scope does not show, and who has gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from yinling.directory.models import Staff
from yinling.entitlements.models import Quota
from yinling.entitlements.queries import last_day_of
from yinling.ground.models import in_force
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.people.models import Circumstance
from yinling.people.queries.names import names_on_paper, reader
from yinling.programmes.family_doctor.models import DoctorContract
from yinling.programmes.family_doctor.rules import Use, uses_of
from yinling.programmes.family_doctor.states import ContractState

UNIT = "item:"


@dataclass(frozen=True)
class Names:
    """Who is in a contract, as everybody who sees the contract may read it."""

    elder: str
    doctor: str


def contracts(actor: Actor) -> Any:
    """The contracts an actor may see, the newest first."""
    return DoctorContract.objects.visible_to(actor).select_related("provider", "package").order_by("-id")


def names_of(rows: Iterable[DoctorContract]) -> dict[int, Names]:
    """Return the names in contracts: a body sees no files of elders, an office no staff of others, but both see the contract."""
    shown = list(rows)
    if not shown:
        return {}
    elders, doctors = names_on_paper(shown[0].div, {row.elder_id for row in shown}, {row.doctor_id for row in shown})
    return {row.pk: Names(elders.get(row.elder_id, ""), doctors.get(row.doctor_id, "")) for row in shown}


def signed_until(on: date) -> Subquery:
    """The first day after the contract that an elder has on a day, for a question about elders."""
    rows = DoctorContract.objects.filter(elder_id=OuterRef("pk"), state=ContractState.SIGNED)
    return Subquery(rows.filter(valid_from__lte=on, valid_to__gt=on).values("valid_to")[:1])


def usage(row: DoctorContract) -> tuple[Use, ...]:
    """Return each line of a contract with what is used, booked and left, from the counters (R-FAM-03)."""
    if row.entitlement_id is None:
        return uses_of(row.lines, {})
    with scope(reader(row.div)):
        found = (
            Quota.objects.filter(entitlement_id=row.entitlement_id, unit__startswith=UNIT)
            .values_list("unit")
            .annotate(used=Sum("used"), reserved=Sum("reserved"))
        )
        counters = {unit.removeprefix(UNIT): (used, reserved) for unit, used, reserved in found}
    return uses_of(row.lines, counters)


def doctors_of(provider_id: int, div: str, on: date) -> list[tuple[int, str]]:
    """Return the doctors who work for a body on a day. Their papers are checked when a contract is drafted and signed."""
    with scope(reader(div)):
        working = Q(employed_to=None) | Q(employed_to__gt=on)
        rows = Staff.objects.filter(working, provider_id=provider_id, kind="doctor", employed_from__lte=on)
        return list(rows.order_by("name", "pk").values_list("pk", "name"))


def overlapping(row: DoctorContract) -> QuerySet[DoctorContract]:
    """Other contracts that its elder has or had on one of its days."""
    rows = DoctorContract.objects.filter(elder_id=row.elder_id, state__in=[ContractState.SIGNED, ContractState.ENDED])
    return rows.filter(valid_from__lt=row.valid_to, valid_to__gt=row.valid_from).exclude(pk=row.pk)


def contracts_of_leavers(div: str, on: date) -> list[DoctorContract]:
    """Signed contracts of an area whose elder has died or moved away before their last day."""
    away = Circumstance.objects.filter(
        in_force(on), kind="moved_away", elder_id=OuterRef("elder_id"), valid_from__lte=OuterRef("valid_to")
    )
    gone = Q(elder__died_on__lte=on, valid_to__gt=F("elder__died_on")) | Exists(away)
    rows = DoctorContract.objects.within(div).filter(gone, state=ContractState.SIGNED)
    return list(rows.select_related("elder", "entitlement__elder").order_by("pk"))


def last_day(row: DoctorContract, today: date) -> tuple[date | None, str]:
    """Return the last day a contract may have for its elder, and what causes that; nothing while the elder lives here."""
    return (None, "") if row.entitlement is None else last_day_of(row.entitlement, today)


def moved(div: str) -> QuerySet[DoctorContract]:
    """Contracts that do not lie where their elders live."""
    return DoctorContract.objects.within(div).exclude(div=F("elder__div"))
