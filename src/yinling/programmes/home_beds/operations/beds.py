"""Home sickbeds: application, home check, who is responsible, approval by another person, withdrawal."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.assessment.queries import current_level
from yinling.directory.models import Staff
from yinling.directory.queries import body_obstacles, system_actor, uncovered
from yinling.directory.rules import known_choice, require, required_text
from yinling.entitlements.models import Entitlement
from yinling.entitlements.operations import end_for_programme, give_for_programme
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.ground.rounds import tried
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import DayPeriod, local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.operations.elders import open_file, require_alive
from yinling.people.queries.names import PROVINCE
from yinling.programmes.home_beds.models import HomeSickbed
from yinling.programmes.home_beds.queries.beds import basis_of, beds_to_close, last_day, moved, present
from yinling.programmes.home_beds.rules import check_pieces
from yinling.programmes.home_beds.states import SICKBED

SCHEME = "home_bed"
MOST_A_ROUND = 500
PAPERS = {"doctor": ("doctor", "filing"), "nurse": ("nurse",)}
LACKS = {
    "employment": N_("%(name)s 当日不在这个机构任职"), "doctor": N_("%(name)s 当日没有在本地有效的医师执业证"),
    "filing": N_("%(name)s 当日没有在这个机构执业的备案"), "nurse": N_("%(name)s 当日没有有效的护士执业证"),
}  # fmt: skip
explain_constraint("home_sickbed_once", "bed.twice", N_("老人已有家庭病床或正在审批的申请，不能再申请"))
explain_constraint("home_sickbed_two_persons", "bed.same_person", N_("申请和批准须由不同的人办理，请由另一人批准"))

Body = Annotated[int, Input(N_("建床机构"), least=1, widget="choice")]
Kind = Annotated[str, Input(N_("种类"), choices=HomeSickbed.KINDS, widget="choice")]
Need = Annotated[
    str, Input(N_("医疗需求"), help=N_("为什么需要上门诊疗和护理，不要写诊断"), max_length=500, widget="area")
]
Diagnosis = Annotated[str, Input(N_("诊断"), help=N_("加密保存，查看须写明原因"), max_length=500, widget="area")]
Signer = Annotated[str, Input(N_("申请人签名"), max_length=40)]


def _check_body(provider_id: int, on: date) -> None:
    """Refuse a body that may not do medical work at home on a day: not listed, or without its policies (R-STF-04, R-ORD-13)."""
    for code, why in body_obstacles(provider_id, {on}, is_medical=True):
        raise Refused(f"bed.{code}", N_("%(why)s，不能建立家庭病床。请换一家机构"), field="provider_id", why=why)


def _check_papers(row: HomeSickbed, staff_id: int | None, kind: str, on: date) -> None:
    """Refuse a doctor or nurse of another body, or without valid papers on a day. Read by the system: offices see no staff of bodies."""
    with scope(system_actor(row.div[:PROVINCE])):
        person = Staff.objects.filter(pk=staff_id or 0, provider_id=row.provider_id, kind=kind).first()
        if person is None:
            raise Refused(f"bed.{kind}_unknown", N_("建床机构没有这位人员，请从列表中选择"), field=f"{kind}_id")
        lack = uncovered(person, PAPERS[kind], DayPeriod.through(on, on))
    if lack is not None:
        raise Refused(f"bed.{kind}_papers", LACKS[lack[0]], field=f"{kind}_id", name=person.name)


@operation("home_beds.bed.apply", label=N_("申请家庭病床"))
def apply_for_bed(
    *, actor: Actor, now: datetime, elder_id: Id, provider_id: Body, kind: Kind = "medical", need: Need, diagnosis: Diagnosis = "",
    signed_by: Signer,
) -> HomeSickbed:  # fmt: skip
    """Ask for a home sickbed. What is missing besides may be added until the approval; the diagnosis is sealed."""
    elder = open_file(elder_id)
    require(actor, "home_beds.bed.apply", div=elder.div, elder_id=elder.pk)
    require_alive(elder)
    known_choice(kind, HomeSickbed.KINDS, "kind")
    _check_body(provider_id, local_date(now))
    row = HomeSickbed(
        div=elder.div, elder=elder, provider_id=provider_id, kind=kind, need=required_text(need, "need", most=500),
        signed_by=required_text(signed_by, "signed_by", most=40), applied_at=now, applied_by_id=actor.user_id or 0, created_at=now, changed_at=now,
    )  # fmt: skip
    row.seal_field("diagnosis", diagnosis.strip())
    row.save(force_insert=True)
    changes = {"kind": [None, kind], "provider": [None, provider_id]}
    record(actor=actor, now=now, event="home_beds.bed.apply", subject=row, changes=changes)
    tell("home_beds", pk=row.pk, div=row.div)
    return row


def _open(bed_id: int, seen: int | None, verb: str) -> HomeSickbed:
    """Lock an application that is still to be decided; ``verb`` only says by which transition that is told."""
    row = locked(HomeSickbed.objects.select_related("provider"), bed_id, seen)
    SICKBED.target(verb, row.state)
    return row


@operation("home_beds.bed.check", label=N_("登记入户核查"))
def check_home(
    *, actor: Actor, now: datetime, bed_id: Id, checked_on: Annotated[date, Input(N_("核查日期"), widget="date")],
    home_check: Annotated[str, Input(N_("核查情况"), help=N_("居住条件、照护人、是否适合在家治疗"), max_length=500, widget="area")],
    staff_id: Annotated[int | None, Input(N_("核查人"), help=N_("不选为本人"), least=1, widget="choice")] = None,
    diagnosis: Diagnosis = "", seen: Seen = None,
) -> HomeSickbed:  # fmt: skip
    """Write down what a member of the body's staff found at the home, and the diagnosis if the application had none."""
    row = _open(bed_id, seen, "approve")
    require(actor, "home_beds.bed.check", div=row.div, provider_id=row.provider_id)
    if not local_date(row.applied_at) <= checked_on <= local_date(now):
        raise Refused("bed.check_day", N_("核查日期应在申请之日至今天之间"), field="checked_on")
    with scope(system_actor(row.div[:PROVINCE])):
        person = Staff.objects.filter(pk=staff_id or actor.staff_id or 0, provider_id=row.provider_id).first()
    if person is None:
        raise Refused("bed.checker", N_("入户核查须由建床机构的人员进行，请选择核查人"), field="staff_id")
    found = required_text(home_check, "home_check", most=500)
    if diagnosis.strip():
        row.seal_field("diagnosis", diagnosis.strip())
        row.save(update_fields=["diagnosis_enc", "enc_suite", "enc_kid"])
    changes = changed(row, now=now, home_check=found, checked_on=checked_on, checked_by_id=person.pk)
    record(actor=actor, now=now, event="home_beds.bed.check", subject=row, changes=changes)
    tell("home_beds", pk=row.pk, div=row.div)
    return row


