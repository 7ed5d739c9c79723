"""Who may have a scheme, why, why not, and until when. Pure: dated facts in, an answer with its reasons out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from yinling.entitlements.conditions import Age, Grade, Group, Holds, Kinds, Levels, Resident, Term
from yinling.kernel.period import ONE_DAY, DayPeriod, add_years
from yinling.kernel.words import N_

MOVED_AWAY = "moved_away"


@dataclass(frozen=True)
class Fact:
    """A circumstance, or an entitlement by the code of its scheme, with its days and who recognised it."""

    kind: str
    days: DayPeriod
    body: str = ""


@dataclass(frozen=True)
class Result:
    """The result of an assessment. A provisional one (of a matrix nobody has confirmed) decides nothing."""

    scale: str
    level: str
    days: DayPeriod
    assessed_on: date
    is_provisional: bool = False


@dataclass(frozen=True)
class Situation:
    """What is known of an elder, as far as schemes ask, with the day asked about."""

    day: date
    born_on: date
    facts: tuple[Fact, ...] = ()
    results: tuple[Result, ...] = ()
    household: tuple[Fact, ...] = ()
    """Circumstances of the other living members."""
    holdings: tuple[Fact, ...] = ()
    is_resident: bool = True
    hukou_div: str = ""
    died_on: date | None = None
    is_merged: bool = False


@dataclass(frozen=True)
class Evidence:
    """What makes a term hold: an age reached, a circumstance, a result, an entitlement; with its days where it has some."""

    term: Term
    days: DayPeriod | None = None
    fact: Fact | None = None
    result: Result | None = None


@dataclass(frozen=True)
class Reason:
    """One group of a grade: whether it holds, by what, and from which day the answer to it changes (None: no such day is known)."""

    group: Group
    holds: bool
    evidence: tuple[Evidence, ...] = ()
    changes_on: date | None = None
    is_exclusion: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the group speaks for the person: a condition that holds, or an exclusion that does not."""
        return self.holds != self.is_exclusion


@dataclass(frozen=True)
class Verdict:
    """One grade: whether it fits, and every group with its reason."""

    grade: Grade
    reasons: tuple[Reason, ...]

    @property
    def fits(self) -> bool:
        """Whether every group speaks for the person."""
        return all(reason.is_met for reason in self.reasons)


@dataclass(frozen=True)
class Eligibility:
    """Yes or no as code and sentence, the grade that applies, and every grade with its reasons.

    ``until`` is the first day on which the person no longer has this grade (of who has none: the first day of one), as far as the facts
    on record say; None if they name no such day.
    """

    is_eligible: bool
    code: str
    reason: str
    values: dict[str, str] = field(default_factory=dict)
    place: int | None = None
    verdicts: tuple[Verdict, ...] = ()
    until: date | None = None

    @property
    def sentence(self) -> str:
        """The reason in the source language."""
        return self.reason % self.values if self.values else self.reason

    @property
    def shown(self) -> Verdict | None:
        """The grade that applies, else the one of which least is missing."""
        if self.place is not None:
            return self.verdicts[self.place]
        return nearest(self.verdicts)

    @property
    def grade(self) -> Grade | None:
        """The grade that applies."""
        return None if self.place is None else self.verdicts[self.place].grade

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every group of the grade that applies, or of the nearest one."""
        return self.shown.reasons if self.shown else ()


def nearest(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Return the grade of which the fewest groups are missing; of equals the one with most groups met, then the last, the widest."""
    return max(reversed(verdicts), key=_closeness, default=None)


def _closeness(verdict: Verdict) -> tuple[int, int]:
    met = [reason.is_met for reason in verdict.reasons if reason.is_met or not reason.is_exclusion]
    barred = sum(reason.is_exclusion and not reason.is_met for reason in verdict.reasons)
    return -met.count(False) - barred, met.count(True)


def has_left(situation: Situation) -> bool:
    """Whether benefits have stopped: from the day after death, or from the day of moving away (R-PEO-03)."""
    is_dead = situation.died_on is not None and situation.died_on < situation.day
    gone = any(fact.kind == MOVED_AWAY and fact.days.contains(situation.day) for fact in situation.facts)
    return is_dead or gone or situation.is_merged


def eligibility(grades: Sequence[Grade], situation: Situation, *, ends_on: date | None = None) -> Eligibility:
    """Say whether somebody may have a scheme on the day of the situation, why, and until when.

    ``ends_on`` is the first day on which these grades are no longer in force. The first grade that fits applies (X-MEA-03).
    """
    place = first_fitting(grades, situation)
    verdicts = tuple(_verdict(grade, situation) for grade in grades)
    until = _change(grades, situation, place)
    if place is not None and ends_on is not None:
        until = min(until, ends_on) if until else ends_on
    if until is not None and place is None and ends_on is not None and until >= ends_on:
        until = None
    code, reason, values = _sentence(place, verdicts, situation)
    return Eligibility(place is not None, code, reason, values, place, verdicts, until)


def first_fitting(grades: Sequence[Grade], situation: Situation) -> int | None:
    """Return the place of the first grade that fits on the day, nothing if none does or the person has left."""
    if has_left(situation):
        return None
    return next((place for place, grade in enumerate(grades) if _fits(grade, situation)), None)


def _fits(grade: Grade, situation: Situation) -> bool:
    return all(_holds(group, situation) for group in grade.groups) and not any(
        _holds(group, situation) for group in grade.unless
    )


def _holds(group: Group, situation: Situation) -> bool:
    return any(evidence_for(term, situation) is not None for term in group.terms)


