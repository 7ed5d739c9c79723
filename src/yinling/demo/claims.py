"""What an insurer answers to the made-up claims: paid, refused and sent again, appealed or left to decide, not answered yet."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable
from datetime import timedelta

from yinling.demo.applications import Clerks
from yinling.directory.queries import system_actor
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.settlement.models import Claim, ClaimLine, Statement
from yinling.settlement.operations import (
    appeal_claim_line,
    load_remittance,
    register_invoice,
    resubmit_claim,
    submit_claim,
)
from yinling.settlement.remitting import HEADS

REFUSED, WHY = "106", "签退定位与住址不符，请补充说明"
APPEAL = "当日系统定位漂移，附现场照片和老人签字"


def load_claims(clerks: Clerks, area: str, ago: float) -> None:
    """Claim every approved statement of an insurer and let the insurer answer. ``ago`` is when the first was sent, in days."""
    with scope(system_actor(area)):
        payers = parameter("claims.payers", area, local_date(clerks.now))
        rows = list(Statement.objects.filter(payer__in=payers, state="approved").order_by("pk"))
    rows.sort(key=lambda row: (payers.index(row.payer), -row.line_count))
    for number, row in enumerate(rows):
        claim = clerks.act("finance", ago, submit_claim, statement_id=row.pk)
        if number == 0:
            _answer(clerks, area, claim, ago * 0.7, refused=1)
            again = clerks.act(
                "finance", ago * 0.6, resubmit_claim, claim_id=claim.pk, reason="已补充定位说明和现场照片"
            )
            _answer(clerks, area, again, ago * 0.3, refused=0)
        elif number == 1:
            lines = _answer(clerks, area, claim, ago * 0.6, refused=1)
            clerks.act("finance", ago * 0.5, appeal_claim_line, claim_line_id=lines[-1].pk, text=APPEAL)
        elif number == 2:  # noqa: PLR2004 - the third waits for somebody to decide what becomes of its refused line
            _answer(clerks, area, claim, ago * 0.6, refused=1)
    for row in rows[:1]:
        day = local_date(clerks.now - timedelta(days=ago))
        clerks.act(
            "finance",
            ago * 0.5,
            register_invoice,
            statement_id=row.pk,
            number=f"YS{row.pk:08d}",
            issued_on=day,
            amount_fen=row.payable_fen,
        )


def _answer(clerks: Clerks, area: str, claim: Claim, ago: float, *, refused: int) -> list[ClaimLine]:
    """Load the insurer's file: all lines paid but the last ones."""
    with scope(system_actor(area)):
        lines = list(ClaimLine.objects.filter(claim=claim).order_by("number"))
    paid = len(lines) - refused
    rows = [
        (claim.code, line.number, yuan(line.claimed_fen if place < paid else 0), *(("", "") if place < paid else (REFUSED, WHY)))
        for place, line in enumerate(lines)
    ]  # fmt: skip
    clerks.act(
        "finance", ago, load_remittance, payer=claim.payer, name=f"{claim.code}回盘.csv", content=sheet(HEADS, rows)
    )
    return lines


def yuan(fen: int) -> str:
    """Write an amount as banks and insurers do: no separators, two decimals."""
    return f"{fen // 100}.{fen % 100:02d}"


def sheet(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a file from outside as a page hands it over."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([tuple(heads), *rows])
    return base64.b64encode(text.getvalue().encode("utf-8-sig")).decode()
