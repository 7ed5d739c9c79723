"""Decisions about elders: age, keys of names, dates of death, what a file may hold. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from yinling.directory.rules import at_field, clock_time
from yinling.kernel.id_number import IdNumber
from yinling.kernel.names import deletion_keys, initials_keys, pinyin_keys, plain_name
from yinling.kernel.period import SHANGHAI, add_years, age_on
from yinling.kernel.refusals import NotAllowed, Refused
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


def hukou_division(text: str) -> str:
    """Return a division code without the zeros that fill it up, or nothing."""
    code = text.strip()
    trimmed = next((code[:size] for size in (2, 4, 6, 9) if len(code) > size and not code[size:].strip("0")), code)
    if trimmed and (not trimmed.isascii() or not trimmed.isdigit() or len(trimmed) not in (2, 4, 6, 9, 12)):
        raise Refused("hukou.format", N_("户籍区划应是2、4、6、9或12位的区划代码，不清楚请留空"), field="hukou_div")
    return trimmed


def check_death(died_on: date, *, born: date, today: date) -> None:
    """Refuse a death in the future or before birth."""
    if died_on > today:
        raise Refused("elder.died_in_future", N_("去世日期晚于今天，请核对"), field="died_on")
    if died_on < born:
        raise Refused("elder.died_before_birth", N_("去世日期早于出生日期，请核对"), field="died_on")


def hour_of_death(died_on: date, text: str, now: datetime) -> datetime | None:
    """Return the moment of death, if its hour was told; refuse one that has not come yet."""
    if not text.strip():
        return None
    moment = datetime.combine(died_on, clock_time(text, "died_at"), SHANGHAI)
    if moment > now:
        raise Refused("elder.died_in_future", N_("去世时刻晚于现在，请核对"), field="died_at")
    return moment


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


@dataclass(frozen=True)
class MergeBar:
    """What a model says that may not be open in both of two files that are to become one: told with a code and a sentence.

    Open is a row in one of ``states``, or without states one that holds today or later; two are alike when ``alike`` are the same.
    """

    code: str
    sentence: str
    alike: tuple[str, ...] = ()
    states: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """What decides whether two files may become one."""

    number: int
    id_type: str
    has_document: bool
    died_on: date | None
    name: str = ""
    born_on: date | None = None


def check_mergeable(kept: Identity, gone: Identity) -> None:
    """Refuse to make one file of two that contradict each other, or to lose the document number with the file that goes."""
    if kept.number == gone.number:
        raise Refused("merge.same", N_("请选择两份不同的档案"), field="gone_id")
    if kept.has_document and gone.has_document and kept.id_type == gone.id_type:
        sentence = N_("两份档案登记了不同的证件号，不能合并。确属同一人的，先把录错的一份改为“无证件”")
        raise NotAllowed("merge.two_documents", sentence)
    if gone.has_document and not kept.has_document:
        raise NotAllowed("merge.keep_document", N_("请保留登记了证件号的一份，把另一份并入"))
    if kept.died_on != gone.died_on:
        raise NotAllowed("merge.death", N_("两份档案的去世登记不一致，请先更正其中一份，再合并"))


def check_signer(capacity: str, *, is_appointed: bool) -> None:
    """Only a representative on file, whose matters include signing, signs as one (R-PEO-10)."""
    if capacity in APPOINTED and not is_appointed:
        sentence = N_("档案中没有在有效期内、可以代为签字的这一身份。请由本人办理，或先登记代理人")
        raise Refused("signer.not_appointed", sentence, field="given_by")


APPOINTED = ("guardian", "agent", "family")
MATTERS = {
    "covers_orders": (
        "orders.order.place", "orders.order.cancel", "visits.visit.evaluate", "hotline.ticket.open", "settlement.bill_objection.raise",
        "settlement.payment.ask", "settlement.payment.pay_from_balance",
    ),
    "covers_signing": ("people.consent.record", "people.consent.withdraw"),
    "covers_bills": ("settlement.order.view",),
    "covers_health": ("people.health.view",),
    "covers_applications": (
        "assessment.request.apply", "assessment.request.withdraw", "entitlements.application.apply", "entitlements.application.withdraw",
    ),
}  # fmt: skip
"""The matters of a representation, and the rights that belong to each. All other rights come with any representation."""


def withheld_rights(covered: dict[str, bool]) -> frozenset[str]:
    """Return the rights that a representation does not give, of those that belong to a matter."""
    return frozenset(right for matter, rights in MATTERS.items() if not covered[matter] for right in rights)
