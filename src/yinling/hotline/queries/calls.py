"""Reading calls: who is calling, and what is known at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from yinling.assessment.inputs import ABILITY_SCALES
from yinling.assessment.models import Assessment
from yinling.entitlements.models import Entitlement
from yinling.ground.kept import KeptFor
from yinling.ground.models import in_force
from yinling.hotline.models import Call, CallOffer, Emergency, Ticket
from yinling.hotline.queries.tickets import LAST_TICKETS, tickets_of
from yinling.kernel.actor import Actor
from yinling.kernel.masks import mask_id, mask_phone
from yinling.kernel.period import age_on, local_date
from yinling.kernel.words import N_
from yinling.people.health import ALERT_LABELS, NO_ALLERGY
from yinling.people.models import Circumstance, Contact, Elder, HealthFact
from yinling.people.queries import elders_by_phone

ALERTING = (
    "dementia", "severe_disability", "limited_mobility", "lives_alone", "bereaved", "chronic", "in_hospital", "in_institution", "deceased",
)  # fmt: skip


RECENT = 20
STREAM_KEY = "stream:"


"""How the keys of a demonstration's own calls begin."""


@dataclass(frozen=True)
class ContactLine:
    """A contact as the desk shows it."""

    name: str
    kind: str
    phone: str
    rank: int
    pk: int = 0


@dataclass(frozen=True)
class Funding:
    """What an elder may have at another's cost."""

    name: str
    share_bp: int
    cap_fen: int | None


@dataclass(frozen=True)
class Pop:
    """What the desk shows of a call at once: who is calling, how they are, whom to call, what was and what is going on.

    Without a certain elder, ``candidates`` are those whose own or whose contact's number is calling.
    """

    call: Call
    number: str
    elder: Elder | None = None
    age: int | None = None
    id_number: str = ""
    phone: str = ""
    level: str = ""
    alerts: list[str] = field(default_factory=list)
    circumstances: list[str] = field(default_factory=list)
    contacts: list[ContactLine] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    entitlements: list[Funding] = field(default_factory=list)
    emergencies: list[Emergency] = field(default_factory=list)
    candidates: list[Elder] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    """Other live calls about the same elder: (pk, state, seat)."""


def _on_the_line(rows: QuerySet[Call], user_id: Any) -> QuerySet[Any]:
    mine = Q(seat_id=user_id, state__in=["answered", "ringing"])
    ring = CallOffer.objects.filter(call_id=OuterRef("pk"), ended_at=None)
    found = rows.filter(mine | Q(state="ringing", is_outbound=False)).annotate(
        rings_at=Subquery(ring.values("seat_id")[:1]), rings_with=Subquery(ring.values("seat__name")[:1])
    )
    return found.select_related("elder").order_by("rank", "rang_at", "id")


ON_THE_LINE: KeptFor[Any] = KeptFor(Call, _on_the_line, "user_id")


def calls_on_the_line(actor: Actor) -> list[Any]:
    """Calls that wait, as they are served, with the seat where each rings, and the actor's own call: talking, or being dialled."""
    return ON_THE_LINE(actor, user_id=actor.user_id)


def simulated_calls_waiting(actor: Actor, before: datetime) -> QuerySet[Call]:
    """Calls of the demonstration's own stream that ring since before a moment."""
    rows = Call.objects.visible_to(actor).filter(state="ringing", key__startswith=STREAM_KEY, rang_at__lt=before)
    return rows.order_by("id")


def made_up_callers(actor: Actor, limit: int) -> list[Elder]:
    """Made-up elders who may call in a demonstration, those registered last first."""
    rows = Elder.objects.visible_to(actor).filter(is_made_up=True, died_on=None, phone_index__isnull=False)
    return list(rows.order_by("-id")[:limit])


def _recent(rows: QuerySet[Call]) -> QuerySet[Any]:
    over = rows.exclude(state__in=["ringing", "answered"])
    return over.select_related("elder", "seat").order_by("-rang_at", "-id")[:RECENT]


FINISHED: KeptFor[Any] = KeptFor(Call, _recent)


def recent_calls(actor: Actor) -> list[Any]:
    """Finished calls, newest first."""
    return FINISHED(actor)


