"""Reading home sickbeds: lists, names that the actor's own scope does not show, what an approval rests on, and who has gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery

from yinling.directory.models import Staff
from yinling.entitlements.conditions import read_grades
from yinling.entitlements.eligibility import Eligibility, eligibility
from yinling.entitlements.models import Entitlement
from yinling.entitlements.queries import last_day_of
from yinling.entitlements.queries.eligibility import holdings, situation_of, words
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import DayPeriod
from yinling.people.models import Circumstance, Consent, Elder
from yinling.people.queries.names import names_on_paper, reader
from yinling.programmes.home_beds.models import HomeSickbed
from yinling.programmes.home_beds.rules import CONSENTS
from yinling.programmes.home_beds.states import SickbedState

OPEN = (SickbedState.APPLIED, SickbedState.APPROVED)
"""States in which somebody may still be named."""


@dataclass(frozen=True)
class Names:
    """Who is at a bed, as everybody who sees the bed may read it."""

    elder: str
    doctor: str
    nurse: str
    checked_by: str


@dataclass(frozen=True)
class Basis:
    """What an approval rests on besides the application: the groups that fit, why or why not, and the consent."""

    answer: Eligibility
    consent_id: int | None

    @property
    def groups(self) -> list[str]:
        """The groups of the city's list that fit (R-BED-09)."""
        return [verdict.grade.name for verdict in self.answer.verdicts if verdict.fits]


@dataclass(frozen=True)
class Sheet:
    """What is shown at one bed besides its row: who is there and who may be chosen by kind, the insurance, what an approval could rest on."""

    names: Names
    staff: dict[str, list[tuple[str, str]]]
    insurance: Entitlement | None
    basis: Basis | None


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
    consent_id = _consents(kind, on).filter(elder=elder).values_list("pk", flat=True).first()
    return Basis(groups_for(elder, on), consent_id)


def groups_for(elder: Elder, on: date, held: list[Entitlement] | None = None) -> Eligibility:
    """Say which groups of the city's list an elder belongs to on a day, and why; the entitlements may be known already."""
    grades = read_grades(parameter("home_beds.groups", elder.div, on), words(elder.div, on))
    return eligibility(grades, situation_of(elder, on, held))


def _consents(kind: str, on: date) -> QuerySet[Consent]:
    return Consent.objects.filter(in_force(on), purpose=CONSENTS[kind]).order_by("pk")


def sheet_of(row: HomeSickbed, on: date) -> Sheet:
    """Return what is shown at a bed, in four questions; the basis only while the application waits."""
    consent = Subquery(_consents(row.kind, on).filter(elder_id=OuterRef("pk")).values("pk")[:1])
    with scope(reader(row.div)):
        elder = Elder.objects.annotate(consent_id=consent).get(pk=row.elder_id)
        held = holdings([elder.pk])[elder.pk]
        basis = Basis(groups_for(elder, on, held), elder.consent_id) if row.state == SickbedState.APPLIED else None
        people, staff = _staff_of(row, on)
    insured = [
        one for one in held if one.scheme.payer == "ltci" and DayPeriod(one.valid_from, one.valid_to).contains(on)
    ]
    names = (people.get(pk or 0, "") for pk in (row.doctor_id, row.nurse_id, row.checked_by_id))
    return Sheet(Names(elder.name, *names), staff, insured[0] if insured else None, basis)


def _staff_of(row: HomeSickbed, on: date) -> tuple[dict[int, str], dict[str, list[tuple[str, str]]]]:
    """Return the names of who is named at a bed, and the doctors and nurses of its body by kind, to choose from while it is open.

    Their papers are checked when they are named.
    """
    works = Q(provider_id=row.provider_id, kind__in=("doctor", "nurse"), employed_from__lte=on)
    works &= Q(employed_to=None) | Q(employed_to__gt=on)
    named = Q(pk__in=[pk for pk in (row.doctor_id, row.nurse_id, row.checked_by_id) if pk])
    rows = Staff.objects.filter(named | works if row.state in OPEN else named)
    names: dict[int, str] = {}
    staff: dict[str, list[tuple[str, str]]] = {}
    for one in rows.annotate(works=ExpressionWrapper(works, BooleanField())).order_by("name", "pk"):
        names[one.pk] = one.name
        if one.works and row.state in OPEN:
            staff.setdefault(one.kind, []).append((str(one.pk), one.name))
    return names, staff


def present(row: HomeSickbed, found: Basis) -> set[str]:
    """Return which pieces of an application are there."""
    has = {
        "level": found.answer.is_eligible, "diagnosis": bool(row.diagnosis_enc), "home_check": row.checked_on is not None,
        "consent": found.consent_id is not None, "doctor": row.doctor_id is not None, "nurse": row.nurse_id is not None,
    }  # fmt: skip
    return {piece for piece, is_there in has.items() if is_there}


def beds_to_close(div: str, on: date) -> list[HomeSickbed]:
    """Open beds of an area whose elder has died or moved away, and those whose last day is over."""
    away = Circumstance.objects.within(div).filter(in_force(on), kind="moved_away").values("elder_id")
    over = Q(elder__died_on__lte=on) | Q(elder_id__in=away) | Q(approved_to__lt=on)
    rows = HomeSickbed.objects.within(div).filter(over, state=SickbedState.APPROVED)
    return list(rows.select_related("entitlement__elder").order_by("pk"))


def last_day(row: HomeSickbed, today: date) -> date | None:
    """Return the last day of a bed that is to be closed: of the life of its elder, before a move, or as approved, if that is over."""
    left = None if row.entitlement is None else last_day_of(row.entitlement, today)[0]
    run_out = row.approved_to if row.approved_to is not None and row.approved_to < today else None
    return min((day for day in (left, run_out) if day is not None), default=None)


def moved(div: str) -> QuerySet[HomeSickbed]:
    """Beds that do not lie where their elders live."""
    return HomeSickbed.objects.within(div).exclude(div=F("elder__div"))
