"""What receipts of a bank would pay, one after the other: the same for one that is booked, for a file, and for its preview."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from django.db.models import Exists, OuterRef, Q

from yinling.directory.models import Area
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import EARLIEST
from yinling.kernel.money import yuan
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.queries.names import reader
from yinling.settlement import arriving
from yinling.settlement.arriving import COLUMNS, Owed, Paid, Receipt, allotted
from yinling.settlement.files import Problem, named
from yinling.settlement.models import Posting, Statement, Transfer
from yinling.settlement.queries.arrivals import KIND, kept, owed_out_of, unpaid
from yinling.settlement.queries.claims import claim_payers
from yinling.settlement.queries.files import Opened, known_words
from yinling.settlement.queries.ledger import FUND_CHOICES
from yinling.settlement.queries.statements import STATEMENT_PAYERS
from yinling.settlement.rules import MOST_FEN
from yinling.settlement.sharing import Part, less
from yinling.settlement.tables import Left, Table

SENDERS = [*STATEMENT_PAYERS, (Transfer.TREASURY, dict(Transfer.SENDERS)[Transfer.TREASURY])]
AT_ONCE = 50
MOST_PAPER = 60
MOST_LINES = 500
"""Each line is a posting of its own, and all of a file are booked together."""


def key_of(one: Receipt) -> str:
    """Return under which a receipt is known in its city."""
    return f"{KIND}:{one.area[:4]}:{one.paper}"


@dataclass
class Desk:
    """Where receipts are laid on what is owed, one after the other. It remembers what each of them paid, and writes nothing."""

    actor: Actor
    today: date
    statements: dict[tuple[str, str], list[Statement]] = field(default_factory=dict)
    owed: dict[tuple[str, str], Owed] = field(default_factory=dict)
    before: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def lay(self, one: Receipt) -> list[Paid]:
        """Return what a receipt pays; refuse what cannot be on one, and what the named statements do not owe."""
        _check(one, self.actor, self.today)
        source = (one.payer, one.fund, one.area)
        kept_before = 0 if one.codes else self._kept(source)
        chosen: Iterable[Owed] = self._owed(one.fund, self._chosen(one))
        if one.codes:
            chosen = list(chosen)
            _check_left(one, sum(each.fen for each in chosen))
        paid = allotted(one.fen, chosen, kept_before, spare=Part("eldercare", one.fund, None, one.on.year))
        self._remember(source, paid)
        return paid

    def _kept(self, source: tuple[str, str, str]) -> int:
        if source not in self.before:
            self.before[source] = kept(self.actor, *source)
        return self.before[source]

    def _chosen(self, one: Receipt) -> list[Statement]:
        """The statements that money may pay, oldest first; those named, if any are."""
        asked = (one.payer, one.area)
        if asked not in self.statements:
            self.statements[asked] = [each.statement for each in unpaid(self.actor, *asked)]
        found = self.statements[asked]
        if unknown := one.codes - {row.code for row in found}:
            raise Refused(
                "arrival.statement", N_("这些不是这个付费方、这个区划未付清的对账单：%(codes)s"), field="statements",
                codes="、".join(sorted(unknown)),
            )  # fmt: skip
        return [row for row in found if not one.codes or row.code in one.codes]

    def _owed(self, fund: str, statements: Sequence[Statement]) -> Iterator[Owed]:
        """What is owed of statements out of a fund, read as far as it is asked for."""
        for start in range(0, len(statements), AT_ONCE):
            some = statements[start : start + AT_ONCE]
            fresh = [row for row in some if (row.code, fund) not in self.owed]
            self.owed |= {(each.code, fund): each for each in owed_out_of(self.actor, fund, fresh)} if fresh else {}
            yield from (self.owed[row.code, fund] for row in some)

    def _remember(self, source: tuple[str, str, str], paid: Sequence[Paid]) -> None:
        for one in paid:
            if not one.code:
                self.before[source] = self._kept(source) + one.fen
                continue
            owed = self.owed[one.code, source[1]]
            self.owed[one.code, source[1]] = replace(owed, parts=less(owed.parts, {one.part: one.fen}))


def _check(one: Receipt, actor: Actor, today: date) -> None:
    """Refuse what cannot be on a receipt, and payers whose money is booked from their answers."""
    required_text(one.paper, "note", most=MOST_PAPER)
    known_choice(one.payer, SENDERS, "payer")
    known_choice(one.fund, FUND_CHOICES, "fund")
    if not actor.covers(one.area) or not Area.objects.filter(pk=one.area).exists():
        raise Refused("arrival.area", N_("没有这个区划，请从列表中选择"), field="div")
    if one.payer in claim_payers(one.area, today):
        raise Refused("arrival.by_claim", N_("这个付费方按申报付款，请导入它的回盘文件，到账随之入账"), field="payer")
    if not EARLIEST <= one.on <= today:
        raise Refused("arrival.day", N_("到账日期不能晚于今天"), field="on")
    if not 0 < one.fen <= MOST_FEN:
        raise Refused("arrival.amount", N_("到账金额应大于 0，且不超过 1 亿元"), field="amount_fen")


def _check_left(one: Receipt, left: int) -> None:
    if one.fen > left:
        raise Refused(
            "arrival.too_much",
            N_("这些对账单用这项资金还应付 %(left)s 元，少于到账金额，请核对"),
            field="amount_fen",
            left=yuan(left),
        )


def known_receipts(area: str, receipts: Iterable[Receipt]) -> dict[str, Transfer]:
    """Which of some receipts are registered already, by key: one receipt of a city may come to two of its districts."""
    with scope(reader(area)):
        return {row.key: row for row in Transfer.objects.filter(key__in={key_of(one) for one in receipts})}


@dataclass(frozen=True)
class Line:
    """One receipt of a file: what it pays, whether it is registered already, and which other one looks like it."""

    receipt: Receipt
    paid: Sequence[Paid]
    is_known: bool = False
    twin: str = ""
    taken_back: int = 0
    """The line of the file by which the bank takes as much back."""

    @property
    def statements(self) -> dict[str, int]:
        """What goes to each statement, by its number."""
        sums: dict[str, int] = {}
        for one in self.paid:
            if one.code:
                sums[one.code] = sums.get(one.code, 0) + one.fen
        return sums

    @property
    def kept_fen(self) -> int:
        """What is kept for later statements; negative where earlier money pays with it."""
        return sum(one.fen for one in self.paid if not one.code)

    @property
    def is_doubtful(self) -> bool:
        """Whether somebody should look twice before it is booked: it may be another's money, or the same money twice."""
        is_kept = self.kept_fen > 0 and self.receipt.payer != Transfer.TREASURY
        return not self.is_known and (bool(self.twin) or bool(self.taken_back) or is_kept)


