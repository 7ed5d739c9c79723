"""What a death, a move or a stay away from home stopped, what was left and why, and what has to be given again (R-PEO-03)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from yinling.accounts.models import Journal
from yinling.entitlements.models import Entitlement
from yinling.entitlements.queries import resting_payers
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date, local_midnight
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.people.models import Circumstance, Elder
from yinling.people.stops import DEATH, RESTING, STOPPING, Fate, Stop, cause_of, end_of_life, fate_of, stop_of
from yinling.settlement.models import Recovery

SHOWN = {
    "orders.order.cancel": ("orders.order.view", N_("订单已取消，额度已退回")),
    "orders.order.return": ("orders.order.view", N_("订单退回待派")),
    "dispatch.assignment.withdraw": ("dispatch.assignment.view", N_("派单已撤回，已通知服务人员")),
    "entitlements.entitlement.end": ("entitlements.entitlement.view", N_("待遇已终止")),
    "settlement.recovery.draft": ("settlement.recovery.view", N_("已生成追回清单")),
}
"""What a stop did, by the event it left: the right with which it is shown, and its words."""
AGAIN = {
    "orders.order.cancel": N_("重新下单"),
    "entitlements.entitlement.end": N_("重新给予待遇"),
    "settlement.recovery.lift": N_("重新结算已冲正的订单"),
}
"""What does not come back by itself when the cause is taken off the record."""
UNFINISHED = ("placed", "accepted", "assigned", "in_service")


@dataclass(frozen=True)
class Line:
    """One thing that was stopped: when, what, and where it stands."""

    at: datetime
    event: str
    label: str
    name: str
    address: str = ""


@dataclass
class Cause:
    """A death, a move or a stay away: its days, whether it is still on record, and what it did."""

    fact: Circumstance
    stopped_at: datetime
    is_on_record: bool
    lines: list[Line] = field(default_factory=list)
    again: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Stops:
    """Everything a page of stops shows of one elder."""

    causes: list[Cause]
    kept: list[tuple[Order, Fate]]
    suspended: list[tuple[Order, Fate]]
    resting: list[Entitlement]
    recoveries: list[Recovery]


def stops_shown(actor: Actor, elder: Elder, now: datetime) -> Stops:
    """Read it all, as far as the role may see it."""
    facts = list(
        Circumstance.objects.visible_to(actor).filter(elder=elder, kind__in=STOPPING).order_by("-valid_from", "-id")
    )
    causes = _causes(elder, facts)
    _fill(actor, elder, causes)
    live = [_stop(cause) for cause in causes.values() if cause.is_on_record]
    orders = _unfinished(actor, elder)
    fates = [(row, fate_of(state=row.state, starts_at=row.starts_at, now=now, stops=live)) for row in orders]
    return Stops(
        causes=list(causes.values()),
        kept=[(row, fate) for row, fate in fates if fate.verb == "keep" and fate.stop],
        suspended=[(row, fate) for row, fate in fates if fate.verb == "suspend"],
        resting=_resting(actor, elder, facts, now),
        recoveries=list(Recovery.objects.filter(elder=elder).order_by("-pk")) if actor.has("settlement.recovery.view") else [],
    )  # fmt: skip


def _causes(elder: Elder, facts: Iterable[Circumstance]) -> dict[str, Cause]:
    """Return the causes by name. A correction keeps a copy of what was on record before; only the row itself is a cause."""
    found: dict[str, Cause] = {}
    shown: set[tuple[Any, ...]] = set()
    for fact in sorted(facts, key=lambda one: (one.recorded_to is not None, one.pk)):
        same = (fact.kind, fact.valid_from)
        if same in shown:
            continue
        shown.add(same)
        moment = local_midnight(fact.valid_from)
        if fact.kind == DEATH and elder.died_on is not None and fact.recorded_to is None:
            moment = end_of_life(elder.died_on, elder.died_at)
        found[cause_of(fact.pk)] = Cause(fact, moment, is_on_record=fact.recorded_to is None)
    return found


def _fill(actor: Actor, elder: Elder, causes: dict[str, Cause]) -> None:
    """Put what the journal says was done for a cause below it."""
    events = {*SHOWN, *AGAIN}
    found = Journal.objects.filter(elder_id=elder.pk, event__in=events, is_refused=False, changes__has_key="cause")
    rows = [row for row in found.order_by("id") if row.changes["cause"] in causes]
    names = _names(rows) if rows else {}
    for row in rows:
        cause, name = (
            causes[row.changes["cause"]],
            names.get(row.subject_id or 0, "") if row.subject_type == "entitlement" else "",
        )
        if row.event in SHOWN and actor.has(SHOWN[row.event][0]):
            cause.lines.append(_line(row, SHOWN[row.event][1], name))
        if row.event in AGAIN and not cause.is_on_record:
            cause.again.append(_line(row, AGAIN[row.event], name))


def _names(rows: Iterable[Journal]) -> dict[int, str]:
    """Return the names of the benefits among some journal rows. Orders are reached by their link."""
    ids = {row.subject_id for row in rows if row.subject_type == "entitlement" and row.subject_id}
    return dict(Entitlement.objects.filter(pk__in=ids).values_list("pk", "scheme__name"))


PAGES = {"order": "/orders/", "recovery": "/settlement/recoveries/"}
NAMES = {"order": N_("订单"), "assignment": N_("派单"), "entitlement": N_("待遇"), "recovery": N_("追回清单")}


def _line(row: Journal, label: str, name: str) -> Line:
    base = PAGES.get(row.subject_type, "")
    address = f"{base}{row.subject_id}/" if base else ""
    return Line(row.business_at, row.event, label, name or NAMES.get(row.subject_type, ""), address)


def _stop(cause: Cause) -> Stop:
    fact = cause.fact
    if fact.kind == DEATH:
        return Stop(DEATH, cause_of(fact.pk), cause.stopped_at)
    return stop_of(fact.kind, cause_of(fact.pk), (fact.valid_from, fact.valid_to))


def _unfinished(actor: Actor, elder: Elder) -> list[Order]:
    if not actor.has("orders.order.view"):
        return []
    rows = Order.objects.visible_to(actor).filter(elder=elder, state__in=UNFINISHED)
    return list(rows.order_by("starts_at", "id"))


def _resting(actor: Actor, elder: Elder, facts: Iterable[Circumstance], now: datetime) -> list[Entitlement]:
    today = local_date(now)
    held = {
        fact.kind
        for fact in facts
        if fact.kind in RESTING and fact.recorded_to is None and fact.valid_from <= today
        and (fact.valid_to is None or today < fact.valid_to)
    }  # fmt: skip
    if not held or not actor.has("entitlements.entitlement.view"):
        return []
    payers = resting_payers(held, elder.div, today)
    rows = Entitlement.objects.visible_to(actor).filter(in_force(today), elder=elder, scheme__payer__in=payers)
    return list(rows.select_related("scheme").order_by("scheme__name"))
