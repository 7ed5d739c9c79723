"""Writing the files of elders: registration, home, contacts, representatives, consents and circumstances."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Annotated, Any

from django.db.models import F

from yinling.accounts.models import User
from yinling.accounts.operations import record
from yinling.directory.models import Area
from yinling.directory.rules import at_field, known_choice, period_of, position_of, require, required_text
from yinling.ground.crypto import blind_index
from yinling.ground.facts import curtail
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.geo import Position
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.names import normalise_phone
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.inputs import (
    Address,
    Body,
    Born,
    Capacity,
    CircumstanceKind,
    ContactKind,
    Datum,
    Day,
    Dialect,
    Div,
    Evidence,
    IdKind,
    IdText,
    LastDay,
    Lat,
    Lon,
    Name,
    Phone,
    Rank,
    Sex,
    WantsSex,
)
from yinling.people.models import Circumstance, Consent, Contact, Elder, ElderKey, Household, Representative
from yinling.people.rules import check_age, check_death, check_document, name_keys

explain_constraint("elder_id_once", "elder.exists", N_("这个证件号已经登记过，请先搜索，不要重复登记"))
explain_constraint("circumstance_no_overlap", "circumstance.overlap", N_("这段时间已登记同一类别，请先终止原有登记"))
explain_constraint("representative_no_overlap", "representative.overlap", N_("此账号在这段时间已是该老年人的代理人"))


def _write_keys(elder: Elder) -> None:
    ElderKey.objects.filter(elder=elder).delete()
    keys = sorted(name_keys(elder.name))
    ElderKey.objects.bulk_create(ElderKey(elder=elder, div=elder.div, kind=kind, key=key) for kind, key in keys)


def _set_phone(row: Elder | Contact, phone: str) -> dict[str, Any]:
    """Seal a phone number; return the columns written."""
    with at_field("phone"):
        number = normalise_phone(phone) if phone.strip() else ""
    row.seal_field("phone", number)
    row.phone_index = blind_index(number, purpose="phone") if number else None
    values: dict[str, Any] = {"phone_enc": row.phone_enc, "phone_index": row.phone_index}
    if isinstance(row, Elder):
        row.phone_last4 = number[-4:]
        values["phone_last4"] = row.phone_last4
    return values | {"enc_suite": row.enc_suite, "enc_kid": row.enc_kid}


def _set_document(elder: Elder, number: str) -> dict[str, Any]:
    """Seal the number of the identity document; return the columns written."""
    elder.seal_field("id_number", number)
    elder.id_number_index = blind_index(number, purpose="id_number") if number else None
    values: dict[str, Any] = {"id_number_enc": elder.id_number_enc, "id_number_index": elder.id_number_index}
    return values | {"enc_suite": elder.enc_suite, "enc_kid": elder.enc_kid}


def _require_community(div: str) -> None:
    if not Area.objects.filter(div=div, level="community").exists():
        raise Refused("area.unknown", N_("请选择老年人居住的社区（村）"), field="div")


def _home(*, div: str, address: str, place: Position | None, datum: str, now: datetime) -> Household:
    """Return the household at an address of a community, made if there is none yet (one household, one file)."""
    text = required_text(address, "address")
    row = Household.objects.select_for_update(of=("self",)).filter(div=div, address=text).first()
    lon, lat = (place.lon, place.lat) if place else (None, None)
    if row is None:
        return Household.objects.create(
            div=div, address=text, lon=lon, lat=lat, source_datum=datum, door_code=f"D{secrets.token_hex(6).upper()}",
            created_at=now, changed_at=now,
        )  # fmt: skip
    if place is not None and row.lon is None:
        changed(row, now=now, lon=lon, lat=lat, source_datum=datum)
    return row


@operation("people.elder.register", label=N_("登记老年人"))
def register_elder(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, name: Name, sex: Sex, born_on: Born, id_type: IdKind = "id", id_number: IdText = "", phone: Phone = "",
    div: Div, address: Address, lon: Lon = None, lat: Lat = None, datum: Datum = "wgs84", dialect: Dialect = "", wants_sex: WantsSex = "",
) -> Elder:  # fmt: skip
    """Open the file of a person of 60 or over who lives in a community. A document already on file is refused (R-PEO-01)."""
    require(actor, "people.elder.register", div=div)
    today = local_date(now)
    check_age(born_on, today)
    known_choice(sex, Elder.SEXES, "sex")
    known_choice(id_type, Elder.ID_TYPES, "id_type")
    document = check_document(id_type, id_number, born=born_on, sex=sex, today=today)
    _require_community(div)
    home = _home(div=div, address=address, place=position_of(lon, lat, datum), datum=datum, now=now)
    elder = Elder(
        div=div, household=home, name=required_text(name, "name", most=40), sex=sex, born_on=born_on, id_type=id_type, dialect=dialect,
        wants_sex=wants_sex, is_made_up=document.number.startswith("99"), created_at=now, changed_at=now,
    )  # fmt: skip
    _set_document(elder, document.number)
    _set_phone(elder, phone)
    elder.save(force_insert=True)
    _write_keys(elder)
    changes: dict[str, Any] = {"div": [None, div], "conflicts": [[], list(document.conflicts)]}
    record(actor=actor, now=now, event="people.elder.register", subject=elder, changes=changes)
    tell("elders", pk=elder.pk, div=div)
    return elder


def _open_file(elder_id: int, seen: int | None = None) -> Elder:
    return locked(Elder.objects.select_related("household"), elder_id, seen)


@operation("people.elder.update", label=N_("修改档案"))
def update_elder(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, name: Name, sex: Sex, born_on: Born, id_type: IdKind = "id", id_number: IdText = "",
    phone: Phone = "", dialect: Dialect = "", wants_sex: WantsSex = "", seen: Seen = None,
) -> Elder:  # fmt: skip
    """Correct a file. An empty document number or phone keeps the one on file, which the page shows masked."""
    elder = _open_file(elder_id, seen)
    require(actor, "people.elder.update", div=elder.div)
    today = local_date(now)
    check_age(born_on, elder.died_on or today)
    known_choice(sex, Elder.SEXES, "sex")
    known_choice(id_type, Elder.ID_TYPES, "id_type")
    values: dict[str, Any] = {
        "name": required_text(name, "name", most=40),
        "sex": sex,
        "born_on": born_on,
        "id_type": id_type,
    }
    values |= {"dialect": dialect, "wants_sex": wants_sex}
    is_renamed, touched = values["name"] != elder.name, []
    if id_number.strip() or id_type != elder.id_type:
        document = check_document(id_type, id_number, born=born_on, sex=sex, today=today)
        values |= _set_document(elder, document.number)
        touched.append("id_number")
    if phone.strip():
        values |= _set_phone(elder, phone)
        touched.append("phone")
    changes = changed(elder, now=now, **values)
    changes |= {column: ["*", "*"] for column in touched}
    if is_renamed:
        _write_keys(elder)
    record(actor=actor, now=now, event="people.elder.update", subject=elder, changes=changes)
    tell("elders", pk=elder.pk, div=elder.div)
    return elder


def _require_alive(elder: Elder) -> None:
    if elder.died_on is not None:
        raise NotAllowed("elder.dead", N_("此人已登记去世，不能这样做"))


@operation("people.elder.relocate", label=N_("登记迁居"))
def relocate_elder(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, div: Div, address: Address, lon: Lon = None, lat: Lat = None, datum: Datum = "wgs84",
    seen: Seen = None,
) -> Elder:  # fmt: skip
    """Move an elder to another home. The file goes along; both areas must be the actor's, so that nobody loses a file by mistake."""
    elder = _open_file(elder_id, seen)
    require(actor, "people.elder.relocate", div=elder.div)
    require(actor, "people.elder.relocate", div=div)
    _require_alive(elder)
    _require_community(div)
    home = _home(div=div, address=address, place=position_of(lon, lat, datum), datum=datum, now=now)
    if home.pk == elder.household_id:
        raise Refused("elder.same_home", N_("新住址与现住址相同"), field="address")
    before = elder.div
    changes = changed(elder, now=now, div=div, household=home)
    for model in (ElderKey, Contact, Representative, Consent, Circumstance):
        model.objects.filter(elder_id=elder.pk).update(div=div)
    record(actor=actor, now=now, event="people.elder.relocate", subject=elder, changes=changes)
    tell("elders", pk=elder.pk, div=before)
    tell("elders", pk=elder.pk, div=div)
    return elder


