"""The money and the places of a scheme in a year: set by two persons, committed by approvals, given back by endings."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from django.db.models import F, Q, Sum

from yinling.accounts.operations import record
from yinling.directory.models import Area
from yinling.directory.queries import ancestors, system_actor
from yinling.directory.rules import require, required_text
from yinling.entitlements.models import Budget, Commitment, Entitlement, Quota
from yinling.entitlements.operations.lines import follow_limit
from yinling.entitlements.procedure import Cost
from yinling.entitlements.queries.applications import nearest_budget
from yinling.entitlements.queries.procedures import scheme_at
from yinling.entitlements.rules import FEN
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.period import month_start
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

explain_constraint("budget_amount", "budget.exhausted", N_("预算不足，请刷新页面后查看余额"))
explain_constraint("budget_heads", "budget.exhausted", N_("名额不足，请刷新页面后查看余额"))

Year = Annotated[int, Input(N_("年度"), least=2015, most=2100, widget="number")]
Amount = Annotated[int | None, Input(N_("金额（元）"), help=N_("不限金额可不填"), least=0, widget="yuan")]
Heads = Annotated[
    int | None, Input(N_("名额（人）"), help=N_("不限名额可不填"), least=0, most=10_000_000, widget="number")
]
Document = Annotated[str, Input(N_("依据"), help=N_("预算文件的名称和文号"), max_length=200)]
_END_OF_TIME = 9999


@operation("entitlements.budget.set", label=N_("编制预算"))
def set_budget(
    *, actor: Actor, now: datetime, scheme_code: Annotated[str, Input(N_("待遇项目"), max_length=30)],
    div: Annotated[str, Input(N_("区划"), max_length=12)], year: Year, amount_fen: Amount = None, heads: Heads = None, document: Document,
) -> Budget:  # fmt: skip
    """Propose the budget of an area for a year, or a new limit of it. It takes effect when a second person confirms it."""
    require(actor, "entitlements.budget.set", div=div)
    if not Area.objects.filter(pk=div).exists():
        raise Refused("area.unknown", N_("没有这个区划，请从列表中选择"), field="div")
    scheme = scheme_at(scheme_code, div)
    if scheme is None:
        raise Refused("scheme.unknown", N_("本地没有这项待遇，请从列表中选择"), field="scheme_code")
    if amount_fen is None and heads is None:
        raise Refused("budget.empty", N_("金额和名额至少填写一项"), field="amount_fen")
    paper = required_text(document, "document")
    row, is_new = Budget.objects.get_or_create(
        scheme=scheme, div=div, year=year, defaults={"document": paper, "created_at": now, "changed_at": now}
    )
    row = locked(Budget.objects.all(), row.pk)
    changes = changed(
        row,
        now=now,
        proposed_fen=amount_fen,
        proposed_heads=heads,
        proposed_by_id=actor.user_id,
        confirmed_by_id=None,
        document=paper,
    )
    record(
        actor=actor, now=now, event="entitlements.budget.set", subject=row, changes=changes | {"is_new": [None, is_new]}
    )
    tell("budgets", pk=row.pk, div=row.div)
    return row


@operation("entitlements.budget.confirm", label=N_("确认预算"))
def confirm_budget(*, actor: Actor, now: datetime, budget_id: Id, seen: Seen = None) -> Budget:
    """Put a proposed limit in force, by another person. It must cover what is given out and what goes on from the year before."""
    row = locked(Budget.objects.select_related("scheme"), budget_id, seen)
    require(actor, "entitlements.budget.confirm", div=row.div)
    if row.proposed_by_id is None or row.confirmed_by_id is not None:
        raise NotAllowed("budget.nothing", N_("没有待确认的预算"))
    if actor.user_id == row.proposed_by_id:
        raise Refused("budget.two_persons", N_("编制人不能确认，请由另一位有权限的人员办理"))
    _take_over(row)
    row.refresh_from_db()
    least_fen, least_heads = row.committed_fen, row.committed_heads
    too_little = row.proposed_fen is not None and row.proposed_fen < least_fen
    if too_little or (row.proposed_heads is not None and row.proposed_heads < least_heads):
        raise Refused(
            "budget.below_committed", N_("少于已批准待遇所需：%(heads)s人、%(fen)s分。请调高预算，或先终止部分待遇"),
            heads=least_heads, fen=least_fen,
        )  # fmt: skip
    follow_limit(row, row.proposed_fen)
    changes = changed(
        row,
        now=now,
        amount_fen=row.proposed_fen,
        heads=row.proposed_heads,
        confirmed_by_id=actor.user_id,
        is_in_force=True,
    )
    record(actor=actor, now=now, event="entitlements.budget.confirm", subject=row, changes=changes)
    tell("budgets", pk=row.pk, div=row.div)
    return row


def _take_over(budget: Budget) -> None:
    """Commit what was approved here before and goes on in this year, so that the new budget bears it."""
    first, after = date(budget.year, 1, 1), date(budget.year + 1, 1, 1)
    running = Entitlement.objects.within(budget.div).filter(
        Q(valid_to=None) | Q(valid_to__gt=first), scheme_id=budget.scheme_id, application__isnull=False, recorded_to=None,
        valid_from__lt=after,
    )  # fmt: skip
    for row in running.exclude(commitments__budget__year=budget.year).order_by("pk"):
        _commit(budget, row, Cost(row.monthly_cap_fen, row.once_fen))


def budget_of(scheme_id: int, div: str, year: int) -> Budget | None:
    """Return the budget that bears an elder of an area, locked: of those in force the nearest up the tree."""
    nearest = nearest_budget(scheme_id, div, year)
    return None if nearest is None else Budget.objects.select_for_update(of=("self",)).get(pk=nearest.pk)


def require_budget(scheme_id: int, div: str, year: int) -> None:
    """Refuse an approval for a year whose budget nobody has put in force."""
    if budget_of(scheme_id, div, year) is None:
        raise Refused("budget.missing", N_("%(year)s年度还没有生效的预算，请先编制并确认预算"), year=year)


def has_room(budget: Budget, fen: int) -> bool:
    """Whether one more person at this cost fits."""
    has_place = budget.heads is None or budget.committed_heads < budget.heads
    return has_place and (budget.amount_fen is None or budget.committed_fen + fen <= budget.amount_fen)


def fits(scheme_id: int, div: str, cost: Cost, start: date, until: date | None) -> bool:
    """Whether every budget in force that the entitlement would touch has room; locks them in the order of years."""
    return all(has_room(one, cost.in_year(one.year, start, until)) for one in _budgets(scheme_id, div, start, until))


def _budgets(scheme_id: int, div: str, start: date, until: date | None) -> list[Budget]:
    """Return the budgets of the years of a span, locked. Years without one come later, when theirs is confirmed."""
    years = Budget.objects.filter(
        scheme_id=scheme_id, div__in=ancestors(div), is_in_force=True, year__gte=start.year, year__lte=until.year if until else _END_OF_TIME
    ).values_list("year", flat=True)  # fmt: skip
    found = (budget_of(scheme_id, div, year) for year in sorted(set(years)))
    return [one for one in found if one is not None and (until is None or until > date(one.year, 1, 1))]


def commit(row: Entitlement) -> None:
    """Take a new entitlement from the budgets of its years, which ``fits`` has locked."""
    for budget in _budgets(row.scheme_id, row.div, row.valid_from, row.valid_to):
        _commit(budget, row, Cost(row.monthly_cap_fen, row.once_fen))


def _commit(budget: Budget, row: Entitlement, cost: Cost) -> None:
    fen = cost.in_year(budget.year, row.valid_from, row.valid_to)
    Commitment.objects.create(div=row.div, budget=budget, entitlement=row, amount_fen=fen)
    Budget.objects.filter(pk=budget.pk).update(
        committed_fen=F("committed_fen") + fen, committed_heads=F("committed_heads") + 1
    )


def release(row: Entitlement, *, on: date, until: date) -> None:
    """Give back what an ending entitlement cannot use any more: unused money of months that are over and all of those after the end.

    The place is free from the day the entitlement has ended.
    """
    for kept in Commitment.objects.filter(entitlement_id=row.pk).order_by("budget__year").select_related("budget"):
        Budget.objects.select_for_update(of=("self",)).get(pk=kept.budget_id)
        fen = min(kept.amount_fen, _needed(row, kept, on=on, until=until))
        _keep(kept, fen, kept.heads if until > on else 0)


def _keep(kept: Commitment, fen: int, heads: int) -> None:
    """Let a commitment and its budget, which is locked, hold so much from now on."""
    Budget.objects.filter(pk=kept.budget_id).update(
        committed_fen=F("committed_fen") - (kept.amount_fen - fen),
        committed_heads=F("committed_heads") - (kept.heads - heads),
    )
    Commitment.objects.filter(pk=kept.pk).update(amount_fen=fen, heads=heads)
    tell("budgets", pk=kept.budget_id, div=kept.budget.div)


def pay_once(row: Entitlement, div: str, fen: int) -> None:
    """Note what of a once-only sum is paid: its budget bears that, and the rest is free for others. Plain, called by whoever approves it.

    Where nothing is held (after the end; or another department granted it) the budget of the place must have room. The elder may have
    moved, so the province looks.
    """
    with scope(system_actor(row.div[:2])):
        _hold(row, div, fen)
        rows = Commitment.objects.filter(entitlement_id=row.pk, budget__year=row.valid_from.year)
        for kept in rows.select_related("budget"):
            Budget.objects.select_for_update(of=("self",)).get(pk=kept.budget_id)
            paid = (kept.paid_fen or 0) + fen
            Commitment.objects.filter(pk=kept.pk).update(paid_fen=paid)
            _keep(kept, paid, kept.heads)


def take_back_once(row: Entitlement, fen: int) -> None:
    """Give a budget back what of a once-only sum was paid by mistake and did not go out, or has come back. Plain, for whoever revokes it."""
    with scope(system_actor(row.div[:2])):
        rows = Commitment.objects.filter(entitlement_id=row.pk, paid_fen__gte=fen, budget__year=row.valid_from.year)
        for kept in rows.select_related("budget"):
            Budget.objects.select_for_update(of=("self",)).get(pk=kept.budget_id)
            paid = (kept.paid_fen or 0) - fen
            Commitment.objects.filter(pk=kept.pk).update(paid_fen=paid)
            _keep(kept, paid, kept.heads)


def _hold(row: Entitlement, div: str, fen: int) -> None:
    """Let the nearest budget bear what was granted without an application."""
    if Commitment.objects.filter(entitlement_id=row.pk, budget__year=row.valid_from.year).exists():
        return
    budget = budget_of(row.scheme_id, div, row.valid_from.year)
    if budget is None:
        return
    if not has_room(budget, fen):
        raise Refused("budget.exhausted", N_("预算不足，请刷新页面后查看余额"))
    Commitment.objects.create(div=row.div, budget=budget, entitlement=row, amount_fen=0)
    Budget.objects.filter(pk=budget.pk).update(committed_heads=F("committed_heads") + 1)


def _needed(row: Entitlement, kept: Commitment, *, on: date, until: date) -> int:
    """Return what an entitlement ended before ``until`` can still cost in a year: what orders took, and the whole months to come."""
    year = kept.budget.year
    counted = Quota.objects.filter(entitlement_id=row.pk, unit=FEN, per="month", from_on__year=year)
    coming = max(on, row.valid_from)
    over = counted if until <= coming else counted.filter(from_on__lt=month_start(coming))
    spent = int(over.aggregate(fen=Sum(F("used") + F("reserved")))["fen"] or 0)
    once = (row.once_fen or 0) if row.valid_from.year == year and until > coming else 0
    if kept.paid_fen is not None:
        once = kept.paid_fen
    if until <= coming:
        return spent + once
    return spent + once + Cost(row.monthly_cap_fen).in_year(year, coming, until)


def free_ended(div: str, on: date) -> int:
    """Give back the places and the unused money of entitlements that ran out or were taken off the record; return how many."""
    over = Q(entitlement__valid_to__lte=on) | Q(entitlement__recorded_to__isnull=False)
    rows = Commitment.objects.within(div).filter(over, heads=1).select_related("entitlement")
    for kept in rows:
        row = kept.entitlement
        until = row.valid_from if row.recorded_to is not None else row.valid_to
        release(row, on=on, until=until or on)
    return len(rows)
