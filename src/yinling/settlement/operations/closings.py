"""Closing a month of a city's books: one person proposes with the figures, another closes; nothing is booked into it any more."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from django.db import connection

from yinling.accounts.operations import record
from yinling.directory.models import Area
from yinling.directory.rules import person_of, require
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Seen
from yinling.kernel.period import local_date, month_start, next_month
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.settlement.models import Closing, Statement
from yinling.settlement.queries import month_figures, months_to_close
from yinling.settlement.rules import unbalanced
from yinling.settlement.states import DecisionState

TWO_PERSONS = N_("提出结账的人不能自己结账，请由另一位财务人员办理")
explain_constraint("closing_two_persons", "closing.two_persons", TWO_PERSONS)
explain_constraint("closing_once", "closing.twice", N_("这个月已提出结账，请刷新页面"))

City = Annotated[str, Input(N_("城市区划代码"), help=N_("四位，如 3202；按城市结账"), max_length=4)]


@operation("settlement.closing.propose", label=N_("提出结账"))
def propose_closing(*, actor: Actor, now: datetime, month: Day, div: City) -> Closing:
    """Check the books of a month and keep its figures. Proposed again, the figures are drawn up anew."""
    require(actor, "settlement.closing.propose", div=div)
    if not Area.objects.filter(div=div, level="city").exists():
        raise Refused("closing.city", N_("账按城市结，请填城市的区划代码"), field="div")
    first = month_start(month)
    row = Closing.objects.select_for_update(of=("self",)).filter(div=div, month=first).first()
    wait_for_books(div)
    if row is not None and row.closed_at is not None:
        raise NotAllowed("closing.closed", N_("这个月已经结账"), month=str(first))
    figures = _checked(div, first, local_date(now))
    values: dict[str, Any] = {"figures": figures, "proposed_by_id": person_of(actor), "proposed_at": now}
    if row is None:
        row = Closing.objects.create(div=div, month=first, created_at=now, changed_at=now, **values)
    else:
        changed(row, now=now, **values)
    changes = {"month": [None, str(first)], "entries": [None, sum(one["count"] for one in figures)]}
    record(actor=actor, now=now, event="settlement.closing.propose", subject=row, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return row


@operation("settlement.closing.close", label=N_("结账"))
def close_closing(*, actor: Actor, now: datetime, closing_id: Id, seen: Seen = None) -> Closing:
    """Close a month, as another person than who proposed it. Refused if its figures changed since: they are proposed again."""
    row = locked(Closing.objects.all(), closing_id, seen)
    require(actor, "settlement.closing.close", div=row.div)
    if row.closed_at is not None:
        raise NotAllowed("closing.closed", N_("这个月已经结账"), month=str(row.month))
    if actor.user_id == row.proposed_by_id:
        raise Refused("closing.two_persons", TWO_PERSONS)
    wait_for_books(row.div)
    if _checked(row.div, row.month, local_date(now)) != row.figures:
        raise Refused("closing.changed", N_("提出结账以后账上有了变化，请重新提出，核对新的数字"))
    changes = changed(row, now=now, closed_by_id=person_of(actor), closed_at=now)
    record(actor=actor, now=now, event="settlement.closing.close", subject=row, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return row


def wait_for_books(div: str) -> None:
    """Wait for those who book in a city, and let nobody book until the end of the transaction (see the trigger ``ledger_booked``)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('settlement.closing'), hashtext(%s))", [div[:4]])


def _checked(div: str, month: date, today: date) -> list[dict[str, Any]]:
    """Return the figures of a month that can be closed; refuse one that is not over, not in its turn, or not in order."""
    if next_month(month) > today:
        raise Refused("closing.not_over", N_("这个月还没有结束，不能结账"), field="month")
    earlier = [one for one in months_to_close(div, month) if one < month]
    if earlier:
        raise Refused(
            "closing.earlier", N_("%(month)s 还没有结账，请按月份先后办理"), field="month", month=f"{earlier[0]:%Y-%m}"
        )
    open_states = [DecisionState.DRAFT, DecisionState.REVIEWED]
    pending = list(Statement.objects.within(div).filter(month=month, state__in=open_states).order_by("pk"))
    if pending:
        raise Refused(
            "closing.statements", N_("这个月还有 %(count)s 份对账单没有审定（如 %(statement)s），请先复核或退回"), field="month",
            count=len(pending), statement=pending[0].code,
        )  # fmt: skip
    figures = month_figures(div, month)
    if wrong := unbalanced(figures):
        raise Refused("closing.not_balanced", N_("这个月借贷不平，不能结账，请联系管理员"), sums=wrong)
    return figures