@operation("home_beds.bed.assign", label=N_("确定责任医护"))
def assign_bed(
    *, actor: Actor, now: datetime, bed_id: Id, doctor_id: Annotated[int, Input(N_("责任医生"), least=1, widget="choice")],
    nurse_id: Annotated[int, Input(N_("责任护士"), least=1, widget="choice")], seen: Seen = None,
) -> HomeSickbed:  # fmt: skip
    """Say which doctor and which nurse of the body answer for the bed; both with valid papers today."""
    row = locked(HomeSickbed.objects.all(), bed_id, seen)
    require(actor, "home_beds.bed.assign", div=row.div, provider_id=row.provider_id)
    if row.state not in ("applied", "approved"):
        raise NotAllowed("bed.over", N_("申请已办结或已撤床，不能再更换责任医护"))
    for kind, pk in (("doctor", doctor_id), ("nurse", nurse_id)):
        _check_papers(row, pk, kind, local_date(now))
    changes = changed(row, now=now, doctor_id=doctor_id, nurse_id=nurse_id)
    record(actor=actor, now=now, event="home_beds.bed.assign", subject=row, changes=changes)
    tell("home_beds", pk=row.pk, div=row.div)
    return row


@operation("home_beds.bed.approve", label=N_("批准建床"))
def approve_bed(
    *, actor: Actor, now: datetime, bed_id: Id,
    approved_to: Annotated[date | None, Input(N_("最后一天"), help=N_("含当日；不填至撤床为止"), widget="date")] = None, seen: Seen = None,
) -> HomeSickbed:  # fmt: skip
    """Open the bed from today on, by another person than who applied; refused while a piece is missing, each by name (R-BED-01).

    From today to the withdrawal basic insurance pays for items, never before (R-BED-05).
    """
    row = _open(bed_id, seen, "approve")
    require(actor, "home_beds.bed.approve", div=row.div)
    today = local_date(now)
    if row.applied_by_id == actor.user_id:
        raise NotAllowed("bed.same_person", N_("申请和批准须由不同的人办理，请由另一人批准"))
    elder = open_file(row.elder_id)
    require_alive(elder)
    found = basis_of(elder, row.kind, today)
    check_pieces(present(row, found))
    _check_body(row.provider_id, today)
    _check_papers(row, row.doctor_id, "doctor", today)
    _check_papers(row, row.nurse_id, "nurse", today)
    if approved_to is not None and approved_to < today:
        raise Refused("bed.past", N_("最后一天早于今天，请核对"), field="approved_to")
    given = give_for_programme(
        actor=actor, now=now, elder=elder, scheme_code=SCHEME, valid_from=today, valid_to=approved_to,
        source=f"home_beds.bed:{row.pk}", share_bp=int(parameter("home_beds.share_bp", row.div, today)),
    )  # fmt: skip
    changes = changed(
        row, now=now, state=SICKBED.target("approve", row.state), approved_on=today, approved_by_id=actor.user_id, approved_to=approved_to,
        groups=found.groups, assessment=current_level(elder.pk, today), consent_id=found.consent_id, entitlement=given,
    )  # fmt: skip
    record(actor=actor, now=now, event="home_beds.bed.approve", subject=row, changes=changes)
    tell("home_beds", pk=row.pk, div=row.div)
    return row


