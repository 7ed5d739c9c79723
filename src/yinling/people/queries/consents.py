"""What elders are asked to agree to, in which text, and whose consent is to an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from yinling.ground.models import in_force
from yinling.ground.parameters import parameters
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refused
from yinling.people.models import Consent

PREFIX = "consent."


@dataclass(frozen=True)
class ConsentText:
    """The text of one purpose in force: its version, its legal ground, whether the data are sensitive, what follows without it."""

    purpose: str
    title: str
    ground: str
    is_sensitive: bool
    version: str
    text: str
    without: str
    document: str
    clause: str

    @property
    def needs_consent(self) -> bool:
        """Whether it may be refused and withdrawn; what a duty of the state orders is only told."""
        return self.ground == "consent"


def consent_text(purpose: str, div: str, on: date) -> ConsentText | None:
    """Return the text of a purpose in force in an area on a day."""
    if PREFIX + purpose not in parameters().keys():  # noqa: SIM118 - not a dict
        return None
    try:
        entry = parameters().entry(PREFIX + purpose, div, on)
    except Refused:
        return None
    value = entry.value
    return ConsentText(
        purpose=purpose, title=value["title"], ground=value["ground"], is_sensitive=value["sensitive"], version=value["version"],
        text=value["text"], without=value["without"], document=entry.document, clause=entry.clause,
    )  # fmt: skip


def consent_texts(div: str, on: date) -> list[ConsentText]:
    """Every text in force in an area on a day, what is only told first."""
    purposes = [key.removeprefix(PREFIX) for key in parameters().keys() if key.startswith(PREFIX)]  # noqa: SIM118 - not a dict
    found = [text for purpose in purposes if (text := consent_text(purpose, div, on))]
    return sorted(found, key=lambda text: (text.needs_consent, text.is_sensitive, text.purpose))


def _out_of_date(purpose: str, on: date) -> Q:
    """Return the condition that a consent to a purpose is to another text than that in force where the elder lives."""
    entries = [entry for entry in parameters().entries(PREFIX + purpose) if entry.valid.contains(on)]
    wanted = Q(pk__in=[])
    for entry in entries:
        here = Q(div__startswith=entry.area)
        for other in entries:
            if other.area != entry.area and other.area.startswith(entry.area):
                here &= ~Q(div__startswith=other.area)
        wanted |= here & ~Q(text_version=entry.value["version"])
    return Q(purpose=purpose) & wanted


def consents_due(actor: Actor, on: date) -> QuerySet[Consent]:
    """Consents of the living in the actor's area that were given to a text no longer in force, to be asked for again."""
    purposes = [key.removeprefix(PREFIX) for key in parameters().keys() if key.startswith(PREFIX)]  # noqa: SIM118 - not a dict
    wanted = Q(pk__in=[])
    for purpose in purposes:
        wanted |= _out_of_date(purpose, on)
    rows = Consent.objects.visible_to(actor).filter(in_force(on), wanted, elder__died_on=None, elder__merged_into=None)
    return rows.select_related("elder").order_by("valid_from", "id")


def consents_of(elder_id: int, on: date) -> dict[str, Consent]:
    """Return what an elder has agreed to on a day, by purpose."""
    return {row.purpose: row for row in Consent.objects.filter(in_force(on), elder_id=elder_id)}


def consent_withdrawn(elder_id: int, purpose: str, on: date) -> bool:
    """Whether a consent was given once and taken back: who was never asked has withdrawn nothing."""
    rows = Consent.objects.filter(elder_id=elder_id, purpose=purpose)
    return rows.exists() and not rows.filter(in_force(on)).exists()
