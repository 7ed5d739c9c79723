"""Writing organisations, their places, and who answers for which services where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from yinling.accounts.operations import record
from yinling.directory import inputs as ask
from yinling.directory.models import (
    CAPABILITIES,
    PRICE_GROUPS,
    Area,
    Organisation,
    Policy,
    Site,
)
from yinling.directory.rules import (
    at_field,
    known_choice,
    period_of,
    position_of,
    require,
    required_text,
)
from yinling.ground.facts import curtail
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.credit_code import check_credit_code
from yinling.kernel.inputs import Id, Reason, Seen
from yinling.kernel.names import normalise_phone
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_

explain_constraint("policy_no_overlap", "policy.exists", N_("这张保单在这段时间已登记"))
explain_constraint("directory_organisation_credit_code_key", "organisation.exists", N_("这个统一社会信用代码已登记"))


def require_area(div: str, field: str = "div") -> None:
    if not Area.objects.filter(div=div).exists():
        raise Refused("area.unknown", N_("没有这个行政区划，请从列表中选择"), field=field)


def own_phone(phone: str) -> str:
    return normalise_phone(phone) if phone.strip() else ""


@operation("directory.organisation.register", label=N_("登记机构"))
def register_organisation(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, name: ask.BodyName, short_name: ask.ShortName,
    credit_code: ask.CreditCode, kind: ask.BodyKind, div: ask.Div, address: ask.Address, phone: ask.Phone = "",
    is_provider: ask.IsProvider = False, valid_from: ask.FirstDay,
) -> Organisation:  # fmt: skip
    """Enter a body with its checked credit code."""
    require(actor, "directory.organisation.register", div=div)
    require_area(div)
    with at_field("credit_code"):
        code = check_credit_code(credit_code)
    with at_field("phone"):
        number = own_phone(phone)
    row = Organisation.objects.create(
        name=required_text(name, "name", most=120), short_name=required_text(short_name, "short_name", most=40), credit_code=code,
        kind=known_choice(kind, Organisation.KINDS, "kind"), div=div, address=required_text(address, "address"), phone=number,
        is_provider=is_provider, valid_from=valid_from, created_at=now, changed_at=now,
    )  # fmt: skip
    changes = {"credit_code": [None, code], "kind": [None, kind], "div": [None, div]}
    record(actor=actor, now=now, event="directory.organisation.register", subject=row, changes=changes)
    return row


@operation("directory.organisation.update", label=N_("修改机构"))
def update_organisation(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, organisation_id: Id, name: ask.BodyName, short_name: ask.ShortName, address: ask.Address, phone: ask.Phone = "",
    valid_to: ask.LastDay = None, seen: Seen = None,
) -> Organisation:  # fmt: skip
    """Change what is told about a body. Its credit code and kind never change: that is another body."""
    row = locked(Organisation.objects.all(), organisation_id, seen)
    require(actor, "directory.organisation.update", div=row.div)
    days = period_of(row.valid_from, valid_to)
    with at_field("phone"):
        number = own_phone(phone)
    changes = changed(
        row, now=now, name=required_text(name, "name", most=120), short_name=required_text(short_name, "short_name", most=40),
        address=required_text(address, "address"), phone=number, valid_to=days.to,
    )  # fmt: skip
    record(actor=actor, now=now, event="directory.organisation.update", subject=row, changes=changes)
    return row


def _offered(capabilities: Sequence[str] | None, *, beds: int, phone: str, hours: str) -> dict[str, Any]:
    """Return the columns of what a place offers."""
    chosen = [known_choice(one, CAPABILITIES, "capabilities") for one in capabilities or ()]
    with at_field("phone"):
        number = own_phone(phone)
    return {"capabilities": sorted(set(chosen)), "beds": beds, "phone": number, "hours": hours.strip()[:60]}


@operation("directory.site.register", label=N_("登记站点"))
def register_site(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, organisation_id: ask.BodyId, name: ask.SiteName, kind: ask.BodyKind, div: ask.Div,
    address: ask.Address, lon: ask.Lon, lat: ask.Lat, datum: ask.Datum = "wgs84", capabilities: ask.Capabilities = None, beds: ask.Beds = 0,
    phone: ask.Phone = "", hours: ask.OpeningHours = "",
) -> Site:  # fmt: skip
    """Enter a place of a body and what it offers; its position is kept in WGS-84."""
    body = locked(Organisation.objects.all(), organisation_id)
    require(actor, "directory.site.register", div=body.div)
    require(actor, "directory.site.register", div=div)
    require_area(div)
    place = position_of(lon, lat, datum)
    assert place is not None  # noqa: S101 - both numbers are required
    offered = _offered(capabilities, beds=beds, phone=phone, hours=hours)
    row = Site.objects.create(
        organisation=body, **offered, name=required_text(name, "name", most=80), kind=known_choice(kind, Organisation.KINDS, "kind"), div=div,
        address=required_text(address, "address"), lon=place.lon, lat=place.lat, source_datum=datum, created_at=now, changed_at=now,
    )  # fmt: skip
    record(
        actor=actor, now=now, event="directory.site.register", subject=row, changes={"organisation": [None, body.pk]}
    )
    return row


@operation("directory.site.update", label=N_("修改站点"))
def update_site(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, site_id: Id, name: ask.SiteName, address: ask.Address, capabilities: ask.Capabilities = None,
    beds: ask.Beds = 0, phone: ask.Phone = "", hours: ask.OpeningHours = "", seen: Seen = None,
) -> Site:  # fmt: skip
    """Correct what a place is called and what it offers."""
    row = locked(Site.objects.all(), site_id, seen)
    require(actor, "directory.site.update", div=row.div, provider_id=row.organisation_id)
    offered = _offered(capabilities, beds=beds, phone=phone, hours=hours)
    changes = changed(
        row, now=now, name=required_text(name, "name", most=80), address=required_text(address, "address"), **offered
    )
    record(actor=actor, now=now, event="directory.site.update", subject=row, changes=changes)
    return row


@operation("directory.area.rename", label=N_("更名"))
def rename_area(
    *, actor: Actor, now: datetime, div: ask.AreaCode, name: ask.AreaName, short_name: ask.AreaName, reason: Reason
) -> Area:
    """Give an area another name; its code and what belongs to it stay."""
    require(actor, "directory.area.rename", div=div)
    area = Area.objects.select_for_update(of=("self",)).filter(div=div).first()
    if area is None:
        raise NotFound("row.not_found", N_("没有这个行政区划，请从列表中选择"))
    why = required_text(reason, "reason", most=500)
    names = {
        "name": required_text(name, "name", most=60),
        "short_name": required_text(short_name, "short_name", most=60),
    }
    changes = changed(area, now=now, **names)
    record(
        actor=actor, now=now, event="directory.area.rename", subject=Area(pk=None), changes=changes, reason=why, div=div
    )
    return area


@operation("directory.organisation.classify", label=N_("确定价格类别"))
def classify_organisation(
    *, actor: Actor, now: datetime, organisation_id: Id, price_group: ask.PriceGroup, reason: Reason, seen: Seen = None
) -> Organisation:
    """Say which group's prices a body follows where it has none of its own; orders already placed keep theirs (R-PAY-02)."""
    row = locked(Organisation.objects.all(), organisation_id, seen)
    require(actor, "directory.organisation.classify", div=row.div)
    why = required_text(reason, "reason", most=500)
    group = known_choice(price_group, [*PRICE_GROUPS, ("none", "")], "price_group")
    changes = changed(row, now=now, price_group="" if group == "none" else group)
    record(actor=actor, now=now, event="directory.organisation.classify", subject=row, changes=changes, reason=why)
    return row


