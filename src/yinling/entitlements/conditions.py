"""The conditions of a scheme as data: grades of labelled groups of terms. Pure.

A value of the parameter ``scheme.<code>.grades``::

    - name: 困难老年人
      groups:                                   # all of them ...
        - label: 经济困难
          any: [{hardship: true}]               # ... each by any of its terms
        - label: 高龄或失能
          any: [{age: {least: 80}}, {ability: [disabled]}]
      unless: [{holds: state_care}]             # none of these
      amounts: {share_bp: 5000, monthly_cap_fen: 80000}

``amounts`` say a ``share_bp`` of the price in 1/10000, or fen by ``units`` that an item has (``nurse_visit``, ``lunch``), within a monthly
cap and ``counts`` such as ``visits_a_week`` or ``hours_a_week``. ``held`` adds to counts, or opens an ``extra`` pool used once a count is
used up, for who has held the scheme for so many months (X-LTC-02)::

    held: [{after_months: 1, extra: {hours_a_month: 1}}, {after_months: 6, extra: {hours_a_month: 2}}]

``places`` says another share for what is not given at home (X-PAY-04): ``on_site`` where the elder comes to the body, ``stay`` for bed-days.
A grade that names ``stay`` pays for bed-days of any family, also while its money for services at home rests::

    amounts: {share_bp: 5000, places: {on_site: 4000, stay: 4000}, monthly_cap_fen: 80000}

The first grade that fits applies (X-MEA-03), so the highest stands first. There are no expressions: what these tables cannot say is a
gap of the product.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from yinling.kernel.words import N_
from yinling.people.inputs import CIRCUMSTANCES

KINDS = frozenset(kind for kind, _label in CIRCUMSTANCES)
SCALES = frozenset({"gbt42195_2022", "mzt039_2013", "ltc_2021_37", "cq6"})
HOME, ON_SITE, STAY = "home", "on_site", "stay"
PLACES = {HOME: N_("居家服务"), ON_SITE: N_("到机构接受服务"), STAY: N_("入住机构")}
"""Where a service is given: of what nobody is sent for, bed-days are a stay, the rest the elder comes for."""
WHOLE_BP = 10_000
OLDEST = 150
_COUNT = re.compile(r"[a-z_]+_a_(day|week|month|year)")


class ConditionError(ValueError):
    """The conditions of a scheme cannot be right. ``place`` says where, the message what to do."""

    def __init__(self, place: str, reason: str, /, **values: object) -> None:
        self.place, self.reason, self.values = place, reason, values
        super().__init__(f"{place}: {reason % values}")


@dataclass(frozen=True)
class Age:
    """Full years, counted on the calendar birthday, both ends inclusive (D-05, X-TIME-04)."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Kinds:
    """Any of these circumstances is on record for the day; of another member of the household if ``of_household``."""

    kinds: frozenset[str]
    of_household: bool = False
    is_hardship: bool = False
    """Whether the kinds are the city's list of economic hardship (D-04); pages then say so in one word."""


@dataclass(frozen=True)
class Levels:
    """Of the results by these scales that hold on the day, the one assessed last is one of these."""

    results: frozenset[tuple[str, str]]
    scales: frozenset[str]
    ability: str = ""
    """The word of the level map it came from (``disabled``, ``semi_disabled``), for pages."""


@dataclass(frozen=True)
class Resident:
    """Lives here usually, whatever the registered residence says."""


@dataclass(frozen=True)
class Hukou:
    """Is registered in this division or below it."""

    div: str


@dataclass(frozen=True)
class Holds:
    """Has an entitlement of this scheme on the day."""

    code: str


Term = Age | Kinds | Levels | Resident | Hukou | Holds


@dataclass(frozen=True)
class Group:
    """Terms of which any is enough, under the words of the plan."""

    label: str
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Held:
    """What is added once the scheme has been held for so many months without a break; of several steps the most counts."""

    after_months: int
    counts: tuple[tuple[str, int], ...] = ()
    extra: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Amounts:
    """What a grade gives. Nothing set: the plan names no number, and pages say "not configured"."""

    share_bp: int | None = None
    monthly_cap_fen: int | None = None
    once_fen: int | None = None
    units: tuple[tuple[str, int], ...] = ()
    """Fen for one unit: a meal, a visit, a day."""
    counts: tuple[tuple[str, int], ...] = ()
    """How many of a unit: visits a week."""
    held: tuple[Held, ...] = ()
    places: tuple[tuple[str, int], ...] = ()
    """The share where it is another than at home."""
    note: str = ""

    @property
    def is_configured(self) -> bool:
        """Whether any number is known."""
        return bool(self.units or self.counts) or self.share_bp is not None or self.once_fen is not None


@dataclass(frozen=True)
class Grade:
    """One variant of a scheme."""

    name: str
    groups: tuple[Group, ...] = ()
    unless: tuple[Group, ...] = ()
    amounts: Amounts = field(default_factory=Amounts)

    @property
    def terms(self) -> Iterator[Term]:
        """Every term, of groups and exclusions."""
        return (term for group in (*self.groups, *self.unless) for term in group.terms)


