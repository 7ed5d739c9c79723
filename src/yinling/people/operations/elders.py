"""Writing the files of elders: registration, correction, home, death, and the reading of full numbers."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from yinling.accounts.operations import record
from yinling.directory.models import Area
from yinling.directory.rules import at_field, known_choice, position_of, require, required_text
from yinling.ground.facts import curtail
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.geo import Position
from yinling.kernel.inputs import Id, Reason, Seen
from yinling.kernel.names import normalise_phone
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.inputs import (
    Address,
    Born,
    Datum,
    Day,
    Dialect,
    Div,
    Evidence,
    HourOfDeath,
    HukouDiv,
    IdKind,
    IdText,
    Lat,
    Lon,
    Name,
    Phone,
    Resident,
    Sex,
    WantsSex,
)
from yinling.people.models import Circumstance, Consent, Contact, Elder, ElderKey, HealthFact, Household, Representative
from yinling.people.rules import (
    check_age,
    check_death,
    check_document,
    elder_code,
    hour_of_death,
    hukou_division,
    name_keys,
)

explain_constraint("elder_id_once", "elder.exists", N_("这个证件号已经登记过，请先搜索，不要重复登记"))


def write_keys(elder: Elder) -> None:
    ElderKey.objects.filter(elder=elder).delete()
    keys = sorted(name_keys(elder.name))
    ElderKey.objects.bulk_create(ElderKey(elder=elder, div=elder.div, kind=kind, key=key) for kind, key in keys)


def set_phone(row: Elder | Contact, phone: str) -> dict[str, Any]:
    """Seal a phone number; return the columns written."""
    with at_field("phone"):
        number = normalise_phone(phone) if phone.strip() else ""
    row.set_phone(number)
    values: dict[str, Any] = {"phone_enc": row.phone_enc, "phone_index": row.phone_index}
    if isinstance(row, Elder):
        values["phone_last4"] = row.phone_last4
    return values | {"enc_suite": row.enc_suite, "enc_kid": row.enc_kid}


def _set_document(elder: Elder, number: str) -> dict[str, Any]:
    """Seal the number of the identity document; return the columns written."""
    elder.set_document(number)
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
    hukou_div: HukouDiv = "", is_resident: Resident = True,
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
        wants_sex=wants_sex, hukou_div=hukou_division(hukou_div), is_resident=is_resident is not False, verified_on=today,
        is_made_up=document.number.startswith("99"), created_at=now, changed_at=now,
    )  # fmt: skip
    _set_document(elder, document.number)
    set_phone(elder, phone)
    elder.save(force_insert=True)
    write_keys(elder)
    changes: dict[str, Any] = {"div": [None, div], "conflicts": [[], list(document.conflicts)]}
    record(actor=actor, now=now, event="people.elder.register", subject=elder, changes=changes)
    tell("elders", pk=elder.pk, div=div)
    return elder


def open_file(elder_id: int, seen: int | None = None) -> Elder:
    """Lock a file to write in it; one that was merged into another is closed."""
    elder = locked(Elder.objects.select_related("household"), elder_id, seen)
    if elder.merged_into_id is not None:
        sentence = N_("这份档案已并入 %(kept)s，请在那份档案中办理")
        raise NotAllowed("elder.merged", sentence, kept=elder_code(elder.merged_into_id))
    return elder


@operation("people.elder.verify", label=N_("核验档案"))
def verify_elder(*, actor: Actor, now: datetime, elder_id: Id, evidence: Evidence = "", seen: Seen = None) -> Elder:
    """Say that the file was looked at today and is right: the person lives, lives here, and can be reached (R-PEO-03)."""
    elder = open_file(elder_id, seen)
    require(actor, "people.elder.verify", div=elder.div)
    require_alive(elder)
    changes = changed(elder, now=now, verified_on=local_date(now))
    record(actor=actor, now=now, event="people.elder.verify", subject=elder, changes=changes, reason=evidence.strip())
    tell("elders", pk=elder.pk, div=elder.div)
    return elder


@operation("people.elder.update", label=N_("修改档案"))
def update_elder(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, name: Name, sex: Sex, born_on: Born, id_type: IdKind = "id", id_number: IdText = "",
    phone: Phone = "", dialect: Dialect = "", wants_sex: WantsSex = "", hukou_div: HukouDiv = "", is_resident: Resident = None,
    seen: Seen = None,
) -> Elder:  # fmt: skip
    """Correct a file. An empty document number or phone keeps the one on file, which the page shows masked."""
    elder = open_file(elder_id, seen)
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
    values |= {"dialect": dialect, "wants_sex": wants_sex, "hukou_div": hukou_division(hukou_div)}
    if is_resident is not None:
        values["is_resident"] = is_resident
    is_renamed, touched = values["name"] != elder.name, []
    if id_number.strip() or id_type != elder.id_type:
        document = check_document(id_type, id_number, born=born_on, sex=sex, today=today)
        values |= _set_document(elder, document.number)
        touched.append("id_number")
    if phone.strip():
        values |= set_phone(elder, phone)
        touched.append("phone")
    changes = changed(elder, now=now, **values)
    changes |= {column: ["*", "*"] for column in touched}
    if is_renamed:
        write_keys(elder)
    record(actor=actor, now=now, event="people.elder.update", subject=elder, changes=changes)
    tell("elders", pk=elder.pk, div=elder.div)
    return elder


def require_alive(elder: Elder) -> None:
    if elder.died_on is not None:
        raise NotAllowed("elder.dead", N_("此人已登记去世，不能这样做"))


@operation("people.elder.relocate", label=N_("登记迁居"))
def relocate_elder(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, div: Div, address: Address, lon: Lon = None, lat: Lat = None, datum: Datum = "wgs84",
    seen: Seen = None,
) -> Elder:  # fmt: skip
    """Move an elder to another home. The file goes along; both areas must be the actor's, so that nobody loses a file by mistake."""
    elder = open_file(elder_id, seen)
    require(actor, "people.elder.relocate", div=elder.div)
    require(actor, "people.elder.relocate", div=div)
    require_alive(elder)
    _require_community(div)
    home = _home(div=div, address=address, place=position_of(lon, lat, datum), datum=datum, now=now)
    if home.pk == elder.household_id:
        raise Refused("elder.same_home", N_("新住址与现住址相同"), field="address")
    before = elder.div
    changes = changed(elder, now=now, div=div, household=home)
    for model in (ElderKey, Contact, Representative, Consent, Circumstance, HealthFact):
        model.objects.filter(elder_id=elder.pk).update(div=div)
    record(actor=actor, now=now, event="people.elder.relocate", subject=elder, changes=changes)
    tell("elders", pk=elder.pk, div=before)
    tell("elders", pk=elder.pk, div=div)
    return elder


