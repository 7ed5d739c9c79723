"""Who may have what: one person with every reason, read from the dated facts on record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any

from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject

from yinling.assessment.models import Assessment
from yinling.assessment.queries.results import deciding
from yinling.directory.queries import ancestors
from yinling.entitlements.conditions import Amounts, Grade, Words, read_grades
from yinling.entitlements.eligibility import Eligibility, Fact, Result, Situation, eligibility
from yinling.entitlements.models import Application, Entitlement, Scheme
from yinling.entitlements.states import OPEN
from yinling.ground.parameters import parameters
from yinling.kernel.parameters import Parameters
from yinling.kernel.period import ONE_DAY, DayPeriod
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.models import Circumstance, Elder

CHOICES = ("visit.weekly.rule",)
"""Parameters that ``when`` of a grade may ask for."""


@dataclass(frozen=True)
class Terms:
    """The grades of a scheme in force on a day, with their source and their days."""

    grades: tuple[Grade, ...]
    document: str
    clause: str
    note: str
    days: DayPeriod


@dataclass(frozen=True)
class Applied:
    """An application under way: its number and state."""

    pk: int
    state: str


@dataclass(frozen=True)
class Offer:
    """One scheme as it stands to one person on a day: its terms, the answer, the entitlement held, the application under way."""

    scheme: Scheme
    terms: Terms | None
    answer: Eligibility
    held: Entitlement | None
    applied: Applied | None = None

    @property
    def is_candidate(self) -> bool:
        """Whether the person could apply: fits, does not hold it and has not applied."""
        return self.answer.is_eligible and self.held is None and self.applied is None

    @property
    def is_lost(self) -> bool:
        """Whether the person holds it and no longer fits."""
        return self.held is not None and not self.answer.is_eligible


def key_of(code: str) -> str:
    """Return the parameter that holds the grades of a scheme."""
    return f"scheme.{code}.grades"


def words(area: str, on: date, source: Parameters | None = None) -> Words:
    """Return what the words of conditions mean in an area on a day."""
    ask = (source or parameters()).value
    return Words(
        area=area,
        hardship=frozenset(ask("population.hardship", area, on)),
        level_map=ask("assessment.level_map", area, on),
        choices={key: ask(key, area, on) for key in CHOICES},
    )


def terms_of(code: str, area: str, on: date, source: Parameters | None = None) -> Terms | None:
    """Return the grades of a scheme in an area on a day; None where nobody has said any."""
    known = source or parameters()
    try:
        entry = known.entry(key_of(code), area, on)
    except (Refused, KeyError):
        return None
    return Terms(
        read_grades(entry.value, words(area, on, known)), entry.document, entry.clause, entry.note, entry.valid
    )


def amounts_of(scheme: Scheme, grade: Grade) -> Amounts:
    """Return what a grade gives towards orders; refuses a scheme that pays for services without a published share or sums."""
    if scheme.families and grade.amounts.share_bp is None and not grade.amounts.units:
        raise Refused("scheme.no_amounts", N_("这项待遇还没有公布金额，请管理员补上参数"), field="scheme_code")
    return grade.amounts


def schemes_for(div: str) -> list[Scheme]:
    """Return the active schemes of an area and those above it; of one code the nearest area speaks."""
    return _nearest(_schemes(div))


def _schemes(div: str) -> QuerySet[Scheme]:
    return Scheme.objects.filter(is_active=True, div__in=[*ancestors(div), ""])


def _nearest(rows: Iterable[Any]) -> list[Any]:
    found = {scheme.code: scheme for scheme in sorted(rows, key=lambda one: len(one.div))}
    return [found[code] for code in sorted(found)]


def _under_way(elder: Elder) -> QuerySet[Any, Any]:
    """The open application of an elder for the scheme of the outer row."""
    rows = Application.objects.filter(elder=elder, scheme_id=OuterRef("pk"), state__in=[str(one) for one in OPEN])
    return rows.values(told=JSONObject(pk="pk", state="state"))[:1]


def situations(
    elders: Sequence[Elder], on: date, known: dict[int, list[Entitlement]] | None = None
) -> dict[int, Situation]:
    """Return what schemes ask of elders, in two queries however many they are; entitlements may be known already."""
    own, of_home, results = _on_record(elders, on)
    held = holdings([elder.pk for elder in elders]) if known is None else known
    return {
        elder.pk: Situation(
            day=on,
            born_on=elder.born_on,
            facts=tuple(own[elder.pk]),
            results=tuple(results[elder.pk]),
            household=tuple(fact for member, fact in of_home[elder.household_id] if member != elder.pk),
            holdings=tuple(Fact(row.scheme.code, DayPeriod(row.valid_from, row.valid_to)) for row in held.get(elder.pk, ())),
            is_resident=elder.is_resident,
            hukou_div=elder.hukou_div,
            died_on=elder.died_on,
            is_merged=elder.merged_into_id is not None,
        )
        for elder in elders
    }  # fmt: skip


def situation_of(elder: Elder, on: date, held: list[Entitlement] | None = None) -> Situation:
    """Return what schemes ask of one elder on a day; the entitlements may be known already."""
    return situations([elder], on, None if held is None else {elder.pk: held})[elder.pk]


def _on_record(
    elders: Sequence[Elder], on: date
) -> tuple[dict[int, list[Fact]], dict[int, list[tuple[int, Fact]]], dict[int, list[Result]]]:
    """Return in one question the circumstances of everybody in some homes by person, those of living members by home, and the results
    that may decide: none of a scale that waits for somebody's confirmation.
    """
    own: dict[int, list[Fact]] = defaultdict(list)
    of_home: dict[int, list[tuple[int, Fact]]] = defaultdict(list)
    results: dict[int, list[Result]] = defaultdict(list)
    facts = Circumstance.objects.filter(
        elder__household_id__in={elder.household_id for elder in elders}, recorded_to=None
    )
    scored = deciding(Assessment.objects.filter(elder_id__in=[elder.pk for elder in elders], recorded_to=None), on)
    nobody = Value(None, output_field=IntegerField())
    rows = facts.order_by().values_list(
        Value("fact"), "pk", "elder_id", "kind", "body", "valid_from", "valid_to", "elder__died_on", "elder__household_id", "elder__merged_into_id"
    ).union(
        scored.order_by().values_list(
            Value("result"), "pk", "elder_id", "scale", "level", "valid_from", "valid_to", "assessed_on", nobody, nobody
        ), all=True,
    )  # fmt: skip
    for what, _pk, elder_id, code, word, first, end, day, home, merged in sorted(rows, key=itemgetter(0, 1)):
        if what == "result":
            results[elder_id].append(Result(code, word, DayPeriod(first, end), day))
            continue
        fact = Fact(code, DayPeriod(first, end), word)
        own[elder_id].append(fact)
        if merged is None and (day is None or day >= on):
            of_home[home].append((elder_id, fact))
    return own, of_home, results


def holdings(ids: Iterable[int]) -> dict[int, list[Entitlement]]:
    """Return every entitlement of elders on record, with its scheme."""
    found: dict[int, list[Entitlement]] = defaultdict(list)
    rows = Entitlement.objects.filter(elder_id__in=list(ids), recorded_to=None).select_related("scheme")
    for row in rows.order_by("pk"):
        found[row.elder_id].append(row)
    return found


def answer(scheme: Scheme, situation: Situation) -> Eligibility:
    """Say whether somebody may have a scheme on the day of the situation, and why."""
    terms = terms_of(scheme.code, scheme.div, situation.day)
    if terms is None:
        return eligibility((), situation)
    return eligibility(terms.grades, situation, ends_on=terms.days.to)


def may_have(scheme: Scheme, elder: Elder, on: date) -> Eligibility:
    """Say whether an elder may have a scheme on a day, and why."""
    return answer(scheme, situation_of(elder, on))


def offers(elder: Elder, on: date) -> list[Offer]:
    """Return every scheme of the elder's area with the answer for the day; what is held first, then what could be."""
    known = holdings([elder.pk])[elder.pk]
    situation = situation_of(elder, on, known)
    held = {row.scheme.code: row for row in known if DayPeriod(row.valid_from, row.valid_to).contains(on)}
    found = [
        Offer(
            scheme, terms_of(scheme.code, scheme.div, on), answer(scheme, situation), held.get(scheme.code),
            Applied(**scheme.under_way) if scheme.under_way else None,
        )
        for scheme in _nearest(_schemes(elder.div).annotate(under_way=Subquery(_under_way(elder))))
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.held is None, not one.answer.is_eligible, one.scheme.code))


def last_day(day: date | None) -> date | None:
    """Return the last day before a change, as people read it (D-17)."""
    return None if day is None else day - ONE_DAY
