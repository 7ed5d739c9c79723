"""What payers still owe: by fund with its age out of the ledger, and by statement for the money that arrives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import ExtractYear

from yinling.directory.rules import require
from yinling.kernel.actor import Actor
from yinling.kernel.period import month_start
from yinling.settlement.arriving import AGES, Owed, aged
from yinling.settlement.models import (
    AreaTotal,
    Claim,
    LedgerEntry,
    LedgerTotal,
    Posting,
    Statement,
    StatementLine,
    Transfer,
)
from yinling.settlement.rules import ACCOUNTS, BANK, RECEIVABLE
from yinling.settlement.sharing import Part, Parts
from yinling.settlement.states import ClaimState, DecisionState

KIND = "arrival"
AT_ONCE = 50
RECEIVABLES = [account for account in ACCOUNTS if account.startswith(f"{RECEIVABLE}.")]
TAKEN_OFF = ("arrival:", "remittance:", "appeal:", "deduction:")
"""How the keys of postings begin that make less of what payers owe: few beside those of orders."""


@dataclass(frozen=True)
class Open:
    """What one payer owes out of one fund, and since when; negative where it paid before it owed."""

    payer: str
    fund: str
    fen: int
    ages: tuple[int, ...]


def open_by_fund(actor: Actor, today: date) -> list[Open]:
    """What every payer owes now by fund and age, as the ledger says. Reads totals and the few postings of money that came."""
    require(actor, "settlement.statement.view")
    net: dict[tuple[str, str, int], int] = defaultdict(int)
    credit: dict[tuple[str, str, int], int] = defaultdict(int)
    for account, fund, place, is_credit, fen in _moved(actor, today):
        (credit if is_credit else net)[account.removeprefix(f"{RECEIVABLE}."), fund, place] += fen
    found = []
    for payer, fund in sorted({key[:2] for key in net}):
        sums = [net[payer, fund, place] for place in range(len(AGES) + 1)]
        fresh = [fen - credit[payer, fund, place] for place, fen in enumerate(sums[:-1])]
        if balance := sum(sums):
            found.append(Open(payer, fund, balance, aged(balance, fresh)))
    return found


def _moved(actor: Actor, today: date) -> Any:
    """What was booked on the receivables by payer, fund and column of the ageing table, and once more what was lately taken off them.

    Whole months of areas long ago, days since, and what is not rolled up: no entry of an order is read.
    """
    since = today - timedelta(days=AGES[-1])
    first = month_start(since)
    asked = {"account__in": RECEIVABLES, "unit": "fen"}
    taken_off = Q()
    for stem in TAKEN_OFF:
        taken_off |= Q(posting__key__startswith=stem)
    old = Value(len(AGES), output_field=IntegerField())
    parts = [
        rows.filter(**asked).visible_to(actor).order_by().annotate(place=place, is_credit=Value(is_credit))
        .values_list("account", "fund", "place", "is_credit").annotate(fen=Sum("amount"))
        for rows, place, is_credit in (
            (AreaTotal.objects.filter(per="month", from_on__lt=first), old, False),
            (AreaTotal.objects.filter(per="day", from_on__gte=first), _place("from_on", today), False),
            (LedgerTotal.objects.filter(is_rolled=False), _place("booked_on", today), False),
            (LedgerEntry.objects.filter(taken_off, booked_on__gt=since), _place("booked_on", today), True),
        )
    ]  # fmt: skip
    return parts[0].union(*parts[1:], all=True)


def _place(day: str, today: date) -> Case:
    """The column of the ageing table that a day belongs to."""
    young = [When(**{f"{day}__gt": today - timedelta(days=age)}, then=Value(place)) for place, age in enumerate(AGES)]
    return Case(*young, default=Value(len(AGES)), output_field=IntegerField())


@dataclass(frozen=True)
class Unpaid:
    """An approved statement whose payer has not paid all of it."""

    statement: Statement
    received_fen: int

    @property
    def fen(self) -> int:
        """What is still to come."""
        return self.statement.total_fen - self.statement.deducted_fen - self.received_fen


def unpaid(actor: Actor, payer: str = "", div: str = "") -> list[Unpaid]:
    """Approved statements that were not claimed and whose payer still owes something, oldest first."""
    standing = Claim.objects.filter(~Q(state=ClaimState.WITHDRAWN), statement=OuterRef("pk"))
    rows = Statement.objects.visible_to(actor).filter(~Exists(standing), state=DecisionState.APPROVED)
    if payer:
        rows = rows.filter(payer=payer)
    if div:
        rows = rows.within(div)
    came = _received(actor)
    found = [
        Unpaid(row, came.get((row.payer, row.provider_id, row.month), 0))
        for row in rows.select_related("provider").order_by("month", "id")
    ]
    return [one for one in found if one.fen]


def arrival_entries(actor: Actor) -> QuerySet[LedgerEntry]:
    """What arrivals booked on the receivables: by provider, and by the month of the statement as their day of service."""
    return LedgerEntry.objects.visible_to(actor).filter(account__in=RECEIVABLES, posting__key__startswith=f"{KIND}:")


def _received(actor: Actor) -> dict[tuple[str, int | None, date | None], int]:
    """What arrived by payer, provider and month of the statement."""
    sums = arrival_entries(actor).order_by().values_list("account", "provider", "service_day")
    return {
        (account.removeprefix(f"{RECEIVABLE}."), body, day): -fen
        for account, body, day, fen in sums.annotate(fen=Sum("amount"))
    }


def kept(actor: Actor, payer: str, fund: str) -> int:
    """What a payer sent before it owed it: it has no statement."""
    rows = arrival_entries(actor).filter(account=f"{RECEIVABLE}.{payer}", fund=fund, service_day=None)
    return -int(rows.aggregate(fen=Sum("amount"))["fen"] or 0)


def owed_out_of(fund: str, statements: Sequence[Statement]) -> Iterator[Owed]:
    """What is owed of each statement out of one fund: its lines, less what was deducted and what arrived. Read as far as it is asked for."""
    for start in range(0, len(statements), AT_ONCE):
        some = statements[start : start + AT_ONCE]
        parts: dict[int, Parts] = defaultdict(lambda: defaultdict(int))
        for pk, part, fen in [*_lines(some), *_taken_off(some)]:
            if part.fund == fund:
                parts[pk][part] += fen
        for row in some:
            if open_parts := {part: fen for part, fen in parts[row.pk].items() if fen}:
                yield Owed(row.provider_id, row.month, open_parts)


def _lines(statements: Sequence[Statement]) -> list[tuple[int, Part, int]]:
    payers = {row.pk: row.payer for row in statements}
    rows = StatementLine.objects.filter(statement__in=payers, is_live=True).order_by()
    sums = rows.values_list(
        "statement", "charge__line__item__is_medical", "charge__entitlement__scheme__fund", "charge__entitlement__scheme",
        ExtractYear("charge__service_day"),
    )  # fmt: skip
    return [
        (pk, Part("medical" if is_medical else "eldercare", fund or payers[pk], scheme_id, year), fen)
        for pk, is_medical, fund, scheme_id, year, fen in sums.annotate(fen=Sum("charge__amount_fen"))
    ]


def _taken_off(statements: Sequence[Statement]) -> list[tuple[int, Part, int]]:
    """What deductions and earlier money made less of what is owed."""
    deducted = {f"deduction:{row.pk}": row.pk for row in statements}
    at = {(f"{RECEIVABLE}.{row.payer}", row.provider_id, row.month): row.pk for row in statements}
    rows = LedgerEntry.objects.filter(account__in={account for account, _body, _month in at}).filter(
        Q(posting__key__in=deducted)
        | Q(posting__key__startswith="arrival:", provider__in={body for _a, body, _m in at})
    )
    sums = rows.order_by().values_list(
        "posting__key", "account", "provider", "service_day", "business", "fund", "scheme", "plan_year"
    )
    found = []
    for key, account, body, day, *dimensions, fen in sums.annotate(fen=Sum("amount")):
        pk = deducted.get(key) or at.get((account, body, day))
        if pk is not None:
            found.append((pk, Part(*dimensions), fen))
    return found


def arrivals(actor: Actor) -> QuerySet[Transfer]:
    """Money that arrived, newest first, with its fund and whether it was taken back."""
    require(actor, "settlement.transfer.view")
    entries = LedgerEntry.objects.filter(posting=OuterRef("posting"), account=BANK)
    rows = Transfer.objects.visible_to(actor).filter(kind=KIND).select_related("booked_by", "posting")
    return rows.annotate(
        fund=Subquery(entries.values("fund")[:1]),
        is_reversed=Exists(Posting.objects.filter(reverses=OuterRef("posting"))),
    ).order_by("-proposed_at", "-id")
