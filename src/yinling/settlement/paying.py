"""Paying the elder's own part: which lines an amount pays, and a channel's bill compared with ours. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from yinling.kernel.money import parse_yuan, yuan
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

RECEIVED = "received.order"
"""Money that arrived for an order and is not yet offset against its settlement."""
BALANCE = "balance"
"""The channel of what is paid from money that the elder paid in beforehand."""
KINDS = {"pay": N_("付款"), "refund": N_("退款")}
MOST_ROWS = 200_000


@dataclass(frozen=True)
class Part:
    """What of one line the elder's side bears."""

    line_id: int | None
    business: str
    amount_fen: int
    service_day: date


Laid = tuple[Part, int]
"""So much of an amount on a line; taken off, it is negative."""


def onto(parts: Sequence[Part], standing: Sequence[Part], fen: int) -> list[Laid]:
    """Lay an amount onto what lines still lack, line after line; what is left over stands without a line."""
    has = {part.line_id: part.amount_fen for part in standing}
    found = []
    for part in parts:
        laid = min(fen, max(part.amount_fen - has.get(part.line_id, 0), 0))
        if laid:
            found.append((part, laid))
            fen -= laid
    if fen and parts:
        found.append((replace(parts[-1], line_id=None), fen))
    return found


def off(standing: Sequence[Part], fen: int) -> list[Laid]:
    """Take an amount off what stands: first what stands without a line, then the last line first."""
    found = []
    for part in sorted(standing, key=lambda one: (one.line_id is not None, -(one.line_id or 0))):
        taken = min(fen, part.amount_fen)
        if taken:
            found.append((part, -taken))
            fen -= taken
    return found


def off_lines(standing: Sequence[Part], wanted: Iterable[Laid]) -> list[Laid]:
    """Take as much off what stands for the same lines as others want, and what is missing there off other lines."""
    left = {(part.line_id, part.business): part for part in standing}
    found, missing = [], 0
    for part, fen in wanted:
        own = left.get((part.line_id, part.business), replace(part, amount_fen=0))
        taken = min(fen, own.amount_fen)
        if taken:
            found.append((own, -taken))
            left[part.line_id, part.business] = replace(own, amount_fen=own.amount_fen - taken)
        missing += fen - taken
    return found + off([part for part in left.values() if part.amount_fen], missing)


@dataclass(frozen=True)
class Movement:
    """One payment or refund of a day, ours or the channel's."""

    kind: str
    key: str
    number: str
    amount_fen: int

    @property
    def signed_fen(self) -> int:
        """What it adds to the account."""
        return self.amount_fen if self.kind == "pay" else -self.amount_fen


def compare(ours: Iterable[Movement], theirs: Iterable[Movement]) -> list[dict[str, Any]]:
    """Return every difference by our number: missing here, missing there, another amount, there twice."""
    mine = {(one.kind, one.key): one for one in ours}
    found: list[dict[str, Any]] = []
    seen: set[tuple[str, str]] = set()
    for one in theirs:
        place = (one.kind, one.key)
        own = mine.get(place)
        if place in seen:
            found.append(_difference("twice", one, own, one))
        elif own is None:
            found.append(_difference("missing_here", one, None, one))
        elif own.amount_fen != one.amount_fen:
            found.append(_difference("amount", one, own, one))
        seen.add(place)
    found += [_difference("missing_there", one, one, None) for place, one in mine.items() if place not in seen]
    return sorted(found, key=lambda row: (row["what"], row["kind"], row["key"]))


def _difference(what: str, one: Movement, ours: Movement | None, theirs: Movement | None) -> dict[str, Any]:
    return {
        "what": what, "kind": one.kind, "key": one.key, "number": theirs.number if theirs else one.number,
        "ours_fen": ours.amount_fen if ours else 0, "theirs_fen": theirs.amount_fen if theirs else 0,
    }  # fmt: skip


DIFFERENCES = {
    "amount": N_("金额不符"), "missing_here": N_("渠道有，平台没有"), "missing_there": N_("平台有，渠道没有"), "twice": N_("渠道重复"),
}  # fmt: skip


def write_bill(rows: Iterable[Movement]) -> str:
    """Return a bill as the text that ``read_bill`` reads."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        (one.kind, one.key, one.number, yuan(one.amount_fen)) for one in rows
    )
    return out.getvalue()


def read_bill(text: str) -> list[Movement]:
    """Read a bill: a line for each movement with kind (pay, refund, 付款, 退款), our number, the channel's, yuan. One wrong line refuses all."""
    names = {**{code: code for code in KINDS}, "付款": "pay", "退款": "refund"}
    found = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), 1):
        if not any(cell.strip() for cell in row):
            continue
        cells = [cell.strip() for cell in row]
        if len(cells) != 4 or cells[0] not in names or not cells[1]:  # noqa: PLR2004 - the columns above
            raise _wrong(number)
        try:
            fen = parse_yuan(cells[3])
        except Refused as refusal:
            raise _wrong(number) from refusal
        if fen <= 0:
            raise _wrong(number)
        found.append(Movement(names[cells[0]], cells[1], cells[2], fen))
    if len(found) > MOST_ROWS:
        raise Refused("bill.too_long", N_("账单超过 20 万笔，请按渠道分开导入"), field="text")
    return found


def _wrong(number: int) -> Refused:
    return Refused(
        "bill.line", N_("第 %(line)s 行看不懂，整份账单未导入。每行应为：付款或退款,商户单号,渠道单号,金额（元）"), field="text", line=number
    )  # fmt: skip
