"""Decisions about elders: age, keys of names, dates of death, what a file may hold. Pure."""

from __future__ import annotations

from datetime import date

from yinling.kernel.masks import mask_id
from yinling.kernel.names import deletion_keys, initials_keys, pinyin_keys, plain_name
from yinling.kernel.period import add_years, age_on
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

LEAST_AGE = 60
OLDEST = 125
LONGEST_KEY = 60
FACTS_ABOUT_RESIDENCE = frozenset({"moved_away", "deceased"})


def name_keys(name: str) -> set[tuple[str, str]]:
    """Return (kind, key) of every way to find a name: characters, pinyin, initials, and the name less one character."""
    keys = {("hanzi", plain_name(name))}
    keys |= {("pinyin", key) for key in pinyin_keys(name)}
    keys |= {("initials", key) for key in initials_keys(name)}
    keys |= {("deletion", key) for key in deletion_keys(name)}
    return {(kind, key[:LONGEST_KEY]) for kind, key in keys if key}


def check_age(born: date, today: date) -> None:
    """Refuse a birth in the future, too long ago, or a person under 60 (R-PEO-01)."""
    if born > today:
        raise Refused("elder.born_in_future", N_("出生日期晚于今天，请核对"), field="born_on")
    age = age_on(born, today)
    if age > OLDEST:
        raise Refused("elder.too_old", N_("按出生日期已满%(age)s岁，请核对出生日期"), field="born_on", age=age)
    if age < LEAST_AGE:
        first = add_years(born, LEAST_AGE)
        sentence = N_("服务对象须年满60周岁，此人%(first)s年满60周岁，届时再登记")
        raise Refused("elder.under_60", sentence, field="born_on", first=first.isoformat())
