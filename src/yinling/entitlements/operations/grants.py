"""Giving and ending entitlements: of schemes that another department recognises, and what becomes of an approved application."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, TypedDict, Unpack

from django.db.models import F

from yinling.accounts.operations import record
from yinling.directory.rules import period_of, require, required_text
from yinling.entitlements.conditions import WHOLE_BP
from yinling.entitlements.eligibility import Eligibility
from yinling.entitlements.models import Application, Entitlement, Paper, Quota, Scheme
from yinling.entitlements.operations.budgets import release
from yinling.entitlements.procedure import Cost
from yinling.entitlements.queries.eligibility import amounts_of, may_have
from yinling.entitlements.queries.procedures import procedure_of, scheme_at
from yinling.entitlements.queries.stops import last_day_of
from yinling.entitlements.rules import limits_of
from yinling.ground.facts import curtail
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.period import ONE_DAY, DayPeriod, local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.operations.elders import open_file

explain_constraint(
    "entitlement_no_overlap", "entitlement.overlap", N_("此人在这段时间已享受同一项待遇，请先终止原有待遇")
)

SchemeCode = Annotated[str, Input(N_("待遇项目"), max_length=30)]
FirstDay = Annotated[date, Input(N_("生效日期"), widget="date")]
LastDay = Annotated[date | None, Input(N_("截止日期"), help=N_("最后一天，含当日；长期有效可不填"), widget="date")]
Until = Annotated[date, Input(N_("截止日期"), help=N_("最后一天，含当日"), widget="date")]
Basis = Annotated[str, Input(N_("依据"), help=N_("审批文号或说明"), max_length=200)]


@dataclass(frozen=True)
class Terms:
    """What a scheme gives an elder: the grade that fits, its share or sums by unit with their limits, or its sum paid once."""

    grade: str = ""
    share_bp: int | None = None
    monthly_cap_fen: int | None = None
    once_fen: int | None = None
    units: dict[str, int] = field(default_factory=dict)
    limits: list[dict[str, Any]] = field(default_factory=list)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    source: str = ""

    @property
    def cost(self) -> Cost:
        """What it takes from a budget."""
        return Cost(self.monthly_cap_fen, self.once_fen)


def verdict(elder: Elder, scheme: Scheme, day: date) -> Eligibility:
    """Say whether an elder may have a scheme on a day, and why: the one way from an application to the rule."""
    return may_have(scheme, elder, day)


def terms(elder: Elder, scheme: Scheme, day: date) -> Terms:
    """Return what the scheme gives from a day on, by the grade that fits; nothing to whom none does."""
    grade = may_have(scheme, elder, day).grade
    if grade is None:
        return Terms()
    given = amounts_of(scheme, grade)
    limits = [limit.as_json() for limit in limits_of(given)]
    return Terms(grade.name[:80], given.share_bp, given.monthly_cap_fen, given.once_fen, dict(given.units), limits)


def as_json(answer: Eligibility, day: date, given: Terms | None = None) -> dict[str, Any]:
    """Return a verdict as it is kept with an application: day, code, sentence, and what it gives."""
    kept: dict[str, Any] = {
        "day": day.isoformat(),
        "is_eligible": answer.is_eligible,
        "code": answer.code,
        "reason": answer.sentence,
    }
    return kept | (asdict(given) if given else {})


def known_scheme(code: str, div: str) -> Scheme:
    """Return the active scheme of a code that is nearest to an area."""
    scheme = scheme_at(code, div)
    if scheme is None:
        raise Refused("scheme.unknown", N_("本地没有这项待遇，请从列表中选择"), field="scheme_code")
    return scheme


def give(
    *, now: datetime, elder: Elder, scheme: Scheme, given: Terms, days: DayPeriod, basis: str, application: Application | None = None,
    recheck_on: date | None = None,
) -> Entitlement:  # fmt: skip
    """Write an entitlement; who calls it has checked everything and journals."""
    return Entitlement.objects.create(
        div=elder.div, elder=elder, scheme=scheme, share_bp=given.share_bp or 0, monthly_cap_fen=given.monthly_cap_fen,
        once_fen=given.once_fen, units=given.units, limits=given.limits, items=given.items, source=given.source, basis=basis,
        application=application, recheck_on=recheck_on, valid_from=days.from_, valid_to=days.to,
        recorded_from=now, created_at=now, changed_at=now,
    )  # fmt: skip


@operation("entitlements.entitlement.grant", label=N_("登记待遇"))
def grant_entitlement(
    *, actor: Actor, now: datetime, elder_id: Id, scheme_code: SchemeCode, valid_from: FirstDay, valid_to: LastDay = None, basis: Basis
) -> Entitlement:  # fmt: skip
    """Record a scheme that another department has recognised; share and cap are those in force on the first day.

    Refused to whom does not meet its conditions, and for a scheme that is applied for here.
    """
    elder = open_file(elder_id)
    require(actor, "entitlements.entitlement.grant", div=elder.div, elder_id=elder.pk)
    scheme = known_scheme(scheme_code, elder.div)
    days = period_of(valid_from, valid_to)
    if procedure_of(scheme_code, elder.div, local_date(now)) is not None:
        raise Refused(
            "entitlement.needs_application",
            N_("这项待遇须经申请、初审和审批，请在“待遇申请”中登记申请"),
            field="scheme_code",
        )
    answer = verdict(elder, scheme, valid_from)
    if not answer.is_eligible:
        raise Refused(f"entitlement.{answer.code}", answer.reason, field="scheme_code", **answer.values)
    given = terms(elder, scheme, valid_from)
    row = give(now=now, elder=elder, scheme=scheme, given=given, days=days, basis=required_text(basis, "basis"))
    record(
        actor=actor,
        now=now,
        event="entitlements.entitlement.grant",
        subject=row,
        changes={"scheme": [None, scheme.code], "share_bp": [None, row.share_bp]},
    )
    return row


def end(actor: Actor, now: datetime, row: Entitlement, valid_to: date, why: str) -> Entitlement:
    """End a locked entitlement after a day and give back what of the budget nobody can use any more."""
    if row.valid_to is not None and valid_to + ONE_DAY > row.valid_to:
        raise Refused("entitlement.already_ends", N_("此项待遇原定结束得更早，请核对日期"), field="valid_to")
    changes = curtail(row, until=valid_to + ONE_DAY, now=now)
    changed(row, now=now, ended_reason=why)
    release(row, on=local_date(now), until=valid_to + ONE_DAY)
    record(actor=actor, now=now, event="entitlements.entitlement.end", subject=row, changes=changes, reason=why)
    return row


@operation("entitlements.entitlement.end", label=N_("终止待遇"))
def end_entitlement(
    *, actor: Actor, now: datetime, entitlement_id: Id, valid_to: Until, reason: Reason
) -> Entitlement:  # fmt: skip
    """End an entitlement after a day; what was reserved for later days stays until its orders are settled or cancelled."""
    row = locked(Entitlement.objects.filter(recorded_to=None), entitlement_id)
    require(actor, "entitlements.entitlement.end", div=row.div, elder_id=row.elder_id)
    return end(actor, now, row, valid_to, required_text(reason, "reason", most=500))


@operation("entitlements.entitlement.stop", label=N_("因去世或迁出终止"))
def stop_entitlement(*, actor: Actor, now: datetime, entitlement_id: Id) -> Entitlement:
    """End an entitlement on the day of death, or the day before moving away (R-PEO-03)."""
    row = locked(Entitlement.objects.filter(recorded_to=None).select_related("elder"), entitlement_id)
    require(actor, "entitlements.entitlement.stop", div=row.div)
    day, cause = last_day_of(row, local_date(now))
    if day is None or (row.valid_to is not None and row.valid_to <= day + ONE_DAY):
        raise Refused("entitlement.not_stopped", N_("此人没有去世或迁出，或者此项待遇已经终止"))
    why = N_("去世或迁出")
    changes: dict[str, Any] = curtail(row, until=day + ONE_DAY, now=now)
    changed(row, now=now, ended_reason=why)
    release(row, on=local_date(now), until=day + ONE_DAY)
    record(
        actor=actor,
        now=now,
        event="entitlements.entitlement.end",
        subject=row,
        changes=changes | {"cause": cause},
        reason=why,
    )
    return row


class ProgrammeTerms(TypedDict, total=False):
    """What a programme gives: codes of items with what is funded and how often, sums by unit, limits, the share (default: all)."""

    items: dict[str, dict[str, Any]] | None
    units: dict[str, int] | None
    limits: list[dict[str, Any]] | None
    monthly_cap_fen: int | None
    share_bp: int


def give_for_programme(
    *, actor: Actor, now: datetime, elder: Elder, scheme_code: str, valid_from: date, valid_to: date | None, source: str,
    **terms: Unpack[ProgrammeTerms],
) -> Entitlement:  # fmt: skip
    """Write the entitlement that a programme gives: a contract, a home bed, a grade of the insurance. ``valid_to`` is its last day.

    The programme has checked the right and its own conditions. A repetition with the same source returns the first.
    """
    known = Entitlement.objects.filter(elder=elder, source=source, recorded_to=None).first() if source else None
    if known is not None:
        return known
    scheme = known_scheme(scheme_code, elder.div)
    given = Terms(
        share_bp=terms.get("share_bp", WHOLE_BP), monthly_cap_fen=terms.get("monthly_cap_fen"), units=terms.get("units") or {},
        limits=terms.get("limits") or [], items=terms.get("items") or {}, source=source,
    )  # fmt: skip
    days = DayPeriod.through(valid_from, valid_to)
    row = give(now=now, elder=elder, scheme=scheme, given=given, days=days, basis=scheme.document)
    record(
        actor=actor, now=now, event="entitlements.entitlement.grant", subject=row,
        changes={"scheme": [None, scheme.code], "share_bp": [None, row.share_bp], "source": [None, source]},
    )  # fmt: skip
    return row


def end_for_programme(
    *, actor: Actor, now: datetime, entitlement: Entitlement, last_day: date, why: str
) -> Entitlement:
    """End what a programme gave after a day; one that ends by then anyway stays as it is. Orders already placed keep it (D-19)."""
    row = locked(Entitlement.objects.filter(recorded_to=None), entitlement.pk)
    if row.valid_to is not None and row.valid_to <= last_day + ONE_DAY:
        return row
    return end(actor, now, row, max(last_day, row.valid_from - ONE_DAY), why)


def stop_after_leaving(actor: Actor, now: datetime, row: Entitlement) -> Entitlement | None:
    """Stop an entitlement, if the elder has died or left. Returns nothing if it has ended."""
    day, _cause = last_day_of(row, local_date(now))
    if day is None or (row.valid_to is not None and row.valid_to <= day + ONE_DAY):
        return None
    return stop_entitlement(actor=actor, now=now, entitlement_id=row.pk)


def follow_elders(div: str) -> int:
    """Bring what belongs to elders to the area they moved to, so that its staff see it; return how many entitlements."""
    moved = Entitlement.objects.within(div).exclude(div=F("elder__div")).select_related("elder")
    for row in moved:
        Entitlement.objects.filter(pk=row.pk).update(div=row.elder.div)
        Quota.objects.filter(entitlement_id=row.pk).update(div=row.elder.div)
    for model in (Application, Paper):
        for pk, home in model.objects.within(div).exclude(div=F("elder__div")).values_list("pk", "elder__div"):
            model.objects.filter(pk=pk).update(div=home)
    return len(moved)
