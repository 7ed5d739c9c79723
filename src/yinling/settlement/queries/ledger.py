"""Reading the ledger: balances, names of accounts and funds, and postings that stand."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from yinling.directory.models import Organisation
from yinling.directory.rules import require
from yinling.entitlements.models import FUNDS, PAYERS
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import month_start
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.people.queries import merged_numbers
from yinling.people.queries.names import reader
from yinling.settlement.models import AreaTotal, Closing, LedgerEntry, LedgerTotal, Posting, Transfer
from yinling.settlement.rules import ACCOUNTS, ADVANCE, DEPOSIT, PREPAID

PAYER_NAMES = dict(PAYERS)
CITY = 4
"""Digits of a city's division."""
FUND_CHOICES = [*FUNDS, *[pair for pair in PAYERS if pair[0] not in dict(FUNDS)]]
FUND_NAMES = PAYER_NAMES | dict(FUNDS) | {"outside_base": N_("绩效工资总量外资金")}


def beside(actor: Actor) -> AbstractContextManager[Any]:
    """Look beyond a district: the city states, pays and registers money for its districts, and what that left lies there.

    What is read so must itself be narrowed to what the actor may see.
    """
    return scope(reader(actor.div), savepoint=False) if actor.div and len(actor.div) > CITY else nullcontext()


def live_postings() -> QuerySet[Posting]:
    """Postings of orders that no reversal took back."""
    reversal = Posting.objects.filter(reverses=OuterRef("pk"))
    return Posting.objects.filter(~Exists(reversal), reverses=None, kind="order")


def live_posting(order: Order) -> Posting | None:
    """The posting of an order that stands, if any."""
    return live_postings().filter(order=order).first()


def account_name(account: str) -> str:
    """Chinese name of an account."""
    return ACCOUNTS.get(account, account)


def fund_name(fund: str) -> str:
    """Chinese name of a fund source; a fund of a city's own scheme is shown by its code."""
    return FUND_NAMES.get(fund, fund)


def balances(actor: Actor, period: date) -> list[dict[str, Any]]:
    """Sums of the ledger by account, business and fund for one open period."""
    require(actor, "settlement.order.view")
    rows = LedgerEntry.objects.visible_to(actor).filter(period=period, unit="fen")
    sums = (
        rows.values("account", "business", "fund")
        .annotate(amount=Sum("amount"))
        .order_by("account", "business", "fund")
    )
    return [dict(row) for row in sums]


