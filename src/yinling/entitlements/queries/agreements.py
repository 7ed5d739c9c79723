"""Reading agreements: who is bound to which payer, for what, until when, and how much of it is used this month."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from yinling.directory.rules import require
from yinling.entitlements.models import Agreement, AgreementQuota
from yinling.entitlements.rules import FEN, TIME, Agreed, Left
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_midnight, month_start, next_month
from yinling.kernel.words import N_

BUYING = ("designation", "purchase")
"""The kinds under which a payer pays a provider."""
NO_AGREEMENT = N_("服务商与付费方在服务当日没有有效的协议，可另选有协议的机构")
NOT_COVERED = N_("服务商与付费方的协议不包含这个项目，可另选机构或项目")


@dataclass(frozen=True)
class Bought:
    """What was bought of one item in a month: in how many orders, for how much."""

    code: str
    times: int
    fen: int


@dataclass(frozen=True)
class Purchase:
    """An agreement with what was bought of its items in a month, and what of its limits that took (R-PAY-09)."""

    agreement: Agreement
    uses: tuple[Bought, ...]
    taken: dict[str, int]

    @property
    def times(self) -> int:
        """Orders, counted by item: under the agreement where it is limited, else all of its items."""
        return self.taken.get(TIME, sum(use.times for use in self.uses))

    @property
    def fen(self) -> int:
        """Money of the payer."""
        return self.taken.get(FEN, sum(use.fen for use in self.uses))

    @property
    def left(self) -> int | None:
        """What may still be bought this month; nothing where nothing is agreed."""
        most = self.agreement.monthly_count
        return None if most is None else max(0, most - self.times)

    @property
    def left_fen(self) -> int | None:
        """For how much may still be bought this month; nothing where nothing is agreed."""
        most = self.agreement.monthly_fen
        return None if most is None else max(0, most - self.fen)


def agreements(actor: Actor) -> QuerySet[Agreement]:
    """Agreements on record of bodies of the actor's area, or of the actor's own, the first to end first."""
    require(actor, "entitlements.agreement.view")
    rows = Agreement.objects.filter(recorded_to=None).select_related("organisation", "partner")
    if actor.div:
        rows = rows.filter(organisation__div__gte=actor.div, organisation__div__lt=actor.div + ":")
    else:
        rows = rows.filter(Q(organisation=actor.organisation_id) | Q(partner=actor.organisation_id))
    return rows.order_by(F("valid_to").asc(nulls_last=True), "pk")


def ending_agreements(rows: QuerySet[Agreement], today: date, days: int) -> QuerySet[Agreement]:
    """Those in force that end within so many days; with 0, those that are over."""
    if days == 0:
        return rows.filter(valid_to__lte=today)
    return rows.filter(in_force(today), valid_to__lte=today + timedelta(days=days))


def limits_of_agreement(row: Agreement) -> dict[str, int]:
    """What may be bought under an agreement a month, by unit, as far as it is limited."""
    most = {TIME: row.monthly_count, FEN: row.monthly_fen}
    return {unit: amount for unit, amount in most.items() if amount is not None}


def agreed(provider_id: int, payers: Collection[str], on: date) -> dict[str, list[Agreed]]:
    """By payer, the agreements under which it pays a provider for a service of a day, and what their month still gives (R-LTC-05, R-PAY-09)."""
    signed = Agreement.objects.filter(in_force(on), organisation_id=provider_id, payer__in=payers, kind__in=BUYING)
    rows = list(signed.order_by("pk"))
    taken = _taken([row for row in rows if limits_of_agreement(row)], on)
    found: dict[str, list[Agreed]] = {}
    for row in rows:
        limits = tuple(
            Left(unit, "month", month_start(on), max(0, most - taken.get((row.pk, unit), 0)), most, row.pk)
            for unit, most in limits_of_agreement(row).items()
        )
        found.setdefault(row.payer, []).append(Agreed(row.pk, frozenset(row.items), limits))
    return found


def _taken(rows: Iterable[Agreement], day: date) -> dict[tuple[int, str], int]:
    """What counts against agreements in the month of a day, by agreement and unit."""
    wanted = list(rows)
    return taken_together(wanted, alike([row.pk for row in wanted]), {month_start(day)}) if wanted else {}


def alike(ids: Collection[int]) -> QuerySet[Agreement]:
    """Everything ever on record between the same bodies and payers as some agreements, these among them."""
    same = Agreement.objects.filter(
        pk__in=ids, organisation=OuterRef("organisation"), kind=OuterRef("kind"), payer=OuterRef("payer")
    )
    return Agreement.objects.filter(Exists(same)).order_by("pk")


def taken_together(
    rows: Iterable[Agreement], others: Iterable[Agreement], months: Collection[date]
) -> dict[tuple[int, str], int]:
    """What orders have reserved and used of agreements in months, by agreement and unit: under each itself and those it follows.

    An agreement signed anew does not begin its month again: what was bought under one that is over, or off the record, counts on.
    """
    known = list(others)
    counters = AgreementQuota.objects.filter(agreement__in=known, per="month", from_on__in=months).order_by()
    sums = counters.values_list("agreement_id", "unit").annotate(taken=Sum(F("reserved") + F("used")))
    found: dict[tuple[int, str], int] = {}
    for owner, unit, amount in sums:
        for row in rows:
            if any(one.pk == owner and counts_for(one, row) for one in known):
                found[row.pk, unit] = found.get((row.pk, unit), 0) + amount
    return found


def counts_for(one: Agreement, row: Agreement) -> bool:
    """Whether what is bought under one agreement counts under another: it is the same, or the one before or after for a common item."""
    if one.pk == row.pk:
        return True
    is_same = (one.organisation_id, one.kind, one.payer) == (row.organisation_id, row.kind, row.payer)
    has_common = not one.items or not row.items or bool(set(one.items) & set(row.items))
    is_beside = one.recorded_to is None and _ends_after(one, row.valid_from) and _ends_after(row, one.valid_from)
    return is_same and has_common and not is_beside


def _ends_after(row: Agreement, day: date) -> bool:
    return row.valid_to is None or row.valid_to > day


def obstacle(found: Sequence[Agreed], code: str) -> str | None:
    """Why a payer that pays only bodies with an agreement does not pay for an item: there is none, or none that covers it; else nothing."""
    if not found:
        return NO_AGREEMENT
    return None if any(one.covers(code) for one in found) else NOT_COVERED


def bought(pairs: Collection[tuple[int, str]], month: date) -> dict[tuple[int, str], list[Bought]]:
    """What orders of a service month take from payers for providers, by item; those given up do not count. One question for all pairs."""
    span = [local_midnight(month_start(month)), local_midnight(next_month(month))]
    providers, payers = [provider for provider, _payer in pairs], [payer for _provider, payer in pairs]
    found: dict[tuple[int, str], list[Bought]] = {pair: [] for pair in pairs}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.provider, p.payer, b.code, b.times, b.fen FROM unnest(%s::bigint[], %s::text[]) AS p(provider, payer),
            LATERAL entitlements_bought(p.provider, p.payer, %s, %s) AS b ORDER BY b.code""",
            [providers, payers, *span],
        )
        for provider, payer, *use in cursor.fetchall():
            found[provider, payer].append(Bought(*use))
    return found


def purchases(actor: Actor, rows: Iterable[Agreement], month: date) -> list[Purchase]:
    """Agreements with what was bought under each in a month: one question for all of them, and one for all counters."""
    require(actor, "entitlements.agreement.view")
    shown = list(rows)
    pairs = {(row.organisation_id, row.payer) for row in shown if row.kind in BUYING}
    known = bought(sorted(pairs), month) if pairs else {}
    taken = _taken([row for row in shown if limits_of_agreement(row)], month)
    found = []
    for row in shown:
        uses = known.get((row.organisation_id, row.payer), [])
        own = tuple(use for use in uses if not row.items or use.code in row.items)
        found.append(Purchase(row, own, {unit: taken.get((row.pk, unit), 0) for unit in limits_of_agreement(row)}))
    return found