def _decide(actor: Actor, now: datetime, row: HomeSickbed, verb: str, reason: str) -> HomeSickbed:
    why = required_text(reason, "reason", most=500)
    changes = changed(row, now=now, state=SICKBED.target(verb, row.state), reason=why)
    record(actor=actor, now=now, event=f"home_beds.bed.{verb}", subject=row, changes=changes, reason=why)
    tell("home_beds", pk=row.pk, div=row.div)
    return row


@operation("home_beds.bed.refuse", label=N_("不予建床"))
def refuse_bed(*, actor: Actor, now: datetime, bed_id: Id, reason: Reason, seen: Seen = None) -> HomeSickbed:
    """Turn an application down, with the reason that the applicant gets."""
    row = locked(HomeSickbed.objects.all(), bed_id, seen)
    require(actor, "home_beds.bed.refuse", div=row.div)
    return _decide(actor, now, row, "refuse", reason)


@operation("home_beds.bed.cancel", label=N_("撤回申请"))
def cancel_bed(*, actor: Actor, now: datetime, bed_id: Id, reason: Reason, seen: Seen = None) -> HomeSickbed:
    """Take an application back before it is decided."""
    row = locked(HomeSickbed.objects.all(), bed_id, seen)
    require(actor, "home_beds.bed.cancel", div=row.div)
    return _decide(actor, now, row, "cancel", reason)


