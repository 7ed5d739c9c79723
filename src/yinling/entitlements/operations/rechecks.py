"""Looking again whether holders still meet the conditions, and telling them before an entitlement runs out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.queries import working_calendar
from yinling.directory.rules import known_choice, person_of, require, required_text
from yinling.entitlements.models import Entitlement, Recheck
from yinling.entitlements.operations.grants import Until, end, verdict
from yinling.entitlements.operations.pushes import tell_elder_side
from yinling.entitlements.procedure import recheck_due
from yinling.entitlements.queries.procedures import procedure_of
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

Outcome = Annotated[str, Input(N_("复核结论"), choices=Recheck.OUTCOMES, widget="radio")]
Findings = Annotated[str, Input(N_("复核情况"), help=N_("终止时写明原因，会告知本人"), max_length=500, widget="area")]
LastDay = Annotated[
    Until | None, Input(N_("终止日期"), help=N_("终止时填写，最后一天，含当日；不填为今天"), widget="date")
]


@operation("entitlements.entitlement.recheck", label=N_("复核"))
def recheck_entitlement(
    *, actor: Actor, now: datetime, entitlement_id: Id, outcome: Outcome, findings: Findings, valid_to: LastDay = None, seen: Seen = None
) -> Recheck:  # fmt: skip
    """Keep an entitlement until the next re-check, or end it; who does not meet the conditions any more cannot be kept."""
    row = locked(Entitlement.objects.filter(recorded_to=None).select_related("elder", "scheme"), entitlement_id, seen)
    require(actor, "entitlements.entitlement.recheck", div=row.div)
    known_choice(outcome, Recheck.OUTCOMES, "outcome")
    found, today, due = required_text(findings, "findings", most=500), local_date(now), row.recheck_on
    if row.valid_to is not None and row.valid_to <= today:
        raise Refused("recheck.over", N_("此项待遇已经结束，不需要复核"))
    if outcome == "keep":
        _keep(now, row)
    else:
        changed(row, now=now, recheck_on=None)
        end(actor, now, row, valid_to or today, found)
        text = N_("您的“%(scheme)s”经复核于%(day)s终止：%(why)s。") % {
            "scheme": row.scheme.name, "day": (valid_to or today).isoformat(), "why": found,
        }  # fmt: skip
        tell_elder_side(now=now, elder=row.elder, key=f"entitlement:{row.pk}:ended", title=N_("待遇终止"), text=text)
    done = Recheck.objects.create(
        div=row.div, entitlement=row, elder_id=row.elder_id, due_on=due, outcome=outcome, findings=found, checked_by_id=person_of(actor),
        checked_at=now,
    )  # fmt: skip
    changes = {"outcome": [None, outcome], "recheck_on": [str(due), str(row.recheck_on)]}
    record(actor=actor, now=now, event="entitlements.entitlement.recheck", subject=row, changes=changes, reason=found)
    tell("applications", pk=row.pk, div=row.div)
    return done


def _keep(now: datetime, row: Entitlement) -> None:
    today = local_date(now)
    answer = verdict(row.elder, row.scheme, today)
    if not answer.is_eligible:
        raise Refused(
            f"recheck.{answer.code}",
            N_("不再符合条件（%(why)s），只能终止，或先更正档案"),
            field="outcome",
            why=answer.sentence,
        )
    procedure = procedure_of(row.scheme.code, row.div, today)
    months = procedure.recheck_months if procedure else None
    changed(row, now=now, recheck_on=recheck_due(working_calendar(), today, months) if months else None)


def remind_of_end(now: datetime, row: Entitlement) -> None:
    """Tell the elder side once that an entitlement runs out and can be applied for anew."""
    last = row.valid_to - ONE_DAY if row.valid_to else None
    text = N_("您的“%(scheme)s”到%(day)s为止。如需继续享受，请在此之前到社区办理续办申请。") % {
        "scheme": row.scheme.name,
        "day": str(last),
    }
    tell_elder_side(
        now=now, elder=row.elder, key=f"entitlement:{row.pk}:expiry:{last}", title=N_("待遇即将到期"), text=text
    )