def office_of(actor: Actor) -> str:
    """Return the name of the area for which somebody acts, who recognises what that person enters; else the person's own."""
    name = Area.objects.filter(pk=actor.div or "").values_list("name", flat=True).first()
    return (name or actor.name)[:80]


@operation("people.elder.bury", label=N_("登记去世"))
def bury_elder(
    *, actor: Actor, now: datetime, elder_id: Id, died_on: Day, evidence: Evidence, died_at: HourOfDeath = "", seen: Seen = None
) -> Elder:  # fmt: skip
    """Record a death. Services on that day remain payable, or up to its hour if that is known; the circumstance holds from the day
    after (R-PEO-03).
    """
    elder = open_file(elder_id, seen)
    require(actor, "people.elder.bury", div=elder.div)
    require_alive(elder)
    check_death(died_on, born=elder.born_on, today=local_date(now))
    hour = hour_of_death(died_on, died_at, now)
    proof = required_text(evidence, "evidence")
    changes = changed(elder, now=now, died_on=died_on, died_at=hour)
    Circumstance.objects.create(
        div=elder.div,
        elder=elder,
        kind="deceased",
        body=office_of(actor),
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

    What it had stopped is shown on the page of stops: what comes back by itself, and what somebody has to give again.
    """
    elder = open_file(elder_id, seen)
    require(actor, "people.elder.correct", div=elder.div)
    if elder.died_on is None:
        raise NotAllowed("elder.alive", N_("此人没有登记去世，不需要更正"))
    why = required_text(reason, "reason", most=500)
    deaths = Circumstance.objects.filter(elder=elder, kind="deceased", recorded_to=None)
    for row in deaths.select_for_update(of=("self",)):
        curtail(row, until=row.valid_from, now=now)
    changes = changed(elder, now=now, died_on=None, died_at=None)
    record(actor=actor, now=now, event="people.elder.correct", subject=elder, changes=changes, reason=why)
    tell("elders", pk=elder.pk, div=elder.div)
    return elder


@operation("people.elder.reveal", label=N_("查看完整号码"))
def reveal_elder(*, actor: Actor, now: datetime, elder_id: Id, reason: Reason) -> dict[str, str]:
    """Return document number and phone in clear; who looked and why is on the elder's timeline."""
    elder = open_file(elder_id)
    require(actor, "people.elder.reveal", div=elder.div)
    why = required_text(reason, "reason", most=500)
    record(actor=actor, now=now, event="people.elder.reveal", subject=elder, reason=why)
    return {"id_number": elder.unseal_field("id_number"), "phone": elder.unseal_field("phone")}