@operation("people.elder.bury", label=N_("登记去世"))
def bury_elder(
    *, actor: Actor, now: datetime, elder_id: Id, died_on: Day, evidence: Evidence, seen: Seen = None
) -> Elder:  # fmt: skip
    """Record a death. Services on that day remain payable, so the circumstance holds from the day after (R-PEO-03)."""
    elder = _open_file(elder_id, seen)
    require(actor, "people.elder.bury", div=elder.div)
    _require_alive(elder)
    check_death(died_on, born=elder.born_on, today=local_date(now))
    proof = required_text(evidence, "evidence")
    changes = changed(elder, now=now, died_on=died_on)
    Circumstance.objects.create(
        div=elder.div,
        elder=elder,
        kind="deceased",
        body=actor.name[:80],
        evidence=proof,
        valid_from=died_on + ONE_DAY,
        recorded_from=now,
    )
    record(actor=actor, now=now, event="people.elder.bury", subject=elder, changes=changes, reason=proof)
    tell("elders", pk=elder.pk, div=elder.div)
    return elder


@operation("people.elder.correct", label=N_("更正去世登记"))
def correct_death(*, actor: Actor, now: datetime, elder_id: Id, reason: Reason, seen: Seen = None) -> Elder:
    """Take a death registered by mistake off the file; that it stood there stays on record.

    What ended with it (entitlements, findings of services after it) is decided anew by those who answer for that.
    """
    elder = _open_file(elder_id, seen)
    require(actor, "people.elder.correct", div=elder.div)
    if elder.died_on is None:
        raise NotAllowed("elder.alive", N_("此人没有登记去世，不需要更正"))
    why = required_text(reason, "reason", most=500)
    deaths = Circumstance.objects.filter(elder=elder, kind="deceased", recorded_to=None)
    for row in deaths.select_for_update(of=("self",)):
        curtail(row, until=row.valid_from, now=now)
    changes = changed(elder, now=now, died_on=None)
    record(actor=actor, now=now, event="people.elder.correct", subject=elder, changes=changes, reason=why)
    tell("elders", pk=elder.pk, div=elder.div)
    return elder


