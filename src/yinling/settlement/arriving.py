"""How money that arrives from a payer pays what it owes: the oldest statement first, what is left over kept for the next ones. Pure.

Receipts come one by one or as the lines of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from yinling.kernel.inputs import meant_day
from yinling.kernel.words import N_
from yinling.people.mapping import plain_head
from yinling.settlement import files
from yinling.settlement.files import Problem, amount_of
from yinling.settlement.rules import PAYER_FUNDS, shared_out
from yinling.settlement.sharing import Part, Parts
from yinling.settlement.tables import SKIP, Field, Left, Table, own_heads

AGES = (30, 60, 90)
"""Days after which what is owed moves into the next column of the ageing table."""
FIELDS = (
    Field("on", N_("到账日期"), "day", is_needed=True), Field("note", N_("银行回单号"), "code", is_needed=True),
    Field("payer", N_("付款方"), is_needed=True), Field("fund", N_("资金来源")),
    Field("amount_fen", N_("金额"), "money", is_needed=True), Field("div", N_("区划"), "code"), Field("statements", N_("对账单")),
    Field("out", N_("支出金额"), "money", is_own=False), Field("mark", N_("借贷标志"), is_own=False, has_words=True),
    Field("purpose", N_("用途或摘要"), is_own=False),
)  # fmt: skip
HEADS = own_heads(FIELDS)
NO_NAME = N_("没有这个名称，请照下载的表填写")
NO_PAYER = N_("请先在“对应关系”里说明这一行是谁付的什么资金")
IN, OUT = "in", "out"
MARK = "借贷标志"
ROUNDED = re.compile(r"\d(\.\d+)?E\+\d+", re.ASCII | re.IGNORECASE)
"""What a spreadsheet makes of a long number."""
COLUMNS = dict(zip(("on", "note", "payer", "fund", "amount_fen", "div", "statements"), HEADS, strict=True))
"""The column of a file that each input of the form is written in."""


@dataclass(frozen=True)
class Owed:
    """What a payer owes of one statement out of one fund, by the dimensions of the ledger. What was taken back afterwards is negative."""

    provider_id: int
    month: date
    parts: Parts
    code: str = ""
    div: str = ""

    @property
    def fen(self) -> int:
        """All of it."""
        return sum(self.parts.values())


@dataclass(frozen=True)
class Paid:
    """What of the money goes to one part of a statement; without a provider it is kept, or taken from what was kept (negative)."""

    part: Part
    fen: int
    provider_id: int | None = None
    month: date | None = None
    code: str = ""
    div: str = ""


@dataclass(frozen=True)
class Receipt:
    """What is written on one receipt of a bank, and what the money is for: the statements named, or the oldest of an area."""

    payer: str
    fund: str
    fen: int
    on: date
    paper: str
    area: str
    codes: frozenset[str] = frozenset()
    place: int = 0


def read(
    table: Table, payers: Mapping[str, str], funds: Mapping[str, str], area: str
) -> tuple[list[Receipt], list[Problem]]:
    """Return the receipts of a file and the cells that cannot be read; payers and funds by name or code, ``area`` where none is written."""
    by_name = [
        {name: code for code, name in names.items()} | {code: code for code in names} for names in (payers, funds)
    ]

    def receipt(place: int, row: list[str]) -> Receipt | Problem:
        on, paper, sender, source, amount, div, codes = row
        day = meant_day(on)
        if ROUNDED.fullmatch(paper):
            return Problem(place, HEADS[1], "arrival.rounded", N_("回单号被表格软件改成了科学计数，请按文本格式重填"))
        if day is None:
            return Problem(place, HEADS[0], "arrival.unreadable_day", N_("看不懂这个日期，请写成 2026-06-30"))
        payer = by_name[0].get(sender, "")
        fund = by_name[1].get(source, "") if source else PAYER_FUNDS.get(payer, "")
        for column, known in ((2, payer), (3, fund)):
            if not known:
                return Problem(place, HEADS[column], "arrival.unknown_name", NO_NAME if table.is_own else NO_PAYER)
        fen = amount_of(amount, place, HEADS[4])
        if isinstance(fen, Problem):
            return fen
        return Receipt(payer, fund, fen, day, paper, div or area, codes_in(re.split(r"[\s,，、;；]+", codes)), place)

    return files.read(table, receipt)


def incoming(table: Table, words: Mapping[str, Mapping[str, str]]) -> tuple[Table, list[Problem]]:
    """Return the lines of a bank's own export by which money came, what is left out, and the lines that say both.

    Who paid is known by the name on the line, with what is written as its purpose if the file tells it: of that the figures do not count,
    so that the same purpose of next month is known again. Our own files are left as they are.
    """
    if table.is_own:
        return table, []
    rows, left, problems = [], [], []
    for place, cells in table.rows:
        fen, out = (_fen(cells.get(code, "")) for code in ("amount_fen", "out"))
        who = " ".join(
            text
            for text in (cells.get("payer", ""), re.sub(r"[\d年月日]", "", cells.get("purpose", "")))
            if text.strip()
        )
        if "mark" in cells and cells["mark"] not in (IN, OUT):
            problems.append(
                Problem(place, MARK, "arrival.mark", N_("看不懂这一行是收入还是支出，请在“对应关系”里说明"))
            )
        elif fen and out:
            problems.append(
                Problem(place, HEADS[4], "arrival.both", N_("同一行既有收入又有支出，请核对各列的对应关系"))
            )
        elif cells.get("mark") == OUT or out:
            left.append(Left(place, "out", who, out or fen))
        elif fen < 0:
            left.append(Left(place, "reversal", who, fen, cells.get("note", "")))
        else:
            rows.append((place, {**cells, "payer": who}))
    payers = {**words.get("payer", {}), **table.layout.words.get("payer", {})}
    return _paid_by(replace(table, rows=rows, left=[*table.left, *left]), payers), problems


def _paid_by(table: Table, payers: Mapping[str, str]) -> Table:
    """Put payer and fund (``payer/fund``) for who is named; leave out what is not registered here."""
    rows, left = [], list(table.left)
    for place, cells in table.rows:
        payer, _slash, fund = payers.get(plain_head(cells["payer"]), cells["payer"]).partition("/")
        if payer == SKIP:
            left.append(Left(place, "skip", cells["payer"], _fen(cells.get("amount_fen", "")), cells.get("note", "")))
        else:
            rows.append((place, {**cells, "payer": payer, "fund": fund or cells.get("fund", "")}))
    return replace(table, rows=rows, left=left)


def _fen(text: str) -> int:
    """Return an amount, 0 for one that cannot be read: that is said when the line is."""
    found = amount_of(text, 0, "") if text else 0
    return 0 if isinstance(found, Problem) else found


def codes_in(texts: Iterable[str]) -> frozenset[str]:
    """Return the numbers of statements as they are written everywhere."""
    return frozenset(code for text in texts if (code := text.strip().upper()))


def allotted(fen: int, owed: Iterable[Owed], kept: int, *, spare: Part) -> list[Paid]:
    """Divide money over statements in their order. ``kept`` came before and pays with it; ``spare`` is the part that what is left belongs to."""
    found, left = [], fen + kept
    for one in owed:
        parts = one.parts
        if one.fen > left:
            parts = dict(shared_out(sorted(parts.items(), key=lambda each: each[0].order), left))
        found += [
            Paid(part, amount, one.provider_id, one.month, one.code, one.div)
            for part, amount in parts.items()
            if amount
        ]
        left -= sum(parts.values())
        if left <= 0:
            break
    return [*found, Paid(spare, left - kept)] if left != kept else found


def aged(balance: int, fresh: Sequence[int]) -> tuple[int, ...]:
    """Divide what is open by age: money that came paid the oldest first, so what is open is the newest. ``fresh`` is owed since, by window."""
    found, rest = [], max(0, balance)
    for debit in fresh:
        found.append(max(0, min(rest, debit)))
        rest -= found[-1]
    return (*found, rest)
