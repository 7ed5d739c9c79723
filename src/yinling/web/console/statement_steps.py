"""Reviewing and approving several statements with one button: each by its own operation, in a transaction of its own; what is refused says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _

from yinling.kernel.refusals import Refusal
from yinling.kernel.words import N_
from yinling.settlement.models import Statement
from yinling.settlement.operations import approve_statement, review_statement
from yinling.settlement.queries import PAYER_NAMES, statements
from yinling.web.console.settlement import VIEW, settlement_tabs
from yinling.web.console.ticking import Ticked, ticked
from yinling.web.pages import page, render
from yinling.web.show import refusal_text

STEPS = {"review": (review_statement, N_("初审通过")), "approve": (approve_statement, N_("复核通过"))}
MOST = 100


@dataclass(frozen=True)
class Waiting:
    """The statements of a page that wait for the person, by step, and those of them that are ticked."""

    verbs: dict[int, str]
    chosen: dict[str, Ticked]
    ids: frozenset[int]

    @property
    def sum(self) -> Ticked:
        """All that is ticked."""
        payers: dict[str, tuple[int, int]] = {}
        for one in self.chosen.values():
            for payer, (count, fen) in one.payers.items():
                before = payers.get(payer, (0, 0))
                payers[payer] = (before[0] + count, before[1] + fen)
        return Ticked(
            sum(one.count for one in self.chosen.values()), sum(one.fen for one in self.chosen.values()), payers
        )


def step_of(actor: Any, row: Statement) -> str:
    """Return the step that a statement waits for from this person, if any; nobody approves what was in the own hands."""
    if row.state == "draft" and actor.has("settlement.statement.review"):
        return "review"
    if row.state == "reviewed" and actor.has("settlement.statement.approve") and actor.user_id not in row.hands:
        return "approve"
    return ""


def waiting(request: Any, rows: Sequence[Statement]) -> Waiting:
    """Return which rows of a page the person may tick, and what is ticked."""
    verbs = {row.pk: verb for row in rows if (verb := step_of(request.actor, row))}
    asked = {number for number, _seen in _asked(request.GET.getlist("chosen"))}
    if request.GET.get("all"):
        asked = set(verbs)
    found = [row for row in rows if row.pk in asked & set(verbs)]
    chosen = {verb: ticked((row.payer, row.payable_fen) for row in found if verbs[row.pk] == verb) for verb in STEPS}
    return Waiting(verbs, chosen, frozenset(row.pk for row in found))


def _asked(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Read what is ticked: number and version of each, as the person saw it."""
    found = []
    for text in texts[:MOST]:
        number, _dot, seen = text.partition(".")
        if number.isascii() and number.isdigit() and seen.isascii() and seen.isdigit() and len(text) < len("9" * 18):
            found.append((int(number), int(seen)))
    return found


@page(VIEW)
def statements_decide(request: Any) -> HttpResponse:
    """Make one step of every ticked statement; say of each whether it was done."""
    verb = request.POST.get("verb", "")
    asked = _asked(request.POST.getlist("chosen"))
    back = request.POST.get("back", "")
    back = back if back.startswith("/settlement/?") else "/settlement/"
    if verb not in STEPS or not asked:
        return HttpResponseRedirect(back)
    rows = {row.pk: row for row in statements(request.actor).filter(pk__in=[number for number, _seen in asked])}
    step, label = STEPS[verb]
    done: list[Statement] = []
    refused: list[tuple[Statement, str]] = []
    for number, seen in asked:
        row = rows.get(number)
        if row is None:
            continue
        if (row.state == "draft" and verb == "approve") or (row.state == "reviewed" and verb == "review"):
            continue  # ticked for the other button
        try:
            done.append(step(actor=request.actor, now=request.now, statement_id=number, seen=seen))
        except Refusal as refusal:
            refused.append((row, refusal_text(refusal)))
    return render(
        request, "console/statements_decided.html", verb=verb, label=label, done=[(row, rows[row.pk]) for row in done], refused=refused, back=back,
        sum=ticked((row.payer, row.payable_fen) for row in done), payers=PAYER_NAMES, tabs=settlement_tabs(request, "statements"),
        title=_("%(count)s 份已办理") % {"count": len(done)},
    )  # fmt: skip


urlpatterns = [path("settlement/statements/decide/", statements_decide)]
