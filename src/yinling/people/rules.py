"""Decisions about elders: age, keys of names, dates of death, what a file may hold. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from yinling.directory.rules import at_field
from yinling.kernel.id_number import IdNumber
from yinling.kernel.names import deletion_keys, initials_keys, pinyin_keys, plain_name
from yinling.kernel.period import add_years, age_on
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

LEAST_AGE = 60
OLDEST = 125
LONGEST_KEY = 60
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")


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


@dataclass(frozen=True)
class IdDocument:
    """An identity document as it is stored, and what its number says that differs from what was entered (X-ID-01b)."""

    number: str
    conflicts: tuple[str, ...] = ()


def check_document(id_type: str, number: str, *, born: date, sex: str, today: date) -> IdDocument:
    """Read an identity document. A wrong number is refused; one that contradicts birth date or sex is only noted."""
    plain = number.strip()
    if id_type == "none":
        if plain:
            raise Refused("id.not_expected", N_("选了“无证件”，证件号应留空"), field="id_number")
        return IdDocument("")
    if not plain:
        raise Refused("id.missing", N_("请填写证件号；没有证件请选“无证件”"), field="id_number")
    if id_type == "passport":
        if not _PASSPORT.fullmatch(plain.upper()):
            raise Refused("id.passport", N_("护照号应为5至20位字母和数字，请核对"), field="id_number")
        return IdDocument(plain.upper())
    with at_field("id_number"):
        parsed = IdNumber.parse(plain, today)
    if (parsed.kind == "resident") != (id_type == "id"):
        raise Refused("id.kind", N_("证件号与所选证件类型不符，请核对证件类型"), field="id_type")
    says = {"born_on": parsed.born == born, "sex": sex == "9" or parsed.sex == ("male" if sex == "1" else "female")}
    return IdDocument(parsed.number, tuple(name for name, agrees in says.items() if not agrees))


def check_death(died_on: date, *, born: date, today: date) -> None:
    """Refuse a death in the future or before birth."""
    if died_on > today:
        raise Refused("elder.died_in_future", N_("去世日期晚于今天，请核对"), field="died_on")
    if died_on < born:
        raise Refused("elder.died_before_birth", N_("去世日期早于出生日期，请核对"), field="died_on")


def is_within_one(typed: str, name: str) -> bool:
    """Whether two names differ in at most one character: replaced, left out or added."""
    if abs(len(typed) - len(name)) > 1:
        return False
    if len(typed) == len(name):
        return sum(one != other for one, other in zip(typed, name, strict=True)) <= 1
    short, long = sorted((typed, name), key=len)
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))


def closeness(typed: str, name: str) -> int | None:
    """Rank a found name: 0 the same, 1 begins so, 2 one character off, 3 sounds the same; None is no match."""
    plain = plain_name(name)
    if plain == typed:
        return 0
    if plain.startswith(typed):
        return 1
    if is_within_one(typed, plain):
        return 2
    return 3 if pinyin_keys(typed) & pinyin_keys(plain) else None


def elder_code(number: int) -> str:
    """Return the number of an elder as people read it aloud."""
    return f"E-{number:06d}"