def pop_calls(actor: Actor, now: datetime) -> QuerySet[Any]:
    """Calls with what is true of the elder today beside them, so that the pop takes few queries."""
    today, elder = local_date(now), OuterRef("elder_id")
    results = Assessment.objects.filter(in_force(today), elder_id=elder, scale__in=ABILITY_SCALES)
    levels = results.order_by("-assessed_on", "-id").values("level")
    kinds = Circumstance.objects.filter(in_force(today), elder_id=elder).values("kind")
    granted = Entitlement.objects.visible_to(actor).filter(in_force(today), elder_id=elder).order_by("scheme_id")
    health = HealthFact.objects.filter(in_force(today), elder_id=elder, kind__in=list(ALERT_LABELS)).exclude(
        item=NO_ALLERGY
    )
    funding = JSONObject(name="scheme__name", share_bp="share_bp", cap_fen="monthly_cap_fen")
    rows = Call.objects.visible_to(actor).select_related("elder__household", "seat")
    live = Call.objects.filter(elder_id=elder, state__in=["ringing", "answered"]).exclude(pk=OuterRef("pk"))
    other = JSONObject(pk="pk", state="state", seat="seat__name", outbound="is_outbound")
    return rows.annotate(
        other_calls=ArraySubquery(live.order_by("rang_at").values(json=other)),
        elder_level=Subquery(levels[:1]), elder_kinds=ArraySubquery(kinds), elder_health=ArraySubquery(health.values("kind")),
        elder_funding=ArraySubquery(granted.values(json=funding)),
        has_emergency=Exists(Emergency.objects.filter(call_id=OuterRef("pk"))),
    )  # fmt: skip


def pop(actor: Actor, call: Any, *, now: datetime) -> Pop:
    """Return everything the desk needs when a call is on the line; a call of ``pop_calls`` spares a query."""
    if not hasattr(call, "elder_kinds"):
        call = pop_calls(actor, now).get(pk=call.pk)
    number, elder = call.unseal_field("number"), call.elder
    emergencies = (
        list(Emergency.objects.visible_to(actor).filter(call=call).order_by("id")) if call.has_emergency else []
    )
    if elder is None:
        return Pop(
            call=call, number=mask_phone(number), candidates=elders_by_phone(number) if number else [],
            tickets=_tickets_of_number(actor, call), emergencies=emergencies,
        )  # fmt: skip
    kinds = set(call.elder_kinds)
    return Pop(
        call=call, number=mask_phone(number), elder=elder, age=age_on(elder.born_on, local_date(now)),
        id_number=mask_id(elder.unseal_field("id_number")), phone=mask_phone(elder.unseal_field("phone")),
        level=dict(Assessment.LEVELS).get(call.elder_level, ""),
        alerts=_alerts(call, kinds),
        circumstances=[label for kind, label in Circumstance.KINDS if kind in kinds and kind not in ALERTING],
        contacts=contacts_of(elder.pk), tickets=list(tickets_of(actor, elder.pk)[:LAST_TICKETS]),
        entitlements=[Funding(**one) for one in call.elder_funding], emergencies=emergencies,
        others=call.other_calls,
    )  # fmt: skip


def _alerts(call: Any, kinds: set[str]) -> list[str]:
    """What the seat must know before saying anything: that there is an allergy, never which; hospital, death."""
    dead = [N_("已登记去世")] if call.elder.died_on is not None and "deceased" not in kinds else []
    told = [label for kind, label in ALERT_LABELS.items() if kind in call.elder_health]
    return dead + told + [label for kind, label in Circumstance.KINDS if kind in kinds and kind in ALERTING]


def contacts_of(elder_id: int) -> list[ContactLine]:
    """The people to call for an elder, in their order, numbers masked."""
    rows = Contact.objects.filter(elder_id=elder_id).order_by("rank", "id")
    return [
        ContactLine(row.name, row.get_kind_display(), mask_phone(row.unseal_field("phone")), row.rank, row.pk)
        for row in rows
    ]


def _tickets_of_number(actor: Actor, call: Call) -> list[Ticket]:
    """Tickets of earlier calls from a number that belongs to no elder; a withheld number has none."""
    if call.number_index is None:
        return []
    rows = Ticket.objects.visible_to(actor).filter(call__number_index=call.number_index)
    return list(rows.select_related("provider").order_by("-opened_at", "-id")[:LAST_TICKETS])
