"""Reviewing an application in the street, and deciding it in the county: approval, waiting list, refusal."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from yinling.directory.deciding import check_hands, explain_hands, taken_up
from yinling.directory.queries import working_calendar
from yinling.directory.rules import known_choice, required_text
from yinling.entitlements.models import Application, Budget, Entitlement, Objection
from yinling.entitlements.operations.applications import (
    amounts_of,
    assessed,
    cases,
    move,
    procedure_for,
    push,
)
from yinling.entitlements.operations.budgets import budget_of, commit, fits, require_budget
from yinling.entitlements.operations.grants import Terms, as_json, give, terms, verdict
from yinling.entitlements.procedure import (
    Procedure,
    appeal_until,
    check_batch,
    check_looked_into,
    end_of_validity,
    first_day,
    rank_of,
    recheck_due,
)
from yinling.entitlements.queries.applications import running_of, waiting_list
from yinling.entitlements.queries.procedures import source_of
from yinling.entitlements.states import ApplicationState, ObjectionState
from yinling.ground.operation import operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import DayPeriod, local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.queries import circumstances_on

explain_hands("application")
REVIEW = "entitlements.application.review"
OUTCOMES = [("pass", N_("通过")), ("return", N_("退回补正")), ("fail", N_("不予批准"))]
Outcome = Annotated[str, Input(N_("初审意见"), choices=OUTCOMES, widget="radio")]
Findings = Annotated[
    str, Input(N_("调查情况"), help=N_("写明核实的内容；退回时写明缺什么"), max_length=500, widget="area")
]
Checks = Annotated[list[str], Input(N_("已核实"), help=N_("逐项核实后勾选；有一项不符合就不能通过"))]
Ids = Annotated[list[int], Input(N_("申请"))]
Count = Annotated[int | None, Input(N_("确认件数"), help=N_("一次超过20件时填写"), least=1, widget="number")]


@operation("entitlements.application.review", label=N_("初审"))
def review_application(
    *, actor: Actor, now: datetime, application_id: Id, outcome: Outcome, findings: Findings, checks: Checks = None,  # type: ignore[assignment]
    seen: Seen = None,
) -> Application:  # fmt: skip
    """Say after looking into it whether an application goes on, lacks something, or cannot be granted."""
    row = taken_up(actor, cases(), application_id, seen, "review")
    known_choice(outcome, OUTCOMES, "outcome")
    found = required_text(findings, "findings", most=500)
    today = local_date(now)
    if outcome == "fail":
        return _refuse(actor, now, row, found, event=REVIEW)
    procedure = procedure_for(row, today)
    noted: dict[str, Any] = {"procedure": procedure, "why": found, "findings": found}
    if outcome == "return":
        move(actor, now, row, "return", event=REVIEW, reviewed_by_id=actor.user_id, reviewed_at=now, **noted)
        text = N_("您的“%(scheme)s”申请（%(number)s）还需补正：%(found)s。请在%(day)s前补齐。")
        push(now, row, "returned", text, found=found, day=str(row.due_on))
        return row
    answer = verdict(row.elder, row.scheme, today)
    if not answer.is_eligible:
        raise Refused(f"application.{answer.code}", answer.reason, field="outcome", **answer.values)
    check_looked_into(procedure, checks or [])
    given = amounts_of(as_json(answer, today, terms(row.elder, row.scheme, today)))
    move(actor, now, row, "review", checks=list(procedure.checks), **noted, **given, **assessed(row.elder, today))
    push(now, row, "reviewed", N_("您的“%(scheme)s”申请（%(number)s）已通过初审。"))
    return row


@operation("entitlements.application.approve", label=N_("批准"))
def approve_application(*, actor: Actor, now: datetime, application_id: Id, seen: Seen = None) -> Application:
    """Approve an application that a second person has reviewed and that was published without open objection.

    Without money or place in the budget it goes on the waiting list, from which it is called up when there is room.
    """
    return _approve(actor, now, taken_up(actor, cases(), application_id, seen, "approve"))


@operation("entitlements.application.approve", label=N_("批量批准"))
def approve_applications(
    *, actor: Actor, now: datetime, application_ids: Ids, confirmed_count: Count = None
) -> Application:  # fmt: skip
    """Approve several at once: all of them or none. More than twenty need their number typed beside it."""
    chosen = sorted(set(application_ids))
    check_batch(len(chosen), confirmed_count)
    rows = [taken_up(actor, cases(), pk, None, "approve") for pk in chosen]
    for row in rows:
        _approve(actor, now, row)
    return rows[0]


def _approve(actor: Actor, now: datetime, row: Application) -> Application:
    today = local_date(now)
    procedure = procedure_for(row, today)
    _check_published(row, procedure, today)
    given = _check_still_fits(row, today)
    days = _days(row, procedure, today)
    decided = {**_decision(row, today, given), **assessed(row.elder, today)}
    if procedure.has_budget:
        require_budget(row.scheme_id, row.div, days.from_.year)
    if not fits(row.scheme_id, row.div, given.cost, days.from_, days.to):
        rank = rank_of(procedure, frozenset(circumstances_on(row.elder_id, today)))
        move(actor, now, row, "queue", event="entitlements.application.approve", rank=rank, queued_at=now, **decided)
        text = N_("您的“%(scheme)s”申请（%(number)s）符合条件，目前名额已满，已按次序轮候，有名额时自动通知您。")
        push(now, row, "queued", text)
        return row
    move(actor, now, row, "approve", **decided)
    _grant(now, row, procedure, given, days)
    return row


def _check_published(row: Application, procedure: Procedure, today: date) -> None:
    """Refuse before the notice has hung its days, and while an objection is open."""
    if procedure.notice_days and row.notice is None:
        raise Refused("application.not_published", N_("%(number)s：还没有公示，请先公示"), number=row.code)
    if row.notice is not None and row.state == ApplicationState.NOTICED and today <= row.notice.last_day:
        raise Refused(
            "application.notice_running",
            N_("%(number)s：公示到%(day)s，之后才能批准"),
            number=row.code,
            day=row.notice.last_day,
        )
    if Objection.objects.filter(application=row, state=ObjectionState.OPEN).exists():
        raise Refused("application.objection", N_("%(number)s：还有异议没有处理，请先处理"), number=row.code)


def _check_still_fits(row: Application, today: date) -> Terms:
    """Refuse who did not meet the conditions on the day of the application, or does not any more; return what is given."""
    for day in sorted({local_date(row.applied_at), today}):
        answer = verdict(row.elder, row.scheme, day)
        if not answer.is_eligible:
            raise Refused(
                f"application.{answer.code}",
                N_("%(number)s：%(day)s 不符合条件（%(why)s）"),
                number=row.code,
                day=day,
                why=answer.sentence,
            )
    return terms(row.elder, row.scheme, today)


def _days(row: Application, procedure: Procedure, today: date) -> DayPeriod:
    held = running_of(row.elder_id, row.scheme_id, today)
    if held is not None and held.valid_to is None:
        raise Refused("application.held", N_("%(number)s：此人正在享受这项待遇"), number=row.code)
    start = first_day(procedure, today, held.valid_to if held else None)
    return DayPeriod(start, end_of_validity(procedure, start))


def _decision(row: Application, today: date, given: Terms) -> dict[str, Any]:
    """Return what the decision rests on: the verdict of the day, and document and clause of the procedure."""
    document, clause = source_of(row.scheme.code, row.div, today)
    kept = as_json(verdict(row.elder, row.scheme, today), today, given)
    return {"decision": kept | {"document": document, "clause": clause}, **amounts_of(kept)}


def _grant(now: datetime, row: Application, procedure: Procedure, given: Terms, days: DayPeriod) -> Entitlement:
    """Write the entitlement of an approved application, take it from the budgets, and tell the elder side."""
    months = procedure.recheck_months
    entitlement = give(
        now=now, elder=row.elder, scheme=row.scheme, given=given, days=days, basis=row.code, application=row,
        recheck_on=recheck_due(working_calendar(), days.from_, months) if months else None,
    )  # fmt: skip
    commit(entitlement)
    push(
        now,
        row,
        "approved",
        N_("您的“%(scheme)s”申请（%(number)s）已批准，自%(day)s起享受。"),
        day=days.from_.isoformat(),
    )
    return entitlement


@operation("entitlements.application.call_up", label=N_("轮候递补"))
def call_up_application(*, actor: Actor, now: datetime, application_id: Id) -> Application:
    """Give an application on the waiting list the place that has become free: the decision was taken before, the turn has come."""
    row = taken_up(actor, cases(), application_id, None, "call_up")
    today = local_date(now)
    procedure = procedure_for(row, today)
    given = _check_still_fits(row, today)
    days = _days(row, procedure, today)
    if procedure.has_budget:
        require_budget(row.scheme_id, row.div, days.from_.year)
    if not fits(row.scheme_id, row.div, given.cost, days.from_, days.to):
        raise Refused("budget.exhausted", N_("预算或名额还没有余额，请继续轮候"))
    move(actor, now, row, "call_up", **_decision(row, today, given))
    _grant(now, row, procedure, given, days)
    return row


def next_in_line(budget_id: int, now: datetime) -> Application | None:
    """Return who gets the next place of a budget: the first of the list who still meets the conditions, if there is room for this one."""
    today = local_date(now)
    for row in waiting_list(Budget.objects.get(pk=budget_id)):
        if not verdict(row.elder, row.scheme, today).is_eligible:
            continue  # stays in line, marked on the page, until somebody has looked
        procedure = procedure_for(row, today)
        days = _days(row, procedure, today)
        own = budget_of(row.scheme_id, row.div, days.from_.year)
        if own is None or own.pk != budget_id:
            continue  # another budget bears this one
        cost = terms(row.elder, row.scheme, today).cost
        return row if fits(row.scheme_id, row.div, cost, days.from_, days.to) else None
    return None


@operation("entitlements.application.refuse", label=N_("不予批准"))
def refuse_application(
    *, actor: Actor, now: datetime, application_id: Id, reason: Reason, seen: Seen = None
) -> Application:
    """Refuse an application with its reason; the elder side is told how long and where it can appeal."""
    return _refuse(actor, now, taken_up(actor, cases(), application_id, seen, "refuse"), reason)


def _refuse(actor: Actor, now: datetime, row: Application, why: str, event: str = "") -> Application:
    """Refuse an application: who reviewed it does not decide it too."""
    today = local_date(now)
    procedure = procedure_for(row, today)
    appeal = appeal_until(working_calendar(), today, procedure.appeal_days)
    who: dict[str, Any] = {"decided_by_id": actor.user_id, "decided_at": now}
    if row.state == ApplicationState.APPLIED:
        who = {"reviewed_by_id": actor.user_id, "reviewed_at": now, "findings": why}
    elif row.reviewed_by_id == actor.user_id:
        check_hands(actor, row)
    move(actor, now, row, "refuse", event=event, reason=why, appeal_until=appeal.day, **who)
    text = N_("您的“%(scheme)s”申请（%(number)s）未获批准：%(why)s。如不服，可在%(day)s前向%(where)s申请行政复议。")
    if appeal.is_provisional:  # the holidays of that year are not published yet, and only they move the day on
        text = N_(
            "您的“%(scheme)s”申请（%(number)s）未获批准：%(why)s。如不服，可在%(day)s前（遇法定节假日顺延）向%(where)s申请行政复议。"
        )
    push(now, row, "refused", text, why=row.reason, day=appeal.day.isoformat(), where=procedure.appeal_to)
    return row
