"""The counters of the limits of entitlements, which placed orders and settlement move (D-19). Each moves by one UPDATE on locked rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection

from yinling.entitlements.models import Entitlement, Quota
from yinling.entitlements.rules import Use, kept_limits
from yinling.ground.operation import explain_constraint
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_

explain_constraint("quota_cap", "quota.cap", N_("额度已用完，请重新报价"))

Key = tuple[int, str, str, date]
"""Entitlement, unit, period and its first day: a counter."""


def reserve_each(actor: Actor, now: datetime, wanted: Iterable[tuple[Entitlement, Use]]) -> list[Key]:  # noqa: ARG001 - the form of all plain steps
    """Set aside what orders use, of many entitlements at once. Returns the counters that have too little left; then nothing is set aside.

    The first use of a period makes its counter. The most it holds only rises, by what is added for the months held.
    """
    pairs = [(entitlement, use) for entitlement, use in wanted if use.amount]
    sums = _sums((entitlement.pk, use) for entitlement, use in pairs)
    if not sums:
        return []
    most: dict[Key, int] = {}
    rows = []
    for entitlement, use in pairs:
        key = (entitlement.pk, use.unit, use.per, use.from_on)
        if key not in most:
            most[key] = _most(entitlement, use)
            rows.append(
                Quota(
                    div=entitlement.div, elder_id=entitlement.elder_id, entitlement=entitlement, unit=use.unit, per=use.per,
                    from_on=use.from_on, cap=most[key],
                )
            )  # fmt: skip
    Quota.objects.bulk_create(rows, ignore_conflicts=True)
    caps = [most[key] for key in sums]
    sql = f"""{_LOCKED}, short AS (
        SELECT q.id FROM locked q WHERE greatest(q.cap, q.most) - q.reserved - q.used < q.amount
    ), moved AS (
        UPDATE entitlements_quota u SET reserved = u.reserved + q.amount, cap = greatest(u.cap, q.most)
        FROM locked q WHERE u.id = q.id AND NOT EXISTS (SELECT FROM short) RETURNING u.id
    ) SELECT q.entitlement_id, q.unit, q.per, q.from_on FROM locked q JOIN short USING (id) ORDER BY 1, 2, 3, 4"""  # noqa: S608 - our own text
    with connection.cursor() as cursor:
        cursor.execute(sql, [*_columns(sums), caps])
        return [(pk, unit, per, day) for pk, unit, per, day in cursor.fetchall()]


def confirm_use_each(actor: Actor, now: datetime, uses: Iterable[tuple[int, Use]]) -> None:  # noqa: ARG001 - as above
    """Turn what orders had reserved into what they used, for uses of many entitlements by number."""
    _move(uses, "reserved = u.reserved - q.amount, used = u.used + q.amount")


def give_back_each(actor: Actor, now: datetime, uses: Iterable[tuple[int, Use]]) -> None:  # noqa: ARG001 - as above
    """Free what orders had reserved."""
    _move(uses, "reserved = u.reserved - q.amount")


def undo_use_each(actor: Actor, now: datetime, uses: Iterable[tuple[int, Use]]) -> None:  # noqa: ARG001 - as above
    """Give back what settled orders used."""
    _move(uses, "used = u.used - q.amount")


_LOCKED = """WITH wanted (entitlement_id, unit, per, from_on, amount, most) AS (
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::date[], %s::bigint[], %s::bigint[])
    ), locked AS MATERIALIZED (
        SELECT r.id, r.entitlement_id, r.unit, r.per, r.from_on, r.cap, r.reserved, r.used, w.amount, w.most
        FROM entitlements_quota r JOIN wanted w USING (entitlement_id, unit, per, from_on) ORDER BY r.id FOR UPDATE OF r
    )"""


def _most(entitlement: Entitlement, use: Use) -> int:
    if use.most is not None:
        return use.most
    limits = kept_limits(entitlement.limits, monthly_cap_fen=entitlement.monthly_cap_fen, items=entitlement.items)
    found = [one for one in limits if (one.unit, one.per) == (use.unit, use.per)]
    return min((one.most_on(use.from_on, entitlement.valid_from) for one in found), default=use.amount)


def _sums(uses: Iterable[tuple[int, Use]]) -> dict[Key, int]:
    """Add up what is used of each counter, so that a row is moved once however many orders use it."""
    sums: dict[Key, int] = {}
    for entitlement_id, use in uses:
        key = (entitlement_id, use.unit, use.per, use.from_on)
        sums[key] = sums.get(key, 0) + use.amount
    return {key: amount for key, amount in sums.items() if amount}


def _columns(sums: dict[Key, int]) -> list[list[object]]:
    return [*map(list, zip(*sums, strict=True)), list(sums.values())]


def _move(uses: Iterable[tuple[int, Use]], change: str) -> None:
    if sums := _sums(uses):
        sql = f"{_LOCKED} UPDATE entitlements_quota u SET {change} FROM locked q WHERE u.id = q.id"  # noqa: S608 - our own text
        with connection.cursor() as cursor:
            cursor.execute(sql, [*_columns(sums), [0] * len(sums)])
