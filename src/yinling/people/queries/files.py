"""Lists of elders, and the file of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from yinling.ground.kept import Given, Kept
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.kernel.masks import mask_id, mask_phone
from yinling.kernel.period import age_on, born_by
from yinling.people.models import Circumstance, Consent, Contact, Elder, Representative
from yinling.people.rules import MATTERS

M = TypeVar("M", bound=Model)


def age(elder: Elder, on: date) -> int:
    """Return the age in full years; of the dead, at death."""
    return age_on(elder.born_on, min(on, elder.died_on) if elder.died_on else on)


def circumstances_on(elder_id: int, day: date) -> set[str]:
    """Return what is true of an elder on a day."""
    return set(Circumstance.objects.filter(in_force(day), elder_id=elder_id).values_list("kind", flat=True))


@dataclass(frozen=True)
class Choice:
    """How a list of elders is narrowed; empty means all."""

    div: str = ""
    circumstance: str = ""
    least_age: int | None = None
    most_age: int | None = None
    with_dead: bool = False


def elders(actor: Actor, choice: Choice, on: date) -> QuerySet[Elder]:
    """The elders an actor may see, narrowed, by number."""
    rows = Elder.objects.visible_to(actor).select_related("household").filter(merged_into=None)
    if not choice.with_dead:
        rows = rows.filter(died_on=None)
    if choice.div:
        rows = rows.within(choice.div)
    if choice.circumstance:
        holding = Circumstance.objects.filter(in_force(on), kind=choice.circumstance)
        rows = rows.filter(pk__in=holding.values("elder_id"))
    if choice.least_age is not None:
        rows = rows.filter(born_on__lte=born_by(choice.least_age, on))
    if choice.most_age is not None:
        rows = rows.filter(born_on__gt=born_by(choice.most_age + 1, on))
    return rows.order_by("-id")


@dataclass(frozen=True)
class ContactLine:
    """A contact as a page shows it."""

    contact: Contact
    masked_phone: str


@dataclass(frozen=True)
class ElderFile:
    """The file of one elder on one day, numbers masked."""

    elder: Elder
    age: int
    masked_id: str
    masked_phone: str
    housemates: list[Elder]
    contacts: list[ContactLine]
    representatives: list[Representative]
    representative_names: dict[int, str]
    consents: list[Consent]
    circumstances: list[Circumstance]
    current: frozenset[str]


_FACT = {"pk": "pk", "valid_from": "valid_from", "valid_to": "valid_to"}


def together(rows: QuerySet[Any], **columns: Any) -> ArraySubquery:
    """Read the rows around an elder as one column, so that a file is one query."""
    return ArraySubquery(rows.values(row=JSONObject(**columns)))


def _with_surroundings(rows: QuerySet[Elder], on: date | Given) -> QuerySet[Elder]:
    own = OuterRef("pk")
    facts = Circumstance.objects.filter(elder=own, recorded_to=None).order_by("-valid_from", "id")
    mates = Elder.objects.filter(household=OuterRef("household"), merged_into=None).exclude(pk=own).order_by("id")
    acting = Representative.objects.filter(in_force(on), elder=own).order_by("id")
    consents = Consent.objects.filter(in_force(on), elder=own).order_by("purpose")
    return rows.annotate(
        facts_found=together(facts, kind="kind", detail="detail", body="body", evidence="evidence", **_FACT),
        mates_found=together(mates, pk="pk", name="name", sex="sex", born_on="born_on", died_on="died_on"),
        acting_found=together(
            acting, capacity="capacity", name="user__name", proof="proof", **{name: name for name in MATTERS}, **_FACT
        ),
        consents_found=together(consents, purpose="purpose", text_version="text_version", given_by="given_by", **_FACT),
    )


def _made(model: type[M], found: list[dict[str, Any]]) -> list[M]:
    """Return rows read by ``together`` as models again."""
    named = {"pk": model._meta.pk, **{field.name: field for field in model._meta.concrete_fields}}  # noqa: SLF001
    return [
        model(**{name: named[name].to_python(value) for name, value in row.items() if name in named}) for row in found
    ]


FILE = Kept(lambda: _with_surroundings(Elder.objects.select_related("household").filter(pk=Given("pk")), Given("on")))
CONTACTS = Kept(lambda: Contact.objects.filter(elder_id=Given("elder_id")).order_by("rank", "id"))


def elder_file(actor: Actor, elder_id: int, on: date) -> ElderFile | None:
    """Return the file, or nothing when there is none for this actor. Two queries."""
    found: Any = next(iter(FILE(pk=elder_id, on=on)), None)
    if found is None or not found.is_visible_to(actor):
        return None
    contacts = CONTACTS(elder_id=elder_id)
    facts = _made(Circumstance, found.facts_found)
    return ElderFile(
        elder=found,
        age=age(found, on),
        masked_id=mask_id(found.unseal_field("id_number")),
        masked_phone=mask_phone(found.unseal_field("phone")),
        housemates=_made(Elder, found.mates_found),
        contacts=[ContactLine(row, mask_phone(row.unseal_field("phone"))) for row in contacts],
        representatives=_made(Representative, found.acting_found),
        representative_names={row["pk"]: row["name"] for row in found.acting_found},
        consents=_made(Consent, found.consents_found),
        circumstances=facts,
        current=frozenset(
            fact.kind for fact in facts if fact.valid_from <= on and (fact.valid_to is None or fact.valid_to > on)
        ),
    )


def kinds_of(elder_ids: list[int], on: date) -> dict[int, list[str]]:
    """Return the circumstances of each elder of a list on a day."""
    rows = Circumstance.objects.filter(in_force(on), elder_id__in=elder_ids).order_by("kind")
    found: dict[int, list[str]] = {}
    for elder_id, kind in rows.values_list("elder_id", "kind"):
        found.setdefault(elder_id, []).append(kind)
    return found
