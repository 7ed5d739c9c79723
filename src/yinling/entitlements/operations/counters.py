"""The counters of all limits, which placed orders and settlement move (D-19). Each moves by one UPDATE on locked rows.

An entitlement has counters of its own; an agreement has some over all elders, so that many who order at once share what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import F, Max, Sum

from yinling.entitlements.models import Agreement, AgreementQuota, Entitlement, Quota
from yinling.entitlements.queries.agreements import alike, counts_for, limits_of_agreement, taken_together
from yinling.entitlements.rules import Use, kept_limits
from yinling.ground.operation import explain_constraint
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_

CAP = N_("额度已用完，请重新报价")
explain_constraint("quota_cap", "quota.cap", CAP)
explain_constraint("agreement_quota_cap", "quota.cap", CAP)

OWNERLESS = "a counter belongs to an entitlement or to an agreement"
Key = tuple[int, str, str, date]
"""Entitlement or agreement, unit, period and its first day: a counter."""
Moved = tuple[int | None, Use]
"""A use of an entitlement by number; of an agreement alone, of none."""
AGREEMENTS, ENTITLEMENTS = "entitlements_agreementquota", "entitlements_quota"
OWNERS = {AGREEMENTS: "agreement_id", ENTITLEMENTS: "entitlement_id"}
"""The tables of counters and whose they are, in the order in which everybody locks them."""


Wanted = tuple[Entitlement | None, Use]
"""What is to be used, of which entitlement; of an agreement alone, of none."""


def reserve_each(actor: Actor, now: datetime, wanted: Iterable[Wanted]) -> list[Key]:  # noqa: ARG001 - the form of all plain steps
    """Set aside what orders use, of many entitlements at once. Returns the counters that have too little left; then nothing is set aside.

    The first use of a period makes its counter. The most it holds only rises, by what is added for the months held.
    """
    pairs = [(entitlement, use) for entitlement, use in wanted if use.amount]
    most: dict[tuple[str, Key], int] = {}
    for entitlement, use in pairs:
        place = _place(_number(entitlement), use)
        if place not in most:
            most[place] = _most(entitlement, use)
    _make(pairs, most)
    done: list[tuple[str, dict[Key, int]]] = []
    for table, sums in _sums((_number(entitlement), use) for entitlement, use in pairs):
        if table == AGREEMENTS and (short := _short_together(sums, most)):
            return short
        if short := _reserve(table, sums, [most[table, key] for key in sums]):
            for earlier, taken in done:
                _run(earlier, taken, "reserved = u.reserved - q.amount")
            return short
        done.append((table, sums))
    return []


def _short_together(sums: dict[Key, int], most: dict[tuple[str, Key], int]) -> list[Key]:
    """Return the counters of agreements that have too little left for all that counts against them: agreements that follow each other in a
    month have a counter each and one limit, for what is reserved with it, too. Whoever reserves locks them all first.
    """
    known = list(alike({pk for pk, *_rest in sums}).select_for_update(of=("self",), no_key=True))
    rows = {row.pk: row for row in known}
    short: list[Key] = []
    before: dict[Key, int] = {}
    for key, amount in sums.items():
        pk, unit, _per, first = key
        taken = taken_together([rows[pk]], known, {first}).get((pk, unit), 0)
        taken += sum(fen for one, fen in before.items() if one[1:] == key[1:] and counts_for(rows[one[0]], rows[pk]))
        if taken + amount > most[AGREEMENTS, key]:
            short.append(key)
        before[key] = amount
    return short


def confirm_use_each(actor: Actor, now: datetime, uses: Iterable[Moved]) -> None:  # noqa: ARG001 - as above
    """Turn what orders had reserved into what they used, for uses of many entitlements by number."""
    _move(uses, "reserved = u.reserved - q.amount, used = u.used + q.amount")


def give_back_each(actor: Actor, now: datetime, uses: Iterable[Moved]) -> None:  # noqa: ARG001 - as above
    """Free what orders had reserved."""
    _move(uses, "reserved = u.reserved - q.amount")


def undo_use_each(actor: Actor, now: datetime, uses: Iterable[Moved]) -> None:  # noqa: ARG001 - as above
    """Give back what settled orders used."""
    _move(uses, "used = u.used - q.amount")


def is_shared_out(wanted: Sequence[Wanted]) -> bool:
    """Whether the elder's entitlements of a scheme together took so much of a calendar period that uses do not fit any more.

    A period has one limit for all of them, each of them a counter of its own. The elder must be locked.
    """
    sums: dict[tuple[int, str, str, str, date], tuple[int, int]] = {}
    for entitlement, use in wanted:
        if entitlement is not None and use.agreement_id is None and use.per != "span":
            key = (entitlement.elder_id, entitlement.scheme.code, use.unit, use.per, use.from_on)
            amount, most = sums.get(key, (0, 0))
            sums[key] = (amount + use.amount, max(most, _most(entitlement, use)))
    for (elder, code, unit, per, first), (amount, most) in sums.items():
        rows = Quota.objects.filter(elder=elder, entitlement__scheme__code=code, unit=unit, per=per, from_on=first)
        found = rows.aggregate(taken=Sum(F("reserved") + F("used"), default=0), most=Max("cap", default=0))
        if found["taken"] + amount > max(found["most"], most):
            return True
    return False


LOCKED = """WITH wanted (owner, unit, per, from_on, amount, most) AS (
        SELECT * FROM unnest((SELECT %s::bigint[]), (SELECT %s::text[]), (SELECT %s::text[]), (SELECT %s::date[]), (SELECT %s::bigint[]),
            (SELECT %s::bigint[]))
    ), locked AS MATERIALIZED (
        SELECT r.id, w.owner, r.unit, r.per, r.from_on, r.cap, r.reserved, r.used, w.amount, w.most
        FROM {table} r JOIN wanted w ON r.{owner} = w.owner AND r.unit = w.unit AND r.per = w.per AND r.from_on = w.from_on
        ORDER BY r.id FOR UPDATE OF r
    )"""
RESERVE = """, short AS (
        SELECT q.id FROM locked q WHERE greatest(q.cap, q.most) - q.reserved - q.used < q.amount
    ), moved AS (
        UPDATE {table} u SET reserved = u.reserved + q.amount, cap = greatest(u.cap, q.most)
        FROM locked q WHERE u.id = q.id AND NOT EXISTS (SELECT FROM short) RETURNING u.id
    ) SELECT q.owner, q.unit, q.per, q.from_on FROM locked q JOIN short USING (id) ORDER BY 1, 2, 3, 4"""


def _reserve(table: str, sums: dict[Key, int], most: list[int]) -> list[Key]:
    with connection.cursor() as cursor:
        cursor.execute((LOCKED + RESERVE).format(table=table, owner=OWNERS[table]), [*_columns(sums), most])
        return [(pk, unit, per, day) for pk, unit, per, day in cursor.fetchall()]


def _move(uses: Iterable[Moved], change: str) -> None:
    for table, sums in _sums(uses):
        _run(table, sums, change)


def _run(table: str, sums: dict[Key, int], change: str) -> None:
    sql = LOCKED.format(table=table, owner=OWNERS[table])
    with connection.cursor() as cursor:
        cursor.execute(
            f"{sql} UPDATE {table} u SET {change} FROM locked q WHERE u.id = q.id",  # noqa: S608 - our own text
            [*_columns(sums), [0] * len(sums)],
        )


def _number(entitlement: Entitlement | None) -> int | None:
    return None if entitlement is None else entitlement.pk


def _place(entitlement_id: int | None, use: Use) -> tuple[str, Key]:
    """The table and the key of the counter that a use moves."""
    if use.agreement_id is not None:
        return AGREEMENTS, (use.agreement_id, use.unit, use.per, use.from_on)
    if entitlement_id is None:
        raise ValueError(OWNERLESS)
    return ENTITLEMENTS, (entitlement_id, use.unit, use.per, use.from_on)


def _make(pairs: Iterable[Wanted], most: dict[tuple[str, Key], int]) -> None:
    """Make the counters that are not there yet."""
    own: list[Quota] = []
    agreed: list[AgreementQuota] = []
    for entitlement, use in {
        _place(_number(entitlement), use): (entitlement, use) for entitlement, use in pairs
    }.values():
        span: dict[str, Any] = {
            "unit": use.unit, "per": use.per, "from_on": use.from_on, "cap": most[_place(_number(entitlement), use)]
        }  # fmt: skip
        if use.agreement_id is not None:
            agreed.append(AgreementQuota(agreement_id=use.agreement_id, **span))
        elif entitlement is not None:
            own.append(Quota(div=entitlement.div, elder_id=entitlement.elder_id, entitlement=entitlement, **span))
    Quota.objects.bulk_create(own, ignore_conflicts=True)
    AgreementQuota.objects.bulk_create(agreed, ignore_conflicts=True)


def _most(entitlement: Entitlement | None, use: Use) -> int:
    if use.most is not None:
        return use.most
    if use.agreement_id is not None:
        return limits_of_agreement(Agreement.objects.get(pk=use.agreement_id)).get(use.unit, use.amount)
    if entitlement is None:
        raise ValueError(OWNERLESS)
    limits = kept_limits(entitlement.limits, monthly_cap_fen=entitlement.monthly_cap_fen, items=entitlement.items)
    found = [one for one in limits if (one.unit, one.per) == (use.unit, use.per)]
    return min((one.most_on(use.from_on, entitlement.valid_from) for one in found), default=use.amount)


def _sums(uses: Iterable[Moved]) -> Iterator[tuple[str, dict[Key, int]]]:
    """Add up by table what is used of each counter, so that a row is moved once however many orders use it."""
    sums: dict[str, dict[Key, int]] = {table: {} for table in OWNERS}
    for entitlement_id, use in uses:
        if use.amount:
            table, key = _place(entitlement_id, use)
            sums[table][key] = sums[table].get(key, 0) + use.amount
    return ((table, own) for table, own in sums.items() if own)


def _columns(sums: dict[Key, int]) -> list[list[object]]:
    return [*map(list, zip(*sums, strict=True)), list(sums.values())]
