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
from yinling.entitlements.queries.agreements import limits_of_agreement
from yinling.entitlements.rules import Use, kept_limits
from yinling.ground.operation import explain_constraint
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_

CAP = N_("额度已用完，请重新报价")
explain_constraint("quota_cap", "quota.cap", CAP)
explain_constraint("agreement_quota_cap", "quota.cap", CAP)

Key = tuple[int, str, str, date]
"""Entitlement or agreement, unit, period and its first day: a counter."""
AGREEMENTS, ENTITLEMENTS = "entitlements_agreementquota", "entitlements_quota"
OWNERS = {AGREEMENTS: "agreement_id", ENTITLEMENTS: "entitlement_id"}
"""The tables of counters and whose they are, in the order in which everybody locks them."""


def reserve_each(actor: Actor, now: datetime, wanted: Iterable[tuple[Entitlement, Use]]) -> list[Key]:  # noqa: ARG001 - the form of all plain steps
    """Set aside what orders use, of many entitlements at once. Returns the counters that have too little left; then nothing is set aside.

    The first use of a period makes its counter. The most it holds only rises, by what is added for the months held.
    """
    pairs = [(entitlement, use) for entitlement, use in wanted if use.amount]
    most: dict[tuple[str, Key], int] = {}
    for entitlement, use in pairs:
        place = _place(entitlement.pk, use)
        if place not in most:
            most[place] = _most(entitlement, use)
    _make(pairs, most)
    done: list[tuple[str, dict[Key, int]]] = []
    for table, sums in _sums((entitlement.pk, use) for entitlement, use in pairs):
        if short := _reserve(table, sums, [most[table, key] for key in sums]):
            for earlier, taken in done:
                _run(earlier, taken, "reserved = u.reserved - q.amount")
            return short
        done.append((table, sums))
    return []


def confirm_use_each(actor: Actor, now: datetime, uses: Iterable[tuple[int, Use]]) -> None:  # noqa: ARG001 - as above
    """Turn what orders had reserved into what they used, for uses of many entitlements by number."""
    _move(uses, "reserved = u.reserved - q.amount, used = u.used + q.amount")


def give_back_each(actor: Actor, now: datetime, uses: Iterable[tuple[int, Use]]) -> None:  # noqa: ARG001 - as above
    """Free what orders had reserved."""
    _move(uses, "reserved = u.reserved - q.amount")


def undo_use_each(actor: Actor, now: datetime, uses: Iterable[tuple[int, Use]]) -> None:  # noqa: ARG001 - as above
    """Give back what settled orders used."""
    _move(uses, "used = u.used - q.amount")


def is_shared_out(wanted: Sequence[tuple[Entitlement, Use]]) -> bool:
    """Whether the elder's entitlements of a scheme together took so much of a calendar period that uses do not fit any more.

    A period has one limit for all of them, each of them a counter of its own. The elder must be locked.
    """
    sums: dict[tuple[int, str, str, str, date], tuple[int, int]] = {}
    for entitlement, use in wanted:
        if use.agreement_id is None and use.per != "span":
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


def _move(uses: Iterable[tuple[int, Use]], change: str) -> None:
    for table, sums in _sums(uses):
        _run(table, sums, change)


def _run(table: str, sums: dict[Key, int], change: str) -> None:
    sql = LOCKED.format(table=table, owner=OWNERS[table])
    with connection.cursor() as cursor:
        cursor.execute(
            f"{sql} UPDATE {table} u SET {change} FROM locked q WHERE u.id = q.id",  # noqa: S608 - our own text
            [*_columns(sums), [0] * len(sums)],
        )


def _place(entitlement_id: int, use: Use) -> tuple[str, Key]:
    """The table and the key of the counter that a use moves."""
    if use.agreement_id is not None:
        return AGREEMENTS, (use.agreement_id, use.unit, use.per, use.from_on)
    return ENTITLEMENTS, (entitlement_id, use.unit, use.per, use.from_on)


def _make(pairs: Iterable[tuple[Entitlement, Use]], most: dict[tuple[str, Key], int]) -> None:
    """Make the counters that are not there yet."""
    own: list[Quota] = []
    agreed: list[AgreementQuota] = []
    for entitlement, use in {_place(entitlement.pk, use): (entitlement, use) for entitlement, use in pairs}.values():
        span: dict[str, Any] = {
            "unit": use.unit, "per": use.per, "from_on": use.from_on, "cap": most[_place(entitlement.pk, use)]
        }  # fmt: skip
        if use.agreement_id is None:
            own.append(Quota(div=entitlement.div, elder_id=entitlement.elder_id, entitlement=entitlement, **span))
        else:
            agreed.append(AgreementQuota(agreement_id=use.agreement_id, **span))
    Quota.objects.bulk_create(own, ignore_conflicts=True)
    AgreementQuota.objects.bulk_create(agreed, ignore_conflicts=True)


def _most(entitlement: Entitlement, use: Use) -> int:
    if use.most is not None:
        return use.most
    if use.agreement_id is not None:
        return limits_of_agreement(Agreement.objects.get(pk=use.agreement_id)).get(use.unit, use.amount)
    limits = kept_limits(entitlement.limits, monthly_cap_fen=entitlement.monthly_cap_fen, items=entitlement.items)
    found = [one for one in limits if (one.unit, one.per) == (use.unit, use.per)]
    return min((one.most_on(use.from_on, entitlement.valid_from) for one in found), default=use.amount)


def _sums(uses: Iterable[tuple[int, Use]]) -> Iterator[tuple[str, dict[Key, int]]]:
    """Add up by table what is used of each counter, so that a row is moved once however many orders use it."""
    sums: dict[str, dict[Key, int]] = {table: {} for table in OWNERS}
    for entitlement_id, use in uses:
        if use.amount:
            table, key = _place(entitlement_id, use)
            sums[table][key] = sums[table].get(key, 0) + use.amount
    return ((table, own) for table, own in sums.items() if own)


def _columns(sums: dict[Key, int]) -> list[list[object]]:
    return [*map(list, zip(*sums, strict=True)), list(sums.values())]
