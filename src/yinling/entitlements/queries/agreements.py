"""Reading agreements: who is bound to which payer, for what, until when, and how much of it is used this month."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import F, Q, QuerySet

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
    """What orders have reserved and used of agreements in the month of a day, by agreement and unit."""
    wanted = [row.pk for row in rows]
    if not wanted:
        return {}
    counters = AgreementQuota.objects.filter(agreement__in=wanted, per="month", from_on=month_start(day))
    return {
        (pk, unit): fen for pk, unit, fen in counters.values_list("agreement_id", "unit", F("reserved") + F("used"))
    }


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