def balance(
    account: str, on: date, *, div: str = "", provider_id: int | None = None, fund: str = "", business: str = ""
) -> int:
    """The balance of an account at the end of a day: what was debited less what was credited, as far as the scope goes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT settlement_balance(%s, %s, %s, %s, %s, %s)", [account, on, div, provider_id, fund, business]
        )
        return int(cursor.fetchone()[0])


def elder_balance(account: str, elder_id: int, div: str) -> int:
    """The balance of an account of one elder, ``DEPOSIT`` or ``PREPAID``."""
    return elder_balances(elder_id, div).get(account, 0)


def elder_balances(elder_id: int, div: str) -> dict[str, int]:
    """What one elder paid in, by account, wherever in the province it was booked and under which file: elders move, files are merged."""
    with scope(reader(div)):
        files = merged_numbers(elder_id)
        rows = LedgerEntry.objects.filter(elder__in=files, account__in=[DEPOSIT, PREPAID], unit="fen")
        return dict(rows.order_by().values_list("account").annotate(Sum("amount")))


def advance_balance(provider: Organisation, payer: str, business: str = "") -> int:
    """What a payer has paid a provider in advance and not yet offset or got back, wherever it was offset (R-PAY-16)."""
    with scope(reader(provider.div)):
        rows = LedgerTotal.objects.filter(provider=provider, account=f"{ADVANCE}.{payer}", unit="fen")
        if business:
            rows = rows.filter(business=business)
        return int(rows.aggregate(amount=Coalesce(Sum("amount"), Value(0)))["amount"])


def account_sums(
    actor: Actor, until: date, *, div: str = "", provider_id: int | None = None, fund: str = "", business: str = ""
) -> list[dict[str, Any]]:
    """Balances at the end of a day by account, unit, business and fund, in the order of the chart of accounts, with the number of entries."""
    require(actor, "settlement.ledger.view")
    names = ("account", "unit", "business", "fund")
    asked = {name: value for name, value in (("fund", fund), ("business", business)) if value}
    if div:
        asked |= {"div__gte": div, "div__lt": div + ":"}
    parts = [
        rows.filter(**asked).order_by().values_list(*names).annotate(Sum("amount"), Sum("entry_count"))
        for rows in _summed(actor, until, provider_id)
    ]
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    for *key, amount, count in parts[0].union(*parts[1:], all=True):
        before = found.get(tuple(key), (0, 0))
        found[tuple(key)] = (before[0] + amount, before[1] + count)
    places = {account: place for place, account in enumerate(ACCOUNTS)}
    ordered = sorted(found, key=lambda key: (places.get(key[0], len(places)), *key))
    return [{**dict(zip(names, key, strict=True)), "amount": found[key][0], "count": found[key][1]} for key in ordered]


def _summed(actor: Actor, until: date, provider_id: int | None) -> tuple[QuerySet[Any], ...]:
    """Return the rows whose sum is a balance: of an area as ``settlement_balance`` reads them, of a provider its own totals."""
    totals = LedgerTotal.objects.visible_to(actor).filter(booked_on__lte=until)
    if provider_id:
        return (totals.filter(provider=provider_id),)
    if actor.organisation_id or not actor.div:
        return (totals,)
    areas, first = AreaTotal.objects.visible_to(actor), month_start(until)
    return (
        areas.filter(per="month", from_on__lt=first),
        areas.filter(per="day", from_on__gte=first, from_on__lte=until),
        totals.filter(is_rolled=False),
    )


def ledger_entries(actor: Actor) -> QuerySet[LedgerEntry]:
    """Entries the actor may see, newest first."""
    require(actor, "settlement.ledger.view")
    rows = LedgerEntry.objects.visible_to(actor).select_related("posting", "scheme", "provider")
    return rows.order_by("-booked_on", "-id")


def advances(actor: Actor) -> list[dict[str, Any]]:
    """Per payer and provider what was given in advance, what was offset or came back, and what is left (R-PAY-16).

    Of the providers in the actor's area, wherever it was given and offset: it is one balance.
    """
    require(actor, "settlement.transfer.view")
    given_out = [account for account in ACCOUNTS if account.startswith(f"{ADVANCE}.")]
    totals = LedgerTotal.objects.filter(account__in=given_out, unit="fen")
    here = totals.visible_to(actor).values("provider")
    sums = totals.filter(provider__in=here).values("account", "provider_id", "provider__short_name")
    booked = Transfer.objects.filter(kind__in=["advance", "advance_return"], posting__isnull=False, provider__in=here)
    sums_of = booked.values_list("kind", "provider", "payer").annotate(fen=Sum("amount_fen"))
    with beside(actor):
        rows = list(sums.annotate(left=Sum("amount")).order_by("account", "provider__short_name"))
        moved = {(kind, body, payer): fen for kind, body, payer, fen in sums_of}
    found = []
    for row in rows:
        payer = row["account"].removeprefix(f"{ADVANCE}.")
        given, back = (moved.get((kind, row["provider_id"], payer), 0) for kind in ("advance", "advance_return"))
        found.append(
            {
                "payer": payer, "provider": row["provider__short_name"], "provider_id": row["provider_id"], "given": given, "returned": back,
                "offset": given - back - row["left"], "left": row["left"],
            }
        )  # fmt: skip
    return found


def transfers(actor: Actor) -> QuerySet[Transfer]:
    """Advances, deposits and top-ups the actor may see, newest first."""
    require(actor, "settlement.transfer.view")
    rows = Transfer.objects.visible_to(actor).exclude(kind="arrival")
    return rows.select_related("provider", "elder", "proposed_by", "booked_by").order_by("-proposed_at", "-id")


def month_figures(div: str, month: date) -> list[dict[str, Any]]:
    """What a month moved in a city's books, and the balances at its end, by account, business and fund."""
    rows = LedgerTotal.objects.within(div).filter(period__lte=month)
    moved = Sum("amount", filter=Q(period=month), default=0)
    count = Sum("entry_count", filter=Q(period=month), default=0)
    names = ("account", "business", "fund", "unit")
    sums = rows.values(*names).annotate(moved=moved, balance=Sum("amount"), count=count).order_by(*names)
    return [{name: row[name] for name in (*names, "moved", "balance", "count")} for row in sums]


def closings(actor: Actor) -> QuerySet[Closing]:
    """Months of books that were proposed or closed, newest first."""
    require(actor, "settlement.closing.view")
    return Closing.objects.visible_to(actor).select_related("proposed_by", "closed_by").order_by("-month", "div")


def months_to_close(div: str, before: date) -> list[date]:
    """Months of a city that have entries and are not closed, oldest first."""
    closed = Closing.objects.filter(div=div, closed_at__isnull=False).values("month")
    rows = LedgerTotal.objects.within(div).filter(period__lt=before).exclude(period__in=closed)
    return list(rows.order_by("period").values_list("period", flat=True).distinct())
