"""The parameters of all city profiles side by side: what the product says, what each city says, and by which clause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import yaml
from django.conf import settings
from django.utils.translation import gettext as _

from yinling.entitlements.queries.eligibility import Terms, key_of, terms_of
from yinling.ground.parameters import CityProfile, parameters, profiles
from yinling.kernel.parameters import Entry
from yinling.kernel.refusals import Refused


@dataclass(frozen=True)
class Line:
    """One key: the product's entry in force on the day, and of each profile the one that holds for its whole city."""

    key: str
    product: Entry | None
    cities: tuple[Entry | None, ...]
    narrower: tuple[int, ...]
    """For each profile, how many parts of its city have a value of their own."""

    @property
    def differs(self) -> bool:
        """Whether any two of the values are unlike, or somebody in the city has one of their own."""
        values = [(found is not None, found.value if found else None) for found in (self.product, *self.cities)]
        return any(value != values[0] for value in values) or any(self.narrower)


def compare(on: date, *, text: str = "", only_differing: bool = False) -> tuple[tuple[CityProfile, ...], list[Line]]:
    """Return the profiles, and a line for each key whose name holds a text."""
    cities = profiles()
    lines = [_line(key, cities, on) for key in parameters().keys() if text in key]  # noqa: SIM118 - not a dict
    return cities, [line for line in lines if line.differs or not only_differing]


def _line(key: str, cities: Sequence[CityProfile], on: date) -> Line:
    below = [entry.area for entry in parameters().entries(key) if entry.valid.contains(on)]
    narrower = tuple(sum(area.startswith(city.area) and area != city.area for area in below) for city in cities)
    return Line(key, entry_for(key, "", on), tuple(entry_for(key, city.area, on) for city in cities), narrower)


def entry_for(key: str, area: str, on: date) -> Entry | None:
    """Return the entry in force for an area on a day, if any speaks of it."""
    try:
        return parameters().entry(key, area, on)
    except Refused:
        return None


def plain(value: Any) -> str:
    """Write a value for people: a list by its words, nothing as nothing."""
    if value is None or value == []:
        return "—"
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, dict):
        return (
            str(value["name"])
            if "name" in value
            else "；".join(f"{name}: {plain(part)}" for name, part in value.items())
        )
    return "、".join(map(plain, value)) if isinstance(value, list) else str(value)


@dataclass(frozen=True)
class CityScheme:
    """A scheme as one city has it on a day: its name, the area it is for, and its terms where they are said."""

    name: str
    area: str
    terms: Terms | None


def compare_schemes(on: date, *, text: str = "") -> list[tuple[str, tuple[CityScheme | None, ...]]]:
    """Return for every scheme code whose parameter holds a text what each profile says of it, nothing where it has none."""
    own = [_schemes_of(city, on) for city in profiles()]
    codes = sorted({code for found in own for code in found if text in key_of(code)})
    return [(code, tuple(found.get(code) for found in own)) for code in codes]


def _schemes_of(city: CityProfile, on: date) -> dict[str, CityScheme]:
    return {
        code: CityScheme(name, area, terms_of(code, area, on)) for code, name, area in _listed(city.code, city.area)
    }


@cache
def _listed(profile: str, area: str) -> tuple[tuple[str, str, str], ...]:
    """Return code, name and area of the schemes of a profile; its files are checked at start, not here."""
    listed = yaml.safe_load((settings.CITIES / profile / "schemes.yaml").read_text(encoding="utf-8"))["schemes"]
    return tuple((scheme["code"], scheme["name"], scheme.get("div", area)) for scheme in listed)
