"""Reading the health-record part: what may be shown without opening it, alerts, and who is due for a follow-up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, F, Func, JSONField, Max, OuterRef, Q, QuerySet, Subquery

from yinling.accounts.models import Journal
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.people.grading import KEYS, ORDER
from yinling.people.health import ALERT_LABELS, ALERTING, EVERYTHING, NO_ALLERGY, OPEN, readable
from yinling.people.models import Consent, HealthFact

VIEW = "people.health.view"
READINGS = ("people.health.reveal", "visits.visit.consult")
"""Events of readings in clear."""
CONSENT = "health"


@dataclass(frozen=True)
class HealthPart:
    """The health-record part as a page shows it: facts that are open, and how many are protected, by kind as far as the role may know."""

    facts: list[HealthFact]
    protected: dict[str, int]
    hidden: int
    has_consent: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on record."""
        return not (self.facts or self.protected or self.hidden)


def health_facts(actor: Actor) -> QuerySet[HealthFact]:
    """Facts on record of whose kind and day the actor may know."""
    kinds = OPEN | readable(actor.role, "") if actor.has("people.health.reveal") else OPEN
    withheld = [elder_id for elder_id, right in actor.withheld if right == VIEW]
    return HealthFact.objects.visible_to(actor).filter(kind__in=kinds).exclude(elder_id__in=withheld)


def health_part(actor: Actor, elder_id: int, on: date) -> HealthPart:
    """Return what may be shown of an elder without opening a sealed text. Two queries."""
    known = OPEN | readable(actor.role, "") if actor.has("people.health.reveal") else OPEN
    rows = HealthFact.objects.visible_to(actor).filter(_counts_on(on), elder_id=elder_id, recorded_to=None)
    facts, protected, hidden = [], dict[str, int](), 0
    for row in rows.defer("content_enc").order_by("kind", "-valid_from", "-id"):
        if row.kind in OPEN:
            facts.append(row)
        elif row.kind not in known:
            hidden += 1
        elif row.item != NO_ALLERGY:
            protected[row.kind] = protected.get(row.kind, 0) + 1
    return HealthPart(facts, protected, hidden, has_health_consent(elder_id, on))


def _counts_on(on: date) -> Q:
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


def has_health_consent(elder_id: int, on: date) -> bool:
    """Whether the elder agreed to share health data."""
    return Consent.objects.filter(in_force(on), elder_id=elder_id, purpose=CONSENT).exists()


def health_alerts(elder_id: int, on: date) -> list[str]:
    """Say that there is something to look at before anything is done to an elder, without what it is."""
    kinds = set(
        HealthFact.objects.filter(in_force(on), elder_id=elder_id, kind__in=ALERTING)
        .exclude(item=NO_ALLERGY)
        .values_list("kind", flat=True)
    )
    return [label for kind, label in ALERT_LABELS.items() if kind in kinds]


def read_facts(elder_id: int, kinds: frozenset[str], on: date) -> list[HealthFact]:
    """Return the facts of some kinds that hold on a day; whoever unseals them has checked and journals it."""
    rows = HealthFact.objects.filter(in_force(on), elder_id=elder_id, kind__in=kinds & EVERYTHING)
    return list(rows.order_by("kind", "-valid_from", "-id"))


def grade_terms(div: str, on: date) -> dict[str, Any]:
    """Return the rule of grades that an area has on a day."""
    return {key: parameter(f"health.grade.{key}", div, on) for key in KEYS}


def follow_up_days(div: str, on: date) -> dict[str, int]:
    """Return after how many days each grade asks for the next check."""
    return {code: int(parameter(f"health.follow_up_days.{code}", div, on)) for code in ORDER}


def follow_ups(actor: Actor, on: date, *, within_days: int = 0) -> QuerySet[Any]:
    """Grades in force of living elders whose next check is due by a day, never checked ones first; ``last_check`` stands beside them."""
    checks = HealthFact.objects.filter(elder=OuterRef("elder"), kind="check", recorded_to=None, valid_from__lte=on)
    last = checks.order_by().values("elder").annotate(last=Max("valid_from")).values("last")
    rows = HealthFact.objects.visible_to(actor).filter(in_force(on), kind="grade", elder__died_on=None)
    rows = rows.defer("content_enc").annotate(last_check=Subquery(last)).select_related("elder")
    due = Q(last_check=None)
    for code, days in follow_up_days(actor.div or "", on).items():
        due |= Q(item=code, last_check__lte=on + timedelta(days=within_days - days))
    return rows.filter(due).order_by(F("last_check").asc(nulls_first=True), "id")


def next_check(row: Any, days: dict[str, int]) -> date:
    """Return the day on which the next check is due: the grade's days after the last one, without one the day of the grade."""
    first: date = row.valid_from
    return row.last_check + timedelta(days=days[row.item]) if row.last_check else first


def emergency_readings(actor: Actor) -> QuerySet[Any]:
    """Readings in an emergency, oldest first, with whether somebody reviewed them (X-PIP-06)."""
    as_json = Func(OuterRef("pk"), function="to_jsonb", output_field=JSONField())
    reviews = Journal.objects.filter(
        event="people.health.review", is_refused=False, elder_id=OuterRef("elder_id"), changes__reading=as_json
    )
    rows = Journal.objects.visible_to(actor).filter(event__in=READINGS, is_refused=False, changes__is_emergency=True)
    return rows.annotate(is_reviewed=Exists(reviews)).order_by("id")
