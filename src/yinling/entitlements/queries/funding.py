"""Reading what an elder may have and what is left of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import F, Q, QuerySet

from yinling.entitlements.conditions import HOME, STAY, Amounts, Grade
from yinling.entitlements.eligibility import Eligibility
from yinling.entitlements.models import Entitlement, Quota, Scheme
from yinling.entitlements.queries.agreements import agreed, obstacle
from yinling.entitlements.queries.eligibility import answer, key_of, situation_of, terms_of
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
    shared_by,
)
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter, parameters
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.queries import circumstances_on
from yinling.people.stops import IN_INSTITUTION


def entitlements_of(actor: Actor, elder_id: int) -> QuerySet[Entitlement]:
    """Every entitlement of an elder on record, the newest first."""
    rows = Entitlement.objects.visible_to(actor).filter(elder_id=elder_id, recorded_to=None)
    return rows.select_related("scheme").order_by("-valid_from", "id")


def funding_for(
    elder_id: int, family: str, on: date, *, provider_id: int | None = None, codes: Sequence[str] = (), families: Collection[str] = (),
    place: str = HOME,
) -> list[Funding]:  # fmt: skip
    """Return what may pay for items on a day, in the order of payers; nothing after death or moving away.

    For one family of items or several, or for items by code, given at a place. What cannot be used is among them and says why (``barred``):
    its payer rests while the elder is in hospital or in a home, the conditions are not met on the day, the provider has no agreement with
    the payer.
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
        if (
            set(row.items) & set(codes)
            if row.items
            else wanted & set(row.scheme.families) or _pays_stays(row, on, place)
        )
    ]
    if not fitting:
        return []
    answers = _answers(elder, fitting, on)
    given = {row.pk: _given(row, answers.get(row.pk), on, place) for row in fitting}
    stays = {row.pk for row in fitting if _pays_stays(row, on, place)}
    bought = None if provider_id is None else agreed(provider_id, {row.scheme.payer for row in fitting}, on)
    barred = _barred(elder, held, fitting, answers, on, bought, codes, stays)
    left = _left(fitting, given, on)
    order = parameter("payers.order", elder.div, on)
    found = [
        Funding(
            entitlement_id=row.pk, scheme_id=row.scheme_id, scheme_code=row.scheme.code, scheme_name=row.scheme.name,
            payer=row.scheme.payer, fund=row.scheme.fund, share_bp=given[row.pk].share_bp, units=given[row.pk].units, items=row.items,
            limits=tuple(left[row.pk]), families=frozenset({*row.scheme.families, *(wanted if row.pk in stays else ())}), barred=barred[row.pk],
            agreements=tuple((bought or {}).get(row.scheme.payer, ())), place=given[row.pk].place,
        )
        for row in fitting
    ]  # fmt: skip
    return in_payer_order(found, order, parameter("payers.excludes", elder.div, on))


@dataclass(frozen=True)
class _Given:
    """What an entitlement gives on a day; ``place`` if its share depends on that."""

    share_bp: int
    units: Mapping[str, int]
    limits: Sequence[Limit]
    place: str = ""


def _given(row: Entitlement, answer_: Eligibility | None, on: date, place: str) -> _Given:
    """What an entitlement gives: as granted, or, where the conditions are looked at again for the day, as the scheme says on that day
    (R-LTC-04). The share at a place is as the scheme says on the day, for the grade that gives what was granted.
    """
    grade = None if answer_ is None else _same_grade(row, on) if row.source else answer_.grade
    if grade is None:
        limits = kept_limits(row.limits, monthly_cap_fen=row.monthly_cap_fen, items=row.items)
        return _at(_Given(row.share_bp, row.units, limits), _places(row, on), place)
    amounts = grade.amounts
    limits = kept_limits(
        [one.as_json() for one in limits_of(amounts)], monthly_cap_fen=amounts.monthly_cap_fen, items=row.items
    )
    return _at(_Given(amounts.share_bp or 0, dict(amounts.units), limits), dict(amounts.places), place)


def _at(given: _Given, places: Mapping[str, int], place: str) -> _Given:
    return replace(given, share_bp=places.get(place, given.share_bp), place=place) if places else given


def _places(row: Entitlement, on: date) -> Mapping[str, int]:
    """The shares elsewhere than at home of the grade that gives what an entitlement keeps, as the scheme has it on a day."""
    terms = terms_of(row.scheme.code, row.scheme.div, on)
    kept = _kept(row)
    return (
        next((dict(one.amounts.places) for one in terms.grades if _kept_of(one.amounts) == kept), {}) if terms else {}
    )


def _pays_stays(row: Entitlement, on: date, place: str) -> bool:
    """Whether an entitlement pays for bed-days, whatever their family, and while its money for services at home rests."""
    return place == STAY and not row.items and STAY in _places(row, on)


def _same_grade(row: Entitlement, on: date) -> Grade | None:
    """The grade that an entitlement was given for by a job, as the scheme has it on a day; nothing if it still gives the same.

    New amounts of a grade count from their day on, another grade of the elder only from the Monday that the job gives it (``following``).
    """
    then, now = (terms_of(row.scheme.code, row.scheme.div, day) for day in (row.valid_from, on))
    if then is None or now is None:
        return None
    kept = _kept(row)
    if any(_kept_of(grade.amounts) == kept for grade in now.grades):
        return None
    names = {grade.name for grade in then.grades if _kept_of(grade.amounts) == kept}
    return next((grade for grade in now.grades if grade.name in names), None)


def _kept(row: Entitlement) -> tuple[Any, ...]:
    return (row.share_bp, row.monthly_cap_fen, row.units, row.limits)


def _kept_of(amounts: Amounts) -> tuple[Any, ...]:
    """What an entitlement keeps of the amounts of a grade."""
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
    bought: Mapping[str, Sequence[Agreed]] | None, codes: Sequence[str], stays: Collection[int],
) -> dict[int, dict[str, str]]:  # fmt: skip
    """Say of each entitlement, for all items (key empty) or by item code, why it cannot be used; agreements count once a provider is named.

    What pays for ``stays`` does not rest because the elder stays in a home.
    """
    needing = parameter("payers.needs_agreement", elder.div, on)
    found: dict[int, dict[str, str]] = {}
    for row in rows:
        payer, name, met = row.scheme.payer, row.scheme.name, answers.get(row.pk)
        found[row.pk] = {}
        away = held - {IN_INSTITUTION} if row.pk in stays else held
        if payer in resting_payers(away, row.div, on):
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
            used = taken.get((shared_by(row.pk, row.scheme.code, limit.per), limit.unit, limit.per, first), 0)
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
        key = (shared_by(pk, code, per), unit, per, first)
        found[key] = found.get(key, 0) + amount
    return found


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


def changes_of_terms(elder_id: int, div: str) -> set[date]:
    """Return the days on which what an elder's entitlements give, or what an area says about payers, may change: those of dated parameters."""
    known = parameters()
    held = Entitlement.objects.filter(elder_id=elder_id, recorded_to=None).order_by()
    found: set[date] = set()
    for code, area in held.values_list("scheme__code", "scheme__div").distinct():
        found |= known.changes(key_of(code), area)
    for key in known.keys():  # noqa: SIM118 - not a dict
        if key.startswith(("payers.", "stops.resting.")):
            found |= known.changes(key, div)
    return found


def schemes(div: str) -> QuerySet[Scheme]:
    """The active schemes of an area and of those above it."""
    above = [div[:size] for size in (12, 9, 6, 4, 2) if len(div) >= size]
    return Scheme.objects.filter(is_active=True, div__in=[*above, ""]).order_by("code")
