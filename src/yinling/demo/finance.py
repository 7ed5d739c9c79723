"""Money beyond the orders of the made-up city, played through the operations: a package with contracts, a home sickbed, budget lines and a
donation, and the payout of what was approved last month.
"""

from __future__ import annotations

import base64
import csv
import io
from datetime import datetime, timedelta

from yinling.catalogue.operations import draft_package, publish_package
from yinling.demo.applications import CODE, PLACES, Clerks
from yinling.demo.bodies import Bodies
from yinling.demo.elders import People
from yinling.demo.logins import actor_of
from yinling.directory.models import Organisation, Staff
from yinling.directory.queries import system_actor
from yinling.entitlements.operations import approve_line, confirm_budget, fund_budget, propose_line, set_budget
from yinling.ground.scope import scope
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refusal
from yinling.people.models import Elder
from yinling.people.operations import record_consent
from yinling.programmes.family_doctor.operations import draft_contract, sign_contract
from yinling.programmes.home_beds.operations import apply_for_bed, approve_bed, assign_bed, check_home
from yinling.programmes.subsidies.operations import register_donation
from yinling.settlement.bankfile import RETURN_HEADS
from yinling.settlement.models import PayoutLine
from yinling.settlement.operations import (
    answer_payout,
    approve_payout,
    confirm_account,
    draft_payout,
    export_payout,
    propose_account,
    review_payout,
)
from yinling.settlement.queries.payables import payables

CONTRACTS = 6
BACK = 20
"""Days ago on which contracts and beds began."""
PACKAGE = "FD01"
YUAN = 100
LINES = (
    ("lottery", "home_care", "居家养老服务", 12_000_000),
    ("lottery", "elder_care", "养老机构与助餐点", 6_000_000),
    ("lottery", "welfare", "其他社会福利", 9_000_000),
    ("general", "platform", "平台运营经费", 1_000_000),
    ("donation", "home_care", "慈善助老", 0),
)
"""Fund, purpose, name and yuan of the city's budget lines; the amounts are made up."""
BEARS_PURCHASE, PURCHASED = ("lottery", "home_care"), 20_000


def load_finance(people: People, bodies: Bodies, area: str, now: datetime) -> None:
    """Play it; a city whose list has no package or whose bodies may not take part goes without that part."""
    assert people.demo is not None and bodies.demo is not None  # noqa: S101, PT018 - made by the steps before
    clerks = Clerks(now)
    street = people.demo.div[:9]
    _contracts(clerks, bodies, area, street)
    _bed(clerks, bodies, street)
    _funds(clerks, area, people.demo.div[:6])
    _payout(clerks, area)


def _elders(street: str, limit: int) -> list[Elder]:
    """Elders of the demonstration's own street, in a fixed order."""
    with scope(system_actor(street)):
        return list(Elder.objects.within(street).filter(died_on=None, merged_into=None).order_by("pk")[:limit])


def _contracts(clerks: Clerks, bodies: Bodies, area: str, street: str) -> None:
    first = local_date(clerks.now) - timedelta(days=BACK)
    try:
        package = clerks.act(
            "city", BACK + 5, draft_package, code=PACKAGE, name="家庭医生签约基础包", div=area, audience="all",
            lines="NU01, 12, 项目\nMD01, 2, 整次", price_fen=120 * YUAN, payers=["self"], document="演示服务包（虚构）", valid_from=first,
        )  # fmt: skip
        clerks.act("city2", BACK + 4, publish_package, package_id=package.pk)
    except Refusal:
        return
    doctor = _person(bodies, "doctor")
    signed = 0
    for elder in _elders(street, CONTRACTS * 3):
        try:
            clerks.act("street", BACK, record_consent, elder_id=elder.pk, purpose="family_doctor", given_by="self")
            row = clerks.act(
                "street", BACK, draft_contract, elder_id=elder.pk, provider_id=doctor.provider_id, doctor_id=doctor.pk,
                package_id=package.pk, valid_from=first,
            )  # fmt: skip
            clerks.act("street", BACK, sign_contract, contract_id=row.pk, signed_by=elder.name)
        except Refusal:
            continue
        signed += 1
        if signed == CONTRACTS:
            return


