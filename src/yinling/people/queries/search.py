"""Finding elders by what a caller or a clerk knows of them."""

from __future__ import annotations

import re
from datetime import date

from django.db.models import Q, QuerySet

from yinling.ground.crypto import blind_index
from yinling.kernel.actor import Actor
from yinling.kernel.id_number import IdNumber
from yinling.kernel.names import deletion_keys, normalise_phone, pinyin_keys, plain_name, search_kind
from yinling.kernel.refusals import Refused
from yinling.people.models import Contact, Elder, ElderKey
from yinling.people.rules import closeness

_HIGHEST = chr(0x10FFFF)
_MOST_CANDIDATES = 200
_SHORTEST_FUZZY = 2
_LONGEST_INITIALS = 4


def _by_hanzi(rows: QuerySet[ElderKey], text: str, limit: int) -> list[int]:
    """Return whose name is the same, then whose begins so, is one character off, or sounds the same; others not at all.

    Each way is a statement of its own in one union: an OR of them would read the whole table. Prefixes are compared, because under
    row-level security LIKE does the same.
    """
    near = {key for key in deletion_keys(text) if len(key) >= _SHORTEST_FUZZY}
    ways = [
        rows.filter(kind="hanzi", key__gte=text, key__lt=text + _HIGHEST).order_by("key"),
        rows.filter(kind="deletion", key__in=sorted(near)).order_by("key"),
        rows.filter(kind="pinyin", key__in=sorted(pinyin_keys(text))).order_by("key"),
    ]
    first, *others = [way.values_list("elder_id", "elder__name")[:_MOST_CANDIDATES] for way in ways]
    names = dict(first.union(*others, all=True))
    ranks = {name: closeness(text, name) for name in set(names.values())}
    found = [(rank, name, pk) for pk, name in names.items() if (rank := ranks[name]) is not None]
    return [pk for _rank, _name, pk in sorted(found)[:limit]]


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


def find_elders(actor: Actor, text: str, *, limit: int = 20) -> list[Elder]:
    """Find by name, pinyin, initials, a name with one wrong character, phone, its last four, document number or code.

    At most two queries. Raises Refused ``search.empty``.
    """
    kind = search_kind(text)
    elders = Elder.objects.visible_to(actor).select_related("household").filter(merged_into=None)
    if kind in ("hanzi", "pinyin", "initials"):
        rows, plain = ElderKey.objects.visible_to(actor).filter(elder__merged_into=None), plain_name(text)
        ids = _by_hanzi(rows, plain, limit) if kind == "hanzi" else _by_letters(rows, plain)[:limit]
        found = elders.in_bulk(ids)
        return [found[pk] for pk in ids if pk in found]
    if kind == "phone":
        return [one for one in elders_by_phone(text) if actor.covers(one.div) or one.pk in actor.elder_ids][:limit]
    if kind == "last4":
        return list(elders.filter(phone_last4=plain_name(text)).order_by("name", "id")[:limit])
    if kind == "id":
        return list(elders.filter(id_number_index=_id_index(text, date.max)).order_by("id")[:limit])
    return _by_code(elders, text)


def _by_code(rows: QuerySet[Elder], text: str) -> list[Elder]:
    """Return the elder of a number; that of a merged file leads to the one it was merged into."""
    digits = re.search(r"(\d{1,18})$", text.strip())
    if not digits:
        return []
    number = int(digits[1])
    leads_to = Elder.objects.filter(pk=number).values("merged_into_id")
    return list(rows.filter(Q(pk=number) | Q(pk__in=leads_to)))


def elders_by_phone(number: str) -> list[Elder]:
    """Return who is reached at a number: those whose own it is first, then those whose contacts have it.

    Raises Refused ``phone.format``.
    """
    index = blind_index(normalise_phone(number), purpose="phone")
    relatives = list(Contact.objects.filter(phone_index=index).values_list("elder_id", flat=True))
    reached = Elder.objects.select_related("household").filter(
        Q(phone_index=index) | Q(pk__in=relatives), merged_into=None
    )
    return sorted(reached, key=lambda one: (one.phone_index != index, one.pk))
