"""Reading applications for assessments: queues, one file, who is due."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from yinling.assessment.inputs import HOME_NEEDS
from yinling.assessment.models import Assessment, Assessor, Form, Request
from yinling.assessment.queries.policies import policies
from yinling.assessment.queries.results import held_of
from yinling.assessment.rules import Held, Person, level_codes, recognised
from yinling.assessment.states import OPEN
from yinling.directory.models import Qualification, Staff
from yinling.directory.queries import system_actor
from yinling.ground.models import in_force
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import ONE_DAY
from yinling.people.models import Consent

ON_SITE = ("assessor", "expert")


def requests_of(actor: Actor) -> QuerySet[Request]:
    """Applications the actor sees: of the area (by station or by home), of the organisation, of the own elders; newest first."""
    rows = Request.objects.visible_to(actor)
    if actor.div:
        rows = rows | Request.objects.filter(home_div__gte=actor.div, home_div__lt=actor.div + ":")
    return rows.select_related("provider").order_by("-id")


def mine(actor: Actor) -> QuerySet[Request]:
    """Applications on which an assessor is named and which wait for the form."""
    named = Assessor.objects.filter(request=OuterRef("pk"), staff_id=actor.staff_id or 0, capacity__in=ON_SITE)
    return requests_of(actor).filter(Exists(named), state="arranged").order_by("visit_on", "id")


def open_request(elder_id: int, scale: str, purpose: str) -> Request | None:
    """Return an application under way for the same purpose."""
    return Request.objects.filter(elder_id=elder_id, scale=scale, purpose=purpose, state__in=OPEN).first()


def requests_of_dead(div: str) -> QuerySet[Request]:
    """Applications not yet assessed of elders who have died."""
    return Request.objects.within(div).filter(state__in=OPEN[:3], elder__died_on__isnull=False)


@dataclass(frozen=True)
class RequestFile:
    """One application with the people on it, its form and its result."""

    request: Request
    people: list[Assessor]
    form: Form | None
    result: Assessment | None

    @property
    def on_site(self) -> list[Assessor]:
        """Those who assess."""
        return [one for one in self.people if one.capacity in ON_SITE]


def request_file(actor: Actor, pk: int) -> RequestFile | None:
    """Return an application, or nothing if there is none for this actor. Three queries."""
    rows = requests_of(actor).select_related("provider", "site", "former__provider", "form", "applied_by")
    row = rows.filter(pk=pk).first()
    if row is None:
        return None
    people = list(Assessor.objects.filter(request=row).order_by("id"))
    result = Assessment.objects.filter(request=row).order_by("recorded_to", "-id").first()
    return RequestFile(row, people, getattr(row, "form", None), result)


def content_of(form: Form) -> dict[str, Any]:
    """Return the sealed content of a form: answers, facts, declared, informant. The caller has checked the right."""
    text = form.unseal_field("answers")
    empty: dict[str, Any] = {"answers": {}, "facts": {}, "declared": {}, "informant": ""}
    return empty | (json.loads(text) if text else {})


def person_of(staff: Staff, capacity: str, on: date) -> Person:
    """Return somebody as the rules see them: the certificates that hold on a day."""
    held = Qualification.objects.filter(in_force(on), staff=staff).values_list("kind", flat=True)
    return Person(staff.pk, staff.name, capacity, frozenset(held), staff.skill_level)


def people_of(organisation_id: int, div: str, on: date) -> list[Person]:
    """Return who works for an organisation on a day, with the certificates that hold.

    The centre that gives out an assessment may sit in another county than the organisation, so the system reads; names and certificates
    of a contract partner's people, nothing else.
    """
    with scope(system_actor(div[:2])):
        staff = Staff.objects.filter(
            Q(employed_to=None) | Q(employed_to__gt=on), provider_id=organisation_id, employed_from__lte=on
        )
        held: dict[int, set[str]] = {}
        for pk, kind in Qualification.objects.filter(in_force(on), provider_id=organisation_id).values_list(
            "staff_id", "kind"
        ):
            held.setdefault(pk, set()).add(kind)
        return [
            Person(one.pk, one.name, "assessor", frozenset(held.get(one.pk, ())), one.skill_level)
            for one in staff.only("name", "skill_level").order_by("name", "id")
        ]


def died_on(elder_id: int) -> date | None:
    """Return the date of death of an elder, also to an assessor who may not read the file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT people_death(%s)", [elder_id])
        row = cursor.fetchone()
    return row[0] if row else None


def has_consent(elder_id: int, purpose: str, on: date) -> bool:
    """Whether an elder agreed to a purpose on a day."""
    return Consent.objects.filter(in_force(on), elder_id=elder_id, purpose=purpose).exists()


def serving(elder_id: int, scale: str, purpose: str, div: str, on: date, *, consents: bool) -> list[Held]:
    """Return the results in force that serve a purpose: of the scale asked for, or recognised for it by record (R-ASM-01).

    A level of another scale says nothing of what a scale without levels asks.
    """
    accepted = policies(div, on) if level_codes(scale) else []
    found = []
    for row in Assessment.objects.filter(in_force(on), elder_id=elder_id):
        held = held_of(row, on)
        own = row.scale == scale and row.purpose in ("", purpose)
        if not held.is_provisional and (
            own
            or any(
                recognised(
                    held, department=one.department, purpose=purpose, on=on, policies=accepted, has_consent=consents
                ).is_recognised
                for one in accepted
            )
        ):
            found.append(held)
    return found


def due_results(actor: Actor, on: date, days: int) -> QuerySet[Assessment]:
    """Results that end within so many days, or ended within the last year, of the living, without a newer one or an application under way.

    The needs of a home are asked for once, before it is adapted, not in rounds.
    """
    later = Assessment.objects.filter(
        elder=OuterRef("elder"), scale=OuterRef("scale"), recorded_to=None, valid_from__gt=OuterRef("valid_from")
    )
    asked = Request.objects.filter(elder=OuterRef("elder"), scale=OuterRef("scale"), state__in=OPEN)
    rows = Assessment.objects.visible_to(actor).filter(
        Q(valid_to__lte=on + timedelta(days=days) + ONE_DAY, valid_to__gt=on - timedelta(days=365)),
        recorded_to=None, elder__died_on=None, elder__merged_into=None,
    ).exclude(Exists(later)).exclude(Exists(asked)).exclude(scale=HOME_NEEDS)  # fmt: skip
    return rows.select_related("elder").order_by("valid_to", "id")