@operation("home_beds.bed.withdraw", label=N_("撤床"))
def withdraw_bed(
    *, actor: Actor, now: datetime, bed_id: Id, last_day: Annotated[date, Input(N_("最后一天"), help=N_("含当日，此后医保不再支付"), widget="date")],
    reason: Reason, seen: Seen = None,
) -> HomeSickbed:  # fmt: skip
    """Close a bed after a day: from the next on insurance pays nothing for it (R-BED-05)."""
    row = locked(HomeSickbed.objects.all(), bed_id, seen)
    require(actor, "home_beds.bed.withdraw", div=row.div, provider_id=row.provider_id)
    if row.approved_on is not None and last_day < row.approved_on:
        raise Refused("bed.before_approval", N_("撤床日期早于建床日期，请核对"), field="last_day")
    if row.approved_to is not None and last_day > row.approved_to:
        raise Refused("bed.later", N_("原定结束得更早，请核对日期"), field="last_day")
    return _withdraw(actor, now, row, last_day, required_text(reason, "reason", most=500), "withdraw")


@operation("home_beds.bed.stop", label=N_("因去世、迁出或期满撤床"))
def stop_bed(*, actor: Actor, now: datetime, bed_id: Id) -> HomeSickbed:
    """Close a bed on the day of death, the day before moving away (R-PEO-03), or the last day approved, so that it can be asked for anew."""
    row = locked(HomeSickbed.objects.all(), bed_id)
    require(actor, "home_beds.bed.stop", div=row.div)
    day = last_day(row, local_date(now))
    if day is None:
        raise Refused("bed.not_stopped", N_("此人没有去世或迁出，建床期限也没有到，不用撤床"))
    why = N_("建床期满") if day == row.approved_to else N_("去世或迁出")
    return _withdraw(actor, now, row, day, why, "stop")


def _withdraw(actor: Actor, now: datetime, row: HomeSickbed, day: date, why: str, verb: str) -> HomeSickbed:
    target, system = SICKBED.target("withdraw", row.state), system_actor(row.div[:PROVINCE])
    with scope(system):
        given = Entitlement.objects.get(pk=row.entitlement_id or 0)
        if given.recorded_to is None:
            end_for_programme(actor=system, now=now, entitlement=given, last_day=day, why=why)
    changes = changed(row, now=now, state=target, withdrawn_on=day, reason=why)
    record(actor=actor, now=now, event=f"home_beds.bed.{verb}", subject=row, changes=changes, reason=why)
    tell("home_beds", pk=row.pk, div=row.div)
    return row


@operation("home_beds.bed.reveal", label=N_("查看诊断"))
def reveal_diagnosis(*, actor: Actor, now: datetime, bed_id: Id, reason: Reason) -> dict[str, str]:
    """Return the diagnosis in clear; who read it and why stands on the elder's timeline."""
    row = locked(HomeSickbed.objects.all(), bed_id)
    require(actor, "home_beds.bed.reveal", div=row.div, provider_id=row.provider_id)
    why = required_text(reason, "reason", most=500)
    record(actor=actor, now=now, event="home_beds.bed.reveal", subject=row, changes={}, reason=why)
    return {N_("诊断"): row.unseal_field("diagnosis") or N_("没有填写")}


def stop_after_leaving(actor: Actor, now: datetime) -> int:
    """Close the beds of the dead and the moved away of the actor's area, and those whose days are over; return how many."""
    with scope(actor):
        rows = beds_to_close(actor.div or "", local_date(now))[:MOST_A_ROUND]
        due = [row.pk for row in rows if last_day(row, local_date(now)) is not None]
    return sum(tried(actor, now, stop_bed, bed_id=pk) for pk in due)


def follow_elders(div: str) -> int:
    """Bring beds to the area their elders moved to, so that its staff see them; return how many."""
    rows = list(moved(div).select_related("elder"))
    for row in rows:
        HomeSickbed.objects.filter(pk=row.pk).update(div=row.elder.div)
    return len(rows)
