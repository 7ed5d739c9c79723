"""Scoring of ability scales: one pure function of a scale, its answers, facts and settings.

The scales are versioned data in ``scales/``. Refused with the item named: a missing answer, a score that is not in the option list, a
non-integer, one answer too many. No level comes from an incomplete form; coma in MZ/T 039 is the one lawful short form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

FOLDER = Path(__file__).parent / "scales"
SEVERE, RAISING_EVENTS = 3, 2
Answers = Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """Choices a city makes: whether raises add up, who confirmed the insurance matrix, the Morse cut-offs (low, high)."""

    stacking: str = "cumulative"
    matrix_confirmed_by: str = ""
    morse_cut_offs: tuple[int, int] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a scale says. Only the fields a scale has are set; ``is_provisional`` results must not decide a benefit."""

    scale: str
    version: str
    subtotals: list[int] | None = None
    sums: list[int] | None = None
    total: int | None = None
    domain_levels: list[int] | None = None
    initial: int | None = None
    final: int | None = None
    level: int | str | None = None
    grade: int | None = None
    not_achieved: int | None = None
    balanced_sum: int | None = None
    result: dict[str, str] | None = None
    needed: list[str] | None = None
    rules: list[str] | None = None
    literal_ambiguous: bool | None = None
    is_provisional: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@cache
def scale(scale_id: str) -> dict[str, Any]:
    """Return a scale as data. Raises Refused ``scale.unknown``."""
    path = FOLDER / f"{scale_id}.yaml"
    if not scale_id.replace("_", "").isalnum() or not path.exists():
        raise Refused("scale.unknown", N_("没有这个量表：%(scale)s"), scale=scale_id, field="scale")
    loaded: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return loaded


