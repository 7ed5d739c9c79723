"""Giving and ending entitlements, and the counters that placed orders and settlement move."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from django.db.models import F

from yinling.accounts.operations import record
from yinling.assessment.queries import current_level
from yinling.directory.rules import period_of, require, required_text
from yinling.entitlements.models import Entitlement, Quota, Scheme
from yinling.entitlements.rules import Requirement, Situation, eligibility, grantable
from yinling.ground.facts import curtail
from yinling.ground.models import in_force
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter, parameters
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.period import ONE_DAY, local_date, month_start
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.models import Circumstance, Elder
from yinling.people.queries import circumstances_on

explain_constraint(
    "entitlement_no_overlap", "entitlement.overlap", N_("此人在这段时间已享受同一项待遇，请先终止原有待遇")
)
explain_constraint("quota_cap", "quota.cap", N_("本月额度已用完，请重新报价"))

SchemeCode = Annotated[str, Input(N_("待遇项目"), max_length=30)]
FirstDay = Annotated[date, Input(N_("生效日期"), widget="date")]
LastDay = Annotated[date | None, Input(N_("截止日期"), help=N_("最后一天，含当日；长期有效可不填"), widget="date")]
Until = Annotated[date, Input(N_("截止日期"), help=N_("最后一天，含当日"), widget="date")]
Basis = Annotated[str, Input(N_("依据"), help=N_("审批文号或说明"), max_length=200)]


def situation_of(elder: Elder, day: date) -> Situation:
    """Return what is known of an elder on a day, as far as schemes ask."""
    level = current_level(elder.pk, day)
    return Situation(day, level.level if level else None, frozenset(circumstances_on(elder.pk, day)), elder.died_on)


def _scheme_for(code: str, div: str) -> Scheme:
    scheme = Scheme.objects.filter(code=code, is_active=True).first()
    if scheme is None or not div.startswith(scheme.div):
        raise Refused("scheme.unknown", N_("本地没有这项待遇，请从列表中选择"), field="scheme_code")
    if f"scheme.{code}.share_bp" not in parameters().keys():  # noqa: SIM118 - a method, not a mapping
        raise Refused("scheme.no_amounts", N_("这项待遇还没有公布金额，请管理员补上参数"), field="scheme_code")
    return scheme


@operation("entitlements.entitlement.grant", label=N_("给予待遇"))
def grant_entitlement(
    *, actor: Actor, now: datetime, elder_id: Id, scheme_code: SchemeCode, valid_from: FirstDay, valid_to: LastDay = None, basis: Basis
) -> Entitlement:  # fmt: skip
    """Give an elder a scheme; share and cap are those in force on the first day. Refused to whom does not meet its conditions."""
    elder = locked(Elder.objects.all(), elder_id)
    require(actor, "entitlements.entitlement.grant", div=elder.div, elder_id=elder.pk)
    scheme = _scheme_for(scheme_code, elder.div)
    days = period_of(valid_from, valid_to)
    named = {
        name: parameter(f"scheme.{scheme_code}.{name}", elder.div, valid_from)
        for name in ("share_bp", "monthly_cap_fen", "levels", "circumstances")
    }
    requirement = Requirement(frozenset(named["levels"]), frozenset(named["circumstances"]))
    verdict = eligibility(requirement, situation_of(elder, valid_from))
    if not verdict.is_eligible:
        raise Refused(f"entitlement.{verdict.code}", verdict.reason, field="scheme_code")
    row = Entitlement.objects.create(
        div=elder.div,
        elder=elder,
        scheme=scheme,
        share_bp=int(named["share_bp"]),
        monthly_cap_fen=None if named["monthly_cap_fen"] is None else int(named["monthly_cap_fen"]),
        basis=required_text(basis, "basis"),
        valid_from=days.from_,
        valid_to=days.to,
        recorded_from=now,
        created_at=now,
        changed_at=now,
    )
    record(
        actor=actor,
        now=now,
        event="entitlements.entitlement.grant",
        subject=row,
        changes={"scheme": [None, scheme.code], "share_bp": [None, row.share_bp]},
    )
    return row


@operation("entitlements.entitlement.end", label=N_("终止待遇"))
def end_entitlement(
    *, actor: Actor, now: datetime, entitlement_id: Id, valid_to: Until, reason: Reason
) -> Entitlement:  # fmt: skip
    """End an entitlement after a day; what was reserved for later days stays until its orders are settled or cancelled."""
    row = locked(Entitlement.objects.filter(recorded_to=None), entitlement_id)
    require(actor, "entitlements.entitlement.end", div=row.div, elder_id=row.elder_id)
    why = required_text(reason, "reason", most=500)
    if row.valid_to is not None and valid_to + ONE_DAY > row.valid_to:
        raise Refused("entitlement.already_ends", N_("此项待遇原定结束得更早，请核对日期"), field="valid_to")
    changes = curtail(row, until=valid_to + ONE_DAY, now=now)
    changed(row, now=now)
    record(actor=actor, now=now, event="entitlements.entitlement.end", subject=row, changes=changes, reason=why)
    return row


def stop_after_leaving(actor: Actor, now: datetime, row: Entitlement) -> Entitlement | None:
    """End an entitlement on the day of death, or the day before moving away (R-PEO-03). Returns nothing if it has ended."""
    elder, today = row.elder, local_date(now)
    away = Circumstance.objects.filter(in_force(today), elder_id=elder.pk, kind="moved_away").first()
    days = [day for day in (elder.died_on, away.valid_from - ONE_DAY if away else None) if day is not None]
    if not days or (row.valid_to is not None and row.valid_to <= min(days) + ONE_DAY):
        return None
    return end_entitlement(actor=actor, now=now, entitlement_id=row.pk, valid_to=min(days), reason=N_("去世或迁出"))


def follow_elders(div: str) -> int:
    """Bring entitlements and counters to the area their elders moved to, so that its staff see them; return how many."""
    moved = Entitlement.objects.within(div).exclude(div=F("elder__div")).select_related("elder")
    for row in moved:
        Entitlement.objects.filter(pk=row.pk).update(div=row.elder.div)
        Quota.objects.filter(entitlement_id=row.pk).update(div=row.elder.div)
    return len(moved)


def _counter(entitlement: Entitlement, month: date) -> Quota:
    """Return the counter of a month, locked; the first order of the month makes it."""
    first = month_start(month)
    assert entitlement.monthly_cap_fen is not None  # noqa: S101 - callers ask for counters of capped entitlements only
    Quota.objects.get_or_create(
        entitlement=entitlement,
        month=first,
        defaults={"div": entitlement.div, "elder_id": entitlement.elder_id, "cap_fen": entitlement.monthly_cap_fen},
    )
    return Quota.objects.select_for_update(of=("self",)).get(entitlement=entitlement, month=first)


def reserve(actor: Actor, now: datetime, entitlement: Entitlement, month: date, wanted_fen: int) -> int:  # noqa: ARG001 - the form of all plain steps
    """Set money of a month aside for an order being placed; return how much was left, at most what is wanted."""
    if entitlement.monthly_cap_fen is None:
        return wanted_fen
    row = _counter(entitlement, month)
    granted = grantable(wanted_fen, cap_fen=row.cap_fen, reserved_fen=row.reserved_fen, used_fen=row.used_fen)
    if granted:
        Quota.objects.filter(pk=row.pk).update(reserved_fen=F("reserved_fen") + granted)
    return granted


def confirm_use(actor: Actor, now: datetime, entitlement: Entitlement, month: date, amount_fen: int) -> None:  # noqa: ARG001 - as above
    """Turn reserved money into used money: the order is settled."""
    if entitlement.monthly_cap_fen is not None:
        row = _counter(entitlement, month)
        moved = {"reserved_fen": F("reserved_fen") - amount_fen, "used_fen": F("used_fen") + amount_fen}
        Quota.objects.filter(pk=row.pk).update(**moved)


def give_back(actor: Actor, now: datetime, entitlement: Entitlement, month: date, amount_fen: int) -> None:  # noqa: ARG001 - as above
    """Free reserved money: the order is cancelled or failed."""
    if entitlement.monthly_cap_fen is not None:
        row = _counter(entitlement, month)
        Quota.objects.filter(pk=row.pk).update(reserved_fen=F("reserved_fen") - amount_fen)


def undo_use(actor: Actor, now: datetime, entitlement: Entitlement, month: date, amount_fen: int) -> None:  # noqa: ARG001 - as above
    """Give used money back: the settlement was reversed."""
    if entitlement.monthly_cap_fen is not None:
        row = _counter(entitlement, month)
        Quota.objects.filter(pk=row.pk).update(used_fen=F("used_fen") - amount_fen)
