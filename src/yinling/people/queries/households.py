"""The file of a home (一户一档): who lives and lived there, and how the file looked before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.apps import apps

from yinling.kernel.actor import Actor
from yinling.kernel.words import N_
from yinling.people.models import Contact, Elder, Household
from yinling.people.queries.files import together

FIELDS = {"address": N_("住址"), "lon": N_("经度"), "lat": N_("纬度"), "div": N_("区划"), "door_code": N_("门牌码")}


@dataclass(frozen=True)
class Stay:
    """One elder in a home, from when to when; still there without an end."""

    elder_id: int
    name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Version:
    """One version of the file: from when, and what differed from the one before as (label, before, after)."""

    at: datetime
    changes: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True)
class HouseholdFile:
    """A home with those who live there, those who did, whom to call, and its versions, the newest first."""

    household: Household
    members: list[Elder]
    stays: list[Stay]
    contacts: list[Contact]
    versions: list[Version]

    @property
    def former(self) -> list[Stay]:
        """Those who moved out; of a move out of the actor's area the day is not known here."""
        present = {row.pk for row in self.members}
        return [stay for stay in self.stays if stay.until is not None or stay.elder_id not in present]

    def since(self, elder_id: int) -> datetime | None:
        """Return since when a member lives here."""
        return next((stay.since for stay in self.stays if stay.elder_id == elder_id and stay.until is None), None)


_SEEN = ("pgh_obj_id", "household_id", "name", "changed_at", "merged_into_id")


def _with_history(household_id: int) -> Any:
    """Read a home with all versions of it, and of the files of those who ever lived there, in one query."""
    elder_event, event = apps.get_model("people", "ElderEvent"), apps.get_model("people", "HouseholdEvent")
    ever = elder_event.objects.filter(household_id=household_id).values("pgh_obj_id")
    seen = elder_event.objects.filter(pgh_obj_id__in=ever).order_by("pgh_obj_id", "pgh_id")
    versions = event.objects.filter(pgh_obj_id=household_id).order_by("pgh_id")
    return Household.objects.filter(pk=household_id).annotate(
        seen=together(seen, **{name: name for name in _SEEN}),
        versions=together(versions, changed_at="changed_at", **{name: name for name in FIELDS}),
    )


def _stays(household_id: int, rows: list[dict[str, Any]]) -> list[Stay]:
    """Tell from the versions of the elders' files who lived here from when to when."""
    stays: list[Stay] = []
    for number, versions in groupby(rows, key=itemgetter("pgh_obj_id")):
        since, name = None, ""
        for row in versions:
            at = datetime.fromisoformat(row["changed_at"])
            if row["household_id"] == household_id and row["merged_into_id"] is None:
                since, name = since or at, row["name"]
            elif since is not None:
                stays.append(Stay(number, name, since, at))
                since = None
        if since is not None:
            stays.append(Stay(number, name, since, None))
    return sorted(stays, key=lambda stay: (stay.since, stay.elder_id))


def _versions(rows: list[dict[str, Any]]) -> list[Version]:
    found: list[Version] = []
    before: dict[str, Any] = {}
    for row in rows:
        at = datetime.fromisoformat(row.pop("changed_at"))
        changes = tuple(
            (label, before.get(name), row[name]) for name, label in FIELDS.items() if before.get(name) != row[name]
        )
        if changes:
            found.append(Version(at, changes))
        before = row
    return found[::-1]


def household_file(actor: Actor, household_id: int) -> HouseholdFile | None:
    """Return the file of a home in the actor's area, or nothing. Three queries."""
    home = _with_history(household_id).filter(pk__in=Household.objects.visible_to(actor)).first()
    if home is None:
        return None
    members = list(Elder.objects.visible_to(actor).filter(household=home, merged_into=None).order_by("born_on", "id"))
    contacts = Contact.objects.filter(elder__in=members).select_related("elder").order_by("elder_id", "rank", "id")
    return HouseholdFile(home, members, _stays(home.pk, home.seen), list(contacts), _versions(home.versions))