@dataclass(frozen=True)
class Words:
    """What the words of a condition mean in an area on a day: dated parameters of the city."""

    area: str
    hardship: frozenset[str]
    level_map: Mapping[str, Mapping[str, Any]]
    choices: Mapping[str, Any] = field(default_factory=dict)
    """Values of the parameters that ``when`` may ask for."""


def read_grades(value: Any, words: Words) -> tuple[Grade, ...]:
    """Read the value of ``scheme.<code>.grades``. Raises ConditionError; a grade whose ``when`` does not hold is left out."""
    if not isinstance(value, list):
        raise ConditionError("grades", N_("这里应是一列档次，每个档次前加“- ”，请改正"))
    read = [_grade(entry, f"grades.{number}", words) for number, entry in enumerate(value)]
    return tuple(grade for grade in read if grade is not None)


def _grade(entry: Any, place: str, words: Words) -> Grade | None:
    found = _fields(entry, place, {"name", "groups", "unless", "amounts", "when"}, needed=("name",))
    groups = tuple(_group(one, f"{place}.groups.{at}", words) for at, one in enumerate(_list(found, "groups", place)))
    unless = tuple(
        Group("", _terms(one, f"{place}.unless.{at}", words)) for at, one in enumerate(_list(found, "unless", place))
    )
    amounts = _amounts(found.get("amounts") or {}, f"{place}.amounts")
    for key, wanted in (found.get("when") or {}).items():
        if key not in words.choices:
            raise ConditionError(f"{place}.when", N_("没有参数 %(key)s 可供选择，请改正"), key=key)
        if words.choices[key] != wanted:
            return None
    return Grade(_text(found["name"], f"{place}.name"), groups, unless, amounts)


def _group(entry: Any, place: str, words: Words) -> Group:
    found = _fields(entry, place, {"label", "any"}, needed=("label", "any"))
    terms = tuple(
        term for at, one in enumerate(_list(found, "any", place)) for term in _terms(one, f"{place}.any.{at}", words)
    )
    if not terms:
        raise ConditionError(place, N_("any 不能为空，请写上至少一个条件"))
    return Group(_text(found["label"], f"{place}.label"), terms)


def _terms(entry: Any, place: str, words: Words) -> tuple[Term, ...]:
    if not isinstance(entry, dict) or len(entry) != 1:
        raise ConditionError(place, N_("每个条件只写一项，例如 {age: {least: 80}}，请改正"))
    ((name, value),) = entry.items()
    if name not in _READERS:
        known = ", ".join(sorted(_READERS))
        raise ConditionError(place, N_("不认识条件 %(name)s，只能用 %(known)s"), name=name, known=known)
    return _READERS[name](value, place, words)


def _age(value: Any, place: str, _words: Words) -> tuple[Term, ...]:
    found = _fields(value, place, {"least", "most"})
    for years in found.values():
        if isinstance(years, bool) or not isinstance(years, int) or not 0 <= years <= OLDEST:
            raise ConditionError(place, N_("年龄应是0到150的整数，请改正"))
    if not found:
        raise ConditionError(place, N_("请写上 least 或 most"))
    return (Age(found.get("least"), found.get("most")),)


def _kinds(value: Any, place: str, _words: Words) -> tuple[Term, ...]:
    return (Kinds(_known(value, KINDS, place)),)


def _household(value: Any, place: str, _words: Words) -> tuple[Term, ...]:
    return (Kinds(_known(value, KINDS, place), of_household=True),)


def _hardship(value: Any, place: str, words: Words) -> tuple[Term, ...]:
    _require_true(value, place)
    return (Kinds(words.hardship, is_hardship=True),)


def _ability(value: Any, place: str, words: Words) -> tuple[Term, ...]:
    """Levels of several words are one term, because only the result assessed last speaks; circumstances stand beside them."""
    chosen = sorted(_known(value, frozenset(words.level_map), place))
    scales = {scale: levels for word in chosen for scale, levels in words.level_map[word].items()}
    by_scale = {
        (scale, level) for word in chosen for scale, levels in words.level_map[word].items() for level in levels
    }
    results = frozenset(pair for pair in by_scale if pair[0] != "circumstances")
    kinds = frozenset(level for scale, level in by_scale if scale == "circumstances")
    terms: list[Term] = []
    if results:
        terms.append(Levels(results, frozenset(scales) - {"circumstances"}, "+".join(chosen)))
    if kinds:
        terms.append(Kinds(kinds))
    return tuple(terms)


def _level(value: Any, place: str, _words: Words) -> tuple[Term, ...]:
    found = _fields(value, place, {"scale", "any"}, needed=("scale", "any"))
    if found["scale"] not in SCALES:
        raise ConditionError(place, N_("不认识评估标准 %(scale)s，请改正"), scale=found["scale"])
    levels = _list(found, "any", place)
    if not levels or not all(isinstance(level, str) for level in levels):
        raise ConditionError(place, N_("any 应是一列等级，请改正"))
    return (Levels(frozenset((found["scale"], level) for level in levels), frozenset({found["scale"]})),)