@operation("people.elder.reveal", label=N_("查看完整号码"))
def reveal_elder(*, actor: Actor, now: datetime, elder_id: Id, reason: Reason) -> dict[str, str]:
    """Return document number and phone in clear; who looked and why is on the elder's timeline."""
    elder = _open_file(elder_id)
    require(actor, "people.elder.reveal", div=elder.div)
    why = required_text(reason, "reason", most=500)
    record(actor=actor, now=now, event="people.elder.reveal", subject=elder, reason=why)
    return {"id_number": elder.unseal_field("id_number"), "phone": elder.unseal_field("phone")}


@operation("people.contact.add", label=N_("添加联系人"))
def add_contact(
    *, actor: Actor, now: datetime, elder_id: Id, kind: ContactKind, name: Name, phone: Phone, rank: Rank = 1
) -> Contact:  # fmt: skip
    """Add a person to call for an elder."""
    elder = _open_file(elder_id)
    require(actor, "people.contact.add", div=elder.div)
    known_choice(kind, Contact.KINDS, "kind")
    required_text(phone, "phone")
    row = Contact(
        div=elder.div,
        elder=elder,
        kind=kind,
        name=required_text(name, "name", most=40),
        rank=rank,
        created_at=now,
        changed_at=now,
    )
    _set_phone(row, phone)
    row.save(force_insert=True)
    record(
        actor=actor,
        now=now,
        event="people.contact.add",
        subject=row,
        changes={"kind": [None, kind], "rank": [None, rank]},
    )
    return row


@operation("people.contact.remove", label=N_("删除联系人"))
def remove_contact(*, actor: Actor, now: datetime, contact_id: Id, reason: Reason) -> Contact:
    """Take a contact off the file; the journal keeps that there was one."""
    row = locked(Contact.objects.all(), contact_id)
    require(actor, "people.contact.remove", div=row.div)
    why = required_text(reason, "reason", most=500)
    record(
        actor=actor, now=now, event="people.contact.remove", subject=row, changes={"kind": [row.kind, None]}, reason=why
    )
    Contact.objects.filter(pk=row.pk).delete()
    return row


@operation("people.circumstance.record", label=N_("登记人群类别"))
def record_circumstance(
    *, actor: Actor, now: datetime, elder_id: Id, kind: CircumstanceKind, valid_from: Day, valid_to: LastDay = None, body: Body,
    evidence: Evidence = "",
) -> Circumstance:  # fmt: skip
    """Record what is true of an elder, from which day, on whose word. A death has its own operation."""
    elder = _open_file(elder_id)
    require(actor, "people.circumstance.record", div=elder.div)
    known_choice(kind, Circumstance.KINDS, "kind")
    if kind == "deceased":
        raise Refused("circumstance.death", N_("登记去世请用“登记去世”，以便写明日期和凭证"), field="kind")
    _require_alive(elder)
    if valid_from < elder.born_on:
        raise Refused("circumstance.before_birth", N_("开始日期早于出生日期，请核对"), field="valid_from")
    days = period_of(valid_from, valid_to)
    row = Circumstance.objects.create(
        div=elder.div, elder=elder, kind=kind, body=required_text(body, "body", most=80), evidence=evidence.strip(),
        valid_from=days.from_, valid_to=days.to, recorded_from=now,
    )  # fmt: skip
    changes = {"kind": [None, kind], "valid_from": [None, valid_from.isoformat()]}
    record(actor=actor, now=now, event="people.circumstance.record", subject=row, changes=changes)
    tell("elders", pk=elder.pk, div=elder.div)
    return row


