"""Reading home sickbeds: lists, names that the actor's own scope does not show, what an approval rests on, and who has gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, Q, QuerySet

from yinling.assessment.models import Assessment
from yinling.assessment.queries import current_level
from yinling.directory.models import Staff
from yinling.entitlements.conditions import read_grades
from yinling.entitlements.eligibility import Eligibility, eligibility
from yinling.entitlements.models import Entitlement
from yinling.entitlements.queries import last_day_of
from yinling.entitlements.queries.eligibility import situation_of, words
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.people.models import Circumstance, Consent, Elder
from yinling.people.queries.names import names_on_paper, reader
from yinling.programmes.home_beds.models import HomeSickbed
from yinling.programmes.home_beds.rules import CONSENTS
from yinling.programmes.home_beds.states import SickbedState


@dataclass(frozen=True)
class Names:
    """Who is at a bed, as everybody who sees the bed may read it."""

    elder: str
    doctor: str
    nurse: str
    checked_by: str


@dataclass(frozen=True)
class Basis:
    """What an approval rests on besides the application: the groups that fit, why or why not, the result, the consent."""

    answer: Eligibility
    assessment: Assessment | None
    consent: Consent | None

    @property
    def groups(self) -> list[str]:
        """The groups of the city's list that fit (R-BED-09)."""
        return [verdict.grade.name for verdict in self.answer.verdicts if verdict.fits]


def beds(actor: Actor) -> Any:
    """The beds an actor may see, the newest first."""
    return HomeSickbed.objects.visible_to(actor).select_related("provider").order_by("-id")


def names_of(rows: Iterable[HomeSickbed]) -> dict[int, Names]:
    """Return the names at beds: a body sees no files of elders, an office no staff of others, but both see the bed."""
    shown = list(rows)
    if not shown:
        return {}
    people = {pk for row in shown for pk in (row.doctor_id, row.nurse_id, row.checked_by_id) if pk}
    elders, staff = names_on_paper(shown[0].div, {row.elder_id for row in shown}, people)
    return {
        row.pk: Names(
            elders.get(row.elder_id, ""), staff.get(row.doctor_id or 0, ""), staff.get(row.nurse_id or 0, ""),
            staff.get(row.checked_by_id or 0, ""),
        )
        for row in shown
    }  # fmt: skip


def basis_of(elder: Elder, kind: str, on: date) -> Basis:
    """Return what an approval on a day can rest on: read in a scope that shows the elder."""
    grades = read_grades(parameter("home_beds.groups", elder.div, on), words(elder.div, on))
    consents = Consent.objects.filter(in_force(on), elder=elder, purpose=CONSENTS[kind])
    return Basis(eligibility(grades, situation_of(elder, on)), current_level(elder.pk, on), consents.first())


def present(row: HomeSickbed, found: Basis) -> set[str]:
    """Return which pieces of an application are there."""
    has = {
        "level": found.answer.is_eligible, "diagnosis": bool(row.diagnosis_enc), "home_check": row.checked_on is not None,
        "consent": found.consent is not None, "doctor": row.doctor_id is not None, "nurse": row.nurse_id is not None,
    }  # fmt: skip
    return {piece for piece, is_there in has.items() if is_there}


def staff_of(provider_id: int, div: str, on: date) -> dict[str, list[tuple[str, str]]]:
    """Return who works for a body on a day as doctor or nurse, to choose from by kind. Their papers are checked when they are named."""
    found: dict[str, list[tuple[str, str]]] = {}
    with scope(reader(div)):
        working = Q(employed_to=None) | Q(employed_to__gt=on)
        rows = Staff.objects.filter(working, provider_id=provider_id, kind__in=("doctor", "nurse"), employed_from__lte=on)
        for pk, name, kind in rows.order_by("name", "pk").values_list("pk", "name", "kind"):
            found.setdefault(kind, []).append((str(pk), name))
    return found


def insurance_of(elder_id: int, div: str, on: date) -> Entitlement | None:
    """Return the grade of the long-term care insurance that an elder has beside the bed (R-LTC-09)."""
    with scope(reader(div)):
        rows = Entitlement.objects.filter(in_force(on), elder_id=elder_id, scheme__payer="ltci")
        return rows.select_related("scheme").first()


def beds_of_leavers(div: str, on: date) -> list[HomeSickbed]:
    """Open beds of an area whose elder has died or moved away."""
    away = Circumstance.objects.within(div).filter(in_force(on), kind="moved_away").values("elder_id")
    gone = Q(elder__died_on__lte=on) | Q(elder_id__in=away)
    rows = HomeSickbed.objects.within(div).filter(gone, state=SickbedState.APPROVED)
    return list(rows.select_related("entitlement__elder").order_by("pk"))


def last_day(row: HomeSickbed, today: date) -> date | None:
    """Return the last day a bed may have for its elder; nothing while the elder lives here."""
    return None if row.entitlement is None else last_day_of(row.entitlement, today)[0]


def moved(div: str) -> QuerySet[HomeSickbed]:
    """Beds that do not lie where their elders live."""
    return HomeSickbed.objects.within(div).exclude(div=F("elder__div"))