@dataclass(frozen=True)
class Read:
    """What a file says: its table, the receipts in it, the cells that cannot be read."""

    table: Table
    receipts: Sequence[Receipt]
    problems: Sequence[Problem]


@dataclass(frozen=True)
class Preview:
    """A file of receipts as it would be booked: its lines and every fault."""

    lines: Sequence[Line]
    problems: Sequence[Problem]
    table: Table

    @property
    def left(self) -> Sequence[Left]:
        """The lines that register nothing."""
        return self.table.left

    @property
    def fresh(self) -> list[Line]:
        """The lines that are not registered yet."""
        return [one for one in self.lines if not one.is_known]

    @property
    def new_fen(self) -> int:
        """What the file would book."""
        return sum(one.receipt.fen for one in self.fresh)

    @property
    def doubtful_count(self) -> int:
        """How many lines somebody should look at twice."""
        return sum(one.is_doubtful for one in self.lines)


def preview_arrivals(actor: Actor, file: Opened, today: date) -> Preview:
    """Read a file without anything counting."""
    require(actor, "settlement.transfer.load")
    return laid_out(actor, read_receipts(actor, file.table(), today), today)


def read_receipts(actor: Actor, table: Table, today: date) -> Read:
    """Return what a file says; without an area it is that of whoever reads."""
    words = known_words(actor.div or "", "arrival", today)
    came, faults = arriving.incoming(table, words)
    receipts, problems = arriving.read(came, dict(SENDERS), dict(FUND_CHOICES), actor.div or "")
    return Read(came, receipts, [*faults, *problems])


def laid_out(actor: Actor, file: Read, today: date) -> Preview:
    """Lay every receipt of a file on what the ones before it left; find every fault. Nothing may count while there is one."""
    receipts = file.receipts
    known = known_receipts(actor.div or "", receipts)
    if sum(key_of(one) not in known for one in receipts) > MOST_LINES:
        raise Refused(
            "arrival.too_many",
            N_("一次最多登记 %(most)s 笔新的到账，请按日期把文件拆开"),
            field="content",
            most=MOST_LINES,
        )
    twins = _looking_alike(actor, receipts)
    taken_back = {-one.fen: one.place for one in file.table.left if one.why == "reversal"}
    desk, lines, faults = Desk(actor, today), [], list(file.problems)
    places: dict[str, int] = {}
    for one in receipts:
        mark = (one.payer, one.fen, one.on)
        try:
            _check_once(one, places.setdefault(one.paper, one.place))
            row = known.get(key_of(one))
            lines.append(
                _known(one, row) if row else Line(one, desk.lay(one), twin=twins.get(mark, ""), taken_back=taken_back.get(one.fen, 0))
            )  # fmt: skip
        except Refused as refusal:
            column = COLUMNS.get(refusal.field or "", "")
            faults.append(Problem(one.place, column, refusal.code, refusal.template, dict(refusal.values)))
        twins.setdefault(mark, one.paper)
    return Preview(lines, named(file.table, faults), file.table)


def _check_once(one: Receipt, first: int) -> None:
    if first != one.place:
        raise Refused("arrival.twice", N_("本文件第 %(first)s 行已有这个回单号"), field="note", first=first)


def _known(one: Receipt, row: Transfer) -> Line:
    """Return the line of a receipt that is registered already; refuse one that is registered with other content."""
    if (row.payer, row.amount_fen, local_date(row.proposed_at)) != (one.payer, one.fen, one.on):
        raise Refused("arrival.known", N_("这个银行回单号已经登记过，请核对"), field="note")
    return Line(one, [], is_known=True)


def _looking_alike(actor: Actor, receipts: Sequence[Receipt]) -> dict[tuple[str, int, date], str]:
    """Money of the same payer, day and amount that stands under another number."""
    rows = Transfer.objects.visible_to(actor).filter(
        ~Q(key__in={key_of(one) for one in receipts}), ~Exists(Posting.objects.filter(reverses=OuterRef("posting"))),
        kind=KIND, payer__in={one.payer for one in receipts}, amount_fen__in={one.fen for one in receipts},
    )  # fmt: skip
    return {(row.payer, row.amount_fen, local_date(row.proposed_at)): row.note for row in rows}