def _verdict(grade: Grade, situation: Situation) -> Verdict:
    groups = [(group, False) for group in grade.groups] + [(group, True) for group in grade.unless]
    return Verdict(grade, tuple(_reason(group, situation, is_exclusion=excludes) for group, excludes in groups))


def _reason(group: Group, situation: Situation, *, is_exclusion: bool) -> Reason:
    found = tuple(one for term in group.terms if (one := evidence_for(term, situation)) is not None)
    later = (day for day in _change_days(group.terms, situation) if day > situation.day)
    change = next((day for day in sorted(later) if _holds(group, replace(situation, day=day)) != bool(found)), None)
    return Reason(group, bool(found), found, change, is_exclusion)


def evidence_for(term: Term, situation: Situation) -> Evidence | None:
    """Return what makes a term hold on the day, or nothing."""
    day = situation.day
    if isinstance(term, Age):
        days = age_days(term, situation.born_on)
        return Evidence(term, days) if days is not None and days.contains(day) else None
    if isinstance(term, Kinds):
        facts = situation.household if term.of_household else situation.facts
        return _by_fact(term, [fact for fact in facts if fact.kind in term.kinds], day)
    if isinstance(term, Holds):
        return _by_fact(term, [fact for fact in situation.holdings if fact.kind == term.code], day)
    if isinstance(term, Levels):
        return _by_result(term, situation)
    if isinstance(term, Resident):
        return Evidence(term) if situation.is_resident else None
    return Evidence(term) if situation.hukou_div and situation.hukou_div.startswith(term.div) else None


def _by_fact(term: Term, facts: Sequence[Fact], day: date) -> Evidence | None:
    """Of several facts, the one that holds longest speaks."""
    holding = [fact for fact in facts if fact.days.contains(day)]
    if not holding:
        return None
    longest = max(holding, key=lambda fact: (fact.days.to or date.max, fact.kind))
    return Evidence(term, longest.days, fact=longest)


def _by_result(term: Levels, situation: Situation) -> Evidence | None:
    """Of the results by the scales of the term, the one assessed last decides (of one day: by the name of the scale)."""
    asked = [one for one in situation.results if one.scale in term.scales and not one.is_provisional]
    holding = [one for one in asked if one.days.contains(situation.day)]
    if not holding:
        return None
    last = min(holding, key=lambda one: (-one.assessed_on.toordinal(), one.scale))
    return Evidence(term, last.days, result=last) if (last.scale, last.level) in term.results else None


def age_days(term: Age, born_on: date) -> DayPeriod | None:
    """Return the days on which somebody is of this age."""
    first = born_on if term.least is None else add_years(born_on, term.least)
    to = None if term.most is None else add_years(born_on, term.most + 1)
    return None if to is not None and to <= first else DayPeriod(first, to)


def _change(grades: Sequence[Grade], situation: Situation, place: int | None) -> date | None:
    """Return the first later day on which another grade, or none, applies."""
    terms = [term for grade in grades for term in grade.terms]
    own = [fact.days for fact in situation.facts if fact.kind == MOVED_AWAY]
    days = set(_change_days(terms, situation)) | set(_ends(own))
    if situation.died_on is not None:
        days.add(situation.died_on + ONE_DAY)
    later = sorted(day for day in days if day > situation.day)
    return next((day for day in later if first_fitting(grades, replace(situation, day=day)) != place), None)


def _change_days(terms: Sequence[Term], situation: Situation) -> Iterator[date]:
    """Yield every day on which some term may begin or cease to hold."""
    for term in terms:
        if isinstance(term, Age):
            days = age_days(term, situation.born_on)
            yield from _ends([days] if days else [])
        elif isinstance(term, Kinds):
            facts = situation.household if term.of_household else situation.facts
            yield from _ends([fact.days for fact in facts if fact.kind in term.kinds])
        elif isinstance(term, Holds):
            yield from _ends([fact.days for fact in situation.holdings if fact.kind == term.code])
        elif isinstance(term, Levels):
            yield from _ends([one.days for one in situation.results if one.scale in term.scales])


def _ends(periods: Sequence[DayPeriod]) -> Iterator[date]:
    for days in periods:
        yield days.from_
        if days.to is not None:
            yield days.to


def _sentence(place: int | None, verdicts: Sequence[Verdict], situation: Situation) -> tuple[str, str, dict[str, str]]:
    if place is not None:
        return "eligible", N_("符合条件"), {}
    if has_left(situation):
        return "has_left", N_("此人已去世或已迁出，不能享受"), {}
    shown = nearest(verdicts)
    if shown is None:
        return "no_conditions", N_("本地还没有规定这项待遇的条件"), {}
    missing = next(reason for reason in shown.reasons if not reason.is_met)
    if missing.is_exclusion:
        return "excluded", N_("有不能同时享受的情形"), {}
    return _missing(missing.group, situation)


def _missing(group: Group, situation: Situation) -> tuple[str, str, dict[str, str]]:
    """Say what is missing by the kind of the first term of a group."""
    values = {"group": group.label}
    levels = next((term for term in group.terms if isinstance(term, Levels)), None)
    if levels is not None and isinstance(group.terms[0], Levels):
        known = (one for one in situation.results if one.scale in levels.scales and not one.is_provisional)
        if not any(one.days.contains(situation.day) for one in known):
            return "not_assessed", N_("没有有效的能力评估结果，请先评估（要求：%(group)s）"), values
        return "level", N_("评估等级不在享受范围内（要求：%(group)s）"), values
    if isinstance(group.terms[0], Age):
        return "age", N_("不符合年龄或相应条件（要求：%(group)s）"), values
    return "circumstance", N_("没有登记所要求的人群类别（要求：%(group)s）"), values
