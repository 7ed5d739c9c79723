"""Reading a payer's file of answers: all of it or nothing, and every file once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import explain_constraint, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.settlement import remitting
from yinling.settlement.files import MOST_BYTES, bytes_of, explain
from yinling.settlement.models import Claim, ClaimLine, Remittance
from yinling.settlement.operations.answers import answer_lines
from yinling.settlement.operations.layouts import LayoutSaid
from yinling.settlement.queries.claims import as_known, known_lines, refusal_reasons
from yinling.settlement.queries.files import table_of
from yinling.settlement.queries.statements import STATEMENT_PAYERS
from yinling.settlement.remitting import Answer

explain_constraint("settlement_remittance_digest_key", "remittance.again", N_("这份文件刚刚已由他人导入，请刷新页面"))


@operation("settlement.remittance.load", label=N_("导入回盘文件"))
def load_remittance(
    *,
    actor: Actor,
    now: datetime,
    payer: Annotated[str, Input(N_("付费方"), choices=STATEMENT_PAYERS, widget="choice")],
    name: Annotated[str, Input(N_("文件名"))],
    content: Annotated[str, Input(N_("文件"), max_length=MOST_BYTES * 2)],
    layout: LayoutSaid = None,
) -> Remittance:
    """Apply a file of answers. Nothing counts while one line is wrong; the same file again changes nothing. ``content`` is base64."""
    require(actor, "settlement.remittance.load", div=actor.div)
    data = bytes_of(content)
    digest = hashlib.sha256(data).hexdigest()
    known = Remittance.objects.filter(digest=digest).first()
    if known is not None:
        record(
            actor=actor,
            now=now,
            event="settlement.remittance.load",
            subject=known,
            changes={"again": [None, name[:200]]},
        )
        return known
    answers, problems = remitting.read(table_of(actor, "remittance", data, local_date(now), layout))
    lines = _locked(answers)
    problems += remitting.check(
        answers, as_known(lines), payer=payer, reasons=refusal_reasons(actor.div or "", local_date(now))
    )
    if problems:
        raise Refused(
            "remittance.wrong",
            N_("文件有 %(count)s 处错误（第 %(lines)s 行），全部改正前不会入账"),
            field="content",
            **explain(problems),
        )
    fresh = [
        (lines[one.address], one)
        for one in answers
        if not as_known({one.address: lines[one.address]})[one.address].is_repeat(one)
    ]
    return _load(actor, now, payer=payer, name=name, digest=digest, answers=answers, fresh=fresh)


def _load(
    actor: Actor, now: datetime, *, payer: str, name: str, digest: str, answers: Sequence[Answer], fresh: Sequence[tuple[ClaimLine, Answer]]
) -> Remittance:  # fmt: skip
    if actor.user_id is None or actor.div is None:
        raise Refused("remittance.nobody", N_("请用管辖一个区划的财务角色导入"))
    row = Remittance.objects.create(
        div=actor.div, payer=payer, name=name.strip()[:200] or "-", digest=digest, line_count=len(answers),
        paid_fen=sum(answer.paid_fen - line.paid_fen for line, answer in fresh), refused_count=sum(bool(answer.refusal) for _line, answer in fresh),
        loaded_by_id=actor.user_id, loaded_at=now,
    )  # fmt: skip
    answer_lines(actor, now, fresh, key=f"remittance:{row.pk}")
    changes = {
        "paid_fen": [None, row.paid_fen], "lines": [None, row.line_count], "fresh": [None, len(fresh)], "refused": [None, row.refused_count],
        "digest": [None, digest],
    }  # fmt: skip
    record(actor=actor, now=now, event="settlement.remittance.load", subject=row, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _locked(answers: Sequence[Answer]) -> dict[tuple[str, int], ClaimLine]:
    """Return the lines that a file names, locked: first the claims, then the lines, each by number, so that two files wait for each other."""
    found = known_lines(answers)
    claims = sorted({row.claim_id for row in found.values()})
    list(Claim.objects.select_for_update().filter(pk__in=claims).order_by("pk").values_list("pk"))
    list(ClaimLine.objects.select_for_update(of=("self",)).filter(claim__in=claims).order_by("pk").values_list("pk"))
    return known_lines(answers)
