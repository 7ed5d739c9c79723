"""Batches of payments: what is in them, the file for the bank, the preview of its answer, and the accounts of payees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from yinling.directory.rules import require
from yinling.ground.models import in_force
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.people.queries.names import reader
from yinling.settlement import bankfile
from yinling.settlement.bankfile import Paid, Result, Transfer
from yinling.settlement.files import Problem, named
from yinling.settlement.models import BankAccount, Payout, PayoutLine
from yinling.settlement.payables import KINDS, Payable
from yinling.settlement.queries.files import Opened
from yinling.settlement.queries.ledger import beside
from yinling.settlement.queries.payables import number_of
from yinling.settlement.queries.payments import overdrawn
from yinling.settlement.states import PayoutLineState, PayoutState
from yinling.settlement.tables import Left, Table

NOT_SENT = (PayoutState.DRAFT, PayoutState.REVIEWED, PayoutState.APPROVED)


def payouts(actor: Actor) -> QuerySet[Payout]:
    """Batches the actor may see, newest first, with what the bank has paid and sent back."""
    require(actor, "settlement.payout.view")
    rows = Payout.objects.visible_to(actor).select_related("drafted_by", "reviewed_by", "approved_by")
    return rows.annotate(
        paid_fen=Coalesce(Sum("lines__amount_fen", filter=Q(lines__state=PayoutLineState.PAID)), Value(0)),
        failed_fen=Coalesce(Sum("lines__amount_fen", filter=Q(lines__state=PayoutLineState.FAILED)), Value(0)),
        pending_count=Count("lines", filter=Q(lines__state=PayoutLineState.PENDING)),
        failed_count=Count("lines", filter=Q(lines__state=PayoutLineState.FAILED)),
    ).order_by("-drafted_at", "-id")


def payout_totals(rows: QuerySet[Payout]) -> dict[str, int]:
    """Sums of the batches of a list that were not returned."""
    lines = PayoutLine.objects.filter(payout__in=rows.order_by().values("pk")).exclude(
        payout__state=PayoutState.RETURNED
    )
    return lines.aggregate(
        count=Count("payout", distinct=True), total_fen=Coalesce(Sum("amount_fen"), Value(0)),
        paid_fen=Coalesce(Sum("amount_fen", filter=Q(state=PayoutLineState.PAID)), Value(0)),
        failed_fen=Coalesce(Sum("amount_fen", filter=Q(state=PayoutLineState.FAILED)), Value(0)),
    )  # fmt: skip


def payout_lines(row: Payout) -> QuerySet[PayoutLine]:
    """The payments of a batch with their accounts and postings."""
    return PayoutLine.objects.filter(payout=row).select_related("account", "posting", "provider").order_by("id")


def held_lines(row: Payout) -> list[PayoutLine]:
    """The payments of a batch that may not go to the bank now: an objection holds an order, less is owed, a grant is taken back."""
    if row.state not in NOT_SENT:
        return []
    by_kind: dict[str, dict[int, PayoutLine]] = defaultdict(dict)
    batch = list(PayoutLine.objects.filter(payout=row))
    for line in batch:
        prefix = line.key.partition(":")[0]
        if prefix in KINDS and KINDS[prefix].held:
            by_kind[prefix][number_of(line.key)] = line
    found: list[PayoutLine] = []
    with scope(reader(row.div)):  # a body's statement has services in other districts, too
        for prefix, lines in by_kind.items():
            if held := KINDS[prefix].held:
                found += [lines[pk] for pk in held(lines)]
        found += overdrawn(reader(row.div), row.div, batch)
    return sorted(found, key=lambda line: line.pk)


def payout_line(actor: Actor, pk: int) -> PayoutLine | None:
    """One payment the actor may see."""
    require(actor, "settlement.statement.view")
    return _with_batch(PayoutLine.objects.visible_to(actor).filter(pk=pk).first())


def received(actor: Actor) -> QuerySet[PayoutLine]:
    """What was paid or will be paid to the actor's own body, the newest first; not the batches, which pay others, too."""
    require(actor, "settlement.statement.view")
    rows = PayoutLine.objects.visible_to(actor).filter(provider=actor.organisation_id, provider__isnull=False)
    return rows.filter(Q(is_live=True) | Q(state=PayoutLineState.FAILED)).order_by("-id")


