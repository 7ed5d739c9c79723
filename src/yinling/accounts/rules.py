"""Decisions about messages to people."""

from __future__ import annotations

import re

_MADE_UP = re.compile(r"(?:\+?86)?1990000\d{4}", re.ASCII)


def is_made_up(number: str) -> bool:
    """Whether a number belongs to nobody: the pattern of the demonstration, which is never dialled or texted."""
    return _MADE_UP.fullmatch(re.sub(r"[\s-]", "", number)) is not None
