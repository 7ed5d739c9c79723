"""Drafting, signing and ending contracts with family doctors. Signing writes what the package funds, and bills its fee once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.catalogue.models import Package
from yinling.catalogue.queries import packages_for
from yinling.directory.models import Organisation, Staff
from yinling.directory.queries import system_actor, uncovered
from yinling.directory.rules import known_choice, period_of, require, required_text
from yinling.entitlements.models import PAYERS, Entitlement
from yinling.entitlements.operations import end_for_programme, give_for_programme
from yinling.ground.live import tell
from yinling.ground.models import in_force
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.ground.rounds import tried
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import ONE_DAY, DayPeriod, local_date, span_from_first_day
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.operations import place_for_programme
from yinling.people.inputs import CAPACITIES, Capacity
from yinling.people.models import Consent, Elder
from yinling.people.operations.elders import open_file, require_alive
from yinling.people.queries.acting import may_sign
from yinling.people.queries.names import PROVINCE
from yinling.people.rules import check_signer
from yinling.programmes.family_doctor.models import DoctorContract
from yinling.programmes.family_doctor.queries.calls import groups, groups_of
from yinling.programmes.family_doctor.queries.contracts import contracts_of_leavers, last_day, moved, overlapping
from yinling.programmes.family_doctor.rules import check_audience, check_payer, items_of
from yinling.programmes.family_doctor.states import CONTRACT

CONSENT, SCHEME = "family_doctor", "family_doctor"
MOST_A_ROUND = 500
LACKS = {
    "employment": N_("%(name)s 从 %(day)s 起不在这个机构任职，不能签到这一天"),
    "doctor": N_("%(name)s 从 %(day)s 起没有在本地有效的医师执业证，不能签到这一天"),
    "filing": N_("%(name)s 从 %(day)s 起没有在这个机构执业的备案，不能签到这一天"),
}
OVERLAP = N_("老人在这段时间已有家庭医生签约。请改日期，或先解除原有签约")
explain_constraint("doctor_contract_one_at_a_time", "contract.overlap", OVERLAP)

Body = Annotated[int, Input(N_("签约机构"), least=1, widget="choice")]
Doctor = Annotated[int, Input(N_("家庭医生"), least=1, widget="choice")]
Bundle = Annotated[int, Input(N_("服务包"), least=1, widget="choice")]
First = Annotated[date, Input(N_("首日"), widget="date")]
Last = Annotated[date | None, Input(N_("最后一天"), help=N_("含当日；不填为一年"), widget="date")]
Payer = Annotated[str, Input(N_("签约费付费方"), choices=PAYERS, widget="choice")]
Signer = Annotated[str, Input(N_("签字人姓名"), max_length=40)]


def _package(package_id: int, elder: Elder, on: date, now: datetime) -> Package:
    row = packages_for(elder.div, on, now).filter(pk=package_id).first()
    if row is None:
        raise Refused(
            "contract.package", N_("本地没有已公布并在这一天生效的这个服务包，请从列表中选择"), field="package_id"
        )
    return row


def _check_doctor(doctor_id: int, provider_id: int, div: str, days: DayPeriod) -> Staff:
    """Refuse a doctor of another body, or without licence and filing on every day. Read by the system: offices see no staff of bodies."""
    with scope(system_actor(div[:PROVINCE])):
        doctor = Staff.objects.filter(pk=doctor_id, provider_id=provider_id, kind="doctor").first()
        if doctor is None:
            raise Refused("contract.doctor", N_("这个机构没有这位医生，请从列表中选择"), field="doctor_id")
        lack = uncovered(doctor, ("doctor", "filing"), days)
    if lack is not None:
        kind, day = lack
        raise Refused(f"contract.{kind}", LACKS[kind], field="doctor_id", name=doctor.name, day=day.isoformat())
    return doctor


@operation("family_doctor.contract.draft", label=N_("起草签约"))
def draft_contract(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, provider_id: Body, doctor_id: Doctor, package_id: Bundle, valid_from: First,
    valid_to: Last = None, payer: Payer = "self",
) -> DoctorContract:  # fmt: skip
    """Draft a contract of an elder with a doctor for a package, for a year unless a last day is given (D-17). It is in force when signed."""
    elder = open_file(elder_id)
    require(actor, "family_doctor.contract.draft", div=elder.div)
    require_alive(elder)
    if not Organisation.objects.filter(pk=provider_id, is_provider=True).exists():
        raise Refused("contract.provider", N_("没有这家服务机构，请从列表中选择"), field="provider_id")
    package = _package(package_id, elder, valid_from, now)
    years = int(parameter("family_doctor.years", elder.div, valid_from))
    end = span_from_first_day(valid_from, years=years).to or valid_from
    days = period_of(valid_from, end - ONE_DAY if valid_to is None else valid_to)
    own = groups_of([elder.pk], groups(elder.div, local_date(now)))[elder.pk]
    check_audience(package.audience, own, parameter("family_doctor.audiences", elder.div, valid_from))
    known_choice(payer, PAYERS, "payer")
    check_payer(payer, package.payers)
    _check_doctor(doctor_id, provider_id, elder.div, days)
    row = DoctorContract.objects.create(
        div=elder.div, elder=elder, provider_id=provider_id, doctor_id=doctor_id, package=package, valid_from=days.from_, valid_to=days.to or end,
        lines=package.lines, price_fen=package.price_fen, payer=payer, entered_by_id=actor.user_id or 0, created_at=now, changed_at=now,
    )  # fmt: skip
    changes = {
        "package": [None, package.code],
        "doctor": [None, doctor_id],
        "valid_from": [None, valid_from.isoformat()],
    }
    record(actor=actor, now=now, event="family_doctor.contract.draft", subject=row, changes=changes)
    tell("contracts", pk=row.pk, div=row.div)
    return row


def _check_signature(row: DoctorContract, signed_as: str, today: date) -> None:
    """Refuse a signature of who may not sign for the elder, and one without the consent it presupposes (R-PEO-10)."""
    known_choice(signed_as, CAPACITIES, "signed_as")
    check_signer(signed_as, is_appointed=may_sign(row.elder_id, signed_as, today))
    if not Consent.objects.filter(in_force(today), elder_id=row.elder_id, purpose=CONSENT).exists():
        raise NotAllowed("contract.no_consent", N_("还没有“家庭医生签约”的知情同意。请先征得同意并登记，再签约"))


def _bill(row: DoctorContract, elder: Elder, actor: Actor, now: datetime) -> Order | None:
    """Place the order of the fee, once; a package without a price has none."""
    if not row.price_fen:
        return None
    order = place_for_programme(
        actor=actor, now=now, elder=elder, item_code=row.package.code, quantity=1, service_day=row.valid_from, provider=row.provider,
        source=f"family_doctor.contract:{row.pk}", payer_first="" if row.payer == "self" else row.payer, note=row.code,
    )  # fmt: skip
    if order.total_fen != row.price_fen:
        raise Refused("contract.price", N_("服务包的价格和价目表上的签约费不一致，请先更正价目或服务包"))
    return order


@operation("family_doctor.contract.sign", label=N_("签约"))
def sign_contract(
    *, actor: Actor, now: datetime, contract_id: Id, signed_by: Signer, signed_as: Capacity = "self", seen: Seen = None
) -> DoctorContract:  # fmt: skip
    """Put a contract in force: who signed as what; the package's lines become what the contract pays for, and its fee is billed."""
    row = locked(DoctorContract.objects.select_related("package", "provider"), contract_id, seen)
    require(actor, "family_doctor.contract.sign", div=row.div, provider_id=row.provider_id)
    target = CONTRACT.target("sign", row.state)
    signer = required_text(signed_by, "signed_by", most=40)
    if row.last_day < local_date(now):
        raise Refused("contract.past", N_("这份签约的最后一天已经过去。请作废，再按现在的日期重新起草"))
    _check_doctor(row.doctor_id, row.provider_id, row.div, DayPeriod(row.valid_from, row.valid_to))
    system = system_actor(row.div[:PROVINCE])
    with scope(system):
        elder = open_file(row.elder_id)
        require_alive(elder)
        _check_signature(row, signed_as, local_date(now))
        if overlapping(row).exists():
            raise Refused("contract.overlap", OVERLAP)
        entitlement = give_for_programme(
            actor=system, now=now, elder=elder, scheme_code=SCHEME, valid_from=row.valid_from, valid_to=row.valid_to - ONE_DAY,
            source=f"family_doctor.contract:{row.pk}", items=items_of(row.lines),
        )  # fmt: skip
        order = _bill(row, elder, system, now)
    changes = changed(
        row,
        now=now,
        state=target,
        signed_by=signer,
        signed_as=signed_as,
        signed_at=now,
        entitlement=entitlement,
        fee_order=order,
    )
    record(actor=actor, now=now, event="family_doctor.contract.sign", subject=row, changes=changes)
    tell("contracts", pk=row.pk, div=row.div)
    return row


