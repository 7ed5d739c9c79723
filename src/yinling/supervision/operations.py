"""Writing findings, and what a supervisor decides of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from yinling.accounts.operations import record, record_each
from yinling.directory.models import Suspension
from yinling.directory.operations import release_suspension, suspend_staff
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, note_recorded, operation
from yinling.hotline.models import Ticket
from yinling.hotline.operations import open_follow_up
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Key, Reason, Seen
from yinling.kernel.period import SHANGHAI, local_date, month_start, next_month
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Hold, Order
from yinling.orders.operations import hold_order, release_hold
from yinling.supervision.models import Finding, Round, SiteCheck
from yinling.supervision.queries import LIVE, Look, cause_of, to_check
from yinling.supervision.rules import BY_HAND, RULES
from yinling.supervision.rules.rule import BLOCK, ByHand, Rule
from yinling.supervision.states import FINDING, FindingState


@operation("supervision.finding.write")
def write_finding(  # noqa: PLR0913 - what a hit consists of
    *,
    actor: Actor,
    now: datetime,
    order_id: Id,
    rule: Annotated[
        str, Input(N_("规则"), choices=[(code, rule.title) for code, rule in RULES.items()], widget="choice")
    ],
    key: Key,
    visit_id: Annotated[int | None, Input(N_("上门服务"), least=1, widget="hidden")] = None,
    staff_id: Annotated[int | None, Input(N_("服务人员"), least=1, widget="hidden")] = None,
    happened_at: Annotated[datetime | None, Input(N_("发生时间"), widget="moment")] = None,
    facts: Annotated[dict | None, Input(N_("事实"), widget="hidden")] = None,  # type: ignore[type-arg]
) -> Finding:
    """Write a hit of a rule, once per key. A block at once stops new orders for the carer and the settlement of this order.

    A warning stops nothing; it opens a ticket by which the seats call the elder (X-SUP-06).
    """
    order = locked(Order.objects.all(), order_id)
    require(actor, "supervision.finding.write", div=order.div)
    known = Finding.objects.filter(key=key).first()
    if known is not None:
        note_recorded()  # the first writing stands in the journal
        return known
    if rule not in RULES:
        raise Refused("finding.rule", N_("没有这条规则，请从列表中选择"), field="rule")
    told, happened = RULES[rule], happened_at or now
    follow_up = None if told.severity == BLOCK else _ask_follow_up(actor, now, order, told.title, happened)
    return _write(
        actor,
        now,
        order,
        told,
        key=key,
        visit_id=visit_id,
        staff_id=staff_id,
        follow_up=follow_up,
        facts=facts or {},
        happened_at=happened,
    )


def _write(actor: Actor, now: datetime, order: Order, told: Rule | ByHand, **values: Any) -> Finding:
    finding = Finding.objects.create(
        div=order.div, rule=told.code, severity=told.severity, order=order, elder_id=order.elder_id, provider_id=order.provider_id,
        title=told.title, found_at=now, created_at=now, changed_at=now, **values,
    )  # fmt: skip
    record(
        actor=actor, now=now, event="supervision.finding.write", subject=finding,
        changes={"rule": [None, told.code], "severity": [None, told.severity]},
    )  # fmt: skip
    if told.severity == BLOCK:
        _block(actor, now, finding, order)
    tell("findings", pk=finding.pk, div=finding.div)
    return finding


def _block(actor: Actor, now: datetime, finding: Finding, order: Order) -> None:
    hold_order(actor=actor, now=now, order=order, cause=cause_of(finding), reason=finding.title)
    if finding.staff is not None:
        suspend_staff(actor=actor, now=now, staff=finding.staff, cause=cause_of(finding), reason=finding.title)


def _ask_follow_up(actor: Actor, now: datetime, order: Order, title: str, happened: datetime) -> Ticket:
    """Have the seats call the elder. A ticket keeps the division of the order, so that the same people see both."""
    facts = f"{order.code} {title} {happened.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return open_follow_up(actor=actor, now=now, elder_id=order.elder_id, div=order.div, facts=facts)


def _undecided(actor: Actor, right: str, finding_id: int, seen: int | None) -> Finding:
    """Return a finding for a decision; whoever belongs to its provider decides nothing of it."""
    finding = locked(Finding.objects.all(), finding_id, seen)
    require(actor, right, div=finding.div)
    if actor.organisation_id is not None and actor.organisation_id == finding.provider_id:
        raise Denied("finding.own_provider", N_("本机构的预警不能由本机构处置，请由监管员办理"), right=right)
    return finding


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Refused("finding.reason", N_("请写明理由和依据"), field="reason")
    return reason.strip()


@operation("supervision.finding.acknowledge", label=N_("开始核查"))
def acknowledge_finding(*, actor: Actor, now: datetime, finding_id: Id, seen: Seen = None) -> Finding:
    """A supervisor takes the finding up; nothing is released by that."""
    finding = _undecided(actor, "supervision.finding.acknowledge", finding_id, seen)
    target = FINDING.target("acknowledge", finding.state)
    changes = changed(finding, now=now, state=target, acknowledged_by_id=actor.user_id, acknowledged_at=now)
    record(actor=actor, now=now, event="supervision.finding.acknowledge", subject=finding, changes=changes)
    tell("findings", pk=finding.pk, div=finding.div)
    return finding


@operation("supervision.finding.release", label=N_("解除"))
def release_finding(*, actor: Actor, now: datetime, finding_id: Id, reason: Reason, seen: Seen = None) -> Finding:
    """Clear a finding with the reason; the hold and the suspension of this cause end, those of other causes stay."""
    finding = _undecided(actor, "supervision.finding.release", finding_id, seen)
    decided = _decide(actor, now, finding, "release", _reason(reason))
    cause, order = cause_of(finding), Order.objects.get(pk=finding.order_id)
    if Hold.objects.filter(order=order, cause=cause, to_at=None).exists():
        release_hold(actor=actor, now=now, order=order, cause=cause, reason=decided.decision_reason)
    if finding.staff is not None and Suspension.objects.filter(staff=finding.staff, cause=cause, to_at=None).exists():
        release_suspension(actor=actor, now=now, staff=finding.staff, cause=cause, reason=decided.decision_reason)
    return decided


@operation("supervision.finding.uphold", label=N_("认定违规"))
def uphold_finding(*, actor: Actor, now: datetime, finding_id: Id, reason: Reason, seen: Seen = None) -> Finding:
    """Hold a finding to be true; hold and suspension stay, and the money of the order stays frozen."""
    finding = _undecided(actor, "supervision.finding.uphold", finding_id, seen)
    return _decide(actor, now, finding, "uphold", _reason(reason))


def _decide(actor: Actor, now: datetime, finding: Finding, verb: str, reason: str) -> Finding:
    target: FindingState = FINDING.target(verb, finding.state)
    changes = changed(
        finding, now=now, state=target, decided_by_id=actor.user_id, decided_at=now, decision_reason=reason
    )
    record(actor=actor, now=now, event=f"supervision.finding.{verb}", subject=finding, changes=changes, reason=reason)
    tell("findings", pk=finding.pk, div=finding.div)
    return finding


@operation("supervision.site_check.draw", label=N_("抽取现场核查"))
def draw_site_checks(
    *, actor: Actor, now: datetime, month: Annotated[date, Input(N_("月份"), widget="date")]
) -> SiteCheck:
    """Draw of each county's services of a month that vouchers paid for the share that is looked at on site; again only what is missing."""
    div, first = actor.div or "", month_start(month)
    require(actor, "supervision.site_check.draw", div=div)
    if next_month(first) > local_date(now):
        raise Refused("site_check.month", N_("这个月还没有结束，请选择已经结束的月份"), field="month")
    numbers = [pk for own in to_check(div, first).values() for pk in own]
    if not numbers:
        raise Refused("site_check.none", N_("这个月没有还要抽取的服务"), field="month")
    rows = [
        SiteCheck(div=order.div, order=order, month=first, drawn_at=now, created_at=now, changed_at=now)
        for order in Order.objects.filter(pk__in=numbers).order_by("pk")
    ]
    SiteCheck.objects.bulk_create(rows)
    drawn = [(row, {"month": [None, first.isoformat()]}) for row in rows]
    record_each(actor=actor, now=now, event="supervision.site_check.draw", subjects=drawn)
    tell("site_checks", pk=rows[0].pk, div=div)
    return rows[0]


