"""Reading what the grades on record give under the long-term care insurance, and what is held of it (R-LTC-01, R-LTC-08)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from yinling.assessment.queries.policies import confirmations, gated_part
from yinling.entitlements.eligibility import Eligibility, Situation
from yinling.entitlements.following import Held, Wanted, steps
from yinling.entitlements.models import Entitlement, Scheme
from yinling.entitlements.queries.eligibility import amounts_of, answer, situations, terms_of
from yinling.entitlements.queries.procedures import procedure_of
from yinling.entitlements.queries.sets import active_schemes, eligible
from yinling.entitlements.rules import limits_of
from yinling.kernel.period import DayPeriod
from yinling.people.models import Elder
from yinling.people.stops import RESTING

PAYER = "ltci"
SOURCE = "assessment."
AT_ONCE = 500


def followed_schemes(div: str, on: date) -> list[Scheme]:
    """The schemes of an area whose entitlements follow the grade by themselves: insurances that nobody applies for here."""
    found = [one for one in active_schemes(div) if one.payer == PAYER]
    return [one for one in found if procedure_of(one.code, one.div, on) is None]


def wanted_of(scheme: Scheme, situation: Situation, div: str) -> tuple[Wanted | None, str]:
    """Return what the grade on record gives somebody, and its name; nothing to whom none does.

    A stay away from home does not end it: its payer rests meanwhile.
    """
    at_home = replace(situation, facts=tuple(fact for fact in situation.facts if fact.kind not in RESTING))
    found = answer(scheme, at_home)
    if found.grade is None:
        return None, ""
    amounts = amounts_of(scheme, found.grade)
    given = {
        "share_bp": amounts.share_bp or 0,
        "monthly_cap_fen": amounts.monthly_cap_fen,
        "units": dict(amounts.units),
        "limits": [limit.as_json() for limit in limits_of(amounts)],
    }
    return Wanted(given, DayPeriod(_since(scheme, found, situation, div), found.until)), found.grade.name


def _since(scheme: Scheme, found: Eligibility, situation: Situation, div: str) -> date:
    """The first day on which every condition holds: the result, its scale's confirmation, the insurance, the terms themselves."""
    starts = [situation.born_on]
    if terms := terms_of(scheme.code, scheme.div, situation.day):
        starts.append(terms.days.from_)
    for reason in found.reasons:
        days = [_start(one, div, situation.day) for one in reason.evidence if one.days and not reason.is_exclusion]
        starts += [min(days)] if days else []
    return max(starts)


def _start(evidence: Any, div: str, on: date) -> date:
    begun: date = evidence.days.from_
    if evidence.result is None or not gated_part(evidence.result.scale):
        return begun
    known = confirmations(div, on).filter(scale=evidence.result.scale).order_by("valid_from")
    confirmed: date | None = known.values_list("valid_from", flat=True).first()
    return max(begun, confirmed) if confirmed else begun


def held_of(scheme: Scheme, elder_ids: Sequence[int]) -> dict[int, list[Held]]:
    """Return the entitlements on record that follow a grade, by elder."""
    found: dict[int, list[Held]] = defaultdict(list)
    rows = Entitlement.objects.filter(
        scheme=scheme, elder_id__in=elder_ids, source__startswith=SOURCE, recorded_to=None
    )
    for row in rows.order_by("valid_from"):
        given = {
            "share_bp": row.share_bp, "monthly_cap_fen": row.monthly_cap_fen, "units": row.units, "limits": row.limits
        }  # fmt: skip
        found[row.elder_id].append(Held(row.pk, given, DayPeriod(row.valid_from, row.valid_to)))
    return found


def _by_hand(scheme: Scheme, elder_ids: Iterable[int], on: date) -> set[int]:
    """Return who holds a scheme because a person recorded it: that is left alone."""
    rows = Entitlement.objects.filter(scheme=scheme, elder_id__in=list(elder_ids), recorded_to=None)
    rows = rows.exclude(source__startswith=SOURCE).exclude(valid_to__lte=on)
    return set(rows.values_list("elder_id", flat=True))


def to_follow(scheme: Scheme, div: str, on: date) -> Iterator[int]:
    """Yield the elders of an area whose entitlement does not follow their grade yet."""
    holding = Entitlement.objects.within(div).filter(scheme=scheme, source__startswith=SOURCE, recorded_to=None)
    wanted = {*eligible(scheme.code, div, on), *holding.exclude(valid_to__lte=on).values_list("elder_id", flat=True)}
    ids = sorted(wanted)
    for some in (ids[place : place + AT_ONCE] for place in range(0, len(ids), AT_ONCE)):
        rows = [row for row in Elder.objects.filter(pk__in=some) if row.div.startswith(scheme.div)]
        known, held, left_alone = situations(rows, on), held_of(scheme, some), _by_hand(scheme, some, on)
        for row in rows:
            if row.pk in left_alone:
                continue
            if steps(wanted_of(scheme, known[row.pk], row.div)[0], held[row.pk], on):
                yield row.pk