@operation("family_doctor.contract.cancel", label=N_("作废"))
def cancel_contract(
    *, actor: Actor, now: datetime, contract_id: Id, reason: Reason, seen: Seen = None
) -> DoctorContract:
    """Drop a draft that nobody signed."""
    row = locked(DoctorContract.objects.all(), contract_id, seen)
    require(actor, "family_doctor.contract.cancel", div=row.div)
    why = required_text(reason, "reason", most=500)
    changes = changed(row, now=now, state=CONTRACT.target("cancel", row.state), end_reason=why)
    record(actor=actor, now=now, event="family_doctor.contract.cancel", subject=row, changes=changes, reason=why)
    tell("contracts", pk=row.pk, div=row.div)
    return row


@operation("family_doctor.contract.end", label=N_("解约"))
def end_contract(
    *, actor: Actor, now: datetime, contract_id: Id, last_day: Annotated[date, Input(N_("最后一天"), help=N_("含当日"), widget="date")],
    reason: Reason, seen: Seen = None,
) -> DoctorContract:  # fmt: skip
    """End a contract after a day: what is unused is free, what is booked stays until its orders are settled or cancelled (D-19)."""
    row = locked(DoctorContract.objects.all(), contract_id, seen)
    require(actor, "family_doctor.contract.end", div=row.div, provider_id=row.provider_id)
    if last_day >= row.valid_to:
        raise Refused("contract.later", N_("签约原定结束得更早，请核对日期"), field="last_day")
    return _end(actor, now, row, last_day, required_text(reason, "reason", most=500), "end")


