"""A scale as a form: sections, questions and options in the order of the paper, and the way from what was tapped to what is scored.

Pure. A screen knows which option was taken (``picked``: item code to the option's place); the scorer knows scores. This is the bridge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

WINDOW_DAYS = 30
EVENTS = "risk_events_30d"
BESIDE = frozenset({"events", "notes", "signatures"})
"""What a sheet keeps beside the facts of its scale: dated events, a note, pictures of signatures."""
SIGNATURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+=*", re.ASCII)
LONGEST_NOTE, LARGEST_SIGNATURE, MOST_SIGNATURES = 2000, 80_000, 8
Words = Mapping[str, Any]


@dataclass(frozen=True)
class Option:
    """One answer: what it counts, its words, and its key where two answers count the same."""

    value: int | bool | str
    text: str
    key: str = ""

    @property
    def points(self) -> int | None:
        """What is printed before the words; a yes/no and a word have no points."""
        return None if isinstance(self.value, bool | str) else self.value


@dataclass(frozen=True)
class Question:
    """One item, and where its answer goes: the list named ``place``, at ``index``."""

    code: str
    text: str
    place: str
    index: int
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Section:
    """The items of one first-level indicator; a scale without any is one section."""

    code: str
    text: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Fact:
    """A yes/no beside the items, with the part of the form it comes from."""

    key: str
    text: str
    where: str


def sections(form: dict[str, Any], words: Words | None = None) -> tuple[Section, ...]:
    """Return the form. ``words`` is a label pack's: item code to ``{label, options: {score or key: text}}``."""
    said = words or {}
    if "domains" not in form:
        place = {"count_false": "achieved", "constitution": "answers"}.get(form["method"], "scores")
        return (Section("", form["zh"], _questions(form["items"], form, said, place, 0)),)
    found, start = [], 0
    for domain in form["domains"]:
        is_flat = form["method"] in ("sum_raised", "needs")
        place, first = ("scores", start) if is_flat else (domain["key"], 0)
        found.append(Section(domain["code"], domain["zh"], _questions(domain["items"], form, said, place, first)))
        start += len(domain["items"])
    return tuple(found)


def _questions(
    items: Iterable[dict[str, Any]], form: dict[str, Any], said: Words, place: str, first: int
) -> tuple[Question, ...]:
    return tuple(
        Question(
            item["code"], said.get(item["code"], {}).get("label") or item.get("zh", ""), place, number,
            _options(item.get("options", form.get("options", [])), said.get(item["code"], {}).get("options", {})),
        )
        for number, item in enumerate(items, first)
    )  # fmt: skip


def _options(options: Iterable[dict[str, Any]], said: Mapping[Any, str]) -> tuple[Option, ...]:
    return tuple(
        Option(one["score"], said.get(one.get("key", one["score"])) or one.get("zh", ""), one.get("key", ""))
        for one in options
    )


def questions(form: dict[str, Any]) -> list[Question]:
    """Return every question in order."""
    return [question for section in sections(form) for question in section.questions]


def facts_of(form: dict[str, Any]) -> list[Fact]:
    """Return the yes/no facts of a scale, without the events, which are counted."""
    rows = form.get("facts", {}).items()
    return [Fact(key, row["zh"], row["where"]) for key, row in rows if key != EVENTS]


def event_kinds(form: dict[str, Any]) -> dict[str, str]:
    """Return the kinds of risk events that a scale counts, with their words; none for most."""
    kinds: dict[str, str] = form.get("facts", {}).get(EVENTS, {}).get("kinds", {})
    return kinds


def answers_of(form: dict[str, Any], picked: Mapping[str, int]) -> dict[str, Any]:
    """Return what the scorer reads; an item without an answer is None. Raises Refused for a place that no option has."""
    found: dict[str, Any] = {}
    keys: dict[str, str] = {}
    for question in questions(form):
        values = found.setdefault(question.place, [])
        chosen = picked.get(question.code)
        if chosen is None:
            values.append(None)
            continue
        if isinstance(chosen, bool) or not isinstance(chosen, int) or not 0 <= chosen < len(question.options):
            raise Refused("scale.illegal", N_("“%(item)s”没有这个选项"), item=question.code, field=question.code)
        option = question.options[chosen]
        values.append(option.value)
        if option.key:
            keys[question.code] = option.key
    return found | ({"keys": keys} if keys else {})


