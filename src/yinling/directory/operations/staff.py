"""Writing who works for an organisation, with which certificates, and who is stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory import inputs as ask
from yinling.directory.models import (
    MODES,
    Organisation,
    Qualification,
    Site,
    Staff,
    Suspension,
)
from yinling.directory.operations.bodies import own_phone, require_area
from yinling.directory.rules import (
    at_field,
    break_of,
    check_place,
    known_choice,
    period_of,
    position_of,
    require,
    required_text,
    working_hours,
)
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.period import ONE_DAY
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

explain_constraint(
    "qualification_no_overlap", "qualification.overlap", N_("此人在这段时间已有同类证书，请核对起止日期")
)

NEAR = 3
"""Digits of a degree that are kept of a home: about 100 m."""


@operation("directory.staff.register", label=N_("登记工作人员"))
def register_staff(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, organisation_id: ask.BodyId, site_id: Annotated[int, Input(N_("站点"), least=1, widget="choice")],
    name: ask.PersonName, kind: Annotated[str, Input(N_("岗位"), choices=Staff.KINDS, widget="choice")], sex: ask.Sex, phone: ask.Phone = "",
    day_from: ask.DayFrom = "08:00", day_to: ask.DayTo = "18:00", dialects: ask.Dialects = "",
    employed_from: ask.FirstDay,
) -> Staff:  # fmt: skip
    """Enter a person who works for a body at one of its sites."""
    body = locked(Organisation.objects.all(), organisation_id)
    require(actor, "directory.staff.register", div=body.div, provider_id=body.pk)
    site = Site.objects.filter(pk=site_id, organisation=body).first()
    if site is None:
        raise Refused("site.unknown", N_("该机构没有这个站点，请从列表中选择"), field="site_id")
    hours = working_hours(day_from, day_to)
    row = Staff(
        div=site.div, provider=body, site=site, name=required_text(name, "name", most=40), kind=known_choice(kind, Staff.KINDS, "kind"),
        sex=known_choice(sex, [("1", ""), ("2", "")], "sex"), day_from=hours[0], day_to=hours[1], dialects=dialects,
        employed_from=employed_from, created_at=now, changed_at=now,
    )  # fmt: skip
    with at_field("phone"):
        row.seal_field("phone", own_phone(phone))
    row.save(force_insert=True)
    record(
        actor=actor,
        now=now,
        event="directory.staff.register",
        subject=row,
        changes={"kind": [None, kind]},
        staff_id=row.pk,
    )
    return row


@operation("directory.staff.update", label=N_("修改工作人员"))
def update_staff(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, staff_id: Id, name: ask.PersonName, phone: ask.Phone = "", dialects: ask.Dialects = "",
    day_from: ask.DayFrom = "08:00", day_to: ask.DayTo = "18:00", most_minutes_a_day: ask.MostMinutes = 480,
    contract_minutes_a_day: ask.ContractMinutes = 0, break_minutes: ask.BreakMinutes = 0, break_from: ask.BreakFrom = "",
    break_to: ask.BreakTo = "", mode: ask.Mode = "", starts_at_home: ask.AtHome = False, home_lon: ask.HomeLon = None,
    home_lat: ask.HomeLat = None, datum: ask.Datum = "wgs84", duty_div: ask.DutyDiv = "", employed_to: ask.LastDay = None, seen: Seen = None,
) -> Staff:  # fmt: skip
    """Change what planning asks about a person. The phone on record stays if none is given."""
    row = locked(Staff.objects.all(), staff_id, seen)
    require(actor, "directory.staff.update", div=row.div, provider_id=row.provider_id)
    hours = working_hours(day_from, day_to)
    pause = break_of(break_from, break_to, break_minutes, hours)
    home = position_of(home_lon, home_lat, datum, stem="home_")
    if starts_at_home and home is None:
        raise Refused("staff.home", N_("从家里出发的，请填写住处的经纬度"), field="home_lon")
    if duty_div:
        require_area(duty_div, "duty_div")
    values: dict[str, Any] = {
        "name": required_text(name, "name", most=40), "dialects": dialects.strip(), "day_from": hours[0], "day_to": hours[1],
        "most_minutes_a_day": most_minutes_a_day, "contract_minutes_a_day": contract_minutes_a_day, "break_minutes": break_minutes,
        "break_from": pause[0], "break_to": pause[1], "mode": known_choice(mode, [("", ""), *MODES], "mode"),
        "starts_at_home": starts_at_home, "home_lon": round(home.lon, NEAR) if home else None,
        "home_lat": round(home.lat, NEAR) if home else None, "duty_div": duty_div,
        "employed_to": period_of(row.employed_from, employed_to, "employed_to").to,
    }  # fmt: skip
    with at_field("phone"):
        number = own_phone(phone)
    if number:
        row.seal_field("phone", number)
        row.save(update_fields=["phone_enc", "enc_suite", "enc_kid"])
    changes = changed(row, now=now, **values)
    shown = {key: ["*", "*"] if key.startswith("home_") else value for key, value in changes.items()}
    record(actor=actor, now=now, event="directory.staff.update", subject=row, changes=shown, staff_id=row.pk)
    tell("staff", pk=row.pk, div=row.div)
    return row


@operation("directory.staff.qualify", label=N_("登记资格证书"))
def qualify_staff(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, staff_id: Id, kind: ask.LicenceKind,
    number: Annotated[str, Input(N_("证书编号"), max_length=40)], issuer: Annotated[str, Input(N_("发证机关"), max_length=80)],
    valid_from: ask.FirstDay, valid_to: ask.LastDay = None, practice_scope: ask.PracticeScope = "", place: ask.PracticePlace = "",
    is_retired_practice: ask.RetiredPractice = False, credits_to: ask.CreditsTo = None,
) -> Qualification:  # fmt: skip
    """Enter a certificate with the days on which it holds, what it allows and where (R-STF-02, R-STF-03)."""
    staff = locked(Staff.objects.all(), staff_id)
    require(actor, "directory.staff.qualify", div=staff.div, provider_id=staff.provider_id)
    days = period_of(valid_from, valid_to)
    check_place(kind, place.strip())
    row = Qualification.objects.create(
        div=staff.div, staff=staff, provider_id=staff.provider_id, kind=known_choice(kind, Qualification.KINDS, "kind"),
        number=required_text(number, "number", most=40), issuer=required_text(issuer, "issuer", most=80), valid_from=days.from_,
        valid_to=days.to, recorded_from=now, practice_scope=practice_scope.strip(), place=place.strip(),
        is_retired_practice=is_retired_practice, credits_to=credits_to + ONE_DAY if credits_to else None,
    )  # fmt: skip
    changes = {"kind": [None, kind], "valid_to": [None, days.to.isoformat() if days.to else None]}
    record(actor=actor, now=now, event="directory.staff.qualify", subject=row, changes=changes, staff_id=staff.pk)
    return row


def suspend_staff(actor: Actor, now: datetime, staff: Staff, cause: str, reason: str) -> Suspension:
    """Give a carer no new orders until released; the same cause suspends once."""
    row, is_new = Suspension.objects.get_or_create(
        staff=staff,
        cause=cause,
        defaults={"div": staff.div, "provider_id": staff.provider_id, "reason": reason, "from_at": now},
    )
    if is_new:
        record(actor=actor, now=now, event="directory.staff.suspend", subject=row, reason=reason, staff_id=staff.pk)
        tell("staff", pk=staff.pk, div=staff.div)
    return row


def release_suspension(actor: Actor, now: datetime, staff: Staff, cause: str, reason: str) -> Suspension | None:
    """Lift the suspension of one cause; others of the same carer stay. Returns nothing if there is none open."""
    row = Suspension.objects.select_for_update(of=("self",)).filter(staff=staff, cause=cause, to_at=None).first()
    if row is None:
        return None
    changes = changed(row, now=now, to_at=max(now, row.from_at), released_by_id=actor.user_id, release_reason=reason)
    record(
        actor=actor,
        now=now,
        event="directory.staff.release",
        subject=row,
        changes=changes,
        reason=reason,
        staff_id=staff.pk,
    )
    tell("staff", pk=staff.pk, div=staff.div)
    return row
