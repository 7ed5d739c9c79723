"""A payer's answers to claims: reading the file and finding every fault before anything counts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from yinling.kernel.words import N_
from yinling.settlement import files
from yinling.settlement.files import Problem, amount_of, number_of
from yinling.settlement.tables import Field, Table, own_heads

FIELDS = (
    Field("claim", N_("申报编号"), "code", is_needed=True), Field("number", N_("行号"), "code", is_needed=True),
    Field("paid", N_("累计支付金额"), "money", is_needed=True), Field("refusal", N_("拒付代码"), is_needed=True, has_words=True),
    Field("text", N_("说明")),
)  # fmt: skip
HEADS = own_heads(FIELDS)
OPEN = ("submitted", "appealed")
MOST_TEXT = 300


@dataclass(frozen=True)
class Answer:
    """What a payer says of one line: how much is paid of it in all, and by which numbered reason the rest is refused."""

    place: int
    claim: str
    number: int
    paid_fen: int
    refusal: str
    text: str

    @property
    def address(self) -> tuple[str, int]:
        """Which line is meant."""
        return self.claim, self.number


@dataclass(frozen=True)
class Known:
    """A line of a claim as it stands."""

    pk: int
    payer: str
    state: str
    claimed_fen: int
    paid_fen: int
    refusal: str

    def is_repeat(self, answer: Answer) -> bool:
        """Whether an answer says what is on record already."""
        return self.state not in OPEN and (self.paid_fen, self.refusal) == (answer.paid_fen, answer.refusal)


def read(table: Table) -> tuple[list[Answer], list[Problem]]:
    """Return the answers of a file and the cells that cannot be read."""
    return files.read(table, _answer)


def _answer(place: int, row: list[str]) -> Answer | Problem:
    claim, number, paid, refusal, text = row
    line = number_of(number)
    if line is None:
        return Problem(place, HEADS[1], "remittance.number", N_("行号应为整数"))
    fen = amount_of(paid, place, HEADS[2])
    if isinstance(fen, Problem):
        return fen
    return Answer(place, claim, line, fen, refusal, text[:MOST_TEXT])


def check(
    answers: Iterable[Answer], known: Mapping[tuple[str, int], Known], *, payer: str, reasons: Collection[str]
) -> list[Problem]:
    """Return every fault of a file's answers, in its order. Nothing may count while there is one."""
    problems: list[Problem] = []
    seen: dict[tuple[str, int], int] = {}
    for answer in answers:
        first = seen.setdefault(answer.address, answer.place)
        line = known.get(answer.address)
        if first != answer.place:
            problems.append(
                Problem(
                    answer.place,
                    HEADS[1],
                    "remittance.twice",
                    N_("本文件第 %(first)s 行已回复这一行"),
                    {"first": first},
                )
            )
        elif line is None:
            problems.append(Problem(answer.place, HEADS[0], "remittance.unknown", N_("没有这个申报编号和行号")))
        elif (problem := _fault(answer, line, payer, reasons)) is not None:
            problems.append(problem)
    return problems


def _fault(answer: Answer, line: Known, payer: str, reasons: Collection[str]) -> Problem | None:
    """Return what is wrong with one answer to a known line."""
    if line.payer != payer:
        return Problem(answer.place, HEADS[0], "remittance.payer", N_("这一行是向另一付费方申报的"))
    if line.is_repeat(answer):
        return None
    if line.state not in OPEN:
        return Problem(answer.place, HEADS[1], "remittance.answered", N_("这一行已有不同的回复，要更改请按申诉办理"))
    return _wrong_amount(answer, line) or _wrong_reason(answer, line, reasons)


def _wrong_amount(answer: Answer, line: Known) -> Problem | None:
    paid, claimed = answer.paid_fen, line.claimed_fen
    if claimed < 0:
        if paid in (0, claimed):
            return None
        return Problem(
            answer.place, HEADS[2], "remittance.correction", N_("扣回行的金额应与申报相同，或为 0 并写拒付代码")
        )
    if paid < 0:
        return Problem(answer.place, HEADS[2], "remittance.negative", N_("支付金额不能是负数"))
    if paid > claimed:
        return Problem(answer.place, HEADS[2], "remittance.too_much", N_("支付金额大于申报金额"))
    if paid < line.paid_fen:
        return Problem(answer.place, HEADS[2], "remittance.less", N_("累计支付金额小于已支付的金额"))
    return None


def _wrong_reason(answer: Answer, line: Known, reasons: Collection[str]) -> Problem | None:
    if answer.paid_fen == line.claimed_fen:
        if answer.refusal:
            return Problem(answer.place, HEADS[3], "remittance.contradiction", N_("全额支付的行不应有拒付代码"))
        return None
    if not answer.refusal:
        return Problem(answer.place, HEADS[3], "remittance.no_reason", N_("未全额支付的行要写拒付代码"))
    if answer.refusal not in reasons:
        return Problem(answer.place, HEADS[3], "remittance.reason", N_("没有这个拒付代码"))
    return None