@operation("supervision.site_check.record", label=N_("登记核查结果"))
def record_site_check(
    *, actor: Actor, now: datetime, check_id: Id,
    result: Annotated[str, Input(N_("核查结果"), choices=SiteCheck.RESULTS, widget="radio")],
    checked_on: Annotated[date, Input(N_("核查日期"), widget="date")],
    found: Annotated[
        str, Input(N_("核查情况"), help=N_("核查了谁、看到什么；不相符的写明哪里不符"), max_length=500, widget="area")
    ],
    seen: Seen = None,
) -> SiteCheck:  # fmt: skip
    """Say what a look on site found, once. What does not fit becomes a finding that stops the money of the order until it is decided."""
    row = locked(SiteCheck.objects.select_related("order"), check_id, seen)
    require(actor, "supervision.site_check.record", div=row.div)
    if row.result:
        raise NotAllowed("site_check.done", N_("这次核查已经登记结果，请刷新页面"))
    known_choice(result, SiteCheck.RESULTS, "result")
    said = required_text(found, "found", most=500)
    order = locked(Order.objects.all(), row.order_id)
    if not local_date(order.starts_at) <= checked_on <= local_date(now):
        raise Refused("site_check.day", N_("核查日期应在服务当天或以后，且不晚于今天"), field="checked_on")
    finding = None
    if result == SiteCheck.DIFFERS:
        finding = _write(
            actor, now, order, BY_HAND["site_check"], key=f"site_check:{row.pk}", happened_at=order.starts_at
        )
    changes = changed(
        row,
        now=now,
        result=result,
        found=said,
        checked_on=checked_on,
        checked_at=now,
        checked_by_id=actor.user_id,
        finding=finding,
    )
    record(actor=actor, now=now, event="supervision.site_check.record", subject=row, changes=changes)
    tell("site_checks", pk=row.pk, div=row.div)
    return row


def note_round(*, now: datetime, seen: Look, took_ms: int, found: int) -> Round:
    """Remember how far the journal was read, at which business time."""
    values = {"snapshot": seen.snapshot, "ran_at": now, "took_ms": took_ms, "touched": seen.touched, "found": found}
    return Round.objects.update_or_create(name=LIVE, defaults=values)[0]
