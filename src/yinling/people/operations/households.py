"""Writing the file of a home."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yinling.accounts.operations import record
from yinling.directory.rules import position_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason, Seen
from yinling.kernel.refusals import NotAllowed
from yinling.kernel.words import N_
from yinling.people.inputs import Address, Datum, Lat, Lon
from yinling.people.models import Household


@operation("people.household.correct", label=N_("更正住址"))
def correct_household(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, household_id: Id, address: Address, lon: Lon = None, lat: Lat = None, datum: Datum = "wgs84",
    reason: Reason, seen: Seen = None,
) -> Household:  # fmt: skip
    """Correct the address or position of a home for all who live there. Whoever moves is relocated instead; earlier versions stay."""
    home = locked(Household.objects.all(), household_id, seen)
    require(actor, "people.household.correct", div=home.div)
    text, why = required_text(address, "address"), required_text(reason, "reason", most=500)
    if Household.objects.filter(div=home.div, address=text).exclude(pk=home.pk).exists():
        sentence = N_("这个地址已有另一份家庭档案。请用“登记迁居”把老人移到那一户")
        raise NotAllowed("household.exists", sentence)
    values: dict[str, Any] = {"address": text}
    if (place := position_of(lon, lat, datum)) is not None:
        values |= {"lon": place.lon, "lat": place.lat, "source_datum": datum}
    changes = changed(home, now=now, **values)
    record(actor=actor, now=now, event="people.household.correct", subject=home, changes=changes, reason=why)
    tell("elders", pk=home.pk, div=home.div)
    return home