@operation("directory.organisation.enlist", label=N_("登记居家医疗备案"))
def enlist_organisation(
    *, actor: Actor, now: datetime, organisation_id: Id, filed_on: ask.FiledOn, number: ask.FilingNumber = "", seen: Seen = None
) -> Organisation:  # fmt: skip
    """Put a body on the public list of those that do medical care at home, from the day of its filing (R-STF-04)."""
    row = locked(Organisation.objects.all(), organisation_id, seen)
    require(actor, "directory.organisation.enlist", div=row.div)
    if not row.is_provider:
        raise Refused("organisation.no_provider", N_("只有上门服务商才能登记，请先登记为上门服务商"))
    changes = changed(
        row, now=now, does_home_medical=True, home_medical_filed_on=filed_on, home_medical_number=number.strip()
    )
    record(actor=actor, now=now, event="directory.organisation.enlist", subject=row, changes=changes)
    return row


@operation("directory.organisation.delist", label=N_("移出居家医疗名单"))
def delist_organisation(
    *, actor: Actor, now: datetime, organisation_id: Id, reason: Reason, seen: Seen = None
) -> Organisation:
    """Take a body off the list: it takes no further medical orders."""
    row = locked(Organisation.objects.all(), organisation_id, seen)
    require(actor, "directory.organisation.delist", div=row.div)
    why = required_text(reason, "reason", most=500)
    if not row.does_home_medical:
        raise Refused("organisation.not_listed", N_("该机构不在居家医疗服务机构名单上"))
    changes = changed(row, now=now, does_home_medical=False)
    record(actor=actor, now=now, event="directory.organisation.delist", subject=row, changes=changes, reason=why)
    return row


@operation("directory.policy.record", label=N_("登记保单"))
def record_policy(
    *, actor: Actor, now: datetime, organisation_id: ask.BodyId, kind: ask.PolicyKind, insurer: ask.Insurer, number: ask.PolicyNumber,
    valid_from: ask.FirstDay, valid_to: ask.LastDay,
) -> Policy:  # fmt: skip
    """Enter an insurance policy of a body with the days on which it holds (R-ORD-13)."""
    body = locked(Organisation.objects.all(), organisation_id)
    require(actor, "directory.policy.record", div=body.div, provider_id=body.pk)
    days = period_of(valid_from, valid_to)
    row = Policy.objects.create(
        organisation=body, kind=known_choice(kind, Policy.KINDS, "kind"), insurer=required_text(insurer, "insurer", most=80),
        number=required_text(number, "number", most=60), valid_from=days.from_, valid_to=days.to, recorded_from=now,
    )  # fmt: skip
    changes = {"kind": [None, kind], "valid_to": [None, days.to.isoformat() if days.to else None]}
    record(actor=actor, now=now, event="directory.policy.record", subject=row, changes=changes, div=body.div)
    return row


@operation("directory.policy.end", label=N_("终止保单"))
def end_policy(*, actor: Actor, now: datetime, policy_id: Id, until: ask.UntilDay, reason: Reason) -> Policy:
    """Let a policy end before its time, or take a wrong one off the record."""
    row = locked(Policy.objects.filter(recorded_to=None), policy_id)
    require(actor, "directory.policy.end", div=row.organisation.div, provider_id=row.organisation_id)
    why = required_text(reason, "reason", most=500)
    if row.valid_to is not None and row.valid_to <= until:
        raise Refused("policy.over", N_("保单在这一天以前已经到期"), field="until")
    changes = curtail(row, until=until, now=now)
    record(
        actor=actor, now=now, event="directory.policy.end", subject=row, changes=changes, reason=why, div=row.organisation.div
    )  # fmt: skip
    return row
