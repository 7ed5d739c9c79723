"""Reading what an elder may have and what is left of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, Q, QuerySet

from yinling.entitlements.conditions import Grade
from yinling.entitlements.eligibility import Eligibility
from yinling.entitlements.models import Entitlement, Quota, Scheme
from yinling.entitlements.queries.agreements import agreed, obstacle
from yinling.entitlements.queries.eligibility import answer, situation_of, terms_of
from yinling.entitlements.queries.stops import resting_payers
from yinling.entitlements.rules import (
    Agreed,
    Funding,
    Left,
    Limit,
    in_payer_order,
    kept_limits,
    limits_of,
    period_start,
)
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.queries import circumstances_on


def entitlements_of(actor: Actor, elder_id: int) -> QuerySet[Entitlement]:
    """Every entitlement of an elder on record, the newest first."""
    rows = Entitlement.objects.visible_to(actor).filter(elder_id=elder_id, recorded_to=None)
    return rows.select_related("scheme").order_by("-valid_from", "id")


def funding_for(
    elder_id: int, family: str, on: date, *, provider_id: int | None = None, codes: Sequence[str] = (), families: Collection[str] = ()
) -> list[Funding]:  # fmt: skip
    """Return what may pay for items on a day, in the order of payers; nothing after death or moving away.

    For one family of items or several, or for items by code. What cannot be used is among them and says why (``barred``): its payer rests
    while the elder is in hospital or in a home, the conditions are not met on the day, the provider has no agreement with the payer.
    """
    held = circumstances_on(elder_id, on)
    elder = Elder.objects.filter(Q(died_on=None) | Q(died_on__gte=on), pk=elder_id).first()
    if elder is None or "moved_away" in held:
        return []
    wanted = {family, *families}
    rows = Entitlement.objects.filter(in_force(on), elder_id=elder_id, scheme__is_active=True, once_fen=None)
    fitting = [
        row
        for row in rows.select_related("scheme").order_by("pk")
        if (set(row.items) & set(codes) if row.items else wanted & set(row.scheme.families))
    ]
    if not fitting:
        return []
    answers = _answers(elder, fitting, on)
    given = {row.pk: _given(row, answers.get(row.pk), on) for row in fitting}
    bought = None if provider_id is None else agreed(provider_id, {row.scheme.payer for row in fitting}, on)
    barred = _barred(elder, held, fitting, answers, on, bought, codes)
    left = _left(fitting, given, on)
    order = parameter("payers.order", elder.div, on)
    found = [
        Funding(
            entitlement_id=row.pk, scheme_id=row.scheme_id, scheme_code=row.scheme.code, scheme_name=row.scheme.name,
            payer=row.scheme.payer, fund=row.scheme.fund, share_bp=given[row.pk].share_bp, units=given[row.pk].units, items=row.items,
            limits=tuple(left[row.pk]), families=frozenset(row.scheme.families), barred=barred[row.pk],
            agreements=tuple((bought or {}).get(row.scheme.payer, ())),
        )
        for row in fitting
    ]  # fmt: skip
    return in_payer_order(found, order, parameter("payers.excludes", elder.div, on))


@dataclass(frozen=True)
class _Given:
    """What an entitlement gives on a day."""

    share_bp: int
    units: Mapping[str, int]
    limits: Sequence[Limit]


def _given(row: Entitlement, answer_: Eligibility | None, on: date) -> _Given:
    """What an entitlement gives: as granted, or, where the conditions are looked at again for the day, as the scheme says on that day
    (R-LTC-04).
    """
    grade = None if answer_ is None else _same_grade(row, on) if row.source else answer_.grade
    if grade is None:
        return _Given(
            row.share_bp, row.units, kept_limits(row.limits, monthly_cap_fen=row.monthly_cap_fen, items=row.items)
        )
    amounts = grade.amounts
    limits = kept_limits(
        [one.as_json() for one in limits_of(amounts)], monthly_cap_fen=amounts.monthly_cap_fen, items=row.items
    )
    return _Given(amounts.share_bp or 0, dict(amounts.units), limits)


def _same_grade(row: Entitlement, on: date) -> Grade | None:
    """The grade that an entitlement was given for by a job, as the scheme has it on a day; nothing if it still gives the same.

    New amounts of a grade count from their day on, another grade of the elder only from the Monday that the job gives it (``following``).
    """
    then, now = (terms_of(row.scheme.code, row.scheme.div, day) for day in (row.valid_from, on))
    if then is None or now is None:
        return None
    kept = (row.share_bp, row.monthly_cap_fen, row.units, row.limits)
    if any(_kept_of(grade) == kept for grade in now.grades):
        return None
    names = {grade.name for grade in then.grades if _kept_of(grade) == kept}
    return next((grade for grade in now.grades if grade.name in names), None)


def _kept_of(grade: Grade) -> tuple[Any, ...]:
    """What an entitlement keeps of a grade."""
    amounts = grade.amounts
    limits = [one.as_json() for one in limits_of(amounts)]
    return (amounts.share_bp or 0, amounts.monthly_cap_fen, dict(amounts.units), limits)


def _answers(elder: Elder, rows: Iterable[Entitlement], on: date) -> dict[int, Eligibility]:
    """Whether the elder meets the conditions on the day, for the payers who look at it each day and schemes that have conditions."""
    checked = parameter("payers.checked_daily", elder.div, on)
    found: dict[int, Eligibility] = {}
    for row in rows:
        terms = terms_of(row.scheme.code, row.scheme.div, on) if row.scheme.payer in checked else None
        if terms is not None and terms.grades:
            found[row.pk] = answer(row.scheme, situation_of(elder, on))
    return found


def _barred(
    elder: Elder, held: set[str], rows: Iterable[Entitlement], answers: Mapping[int, Eligibility], on: date,
    bought: Mapping[str, Sequence[Agreed]] | None, codes: Sequence[str],
) -> dict[int, dict[str, str]]:  # fmt: skip
    """Say of each entitlement, for all items (key empty) or by item code, why it cannot be used; agreements count once a provider is named."""
    needing = parameter("payers.needs_agreement", elder.div, on)
    found: dict[int, dict[str, str]] = {}
    for row in rows:
        payer, name, met = row.scheme.payer, row.scheme.name, answers.get(row.pk)
        found[row.pk] = {}
        if payer in resting_payers(held, row.div, on):
            found[row.pk][""] = N_("老人住院或入住机构期间，%(name)s暂停支付") % {"name": name}
        elif met is not None and not met.is_eligible:
            said = N_("服务当天不符合%(name)s的条件：%(why)s")
            found[row.pk][""] = said % {"name": name, "why": met.sentence}
        elif bought is not None and payer in needing:
            said = N_("%(name)s不能使用：%(why)s")
            why = {code: obstacle(bought.get(payer, ()), code) for code in codes}
            found[row.pk] = {code: said % {"name": name, "why": one} for code, one in why.items() if one}
    return found


def _left(rows: Sequence[Entitlement], given: Mapping[int, _Given], on: date) -> dict[int, list[Left]]:
    """What each limit of the entitlements still gives in the period of a day (D-19).

    A day, week, month or year is one for all that the elder held of the scheme: what was used under an earlier grade, or before a renewal,
    counts. Placing locks the elder, so that none comes between.
    """
    limits = {row.pk: given[row.pk].limits for row in rows}
    since = {row.pk: _held_since(row) if any(one.held for one in limits[row.pk]) else row.valid_from for row in rows}
    taken = _taken(rows, limits, on) if any(limits.values()) else {}
    found: dict[int, list[Left]] = {}
    for row in rows:
        found[row.pk] = []
        for limit in limits[row.pk]:
            first, most = period_start(limit.per, on, row.valid_from), limit.most_on(on, since[row.pk])
            used = taken.get((_shared_by(row.pk, row.scheme.code, limit.per), limit.unit, limit.per, first), 0)
            found[row.pk].append(Left(limit.unit, limit.per, first, max(0, most - used), most))
    return found


def _taken(
    rows: Sequence[Entitlement], limits: Mapping[int, Sequence[Limit]], on: date
) -> dict[tuple[int | str, str, str, date], int]:
    """What orders have reserved and used in the periods of a day, by whom the counter is shared, unit, period and its first day."""
    starts = {period_start(limit.per, on, row.valid_from) for row in rows for limit in limits[row.pk]}
    codes = {row.scheme.code for row in rows}
    counters = Quota.objects.filter(
        elder_id=rows[0].elder_id, entitlement__scheme__code__in=codes, from_on__in=starts
    ).values_list(
        "entitlement_id", "entitlement__scheme__code", "unit", "per", "from_on", F("reserved") + F("used")
    )  # fmt: skip
    found: dict[tuple[int | str, str, str, date], int] = {}
    for pk, code, unit, per, first, amount in counters:
        key = (_shared_by(pk, code, per), unit, per, first)
        found[key] = found.get(key, 0) + amount
    return found


def _shared_by(entitlement_id: int, scheme_code: str, per: str) -> int | str:
    """Whose a counter is: of the whole span the entitlement's own, of a calendar period the scheme's."""
    return entitlement_id if per == "span" else scheme_code


def _held_since(row: Entitlement) -> date:
    """First day from which the elder has held the scheme without a break, over renewals."""
    first = row.valid_from
    earlier = Entitlement.objects.filter(
        elder_id=row.elder_id, scheme_id=row.scheme_id, recorded_to=None, valid_to__lte=first
    )
    for begun, ended in earlier.order_by("-valid_from").values_list("valid_from", "valid_to"):
        if ended != first:
            break
        first = begun
    return first


def schemes(div: str) -> QuerySet[Scheme]:
    """The active schemes of an area and of those above it."""
    above = [div[:size] for size in (12, 9, 6, 4, 2) if len(div) >= size]
    return Scheme.objects.filter(is_active=True, div__in=[*above, ""]).order_by("code")
