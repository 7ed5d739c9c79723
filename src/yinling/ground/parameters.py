"""The parameters of the product and of the loaded city profiles, read once at start."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from django.conf import settings

from yinling.kernel.parameters import Parameters, load


@cache
def parameters() -> Parameters:
    """Return all dated values: the product's defaults, overridden by every profile below ``cities/``. Raises ParameterError."""
    files = [*settings.BASE.glob("*/parameters/*.yaml"), *settings.CITIES.glob("*/parameters/*.yaml")]
    return load(sorted(files))


def parameter(key: str, area: str, on: date) -> Any:
    """Return the value of a key for an area on a day."""
    return parameters().value(key, area, on)
