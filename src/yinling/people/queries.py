"""Finding elders and reading their file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from yinling.ground.crypto import blind_index
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.kernel.id_number import IdNumber
from yinling.kernel.masks import mask_id, mask_phone
from yinling.kernel.names import deletion_keys, normalise_phone, pinyin_keys, plain_name, search_kind
from yinling.kernel.period import add_years, age_on, local_date
from yinling.kernel.refusals import Refused
from yinling.people.models import Circumstance, Consent, Contact, Elder, ElderKey, Representative
from yinling.people.rules import closeness

M = TypeVar("M", bound=Model)
_HIGHEST = chr(0x10FFFF)
_MOST_CANDIDATES = 200
_SHORTEST_FUZZY = 2
_LONGEST_INITIALS = 4


def linked_elder_ids(user_id: int, now: datetime) -> tuple[int, ...]:
    """Return the elders a login is or represents today."""
    rows = Representative.objects.filter(in_force(local_date(now)), user_id=user_id).values_list("elder_id", flat=True)
    return tuple(sorted(rows))


def age(elder: Elder, on: date) -> int:
    """Return the age in full years; of the dead, at death."""
    return age_on(elder.born_on, min(on, elder.died_on) if elder.died_on else on)


def circumstances_on(elder_id: int, day: date) -> set[str]:
    """Return what is true of an elder on a day."""
    return set(Circumstance.objects.filter(in_force(day), elder_id=elder_id).values_list("kind", flat=True))


def _by_hanzi(rows: QuerySet[ElderKey], text: str) -> list[int]:
    """Return whose name begins so, is one character off, or sounds the same.

    Each way is a statement of its own in one union: an OR of them would read the whole table. Prefixes are compared, because under
    row-level security LIKE does the same.
    """
    near = {key for key in deletion_keys(text) if len(key) >= _SHORTEST_FUZZY}
    ways = [
        rows.filter(kind="hanzi", key__gte=text, key__lt=text + _HIGHEST).order_by("key"),
        rows.filter(kind="deletion", key__in=sorted(near)).order_by("key"),
        rows.filter(kind="pinyin", key__in=sorted(pinyin_keys(text))).order_by("key"),
    ]
    first, *others = [way.values_list("elder_id", flat=True)[:_MOST_CANDIDATES] for way in ways]
    return list(dict.fromkeys(first.union(*others, all=True)))


def _by_letters(rows: QuerySet[ElderKey], text: str) -> list[int]:
    kinds = ["pinyin", "initials"] if len(text) <= _LONGEST_INITIALS else ["pinyin"]
    wanted = rows.filter(kind__in=kinds, key__gte=text, key__lt=text + _HIGHEST).order_by("key")
    found = wanted.values_list("key", "elder_id")[:_MOST_CANDIDATES]
    return list(dict.fromkeys(pk for _, pk in sorted(found, key=lambda one: (one[0] != text, one))))


def _id_index(text: str, today: date) -> bytes:
    """Return the blind index of a document number as it would be stored, however it was typed."""
    try:
        number = IdNumber.parse(text, today).number
    except Refused:
        number = re.sub(r"\s", "", text).upper()
    return blind_index(number, purpose="id_number")


def _closest(rows: QuerySet[Elder], text: str) -> list[Elder]:
    """Return the same name first, then names that begin so, that are one character off, that sound the same; others not at all."""
    ranked = [(rank, row.name, row.pk, row) for row in rows if (rank := closeness(text, row.name)) is not None]
    return [row for _, _, _, row in sorted(ranked, key=lambda one: one[:3])]


def find_elders(actor: Actor, text: str, *, limit: int = 20) -> list[Elder]:
    """Find by name, pinyin, initials, a name with one wrong character, phone, its last four, document number or code.

    At most two queries. Raises Refused ``search.empty``.
    """
    kind = search_kind(text)
    elders = Elder.objects.visible_to(actor).select_related("household")
    if kind in ("hanzi", "pinyin", "initials"):
        rows, plain = ElderKey.objects.visible_to(actor), plain_name(text)
        if kind == "hanzi":
            return _closest(elders.filter(pk__in=_by_hanzi(rows, plain)), plain)[:limit]
        ids = _by_letters(rows, plain)[:limit]
        found = elders.in_bulk(ids)
        return [found[pk] for pk in ids if pk in found]
    if kind == "phone":
        return [one for one in elders_by_phone(text) if actor.covers(one.div) or one.pk in actor.elder_ids][:limit]
    if kind == "last4":
        return list(elders.filter(phone_last4=plain_name(text)).order_by("name", "id")[:limit])
    if kind == "id":
        return list(elders.filter(id_number_index=_id_index(text, date.max)).order_by("id")[:limit])
    digits = re.search(r"(\d{1,18})$", text.strip())
    return list(elders.filter(pk=int(digits[1]))) if digits else []


def elders_by_phone(number: str) -> list[Elder]:
    """Return who is reached at a number: those whose own it is first, then those whose contacts have it.

    Raises Refused ``phone.format``.
    """
    index = blind_index(normalise_phone(number), purpose="phone")
    rows = Elder.objects.select_related("household")
    own = list(rows.filter(phone_index=index).order_by("id"))
    contacts = Contact.objects.filter(phone_index=index).values("elder_id")
    others = rows.filter(pk__in=contacts).exclude(phone_index=index).order_by("id")
    return own + list(others)


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
    rows = Elder.objects.visible_to(actor).select_related("household")
    if not choice.with_dead:
        rows = rows.filter(died_on=None)
    if choice.div:
        rows = rows.within(choice.div)
    if choice.circumstance:
        holding = Circumstance.objects.filter(in_force(on), kind=choice.circumstance)
        rows = rows.filter(pk__in=holding.values("elder_id"))
    if choice.least_age is not None:
        rows = rows.filter(born_on__lte=add_years(on, -choice.least_age))
    if choice.most_age is not None:
        rows = rows.filter(born_on__gt=add_years(on, -choice.most_age - 1))
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


def _together(rows: QuerySet[Any], **columns: Any) -> ArraySubquery:
    """Read the rows around an elder as one column, so that a file is one query."""
    return ArraySubquery(rows.values(row=JSONObject(**columns)))


def _with_surroundings(rows: QuerySet[Elder], on: date) -> QuerySet[Elder]:
    own = OuterRef("pk")
    facts = Circumstance.objects.filter(elder=own, recorded_to=None).order_by("-valid_from", "id")
    mates = Elder.objects.filter(household=OuterRef("household")).exclude(pk=own).order_by("id")
    acting = Representative.objects.filter(in_force(on), elder=own).order_by("id")
    consents = Consent.objects.filter(in_force(on), elder=own).order_by("purpose")
    return rows.annotate(
        facts_found=_together(facts, kind="kind", body="body", evidence="evidence", **_FACT),
        mates_found=_together(mates, pk="pk", name="name", sex="sex", born_on="born_on", died_on="died_on"),
        acting_found=_together(acting, capacity="capacity", name="user__name", **_FACT),
        consents_found=_together(
            consents, purpose="purpose", text_version="text_version", given_by="given_by", **_FACT
        ),
    )


def _made(model: type[M], found: list[dict[str, Any]]) -> list[M]:
    """Return rows read by ``_together`` as models again."""
    named = {"pk": model._meta.pk, **{field.name: field for field in model._meta.concrete_fields}}  # noqa: SLF001
    return [
        model(**{name: named[name].to_python(value) for name, value in row.items() if name in named}) for row in found
    ]


def elder_file(actor: Actor, elder_id: int, on: date) -> ElderFile | None:
    """Return the file, or nothing when there is none for this actor. Two queries."""
    own = Elder.objects.visible_to(actor).select_related("household").filter(pk=elder_id)
    found: Any = _with_surroundings(own, on).first()
    if found is None:
        return None
    contacts = Contact.objects.filter(elder_id=elder_id).order_by("rank", "id")
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