def scales() -> list[str]:
    """Return the ids of all scales."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def score(scale_id: str, answers: Answers, settings: Settings | None = None) -> Outcome:
    """Score one form. Raises Refused naming the item; nothing is computed from an incomplete or illegal form."""
    form = scale(scale_id)
    allowed = _fields(form)
    unknown = sorted(set(answers) - allowed)
    if unknown:
        raise Refused(
            "scale.extra", N_("量表没有这些内容：%(names)s，请删去"), names="、".join(unknown), field=unknown[0]
        )
    return _METHODS[form["method"]](form, answers, settings or Settings())


def _fields(form: dict[str, Any]) -> set[str]:
    if form["method"] == "count_false":
        return {"achieved"}
    if form["method"] == "constitution":
        return {"answers"}
    if form["id"] in {"mzt039_2013", "ltc_2021_37"}:
        return {domain["key"] for domain in form["domains"]} | ({"facts"} if "facts" in form else set())
    return {"scores"} | ({"facts", "keys"} if "facts" in form else set())


def _items(domains: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for domain in domains for item in domain["items"]]


def _name(item: dict[str, Any]) -> str:
    return f"{item['code']} {item.get('zh', '')}".strip()


def _checked(items: Sequence[dict[str, Any]], values: Any) -> list[Any]:
    """Return the scores (of a scale without points: the words) if every item has one of its own options and there are no more answers than items."""
    given = list(values) if isinstance(values, list | tuple) else []
    for position, item in enumerate(items):
        if position >= len(given) or given[position] is None:
            raise Refused(
                "scale.missing", N_("“%(item)s”没有作答，请补填后再计分"), item=_name(item), field=item["code"]
            )
        allowed = {option["score"] for option in item["options"]}
        value = given[position]
        if isinstance(value, bool) or not isinstance(value, int | str) or value not in allowed:
            raise Refused(
                "scale.illegal",
                N_("“%(item)s”没有这个选项，可选：%(options)s"),
                item=_name(item),
                options="、".join(map(str, sorted(allowed))),
                field=item["code"],
            )
    if len(given) > len(items):
        raise Refused("scale.extra", N_("答案比题目多：共%(items)s题"), items=len(items), field="scores")
    return given


def _band(levels: Sequence[dict[str, Any]], total: int) -> Any:
    return next(level["level"] for level in levels if level["min"] <= total <= level["max"])


def _facts(form: dict[str, Any], given: Any) -> tuple[dict[str, bool], int]:
    """Return the yes/no facts and the number of risk events of all kinds together."""
    facts = dict(given or {})
    events = facts.pop("risk_events_30d", {})
    for name, value in facts.items():
        if name not in form["facts"] or not isinstance(value, bool):
            raise Refused("scale.fact", N_("“%(name)s”不是这个量表的事实项"), name=name, field="facts")
    counts: list[Any] = list(events.values()) if isinstance(events, Mapping) else [None]
    strange = set(events) - set(form["facts"]["risk_events_30d"]["kinds"]) if isinstance(events, Mapping) else set()
    if strange:
        raise Refused(
            "scale.events", N_("“%(kind)s”不是这个量表的风险事件"), kind=min(map(str, strange)), field="facts"
        )
    if any(isinstance(count, bool) or not isinstance(count, int) or count < 0 for count in counts):
        raise Refused("scale.events", N_("风险事件要填次数，没有发生填 0"), field="facts")
    return facts, sum(counts)


def _raised(initial: int, raises: Sequence[tuple[str, bool]], cap: int, stacking: str) -> tuple[int, list[str]]:
    applied = [name for name, is_true in raises if is_true]
    if stacking == "at_most_one":
        applied = applied[:1]
    return min(cap, initial + len(applied)), applied


def _option_key(form: dict[str, Any], answers: Answers, items: Sequence[dict[str, Any]], given: Sequence[int]) -> bool:
    """Whether the answer to the consciousness item is coma: stupor has the same score, so the option's key decides."""
    keys = answers.get("keys") or {}
    places = {item["code"]: (item, value) for item, value in zip(items, given, strict=True)}
    for code, key in keys.items():
        item, value = places.get(str(code), ({"options": []}, None))
        if not any(option.get("key") == key and option["score"] == value for option in item["options"]):
            raise Refused(
                "scale.illegal", N_("“%(item)s”没有这个选项：%(options)s"), item=code, options=key, field=str(code)
            )
    return bool(keys.get(form["coma_item"]) == form["coma_key"])