@operation("family_doctor.contract.stop", label=N_("因去世或迁出解约"))
def stop_contract(*, actor: Actor, now: datetime, contract_id: Id) -> DoctorContract:
    """End a contract on the day of death, or the day before moving away (R-PEO-03)."""
    row = locked(DoctorContract.objects.all(), contract_id)
    require(actor, "family_doctor.contract.stop", div=row.div)
    day, _cause = last_day(row, local_date(now))
    if day is None or day >= row.valid_to:
        raise Refused("contract.not_stopped", N_("此人没有去世或迁出，或者签约已经结束"))
    return _end(actor, now, row, day, N_("去世或迁出"), "stop")


def _end(actor: Actor, now: datetime, row: DoctorContract, day: date, why: str, verb: str) -> DoctorContract:
    target, system = CONTRACT.target("end", row.state), system_actor(row.div[:PROVINCE])
    with scope(system):
        given = Entitlement.objects.get(pk=row.entitlement_id or 0)
        if given.recorded_to is None:
            end_for_programme(actor=system, now=now, entitlement=given, last_day=day, why=why)
    changes = changed(row, now=now, state=target, valid_to=max(day + ONE_DAY, row.valid_from), end_reason=why)
    record(actor=actor, now=now, event=f"family_doctor.contract.{verb}", subject=row, changes=changes, reason=why)
    tell("contracts", pk=row.pk, div=row.div)
    return row


def stop_after_leaving(actor: Actor, now: datetime) -> int:
    """End the contracts of the dead and the moved away of the actor's area; return how many."""
    with scope(actor):
        rows = contracts_of_leavers(actor.div or "", local_date(now))[:MOST_A_ROUND]
        days = {row: last_day(row, local_date(now))[0] for row in rows}
    due = [row.pk for row, day in days.items() if day is not None and day < row.valid_to]
    return sum(tried(actor, now, stop_contract, contract_id=pk) for pk in due)


def follow_elders(div: str) -> int:
    """Bring contracts to the area their elders moved to, so that its staff see them; return how many."""
    rows = list(moved(div).select_related("elder"))
    for row in rows:
        DoctorContract.objects.filter(pk=row.pk).update(div=row.elder.div)
    return len(rows)
