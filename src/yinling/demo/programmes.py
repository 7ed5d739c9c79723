"""The programmes of the made-up city, played through the operations: a package with contracts, home sickbeds, and stays paid by the day."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q

from yinling.catalogue.models import ServiceItem
from yinling.catalogue.operations import draft_package, publish_package
from yinling.demo.applications import Clerks
from yinling.demo.bodies import Bodies
from yinling.directory.models import Staff
from yinling.directory.queries import system_actor
from yinling.ground.scope import scope
from yinling.kernel.period import local_date, month_start
from yinling.kernel.refusals import Refusal
from yinling.orders.models import Order
from yinling.people.models import Elder
from yinling.people.operations import record_consent
from yinling.programmes.family_doctor.models import DoctorContract
from yinling.programmes.family_doctor.operations import draft_contract, end_contract, sign_contract
from yinling.programmes.home_beds.operations import (
    admit_to_bed,
    apply_for_bed,
    approve_bed,
    assign_bed,
    bill_stay,
    check_home,
    discharge_stay,
)
from yinling.settlement.operations import settle_each

CONTRACTS = 6
BACK = 20
"""Days ago on which contracts and beds began."""
PACKAGE = "FD01"
YUAN = 100
BED_DAY = "BD01"
LEFT = timedelta(days=10)
"""What was served so long ago and is not settled will not be."""


def load_programmes(clerks: Clerks, bodies: Bodies, area: str, street: str) -> None:
    """Play them; a city whose list has no package or bed-day, or whose bodies may not take part, goes without that part."""
    near = _elders(street, 60)
    _contracts(clerks, bodies, area, near[: CONTRACTS * 3])
    _beds(clerks, bodies, near)
    _stays(clerks, bodies, near)
    _settle(clerks, area)


def _elders(street: str, limit: int) -> list[Elder]:
    """Elders of the demonstration's own street, in a fixed order."""
    with scope(system_actor(street)):
        return list(Elder.objects.within(street).filter(died_on=None, merged_into=None).order_by("pk")[:limit])


def _contracts(clerks: Clerks, bodies: Bodies, area: str, elders: list[Elder]) -> None:
    """Some signed, one of them ended since, and one that waits for its signature."""
    first = local_date(clerks.now) - timedelta(days=BACK)
    try:
        package = clerks.act(
            "city", BACK + 5, draft_package, code=PACKAGE, name="家庭医生签约基础包", div=area, audience="all",
            lines="NU01, 12, 项目\nMD01, 2, 整次", price_fen=120 * YUAN, payers=["self"], document="演示服务包（虚构）", valid_from=first,
        )  # fmt: skip
        clerks.act("city2", BACK + 4, publish_package, package_id=package.pk)
    except Refusal:
        return
    doctor, signed = _person(bodies, "doctor"), list[DoctorContract]()
    for elder in elders:
        try:
            clerks.act("street", BACK, record_consent, elder_id=elder.pk, purpose="family_doctor", given_by="self")
            row = clerks.act(
                "street", BACK, draft_contract, elder_id=elder.pk, provider_id=doctor.provider_id, doctor_id=doctor.pk,
                package_id=package.pk, valid_from=first,
            )  # fmt: skip
            if len(signed) == CONTRACTS:
                break
            signed.append(clerks.act("street", BACK, sign_contract, contract_id=row.pk, signed_by=elder.name))
        except Refusal:
            continue
    if len(signed) == CONTRACTS:
        last = local_date(clerks.now) - timedelta(days=3)
        clerks.act(
            "street", 3, end_contract, contract_id=signed[-1].pk, last_day=last, reason="老人改由子女所在地的机构签约"
        )


def _person(bodies: Bodies, kind: str) -> Staff:
    """The demonstration's own doctor or nurse, who has a login."""
    home = bodies.demo.pk if bodies.demo else None
    return next(one for one in bodies.staff if one.kind == kind and one.provider_id == home and one.user_id)


def _beds(clerks: Clerks, bodies: Bodies, elders: list[Elder]) -> None:
    """One bed that is approved, and one application that still waits for the visit to the home."""
    doctor, nurse = _person(bodies, "doctor"), _person(bodies, "nurse")
    day = local_date(clerks.now) - timedelta(days=BACK - 2)
    opened = False
    for elder in elders:
        try:
            clerks.act("street", BACK, record_consent, elder_id=elder.pk, purpose="home_bed", given_by="self")
            bed = clerks.act(
                "street", BACK, apply_for_bed, elder_id=elder.pk, provider_id=doctor.provider_id, need="长期卧床，需要换药和导管护理",
                diagnosis="脑梗死后遗症", signed_by=elder.name,
            )  # fmt: skip
            if opened:
                return
            clerks.act(
                "nurse", BACK - 2, check_home, bed_id=bed.pk, checked_on=day, home_check="有人照护，居住条件适合"
            )
            clerks.act("nurse", BACK - 2, assign_bed, bed_id=bed.pk, doctor_id=doctor.pk, nurse_id=nurse.pk)
            clerks.act("district", BACK - 3, approve_bed, bed_id=bed.pk)
            opened = True
        except Refusal:
            continue


def _stays(clerks: Clerks, bodies: Bodies, elders: list[Elder]) -> None:
    """One stay of last month, over and billed, and one that goes on; of people whom nobody visits meanwhile."""
    if bodies.demo is None or not ServiceItem.objects.filter(code=BED_DAY, kind="bed_day").exists():
        return
    today = local_date(clerks.now)
    last = month_start(month_start(today) - date.resolution)
    busy = set(Order.objects.filter(elder__in=elders).values_list("elder_id", flat=True))
    free = iter([elder for elder in elders if elder.pk not in busy])
    for admitted, discharged in ((last.replace(day=6), last.replace(day=18)), (today - timedelta(days=4), None)):
        ago = (today - admitted).days
        elder = next(free, None)
        if elder is None:
            return
        stay = clerks.act(
            "district", ago - 0.5, admit_to_bed, elder_id=elder.pk, provider_id=bodies.demo.pk, kind="nursing", item_code=BED_DAY,
            admitted_on=admitted,
        )  # fmt: skip
        if discharged is not None:
            over = (today - discharged).days
            clerks.act("district", over, discharge_stay, stay_id=stay.pk, discharged_on=discharged)
            clerks.act("district", over - 1, bill_stay, stay_id=stay.pk)


def _settle(clerks: Clerks, area: str) -> None:
    """Settle what was delivered without a visit, as the job does, and try what was left: minutes that were charged once already."""
    system, yesterday = system_actor(area), clerks.now - timedelta(days=1)
    rest = Q(needs_visit=False) | Q(served_at__lt=yesterday - LEFT)
    with scope(system):
        orders = list(Order.objects.select_for_update(of=("self",)).filter(rest, state="served").order_by("pk"))
        settle_each(system, yesterday, orders)
