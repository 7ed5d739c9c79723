"""The file that goes to the bank and the one that comes back. Pure: the same batch gives the same bytes."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from yinling.kernel.words import N_
from yinling.settlement import files
from yinling.settlement.files import Problem, amount_of, number_of
from yinling.settlement.tables import Field, Table, own_heads

HEADS = ("批次号", "流水号", "收款户名", "收款账号", "开户行", "金额", "用途")
RETURN_FIELDS = (
    Field("batch", N_("批次号")), Field("number", N_("流水号"), "code", is_needed=True), Field("amount", N_("金额"), "money", is_needed=True),
    Field("result", N_("结果"), is_needed=True, has_words=True), Field("reason", N_("原因")),
)  # fmt: skip
RETURN_HEADS = own_heads(RETURN_FIELDS)
RESULTS = {"成功": "paid", "失败": "failed"}
MOST_TEXT = 200


@dataclass(frozen=True)
class Transfer:
    """One payment as the bank is told."""

    number: int
    holder: str
    account: str
    bank: str
    amount_fen: int
    text: str


def write(batch: str, transfers: Iterable[Transfer]) -> bytes:
    """Return the file: UTF-8 with mark, CRLF, amounts with two decimals and no separators, in the order of the numbers."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(HEADS)
    for one in sorted(transfers, key=lambda transfer: transfer.number):
        amount = f"{one.amount_fen // 100}.{one.amount_fen % 100:02d}"
        writer.writerow([batch, one.number, one.holder, one.account, one.bank, amount, one.text])
    return target.getvalue().encode("utf-8-sig")


def digest(content: bytes) -> str:
    """Return what tells one file from another."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Result:
    """What the bank says of one payment."""

    place: int
    batch: str
    number: int
    amount_fen: int
    state: str
    reason: str


@dataclass(frozen=True)
class Paid:
    """A payment of the batch as it stands."""

    state: str
    amount_fen: int

    def is_repeat(self, result: Result) -> bool:
        """Whether a result says what is on record already."""
        return self.state == result.state


def read(table: Table, *, batch: str) -> tuple[list[Result], list[Problem]]:
    """Return the results of a file and the cells that cannot be read. A file without a column of batches is about ``batch``."""
    results, problems = files.read(table, _result)
    return results if "batch" in table.codes else [replace(one, batch=batch) for one in results], problems


def _result(place: int, row: list[str]) -> Result | Problem:
    batch, number, amount, result, reason = row
    line = number_of(number)
    if line is None:
        return Problem(place, RETURN_HEADS[1], "bank.number", N_("流水号应为整数"))
    fen = amount_of(amount, place, RETURN_HEADS[2])
    if isinstance(fen, Problem):
        return fen
    if result not in RESULTS:
        return Problem(place, RETURN_HEADS[3], "bank.result", N_("结果应为“成功”或“失败”"))
    if RESULTS[result] == "failed" and not reason:
        return Problem(place, RETURN_HEADS[4], "bank.reason", N_("失败的付款要写原因"))
    return Result(place, batch, line, fen, RESULTS[result], reason[:MOST_TEXT])


def check(results: Iterable[Result], known: Mapping[int, Paid], *, batch: str) -> list[Problem]:
    """Return every fault of a file's results, in its order. Nothing may count while there is one."""
    problems: list[Problem] = []
    seen: dict[int, int] = {}
    for one in results:
        first = seen.setdefault(one.number, one.place)
        if first != one.place:
            problems.append(
                Problem(
                    one.place,
                    RETURN_HEADS[1],
                    "bank.twice",
                    N_("本文件第 %(first)s 行已有这个流水号"),
                    {"first": first},
                )
            )
        elif (problem := _fault(one, known.get(one.number), batch)) is not None:
            problems.append(problem)
    return problems


def _fault(result: Result, line: Paid | None, batch: str) -> Problem | None:
    if result.batch != batch:
        return Problem(result.place, RETURN_HEADS[0], "bank.batch", N_("这一行不属于本批次"))
    if line is None:
        return Problem(result.place, RETURN_HEADS[1], "bank.unknown", N_("本批次没有这个流水号"))
    if result.amount_fen != line.amount_fen:
        return Problem(result.place, RETURN_HEADS[2], "bank.amount", N_("金额与批次中的不相同"))
    if line.state == "failed" and result.state == "paid":
        return Problem(
            result.place, RETURN_HEADS[3], "bank.answered", N_("这笔付款已登记为失败，请与银行核实后另作批次")
        )
    return None
