"""What payers still owe: by fund with its age out of the ledger, and by statement for the money that arrives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum

from yinling.directory.rules import require
from yinling.kernel.actor import Actor
from yinling.kernel.period import month_start
from yinling.settlement.arriving import AGES, Owed, aged
from yinling.settlement.models import (
    Claim,
    LedgerEntry,
    Posting,
    Statement,
    StatementLine,
    Transfer,
)
from yinling.settlement.queries.ledger import beside
from yinling.settlement.queries.statements import DIMENSIONS, part_of
from yinling.settlement.rules import ACCOUNTS, BANK, RECEIVABLE
from yinling.settlement.sharing import Part, Parts
from yinling.settlement.states import ClaimState, DecisionState

KIND = "arrival"
RECEIVABLES = [account for account in ACCOUNTS if account.startswith(f"{RECEIVABLE}.")]
MOVED = """SELECT account, fund, place, is_credit, sum(amount)::bigint FROM (
    SELECT account, fund, %(oldest)s AS place, false AS is_credit, amount FROM settlement_areatotal
        WHERE account = ANY (%(accounts)s) AND unit = 'fen' AND per = 'month' AND from_on < %(first)s AND div >= %(div)s AND div < %(end)s
    UNION ALL SELECT account, fund, width_bucket(%(today)s - from_on, %(ages)s), false, amount FROM settlement_areatotal
        WHERE account = ANY (%(accounts)s) AND unit = 'fen' AND per = 'day' AND from_on >= %(first)s AND div >= %(div)s AND div < %(end)s
    UNION ALL SELECT account, fund, width_bucket(%(today)s - booked_on, %(ages)s), false, amount FROM settlement_ledgertotal
        WHERE account = ANY (%(accounts)s) AND unit = 'fen' AND NOT is_rolled AND div >= %(div)s AND div < %(end)s
    UNION ALL SELECT e.account, e.fund, width_bucket(%(today)s - e.booked_on, %(ages)s), true, e.amount
        FROM settlement_posting p JOIN settlement_ledgerentry e ON e.posting_id = p.id
        WHERE (p.key LIKE 'arrival:%%' OR p.key LIKE 'remittance:%%' OR p.key LIKE 'appeal:%%' OR p.key LIKE 'deduction:%%')
        AND e.account = ANY (%(accounts)s) AND e.unit = 'fen' AND e.booked_on > %(since)s AND e.div >= %(div)s AND e.div < %(end)s
) AS moved GROUP BY 1, 2, 3, 4"""
"""What was booked on the receivables by payer, fund and column of the ageing table, and once more what was lately taken off them: whole
months of areas long ago, days since, what is not rolled up, and the few postings that make less of what payers owe. No entry of an order is
read. Written out: the ORM takes longer to say it than the database to answer, on the first page that finance opens."""


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


def _moved(actor: Actor, today: date) -> list[tuple[str, str, int, bool, int]]:
    div, since = actor.div or "", today - timedelta(days=AGES[-1])
    asked: dict[str, Any] = {
        "accounts": RECEIVABLES, "ages": list(AGES), "oldest": len(AGES), "today": today, "since": since, "first": month_start(since),
        "div": div, "end": f"{div}:",
    }  # fmt: skip
    with beside(actor), connection.cursor() as cursor:
        cursor.execute(MOVED, asked)
        return cursor.fetchall()


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
        Unpaid(row, came.get((row.payer, row.provider_id, row.month, row.div), 0))
        for row in rows.select_related("provider").order_by("month", "id")
    ]
    return [one for one in found if one.fen]


def arrival_entries(actor: Actor) -> QuerySet[LedgerEntry]:
    """What arrivals booked on the receivables: by provider and area of the statement, and by its month as their day of service.

    To be read ``beside`` the actor.
    """
    return LedgerEntry.objects.visible_to(actor).filter(account__in=RECEIVABLES, posting__key__startswith=f"{KIND}:")


def _received(actor: Actor) -> dict[tuple[str, int | None, date | None, str], int]:
    """What arrived by payer, provider, month and area of the statement."""
    sums = arrival_entries(actor).order_by().values_list("account", "provider", "service_day", "div")
    with beside(actor):
        return {
            (account.removeprefix(f"{RECEIVABLE}."), body, day, div): -fen
            for account, body, day, div, fen in sums.annotate(fen=Sum("amount"))
        }


def kept(actor: Actor, payer: str, fund: str, area: str) -> int:
    """What a payer sent for an area before it owed it: it has no statement, and pays with what is next registered there."""
    rows = arrival_entries(actor).filter(account=f"{RECEIVABLE}.{payer}", fund=fund, service_day=None, div=area)
    with beside(actor):
        return -int(rows.aggregate(fen=Sum("amount"))["fen"] or 0)


def owed_out_of(actor: Actor, fund: str, statements: Sequence[Statement]) -> list[Owed]:
    """What is owed of each statement out of one fund: its lines, less what was deducted and what arrived."""
    parts: dict[int, Parts] = defaultdict(lambda: defaultdict(int))
    with beside(actor):
        for pk, part, fen in [*_lines(statements), *_taken_off(statements)]:
            if part.fund == fund:
                parts[pk][part] += fen
    return [
        Owed(row.provider_id, row.month, {part: fen for part, fen in parts[row.pk].items() if fen}, row.code, row.div)
        for row in statements
    ]


def _lines(statements: Sequence[Statement]) -> list[tuple[int, Part, int]]:
    rows = StatementLine.objects.filter(statement__in=statements, is_live=True).order_by()
    sums = rows.values("statement", **DIMENSIONS).annotate(fen=Sum("charge__amount_fen"))
    return [(row["statement"], part_of(row), row["fen"]) for row in sums]


def _taken_off(statements: Sequence[Statement]) -> list[tuple[int, Part, int]]:
    """What deductions and earlier money made less of what is owed."""
    deducted = {f"deduction:{row.pk}": row.pk for row in statements}
    at = {(f"{RECEIVABLE}.{row.payer}", row.provider_id, row.month, row.div): row.pk for row in statements}
    rows = LedgerEntry.objects.filter(account__in={account for account, *_statement in at}).filter(
        Q(posting__key__in=deducted)
        | Q(posting__key__startswith="arrival:", provider__in={body for _account, body, *_rest in at})
    )
    sums = rows.order_by().values_list(
        "posting__key", "account", "provider", "service_day", "div", "business", "fund", "scheme", "plan_year"
    )
    found = []
    for key, account, body, day, div, *dimensions, fen in sums.annotate(fen=Sum("amount")):
        pk = deducted.get(key) or at.get((account, body, day, div))
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
