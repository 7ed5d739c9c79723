"""The parameters of the product and of the loaded city profiles, read once at start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from yinling.kernel.parameters import Parameters, load


def product_files() -> list[Path]:
    """The files with the product's defaults, of the contexts and of the programmes."""
    base: Path = settings.BASE
    return sorted([*base.glob("*/parameters/*.yaml"), *base.glob("programmes/*/parameters/*.yaml")])


@cache
def parameters() -> Parameters:
    """Return all dated values: the product's defaults, overridden by every profile below ``cities/``. Raises ParameterError."""
    return load(sorted([*product_files(), *settings.CITIES.glob("*/parameters/*.yaml")]))


def parameter(key: str, area: str, on: date) -> Any:
    """Return the value of a key for an area on a day."""
    return parameters().value(key, area, on)


@dataclass(frozen=True)
class CityProfile:
    """A folder below ``cities/``: its name, the city, the division it speaks of, and the plan it follows."""

    code: str
    name: str
    area: str
    plan: str


@cache
def profiles() -> tuple[CityProfile, ...]:
    """Return the profiles whose parameters are loaded, by folder. Their files are checked at start, not here."""
    found = []
    for path in sorted(settings.CITIES.glob("*/city.yaml")):
        city = yaml.safe_load(path.read_text(encoding="utf-8"))
        found.append(CityProfile(path.parent.name, city["name"], city["area"], city["plan"]["name"]))
    return tuple(found)