def received_totals(rows: QuerySet[PayoutLine]) -> dict[str, int]:
    """Sums of a list of payments by what the bank said."""
    sums = {
        f"{state.value}_fen": Coalesce(Sum("amount_fen", filter=Q(state=state)), Value(0)) for state in PayoutLineState
    }
    return rows.order_by().aggregate(**sums)


def payment_of(actor: Actor, key: str) -> PayoutLine | None:
    """The last payment of something that the actor sees: a district sees what the city paid for it."""
    with beside(actor):
        return _with_batch(PayoutLine.objects.filter(key=key).order_by("-pk").first())


def _with_batch(line: PayoutLine | None) -> PayoutLine | None:
    """Read a payment with its batch and its account: a body sees its own payment, but not the batch, which pays others, too."""
    if line is None:
        return None
    with scope(reader(line.div)):
        return PayoutLine.objects.select_related("account", "payout", "provider", "posting").get(pk=line.pk)


def accounts(actor: Actor) -> QuerySet[BankAccount]:
    """Accounts of payees the actor may see: those to be confirmed first."""
    require(actor, "settlement.account.view")
    rows = BankAccount.objects.visible_to(actor).select_related("organisation", "proposed_by", "confirmed_by")
    return rows.order_by(F("confirmed_by_id").asc(nulls_first=True), "-id")


def accounts_of(owed: Iterable[Payable], day: date) -> dict[str, BankAccount]:
    """The confirmed account of each payee on a day, by the key of what is owed."""
    owed = list(owed)
    bodies = {one.provider_id for one in owed if one.provider_id}
    elders = {one.elder_id for one in owed if one.elder_id and not one.provider_id}
    rows = BankAccount.objects.filter(
        in_force(day), Q(organisation__in=bodies) | Q(elder__in=elders), confirmed_by__isnull=False
    )
    of_body, of_elder = {}, {}
    for row in rows:
        if row.organisation_id:
            of_body[row.organisation_id] = row
        else:
            of_elder[row.elder_id] = row
    found = {one.key: of_body.get(one.provider_id) if one.provider_id else of_elder.get(one.elder_id) for one in owed}
    return {key: row for key, row in found.items() if row is not None}


def bank_file(row: Payout) -> bytes:
    """The file of a batch for the bank, with numbers in clear: only its export asks for it."""
    lines = PayoutLine.objects.filter(payout=row).select_related("account")
    return bankfile.write(
        row.code,
        [
            Transfer(
                line.pk, line.account.holder, line.account.unseal_field("number"), line.account.bank, line.amount_fen,
                f"{row.code} {_number_in(line.text)}",
            )
            for line in lines
        ],
    )  # fmt: skip


def _number_in(text: str) -> str:
    """The number with which the text of a payable begins: without the name of anybody, for the bank to pass on."""
    return text.partition(" ")[0]


@dataclass(frozen=True)
class BankPreview:
    """A bank's answer as it would be read: its lines and every fault."""

    results: Sequence[Result]
    problems: Sequence[Problem]
    table: Table

    @property
    def left(self) -> Sequence[Left]:
        """The lines that say nothing of a payment."""
        return self.table.left

    @property
    def paid_fen(self) -> int:
        """What the bank says it has paid."""
        return sum(one.amount_fen for one in self.results if one.state == "paid")

    @property
    def failed_fen(self) -> int:
        """What the bank says it could not pay."""
        return sum(one.amount_fen for one in self.results if one.state == "failed")


def preview_return(actor: Actor, row: Payout, file: Opened) -> BankPreview:
    """Read the bank's answer without anything counting."""
    require(actor, "settlement.payout.answer", div=row.div)
    table = file.table()
    results, problems = bankfile.read(table, batch=row.code)
    found = bankfile.check(results, as_paid(PayoutLine.objects.filter(payout=row)), batch=row.code)
    return BankPreview(results, named(table, [*problems, *found]), table)


def as_paid(rows: Iterable[PayoutLine]) -> dict[int, Paid]:
    """Return payments as the rules see them."""
    return {line.pk: Paid(str(line.state), line.amount_fen) for line in rows}
