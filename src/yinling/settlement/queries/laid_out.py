"""Money laid out for a fund: providers were paid or advanced before its payer sent anything, so the bank stands below zero for it.

The books need no account for it: what the payer owes stands as its receivable until it comes. Here is said how much, since when, and
which statements and advances it went to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, Sum

from yinling.directory.rules import require
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.settlement.models import AreaTotal, Claim, ClaimLine, LedgerEntry, LedgerTotal, PayoutLine
from yinling.settlement.queries.arrivals import unpaid
from yinling.settlement.queries.ledger import beside
from yinling.settlement.rules import ADVANCE, BANK
from yinling.settlement.states import ClaimLineState, ClaimState, PayoutLineState

MOST = 500
"""So many payments are looked at, the newest first."""


@dataclass(frozen=True)
class Item:
    """One payment that the money went to: a statement that its payer has not paid, or an advance."""

    text: str
    address: str
    payer: str
    provider: str
    fen: int
    on: date | None = None
    due_fen: int = 0
    claims: Sequence[Claim] = ()


@dataclass(frozen=True)
class LaidOut:
    """What is laid out for a fund, since when, and for what."""

    fund: str
    fen: int
    since: date
    items: Sequence[Item]


def laid_out(actor: Actor, today: date) -> list[LaidOut]:
    """Return the funds of the actor's area for which more was paid than came. Reads totals; payments only of such funds."""
    require(actor, "settlement.statement.view")
    if not actor.div or actor.organisation_id:
        return []
    found = {fund: sums for fund, days in _moved(actor, today).items() if (sums := below_zero(days))}
    if not found:
        return []
    items = _items(actor, list(found))
    return [LaidOut(fund, fen, since, items.get(fund, [])) for fund, (fen, since) in sorted(found.items())]


def below_zero(days: Iterable[tuple[date, int]]) -> tuple[int, date] | None:
    """Return how far a balance stands below zero at the end, and since which day it has; nothing if it does not."""
    total, since = 0, None
    for day, fen in sorted(days):
        total += fen
        since = (since or day) if total < 0 else None
    return (-total, since) if since else None


def _moved(actor: Actor, today: date) -> dict[str, list[tuple[date, int]]]:
    """What the bank gained and lost by fund and day."""
    rolled = AreaTotal.objects.visible_to(actor).filter(account=BANK, unit="fen", per="day", from_on__lte=today)
    fresh = LedgerTotal.objects.visible_to(actor).filter(
        account=BANK, unit="fen", is_rolled=False, booked_on__lte=today
    )
    sums = rolled.order_by().values_list("fund", "from_on").annotate(fen=Sum("amount"))
    found: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for fund, day, fen in sums.union(
        fresh.order_by().values_list("fund", "booked_on").annotate(fen=Sum("amount")), all=True
    ):
        found[fund][day] += fen
    return {fund: list(days.items()) for fund, days in found.items()}


def _items(actor: Actor, funds: Sequence[str]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    with beside(actor):
        for fund, item in [*_statements(actor, funds), *_advances(actor, funds)]:
            found[fund].append(item)
    return found


def _statements(actor: Actor, funds: Sequence[str]) -> list[tuple[str, Item]]:
    """Statements that were paid out of the funds, whose payer still owes something, the oldest payment first."""
    lines = {
        line.posting_id: line
        for line in PayoutLine.objects.visible_to(actor)
        .filter(state=PayoutLineState.PAID, is_live=True, key__startswith="statement:")
        .select_related("provider", "payout")
        .order_by("-answered_at", "-id")[:MOST]
    }
    paid = LedgerEntry.objects.filter(posting__in=lines, account=BANK, fund__in=funds).order_by()
    sums = paid.values_list("posting", "fund").annotate(fen=-Sum("amount"))
    numbers = {_number(line): posting for posting, line in lines.items()}
    due = _due(actor, numbers)
    claims: dict[int, list[Claim]] = defaultdict(list)
    for one in Claim.objects.filter(~Q(state=ClaimState.WITHDRAWN), statement__in=due).order_by("pk"):
        claims[one.statement_id].append(one)
    found = []
    for posting, fund, fen in sums:
        line = lines[posting]
        number = _number(line)
        if fen > 0 and due.get(number, 0) > 0:
            item = Item(
                line.text, f"/settlement/statements/{number}/", line.payer, line.provider.short_name if line.provider else "", fen,
                local_date(line.answered_at) if line.answered_at else None, due[number], claims[number],
            )  # fmt: skip
            found.append((fund, item))
    return sorted(found, key=lambda one: (one[1].on or date.max, one[1].text))


def _number(line: PayoutLine) -> int:
    return int(line.key.partition(":")[2])


def _due(actor: Actor, statements: Iterable[int]) -> dict[int, int]:
    """What payers still owe of statements: lines of claims that wait for an answer, or for us to decide on a refusal; else all that did not come."""
    waiting = ClaimLine.objects.filter(claim__statement__in=list(statements)).exclude(claim__state=ClaimState.WITHDRAWN)
    waiting = waiting.filter(
        state__in=[ClaimLineState.SUBMITTED, ClaimLineState.APPEALED, ClaimLineState.REFUSED]
    ).order_by()
    found = dict(waiting.values_list("claim__statement").annotate(fen=Sum(F("claimed_fen") - F("paid_fen"))))
    return found | {one.statement.pk: one.fen for one in unpaid(actor)}


def _advances(actor: Actor, funds: Sequence[str]) -> list[tuple[str, Item]]:
    """Advances to providers that are neither offset nor came back."""
    rows = (
        LedgerTotal.objects.visible_to(actor)
        .filter(account__startswith=f"{ADVANCE}.", unit="fen", fund__in=funds)
        .order_by()
    )
    sums = (
        rows.values_list("fund", "account", "provider__short_name")
        .annotate(fen=Sum("amount"))
        .order_by("fund", "account", "provider__short_name")
    )
    return [
        (fund, Item("", "/settlement/transfers/", account.removeprefix(f"{ADVANCE}."), name or "", fen))
        for fund, account, name, fen in sums if fen > 0
    ]  # fmt: skip