@operation("people.circumstance.end", label=N_("终止人群类别"))
def end_circumstance(
    *, actor: Actor, now: datetime, circumstance_id: Id, valid_to: Day, reason: Reason
) -> Circumstance:  # fmt: skip
    """Say which day was the last on which it held; what was on record before is kept."""
    row = locked(Circumstance.objects.filter(recorded_to=None), circumstance_id)
    require(actor, "people.circumstance.end", div=row.div)
    if row.kind == "deceased":
        raise NotAllowed("elder.dead", N_("此人已登记去世，不能这样做"))
    why = required_text(reason, "reason", most=500)
    changes = curtail(row, until=valid_to + ONE_DAY, now=now)
    record(actor=actor, now=now, event="people.circumstance.end", subject=row, changes=changes, reason=why)
    tell("elders", pk=row.elder_id, div=row.div)
    return row


@operation("people.consent.record", label=N_("登记知情同意"))
def record_consent(
    *, actor: Actor, now: datetime, elder_id: Id, purpose: Annotated[str, Input(N_("用途"), max_length=40)],
    text_version: Annotated[str, Input(N_("文本版本"), max_length=20)], given_by: Capacity,
) -> Consent:  # fmt: skip
    """Record a consent from today on; it replaces the one to an earlier text of the same purpose."""
    elder = _open_file(elder_id)
    require(actor, "people.consent.record", div=elder.div)
    known_choice(given_by, Representative.CAPACITIES, "given_by")
    what, today = required_text(purpose, "purpose", most=40), local_date(now)
    version = required_text(text_version, "text_version", most=20)
    former = Consent.objects.filter(elder=elder, purpose=what, recorded_to=None).select_for_update(of=("self",))
    for row in former.exclude(valid_to__lte=today):
        curtail(row, until=today, now=now)
    consent = Consent.objects.create(
        div=elder.div,
        elder=elder,
        purpose=what,
        text_version=version,
        given_by=given_by,
        valid_from=today,
        recorded_from=now,
    )
    changes = {"purpose": [None, what], "text_version": [None, version]}
    record(actor=actor, now=now, event="people.consent.record", subject=consent, changes=changes)
    return consent


@operation("people.representative.appoint", label=N_("登记代理人"))
def appoint_representative(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, user_id: Annotated[int, Input(N_("账号编号"), least=1, widget="number")],
    capacity: Capacity, valid_from: Day, valid_to: LastDay = None,
    covers_health: Annotated[bool, Input(N_("可查看健康信息"), widget="check")] = False,
    proof: Annotated[str, Input(N_("证明材料"), max_length=200)] = "",
) -> Representative:  # fmt: skip
    """Let a login act for an elder, or be the elder's own. Whoever is not the elder needs a proof (R-PEO-10)."""
    elder = _open_file(elder_id)
    require(actor, "people.representative.appoint", div=elder.div)
    _require_alive(elder)
    known_choice(capacity, Representative.CAPACITIES, "capacity")
    if not User.objects.filter(pk=user_id, is_active=True, is_system=False).exists():
        raise Refused("user.unknown", N_("没有这个账号，请核对账号编号"), field="user_id")
    paper = proof.strip() if capacity == "self" else required_text(proof, "proof")
    days = period_of(valid_from, valid_to)
    row = Representative.objects.create(
        div=elder.div, elder=elder, user_id=user_id, capacity=capacity, covers_health=covers_health, proof=paper,
        valid_from=days.from_, valid_to=days.to, recorded_from=now,
    )  # fmt: skip
    User.objects.filter(pk=user_id).update(rights_version=F("rights_version") + 1)
    changes = {"capacity": [None, capacity], "user": [None, user_id]}
    record(actor=actor, now=now, event="people.representative.appoint", subject=row, changes=changes)
    return row


@operation("people.representative.end", label=N_("终止代理"))
def end_representative(*, actor: Actor, now: datetime, representative_id: Id, reason: Reason) -> Representative:
    """End it at once: from today the login no longer acts for the elder."""
    row = locked(Representative.objects.filter(recorded_to=None), representative_id)
    require(actor, "people.representative.end", div=row.div)
    why = required_text(reason, "reason", most=500)
    changes = curtail(row, until=min(local_date(now), row.valid_to or date.max), now=now)
    User.objects.filter(pk=row.user_id).update(rights_version=F("rights_version") + 1)
    record(actor=actor, now=now, event="people.representative.end", subject=row, changes=changes, reason=why)
    return row