def picked_of(form: dict[str, Any], answers: Mapping[str, Any]) -> dict[str, int]:
    """Return which option was taken, from stored answers: the way back of ``answers_of``, blind to what fits no option."""
    keys = answers.get("keys") or {}
    found = {}
    for question in questions(form):
        values = answers.get(question.place) or []
        value = values[question.index] if question.index < len(values) else None
        for number, option in enumerate(question.options):
            same = type(option.value) is type(value) and option.value == value
            if same and option.key == keys.get(question.code, option.key):
                found[question.code] = number
                break
    return found


def ends_early(form: dict[str, Any], picked: Mapping[str, int]) -> bool:
    """Whether the form is complete although items are open: coma in MZ/T 039, the one lawful short form."""
    if "coma_score" not in form:
        return False
    question = next(one for one in questions(form) if one.code == form["coma_item"])
    chosen = picked.get(question.code)
    return chosen is not None and question.options[chosen].value == form["coma_score"]


def open_questions(form: dict[str, Any], answers: Mapping[str, Any]) -> list[Question]:
    """Return the questions that still want an answer."""
    picked = picked_of(form, answers)
    return [] if ends_early(form, picked) else [one for one in questions(form) if one.code not in picked]


def window(assessed_on: date) -> tuple[date, date]:
    """Return the first and the last day whose events count: the day of the assessment and the 30 days before it."""
    return assessed_on - timedelta(days=WINDOW_DAYS), assessed_on


def counted_events(form: dict[str, Any], events: Iterable[Mapping[str, Any]], assessed_on: date) -> dict[str, int]:
    """Count dated events by kind as of the assessment; older ones do not count, later ones and unknown kinds are refused."""
    first, last = window(assessed_on)
    counts = dict.fromkeys(event_kinds(form), 0)
    for event in events:
        kind, on = str(event.get("kind", "")), _day(event.get("on"))
        if kind not in counts:
            raise Refused("scale.events", N_("“%(kind)s”不是这个量表的风险事件"), kind=kind, field="facts")
        if on is None or on > last:
            raise Refused("scale.events", N_("风险事件的日期不能晚于评估日，请核对"), field="facts")
        counts[kind] += on >= first
    return {kind: count for kind, count in counts.items() if count}


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def to_score(
    form: dict[str, Any], answers: Mapping[str, Any], facts: Mapping[str, Any], assessed_on: date
) -> dict[str, Any]:
    """Return what the scorer reads of a sheet: answers and facts, dated events counted as of the assessment, the rest left out.

    Of a form that coma ended early only the answer that ended it is read.
    """
    found = {key: value for key, value in facts.items() if key not in BESIDE}
    if facts.get("events") and event_kinds(form):
        found[EVENTS] = counted_events(form, facts["events"], assessed_on)
    read = dict(answers)
    if ends_early(form, picked_of(form, answers)) and _has_gaps(form, answers):
        ending = next(one for one in questions(form) if one.code == form["coma_item"])
        read = {ending.place: [form["coma_score"]]}
    return read | ({"facts": found} if found else {})


def _has_gaps(form: dict[str, Any], answers: Mapping[str, Any]) -> bool:
    return len(picked_of(form, answers)) < len(questions(form))


def check_beside(facts: Mapping[str, Any]) -> None:
    """Refuse notes and signatures that are not what the sheet makes: a text, and small pictures."""
    notes, pictures = facts.get("notes", ""), facts.get("signatures", {})
    if not isinstance(notes, str) or len(notes) > LONGEST_NOTE:
        raise Refused("form.notes", N_("备注不能超过 %(most)s 字"), most=LONGEST_NOTE, field="facts")
    if not isinstance(pictures, Mapping) or len(pictures) > MOST_SIGNATURES:
        raise Refused("form.signature", N_("签名图片无法识别，请重新签名"), field="facts")
    for picture in pictures.values():
        if not isinstance(picture, str) or not SIGNATURE.fullmatch(picture) or len(picture) > LARGEST_SIGNATURE:
            raise Refused("form.signature", N_("签名图片无法识别，请重新签名"), field="facts")
