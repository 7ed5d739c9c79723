"""Reading agreements: who is bound to which payer, for what, until when, and how much of it is used this month."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import F, Q, QuerySet

from yinling.directory.rules import require
from yinling.entitlements.models import Agreement
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_midnight, month_start, next_month
from yinling.kernel.words import N_

BUYING = ("designation", "purchase")
"""The kinds under which a payer pays a provider."""
NO_AGREEMENT = N_("服务商与付费方在服务当日没有有效的协议，不能由该付费方支付，请另选服务商")
NOT_COVERED = N_("服务商与付费方的协议不包含这个项目，不能由该付费方支付，请另选服务商或项目")
COUNT_USED = N_("协议约定的本月次数已经用完，不能由该付费方支付，请改到下月或另选服务商")
MONEY_USED = N_("协议约定的本月金额已经用完，不能由该付费方支付，请改到下月或另选服务商")


@dataclass(frozen=True)
class Use:
    """What was bought of one item in a month: in how many orders, for how much."""

    code: str
    times: int
    fen: int


@dataclass(frozen=True)
class Purchase:
    """An agreement with what was bought under it in a month (R-PAY-09)."""

    agreement: Agreement
    uses: tuple[Use, ...]

    @property
    def times(self) -> int:
        """Orders, counted by item."""
        return sum(use.times for use in self.uses)

    @property
    def fen(self) -> int:
        """Money of the payer."""
        return sum(use.fen for use in self.uses)

    @property
    def left(self) -> int | None:
        """What may still be bought this month; nothing where nothing is agreed."""
        most = self.agreement.monthly_count
        return None if most is None else max(0, most - self.times)


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


def agreements_for(provider_id: int, payer: str, on: date) -> QuerySet[Agreement]:
    """The agreements under which a payer pays a provider for a service of a day."""
    rows = Agreement.objects.filter(in_force(on), organisation_id=provider_id, payer=payer, kind__in=BUYING)
    return rows.order_by("pk")


def bought(provider_id: int, payer: str, month: date) -> list[Use]:
    """What orders of a service month take from a payer for a provider, by item; those given up do not count."""
    span = [local_midnight(month_start(month)), local_midnight(next_month(month))]
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, times, fen FROM entitlements_bought(%s, %s, %s, %s)", [provider_id, payer, *span])
        return sorted((Use(*row) for row in cursor.fetchall()), key=lambda use: use.code)


def agreement_obstacle(
    provider_id: int, payer: str, codes: Iterable[str], service_day: date, *, is_needed: bool = True, wanted_fen: int = 1
) -> str | None:  # fmt: skip
    """Why a payer does not pay a provider for these items on a day: no agreement, not in it, or its month is used up; else nothing.

    Each item needs an agreement that covers it and has room in the month of the service (R-LTC-05, R-PAY-09). Where none ``is_needed``,
    only the limits of those that exist count. The rows are locked where they have a limit, so that of two orders for the last place
    one comes second.
    """
    rows = list(agreements_for(provider_id, payer, service_day))
    if not rows:
        return NO_AGREEMENT if is_needed else None
    limited = [row.pk for row in rows if row.monthly_count is not None or row.monthly_fen is not None]
    if limited:
        list(Agreement.objects.select_for_update(of=("self",)).filter(pk__in=limited).order_by("pk"))
    uses = bought(provider_id, payer, service_day) if limited else []
    for code in codes:
        covering = [row for row in rows if not row.items or code in row.items]
        if not covering:
            if is_needed:
                return NOT_COVERED
            continue
        found = [_full(row, uses, wanted_fen) for row in covering]
        if all(found):
            return found[0]
    return None


def _full(row: Agreement, uses: Collection[Use], wanted_fen: int) -> str | None:
    """Which limit of an agreement is reached, if any."""
    own = Purchase(row, _under(row, uses))
    if row.monthly_count is not None and own.times >= row.monthly_count:
        return COUNT_USED
    if row.monthly_fen is not None and own.fen + wanted_fen > row.monthly_fen:
        return MONEY_USED
    return None


def _under(row: Agreement, uses: Iterable[Use]) -> tuple[Use, ...]:
    return tuple(use for use in uses if not row.items or use.code in row.items)


def purchases(actor: Actor, rows: Iterable[Agreement], month: date) -> list[Purchase]:
    """Agreements with what was bought under each in a month: one question per provider and payer."""
    require(actor, "entitlements.agreement.view")
    shown = list(rows)
    pairs = {(row.organisation_id, row.payer) for row in shown if row.kind in BUYING}
    known = {pair: bought(*pair, month) for pair in sorted(pairs)}
    return [Purchase(row, _under(row, known.get((row.organisation_id, row.payer), []))) for row in shown]