def _resident(value: Any, place: str, _words: Words) -> tuple[Term, ...]:
    _require_true(value, place)
    return (Resident(),)


def _hukou(value: Any, place: str, words: Words) -> tuple[Term, ...]:
    _require_true(value, place)
    return (Hukou(words.area),)


def _holds(value: Any, place: str, _words: Words) -> tuple[Term, ...]:
    return (Holds(_text(value, place)),)


_READERS: dict[str, Callable[[Any, str, Words], tuple[Term, ...]]] = {
    "age": _age, "kind": _kinds, "hardship": _hardship, "ability": _ability, "level": _level, "household": _household,
    "resident": _resident, "hukou": _hukou, "holds": _holds,
}  # fmt: skip


def _amounts(value: Any, place: str) -> Amounts:
    found = _fields(
        value, place, {"share_bp", "places", "monthly_cap_fen", "once_fen", "units", "counts", "held", "note"}
    )
    for name in ("share_bp", "monthly_cap_fen", "once_fen"):
        _check_number(found.get(name), f"{place}.{name}", most=WHOLE_BP if name == "share_bp" else None)
    units, counts = _numbers(found, "units", place), _counts(found, "counts", place)
    if found.get("monthly_cap_fen") is not None and found.get("share_bp") is None and not units:
        raise ConditionError(place, N_("写了 monthly_cap_fen 就要写 share_bp 或 units，请补上"))
    places = _fields(found.get("places") or {}, f"{place}.places", {ON_SITE, STAY})
    for name, share in places.items():
        _check_number(share, f"{place}.places.{name}", most=WHOLE_BP)
    if places and (found.get("share_bp") is None or None in places.values()):
        raise ConditionError(f"{place}.places", N_("写了 places 就要写 share_bp 和各处的比例，请补上"))
    return Amounts(
        found.get("share_bp"), found.get("monthly_cap_fen"), found.get("once_fen"), units, counts, _held(found, place),
        tuple(places.items()), str(found.get("note", "")),
    )  # fmt: skip


def _numbers(found: Mapping[str, Any], name: str, place: str) -> tuple[tuple[str, int], ...]:
    table = _fields(found.get(name) or {}, f"{place}.{name}", None)
    for unit, number in table.items():
        _check_number(number, f"{place}.{name}.{unit}")
    return tuple(table.items())


def _counts(found: Mapping[str, Any], name: str, place: str) -> tuple[tuple[str, int], ...]:
    table = _numbers(found, name, place)
    for key, _number in table:
        if not _COUNT.fullmatch(key):
            raise ConditionError(
                f"{place}.{name}", N_("次数写成 visits_a_week、hours_a_month 这样的形式，请改正 %(key)s"), key=key
            )
    return table


def _held(found: Mapping[str, Any], place: str) -> tuple[Held, ...]:
    steps = []
    for number, entry in enumerate(_list(found, "held", place)):
        at = f"{place}.held.{number}"
        one = _fields(entry, at, {"after_months", "counts", "extra"}, needed=("after_months",))
        _check_number(one["after_months"], f"{at}.after_months")
        steps.append(Held(one["after_months"], _counts(one, "counts", at), _counts(one, "extra", at)))
        if unknown := {name for name, _more in steps[-1].counts} - set(found.get("counts") or {}):
            reason = N_("counts 中没有 %(name)s，无法增加，请先写上")
            raise ConditionError(f"{at}.counts", reason, name=", ".join(sorted(unknown)))
    return tuple(steps)


def _check_number(value: Any, place: str, *, most: int | None = None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < 0 or (most is not None and value > most):
        raise ConditionError(place, N_("金额以分、比例以万分之一写成不小于0的整数，请改正"))


def _fields(value: Any, place: str, known: set[str] | None, needed: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConditionError(place, N_("这里应是“名称: 值”的形式，请改正"))
    for name in value:
        if known is not None and name not in known:
            reason = N_("不认识 %(name)s，只能用 %(known)s")
            raise ConditionError(place, reason, name=name, known=", ".join(sorted(known)))
    for name in needed:
        if name not in value:
            raise ConditionError(place, N_("缺少 %(name)s，请补上"), name=name)
    return value


def _list(found: Mapping[str, Any], name: str, place: str) -> list[Any]:
    value = found.get(name, [])
    if not isinstance(value, list):
        raise ConditionError(f"{place}.{name}", N_("这里应是一列值，请改正"))
    return value


def _known(value: Any, known: frozenset[str], place: str) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        raise ConditionError(place, N_("这里应是一列值，请改正"))
    for one in value:
        if one not in known:
            reason = N_("不认识 %(name)s，只能用 %(known)s")
            raise ConditionError(place, reason, name=one, known=", ".join(sorted(known)))
    return frozenset(value)


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConditionError(place, N_("这里应是文字且不能为空，请改正"))
    return value.strip()


def _require_true(value: Any, place: str) -> None:
    if value is not True:
        raise ConditionError(place, N_("这里只能写 true；排除请写在 unless 里"))
