"""Rows of the two programmes for tests: a health centre, a doctor, a package with its fee, a signed contract, an application with all pieces."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.factories import (
    CITY,
    DISTRICT,
    LONG_AGO,
    NOW,
    actor,
    make_assessment,
    make_elder,
    make_item,
    make_organisation,
    make_price,
    make_scheme,
    make_staff,
    make_user,
    serial,
)

from yinling.catalogue.models import Package
from yinling.directory.models import Organisation, Staff
from yinling.entitlements.models import Agreement, Scheme
from yinling.kernel.actor import Actor
from yinling.people.models import Consent, Elder
from yinling.programmes.family_doctor.models import DoctorContract
from yinling.programmes.family_doctor.operations import draft_contract, sign_contract
from yinling.programmes.home_beds.models import HomeSickbed
from yinling.programmes.home_beds.operations import apply_for_bed, assign_bed, check_home

FIRST = date(2026, 6, 15)
MEDICAL = ["medical", "nursing", "rehab_nursing"]


def health_centre(**values: Any) -> Organisation:
    return make_organisation(kind="health_centre", **values)


def doctor_of(body: Organisation, **values: Any) -> Staff:
    return make_staff(body, kind="doctor", qualified="doctor", name="李医生", **values)


def nurse_of(body: Organisation, **values: Any) -> Staff:
    return make_staff(body, kind="nurse", qualified="nurse", name="张护士", **values)


def schemes_here() -> None:
    for code, payer in (("family_doctor", "contract"), ("home_bed", "medical_insurance")):
        if not Scheme.objects.filter(code=code, div=CITY).exists():
            make_scheme(code=code, payer=payer, fund=payer, families=MEDICAL, name=code)


def make_package(body: Organisation, *, price_fen: int = 24000, **values: Any) -> Package:
    """Twelve rounds of a doctor and two whole visits of a nurse for a year; its fee is an item of the same code with a price."""
    schemes_here()
    code = f"PK{serial():04d}"
    chosen = {
        "code": code, "name": "失能老年人服务包", "div": CITY, "audience": "all", "price_fen": price_fen, "payers": ["contract", "self"],
        "lines": [{"item": "ROUND", "count": 12, "funds": "item"}, {"item": "NURSE", "count": 2, "funds": "visit"}],
        "document": "锡卫〔2026〕1号", "valid_from": LONG_AGO, "recorded_from": NOW - timedelta(days=900), "created_at": NOW, "changed_at": NOW,
        "drafted_by": make_user(), "published_by": make_user(), "published_at": NOW - timedelta(days=900), **values,
    }  # fmt: skip
    fee = make_item(
        code=chosen["code"], kind="fee", family="medical", name="签约费", needs_visit=False, standard_minutes=1
    )
    make_price(fee, body, amount_fen=price_fen)
    return Package.objects.create(**chosen)


def consent(elder: Elder, purpose: str = "family_doctor") -> Consent:
    return Consent.objects.create(
        div=elder.div,
        elder=elder,
        purpose=purpose,
        text_version="2026-1",
        given_by="self",
        valid_from=LONG_AGO,
        recorded_from=NOW,
    )


def make_draft(elder: Elder | None = None, who: Actor | None = None, **values: Any) -> DoctorContract:
    """A draft of a year from today."""
    elder = elder or make_elder()
    body = values.pop("body", None) or health_centre()
    package = values.pop("package", None) or make_package(body)
    doctor = values.pop("doctor", None) or doctor_of(body)
    chosen = {"provider_id": body.pk, "doctor_id": doctor.pk, "package_id": package.pk, "valid_from": FIRST, **values}
    return draft_contract(actor=who or actor("street", elder.div[:9]), now=NOW, elder_id=elder.pk, **chosen)


def make_signed(elder: Elder | None = None, **values: Any) -> DoctorContract:
    """A contract in force."""
    elder = elder or make_elder()
    consent(elder)
    row = make_draft(elder, **values)
    return sign_contract(
        actor=actor("street", elder.div[:9]), now=NOW, contract_id=row.pk, signed_by=elder.name, signed_as="self"
    )


def agree(body: Organisation, payer: str = "medical_insurance") -> Agreement:
    return Agreement.objects.create(
        organisation=body,
        kind="designation",
        payer=payer,
        number=f"D{serial()}",
        valid_from=LONG_AGO,
        recorded_from=NOW,
    )


def make_bed_application(elder: Elder | None = None, *, without: str = "", kind: str = "medical") -> HomeSickbed:
    """An application with every piece but the one named; the elder is disabled."""
    schemes_here()
    elder = elder or make_elder()
    body = health_centre()
    if without != "level":
        make_assessment(elder, level="severe", points=15)
    if without != "consent":
        consent(elder, "hospice" if kind == "hospice" else "home_bed")
    row = apply_for_bed(
        actor=actor("street", elder.div[:9]), now=NOW, elder_id=elder.pk, provider_id=body.pk, kind=kind, need="卧床，需换药",
        diagnosis="" if without == "diagnosis" else "脑梗死后遗症", signed_by=elder.name,
    )  # fmt: skip
    doctor, nurse, manager = doctor_of(body), nurse_of(body), actor("provider_manager", organisation=body)
    if without not in ("doctor", "nurse"):
        assign_bed(actor=manager, now=NOW, bed_id=row.pk, doctor_id=doctor.pk, nurse_id=nurse.pk)
    else:
        kept = {"nurse_id": nurse.pk} if without == "doctor" else {"doctor_id": doctor.pk}
        HomeSickbed.objects.filter(pk=row.pk).update(**kept)
    if without != "home_check":
        check_home(
            actor=manager,
            now=NOW,
            bed_id=row.pk,
            checked_on=FIRST,
            home_check="有家属照护，可以建床",
            staff_id=nurse.pk,
        )
    return HomeSickbed.objects.get(pk=row.pk)


def office() -> Actor:
    return actor("district", DISTRICT)
