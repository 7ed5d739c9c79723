"""How near an article is to what a seat typed: title before other words before text, Chinese by pairs of characters. Pure."""

from __future__ import annotations

import re

TITLE, WORDS, TEXT = 8, 5, 1
WHOLE = 4
"""What is found as typed counts so many times a part of it."""
MOST_PARTS = 16
_RUN = re.compile(r"[a-z0-9]+|[一-鿿]+")
_IS_CHINESE = re.compile(r"[一-鿿]")


def parts_of(text: str) -> list[str]:
    """Return what is looked for: words of letters and digits, and each pair of neighbouring Chinese characters."""
    found: dict[str, None] = {}
    for run in _RUN.findall(text.lower()):
        if not _IS_CHINESE.match(run) or len(run) == 1:
            found[run] = None
        else:
            found.update(dict.fromkeys(run[place : place + 2] for place in range(len(run) - 1)))
    return list(found)[:MOST_PARTS]


def nearness(asked: str, *, title: str, words: str, text: str) -> int:
    """Return how well an article answers; 0 is not at all."""
    parts = parts_of(asked)
    whole = asked.strip().lower()
    score = 0
    for weight, place in ((TITLE, title.lower()), (WORDS, words.lower()), (TEXT, text.lower())):
        score += weight * sum(part in place for part in parts)
        if whole and whole in place:
            score += weight * WHOLE
    return score