def _sum_raised(form: dict[str, Any], answers: Answers, settings: Settings) -> Outcome:
    """GB/T 42195-2022: one sum, five levels, coma decides, two raises (form C.3 to C.5)."""
    items = _items(form["domains"])
    given = _checked(items, answers.get("scores"))
    coma = _option_key(form, answers, items, given)
    facts, events = _facts(form, answers.get("facts"))
    sizes = [len(domain["items"]) for domain in form["domains"]]
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    subtotals = [sum(given[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
    total = sum(subtotals)
    initial = _band(form["levels"], total)
    cap = form["modifier_policy"]["cap"]
    raises = [
        ("dementia_or_mental", facts.get("dementia", False) or facts.get("mental_disorder", False)),
        ("risk_events", events >= RAISING_EVENTS),
    ]
    final, rules = _raised(initial, raises, cap, settings.stacking)
    if coma or facts.get("coma", False):
        final, rules = cap, ["coma"]
    return Outcome(
        form["id"], form["version"], subtotals=subtotals, total=total, initial=initial, final=final, rules=rules
    )


def _perception_level(scores: Sequence[int]) -> int:
    """MZ/T 039 domain 3: the severe column is tested first, so that vision 2 with hearing 4 is level 3."""
    consciousness, vision, hearing, communication = scores
    worst = max(vision, hearing)
    tests = (
        (3, consciousness >= 2 or worst == 4 or communication == 3),  # noqa: PLR2004 - option scores of the scale
        (2, consciousness == 1 or worst == 3 or communication == 2),  # noqa: PLR2004
        (1, worst == 2 or communication == 1),  # noqa: PLR2004
    )
    return next((level for level, holds in tests if holds), 0)


def combined_level(activities: int, others: Sequence[int]) -> int:
    """MZ/T 039 overall level of the four domain levels, gaps of the printed clauses closed, the more severe wins."""
    mental, perception, social = others
    grave = SEVERE in others or all(level == SEVERE - 1 for level in others)
    if activities == SEVERE:
        return SEVERE
    if activities:
        return activities + 1 if grave else activities
    return 0 if mental == 0 and perception == 0 and social <= 1 else 1


def literal_levels(activities: int, others: Sequence[int]) -> set[int]:
    """Return the levels that the printed clauses of MZ/T 039 give, read literally: one, none (9 of 256) or two (60)."""
    mental, perception, social = others
    middling = sum(level in (1, 2) for level in others)
    clauses = {
        0: activities == mental == perception == 0 and social <= 1,
        1: (activities == 0 and (mental >= 1 or perception >= 1 or social == 2))  # noqa: PLR2004
        or (activities == 1 and min(others) <= 1),
        2: (activities == 1 and (set(others) == {2} or SEVERE in others)) or (activities == 2 and middling in (1, 2)),  # noqa: PLR2004
        3: activities == SEVERE or (activities == 2 and (set(others) == {2} or SEVERE in others)),  # noqa: PLR2004
    }
    return {level for level, holds in clauses.items() if holds}


def _domains_raised(form: dict[str, Any], answers: Answers, settings: Settings) -> Outcome:
    """MZ/T 039-2013: four domain levels combined by a table, two raises, coma ends the form."""
    facts, events = _facts(form, answers.get("facts"))
    consciousness = answers.get("perception") or [None]
    if consciousness[0] == form["coma_score"] and set(answers) <= {"perception", "facts"}:
        return Outcome(form["id"], form["version"], final=SEVERE, rules=["coma"])
    given = [_checked(domain["items"], answers.get(domain["key"])) for domain in form["domains"]]
    levels = [
        _perception_level(scores) if "level_rule" in domain else _band(domain["levels"], sum(scores))
        for domain, scores in zip(form["domains"], given, strict=True)
    ]
    initial = combined_level(levels[0], levels[1:])
    raises = [
        ("cognitive_or_mental", facts.get("cognitive_or_mental", False)),
        ("risk_events", events >= RAISING_EVENTS),
    ]
    final, rules = _raised(initial, raises if initial < SEVERE else [], SEVERE, settings.stacking)
    if facts.get("coma", False) or given[2][0] == form["coma_score"]:
        final, rules = SEVERE, ["coma"]
    return Outcome(
        form["id"],
        form["version"],
        domain_levels=levels,
        initial=initial,
        final=final,
        rules=rules,
        literal_ambiguous=len(literal_levels(levels[0], levels[1:])) != 1,
    )


def _matrix(form: dict[str, Any], answers: Answers, settings: Settings) -> Outcome:
    """LTC grading of 2021 no. 37: provisional until a named person has confirmed the combination matrix."""
    given = [_checked(domain["items"], answers.get(domain["key"])) for domain in form["domains"]]
    sums = [sum(scores) for scores in given]
    levels = [_band(domain["levels"], total) for domain, total in zip(form["domains"], sums, strict=True)]
    grade = form["combination"]["matrix"][levels[0]][max(levels[1:])]
    is_provisional = not settings.matrix_confirmed_by
    return Outcome(
        form["id"], form["version"], sums=sums, domain_levels=levels, grade=grade, is_provisional=is_provisional
    )


def _sum(form: dict[str, Any], answers: Answers, settings: Settings) -> Outcome:
    total = sum(_checked(form["items"], answers.get("scores")))
    level = _band(form["levels"], total)
    if form["id"] == "morse" and settings.morse_cut_offs:
        low, high = settings.morse_cut_offs
        level = 0 if total <= low else 1 if total <= high else 2
    return Outcome(form["id"], form["version"], total=total, level=level)


def _count_false(form: dict[str, Any], answers: Answers, _settings: Settings) -> Outcome:
    """Six-ability test: four or more not achieved = loss of self-care (R-ASM-10)."""
    yes_no = [{**item, "options": [{"score": 0}, {"score": 1}]} for item in form["items"]]
    given = list(answers.get("achieved") or [])
    legal = [int(value) if isinstance(value, bool) else (None if value is None else -1) for value in given]
    missed = len(yes_no) - sum(_checked(yes_no, legal))
    return Outcome(form["id"], form["version"], not_achieved=missed, level=_band(form["levels"], missed))


YES, LEANING, MOSTLY, NO = "是", "倾向是", "基本是", "否"
_IS, _LEANS, _BALANCED = 11, 9, 17
_CEILING, _WIDE_CEILING = 8, 10


def _constitution(form: dict[str, Any], answers: Answers, _settings: Settings) -> Outcome:
    """TCM constitution: eight biased types by sums of four questions, and the balanced type."""
    options = [{"score": value} for value in range(1, 6)]
    questions = [{"code": str(number), "options": options} for number in range(1, form["questions"] + 1)]
    given = _checked(questions, answers.get("answers"))
    sums = {name: sum(given[number - 1] for number in numbers) for name, numbers in form["types"].items()}
    result = {name: YES if total >= _IS else LEANING if total >= _LEANS else NO for name, total in sums.items()}
    balanced = form["balanced"]
    total = sum(
        6 - given[number - 1] if number in balanced["reversed"] else given[number - 1]
        for number in balanced["questions"]
    )
    worst = max(sums.values())
    is_balanced = total >= _BALANCED
    verdict = YES if is_balanced and worst <= _CEILING else MOSTLY if is_balanced and worst <= _WIDE_CEILING else NO
    return Outcome(form["id"], form["version"], balanced_sum=total, result={**result, balanced["zh"]: verdict})


def _needs(form: dict[str, Any], answers: Answers, _settings: Settings) -> Outcome:
    """What a home needs: the items that are needed, each by its code; no points and no level (R-ASM-11)."""
    items = _items(form["domains"])
    given = _checked(items, answers.get("scores"))
    needed = [item["code"] for item, answer in zip(items, given, strict=True) if answer == "needed"]
    return Outcome(form["id"], form["version"], needed=needed)


_METHODS: dict[str, Callable[[dict[str, Any], Answers, Settings], Outcome]] = {
    "sum_raised": _sum_raised,
    "domains_raised": _domains_raised,
    "matrix": _matrix,
    "sum": _sum,
    "count_false": _count_false,
    "constitution": _constitution,
    "needs": _needs,
}


@dataclass(frozen=True)
class Checked:
    """One worked example held against the scorer."""

    id: str
    expected: dict[str, Any]
    obtained: dict[str, Any]
    ok: bool


def check_case(case: Mapping[str, Any]) -> Checked:
    """Score a worked example ``{id, scale, input, expect}`` and compare every expected field, or the expected refusal."""
    expected = dict(case["expect"])
    try:
        outcome = score(str(case["scale"]), case["input"])
    except Refused as refusal:
        obtained: dict[str, Any] = {"error": True, "code": refusal.code, "item": refusal.field}
        return Checked(str(case["id"]), expected, obtained, expected.get("error") is True)
    obtained = outcome.as_dict()
    is_same = all(_holds(obtained.get(name), value) for name, value in expected.items())
    return Checked(str(case["id"]), expected, obtained, is_same and not expected.get("error"))


def _holds(obtained: Any, expected: Any) -> bool:
    if isinstance(expected, Mapping):
        return isinstance(obtained, Mapping) and all(obtained.get(name) == value for name, value in expected.items())
    return bool(obtained == expected)
