"""How money that arrives from a payer pays what it owes: the oldest statement first, what is left over kept for the next ones. Pure.

Receipts come one by one or as the lines of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from yinling.kernel.inputs import meant_day
from yinling.kernel.words import N_
from yinling.settlement import files
from yinling.settlement.files import Problem, amount_of
from yinling.settlement.rules import PAYER_FUNDS, shared_out
from yinling.settlement.sharing import Part, Parts

AGES = (30, 60, 90)
"""Days after which what is owed moves into the next column of the ageing table."""
HEADS = ("到账日期", "银行回单号", "付款方", "资金来源", "金额", "区划", "对账单")
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
    content: bytes, payers: Mapping[str, str], funds: Mapping[str, str], area: str
) -> tuple[list[Receipt], list[Problem]]:
    """Return the receipts of a file and the cells that cannot be read; payers and funds by name or code, ``area`` where none is written."""
    by_name = [
        {name: code for code, name in names.items()} | {code: code for code in names} for names in (payers, funds)
    ]

    def receipt(place: int, row: list[str]) -> Receipt | Problem:
        on, paper, sender, source, amount, div, codes = row
        day = _day(on)
        if ROUNDED.fullmatch(paper):
            return Problem(place, HEADS[1], "arrival.rounded", N_("回单号被表格软件改成了科学计数，请按文本格式重填"))
        if day is None:
            return Problem(place, HEADS[0], "arrival.unreadable_day", N_("看不懂这个日期，请写成 2026-06-30"))
        payer = by_name[0].get(sender, "")
        fund = by_name[1].get(source, "") if source else PAYER_FUNDS.get(payer, "")
        for column, known in ((2, payer), (3, fund)):
            if not known:
                return Problem(place, HEADS[column], "arrival.unknown_name", N_("没有这个名称，请照下载的表填写"))
        fen = amount_of(amount, place, HEADS[4])
        if isinstance(fen, Problem):
            return fen
        return Receipt(payer, fund, fen, day, paper, div or area, codes_in(re.split(r"[\s,，、;；]+", codes)), place)

    return files.read(content, HEADS, receipt)


def codes_in(texts: Iterable[str]) -> frozenset[str]:
    """Return the numbers of statements as they are written everywhere."""
    return frozenset(code for text in texts if (code := text.strip().upper()))


def _day(text: str) -> date | None:
    """Read a day as people, spreadsheets and banks write it: 2026-06-30, 2026/6/30, 20260630."""
    found = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{4})(\d{2})(\d{2})", text, re.ASCII)
    if found is None:
        return None
    year, month, day = (part for part in found.groups() if part)
    return meant_day(f"{year}-{month:0>2}-{day:0>2}")


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
