"""Reading who may assess by contract, what departments recognise, and what a named person has confirmed."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from yinling.assessment.models import Commission, Recognition, ScaleConfirmation
from yinling.assessment.rules import Accepts
from yinling.assessment.scoring import scale as scale_of
from yinling.directory.models import Organisation, ServiceArea
from yinling.directory.queries import ancestors
from yinling.ground.models import in_force
from yinling.ground.parameters import parameters
from yinling.kernel.actor import Actor

CONSENT = "health"
"""The purpose of consent under which a department may read results of another."""


def gated_part(scale_id: str) -> str:
    """Return the part of a scale that a named person must confirm, empty for most."""
    key = f"assessment.{scale_id}.gated_part"
    found = parameters().entries(key) if key in parameters().keys() else ()  # noqa: SIM118 - not a dict
    return str(found[0].value) if found else ""


def confirmations(div: str, on: date) -> QuerySet[ScaleConfirmation]:
    """What is confirmed for an area on a day."""
    return ScaleConfirmation.objects.filter(in_force(on), div__in=ancestors(div)).order_by("scale", "id")


def confirmation_of(scale_id: str, version: str, div: str, on: date) -> ScaleConfirmation | None:
    """Return who stands for the gated part of a scale in an area on a day."""
    return confirmations(div, on).filter(scale=scale_id, scale_version=version, part=gated_part(scale_id)).first()


def is_confirmed(scale_id: str, version: str, div: str, on: date) -> bool:
    """Whether results of a scale may decide: nothing of it is gated, or a named person has confirmed it."""
    if not gated_part(scale_id):
        return True
    return confirmation_of(scale_id, version or str(scale_of(scale_id)["version"]), div, on) is not None


def commissions(actor: Actor) -> QuerySet[Commission]:
    """Contracts on record of the actor's area and those above and below it, or of the actor's organisation."""
    rows = Commission.objects.filter(recorded_to=None).select_related("provider").order_by("-valid_from", "-id")
    if actor.div:
        return rows.filter(Q(div__gte=actor.div, div__lt=actor.div + ":") | Q(div__in=ancestors(actor.div)))
    return rows.filter(provider_id=actor.organisation_id)


def commission_of(organisation_id: int, scale_id: str, div: str, on: date) -> Commission | None:
    """Return the contract by which an organisation assesses with a scale in an area on a day."""
    rows = Commission.objects.filter(in_force(on), provider_id=organisation_id, scales__contains=[scale_id])
    return rows.filter(div__in=ancestors(div)).order_by("-div").first()


def commissioned(scale_id: str, div: str, on: date) -> QuerySet[Organisation]:
    """Organisations that may be given an assessment with a scale in an area on a day."""
    rows = Commission.objects.filter(in_force(on), scales__contains=[scale_id], div__in=ancestors(div))
    return Organisation.objects.filter(pk__in=rows.values("provider_id")).order_by("short_name")


def serves_area(organisation: Organisation, div: str, on: date) -> bool:
    """Whether an organisation answers for any service where somebody lives (independence of the assessor)."""
    if not organisation.is_provider:
        return False
    return ServiceArea.objects.filter(in_force(on), organisation=organisation, div__in=ancestors(div)).exists()


def recognitions(div: str, on: date) -> QuerySet[Recognition]:
    """Records of recognition in force for an area on a day."""
    rows = Recognition.objects.filter(in_force(on), div__in=ancestors(div))
    return rows.order_by("department", "purpose", "from_scale")


def policies(div: str, on: date) -> list[Accepts]:
    """Return what departments accept in an area on a day, as the rules see it; the narrowest area's record comes first."""
    rows = sorted(recognitions(div, on), key=lambda row: -len(row.div))
    return [
        Accepts(
            row.department, row.from_scale, frozenset(row.from_levels), row.purpose, row.accepted_as, row.legal_basis, row.max_age_months,
            row.needs_consent,
        )
        for row in rows
    ]  # fmt: skip