def _person(bodies: Bodies, kind: str) -> Staff:
    """The demonstration's own doctor or nurse, who has a login."""
    home = bodies.demo.pk if bodies.demo else None
    return next(one for one in bodies.staff if one.kind == kind and one.provider_id == home and one.user_id)


def _bed(clerks: Clerks, bodies: Bodies, street: str) -> None:
    """One bed that is approved, and one application that still waits for the visit to the home."""
    doctor, nurse = _person(bodies, "doctor"), _person(bodies, "nurse")
    day = local_date(clerks.now) - timedelta(days=BACK - 2)
    opened = False
    for elder in _elders(street, 60):
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


def _funds(clerks: Clerks, area: str, district: str) -> None:
    year = local_date(clerks.now).year
    for fund, purpose, name, yuan in LINES:
        line = clerks.act(
            "city", 200, propose_line, div=area, year=year, fund=fund, purpose=purpose, name=name, planned_fen=yuan * YUAN,
            document="演示预算（虚构）",
        )  # fmt: skip
        clerks.act("city2", 199, approve_line, budget_line_id=line.pk, approved_fen=yuan * YUAN)
        if (fund, purpose) == BEARS_PURCHASE:
            _purchase(clerks, district, year, line.pk)
        if fund == "donation":
            clerks.act(
                "finance", 30, register_donation, donor="演示慈善会", amount_fen=50_000 * YUAN, line_id=line.pk,
                received_on=local_date(clerks.now) - timedelta(days=30), wish="用于高龄独居老年人助餐",
            )  # fmt: skip


def _purchase(clerks: Clerks, district: str, year: int, line_id: int) -> None:
    """Let a line bear what the demonstration's own district buys for its elders. A city without the scheme buys nothing."""
    paper = "演示用预算（虚构）"
    asked = {"scheme_code": CODE, "div": district, "year": year, "heads": PLACES, "amount_fen": PURCHASED * YUAN}
    try:
        budget = clerks.act("district", 6, set_budget, document=paper, **asked)
    except Refusal:
        return
    clerks.act("finance", 5, confirm_budget, budget_id=budget.pk)
    clerks.act("finance", 5, fund_budget, budget_id=budget.pk, line_id=line_id)


def _payout(clerks: Clerks, area: str) -> None:
    """Open an account for each body that is owed, pay what is approved, and let the bank send one payment back."""
    finance = actor_of("finance", clerks.now)
    with scope(finance):
        owed = [one for one in payables(finance, area) if one.provider_id]
        names = dict(Organisation.objects.filter(pk__in={one.provider_id for one in owed}).values_list("pk", "name"))
    if not owed:
        return
    for number, (pk, name) in enumerate(sorted(names.items())):
        account = clerks.act(
            "finance", 4, propose_account, organisation_id=pk, holder=name, bank="演示银行无锡分行", number=f"6222000000{number:06d}",
            valid_from=local_date(clerks.now) - timedelta(days=4),
        )  # fmt: skip
        clerks.act("finance2", 4, confirm_account, account_id=account.pk)
    batch = clerks.act("finance", 3, draft_payout, title="上月服务费拨付", keys=[one.key for one in owed])
    clerks.act("finance", 3, review_payout, payout_id=batch.pk)
    clerks.act("finance2", 2.9, approve_payout, payout_id=batch.pk, count=len(owed))
    clerks.act("finance", 2.8, export_payout, payout_id=batch.pk)
    clerks.act("finance", 2, answer_payout, payout_id=batch.pk, content=_bank_answer(area, batch.pk, batch.code))


def _bank_answer(area: str, payout_id: int, code: str) -> str:
    """The file of the bank: everything paid, except the last of several."""
    with scope(system_actor(area)):
        lines = list(PayoutLine.objects.filter(payout_id=payout_id).order_by("pk"))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(RETURN_HEADS)
    for line in lines:
        fails = line is lines[-1] and len(lines) > 1
        amount = f"{line.amount_fen // 100}.{line.amount_fen % 100:02d}"
        writer.writerow([code, line.pk, amount, "失败" if fails else "成功", "账号与户名不符" if fails else ""])
    return base64.b64encode(text.getvalue().encode("utf-8-sig")).decode()
