"""Rows for tests: one maker per model, made directly, valid, and with nothing that the caller did not ask for.

Every maker of a scoped row needs a scope that covers it: the fixture ``wide``.
"""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import F

from yinling.accounts.models import User
from yinling.assessment.models import Assessment, Commission, Request
from yinling.catalogue.models import Price, PriceList, ServiceItem
from yinling.catalogue.states import PriceListState
from yinling.directory.models import Absence, Area, Grant, Organisation, Policy, Qualification, ServiceArea, Site, Staff
from yinling.directory.queries import actor_from, system_actor
from yinling.directory.roles import ROLES
from yinling.directory.states import GrantState
from yinling.dispatch.models import Assignment, Correction
from yinling.entitlements.models import Entitlement, Quota, Scheme
from yinling.ground.crypto import blind_index
from yinling.ground.files import store
from yinling.hotline.models import Call, Callback, Roster, Seat, SeatGroup, Shift, Ticket
from yinling.hotline.states import CallState
from yinling.indicators.models import Value
from yinling.kernel.actor import Actor
from yinling.kernel.credit_code import made_up_credit_code
from yinling.kernel.id_number import made_up
from yinling.kernel.period import local_date, local_midnight, month_start
from yinling.orders.models import Hold, Order, OrderLine, PayerShare
from yinling.orders.states import OrderState
from yinling.people.models import Contact, Elder, ElderKey, Household, Representative
from yinling.people.rules import name_keys
from yinling.supervision.models import Finding
from yinling.supervision.rules import RULES
from yinling.visits.models import CheckIn, Evaluation, Evidence, Visit

NOW = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)
"""Monday, 10:00 in China."""
TODAY = date(2026, 6, 15)
LONG_AGO = date(2020, 1, 1)

CITY = "3202"
DISTRICT, OTHER_DISTRICT = "320213", "320281"
STREET, OTHER_STREET = "320213021", "320281100"
COMMUNITY, NEIGHBOUR, OTHER_COMMUNITY = "320213021001", "320213021002", "320281100200"
WIDE = Actor(None, "全省", "city", ROLES["city"].rights, div="32")
"""For the fixture ``wide`` and for tests with threads, which open scopes of their own."""

_TREE = [
    (CITY, "无锡市", "city", "市"),
    (DISTRICT, "梁溪区", "district", "区"),
    (STREET, "崇安寺街道", "street", "街道"),
    (COMMUNITY, "公园社区", "community", "居委会"),
    (NEIGHBOUR, "学前社区", "community", "居委会"),
    (OTHER_DISTRICT, "江阴市", "district", "县级市"),
    (OTHER_STREET, "璜土镇", "street", "镇"),
    (OTHER_COMMUNITY, "利城村", "community", "村委会"),
]
_WAY_TO: dict[str, list[OrderState]] = {
    "placed": [OrderState.PLACED],
    "accepted": [OrderState.PLACED, OrderState.ACCEPTED],
    "assigned": [OrderState.PLACED, OrderState.ASSIGNED],
    "in_service": [OrderState.PLACED, OrderState.ASSIGNED, OrderState.IN_SERVICE],
    "served": [OrderState.PLACED, OrderState.ASSIGNED, OrderState.IN_SERVICE, OrderState.SERVED],
    "settled": [OrderState.PLACED, OrderState.ASSIGNED, OrderState.IN_SERVICE, OrderState.SERVED, OrderState.SETTLED],
    "cancelled": [OrderState.CANCELLED],
    "failed": [OrderState.PLACED, OrderState.ASSIGNED, OrderState.FAILED],
    "draft": [],
}
_WAY_TO["closed"] = [*_WAY_TO["settled"], OrderState.CLOSED]
_serials = itertools.count(100_001)


def serial() -> int:
    """Return a number no maker has used yet, in six digits, so that none is the beginning of another or a small one of a test."""
    return next(_serials)


def make_area_tree() -> dict[str, Area]:
    """A city with two districts: the first with a street of two communities, the other with a town of one village."""
    known = {row.div: row for row in Area.objects.all()}
    for div, name, level, kind in _TREE:
        if div not in known:
            parent = next((known[div[:size]] for size in (9, 6, 4) if len(div) > size and div[:size] in known), None)
            known[div] = Area.objects.create(
                div=div, code=div.ljust(12, "0"), name=name, short_name=name, level=level, kind=kind, parent=parent,
                lon=120.30 if div.startswith(DISTRICT) else 120.20, lat=31.57, source="test", valid_from=LONG_AGO,
            )  # fmt: skip
    return known


def city() -> Area:
    """The city of the tree."""
    return make_area_tree()[CITY]


def make_user(**values: Any) -> User:
    """A login with the password ``correct-horse-1``."""
    number = serial()
    chosen = {"username": f"user{number}", "name": f"用户{number}", "password": "correct-horse-1", **values}
    return User.objects.create_user(**chosen)


def make_grant(user: User, role: str, *, div: str = "", organisation: Organisation | None = None) -> Grant:
    """An active grant, proposed and confirmed by two other persons."""
    first, second = (
        User.objects.get_or_create(username=f"security{number}", defaults={"name": f"安全{number}"})[0]
        for number in (1, 2)
    )
    grant = Grant.objects.create(
        user=user, role=role, div=div, organisation=organisation, reason="test", from_at=NOW - timedelta(days=4000), proposed_by=first,
        created_at=NOW, changed_at=NOW,
    )  # fmt: skip
    grant.state, grant.confirmed_by = GrantState.ACTIVE, second
    grant.save()
    return grant


def actor(
    role: str, div: str = CITY, organisation: Organisation | None = None, elders: tuple[Elder, ...] = (),
    staff: Staff | None = None,
) -> Actor:  # fmt: skip
    """A user with an active grant of the role, as actor. ``elders`` are those an elder or family login stands for."""
    anchor = ROLES[role].anchor
    if staff is not None:
        organisation = staff.provider
    if anchor == "organisation" and organisation is None:
        organisation = make_organisation()
    user = make_user()
    grant = make_grant(user, role, div=div if anchor == "area" else "", organisation=organisation)
    if staff is not None:
        Staff.objects.filter(pk=staff.pk).update(user=user)
    for elder in elders:
        make_representative(elder, user, capacity="self" if role == "elder" else "family")
    return actor_from(user, grant, elder_ids=tuple(elder.pk for elder in elders), staff_id=staff.pk if staff else None)


def system(div: str = CITY) -> Actor:
    """The system user, as jobs act."""
    User.objects.get_or_create(username="system", defaults={"name": "系统", "is_system": True})
    return system_actor(div)


def make_organisation(*, insured: bool = True, **values: Any) -> Organisation:
    """A provider of home care in the first district, with one site, its policies and the filing for home medical care."""
    number = serial()
    chosen = {
        "name": f"无锡安心居家养老服务有限公司{number}", "short_name": f"安心{number}", "credit_code": made_up_credit_code(number),
        "kind": "home_care", "div": DISTRICT, "address": "人民中路1号", "is_provider": True, "valid_from": LONG_AGO,
        "does_home_medical": True, "home_medical_filed_on": LONG_AGO, "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    organisation = Organisation.objects.create(**chosen)
    make_site(organisation)
    for kind, _ in Policy.KINDS if insured else ():
        make_policy(organisation, kind)
    return organisation


def make_policy(organisation: Organisation, kind: str = "liability", **values: Any) -> Policy:
    """A policy that holds now."""
    chosen = {
        "insurer": "测试保险公司",
        "number": f"P{serial():06d}",
        "valid_from": LONG_AGO,
        "recorded_from": NOW,
        **values,
    }
    return Policy.objects.create(organisation=organisation, kind=kind, **chosen)


def make_site(organisation: Organisation, **values: Any) -> Site:
    """A site of an organisation."""
    chosen = {
        "name": organisation.short_name, "kind": organisation.kind, "div": organisation.div, "address": organisation.address,
        "lon": 120.305, "lat": 31.575, "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    return Site.objects.create(organisation=organisation, **chosen)


def make_staff(
    organisation: Organisation | None = None, *, qualified: tuple[str, ...] | str = ("care_worker",), **values: Any
) -> Staff:
    """A carer with qualifications that hold now."""
    provider = organisation or make_organisation()
    chosen = {
        "div": provider.div, "site": provider.sites.first(), "name": f"护理{serial()}", "kind": "care_worker", "sex": "2",
        "day_from": time(8), "day_to": time(18), "employed_from": LONG_AGO, "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    staff = Staff.objects.create(provider=provider, **chosen)
    for kind in (qualified,) if isinstance(qualified, str) else qualified:
        make_qualification(staff, kind)
    if staff.kind == "doctor":
        make_qualification(staff, "filing")
    return staff


def make_absence(staff: Staff, **values: Any) -> Absence:
    """A day of illness: all of tomorrow."""
    chosen = {
        "kind": "sick", "from_at": NOW + timedelta(hours=14), "to_at": NOW + timedelta(hours=38), "created_at": NOW, "changed_at": NOW,
        **values,
    }  # fmt: skip
    return Absence.objects.create(div=staff.div, staff=staff, provider_id=staff.provider_id, **chosen)


def make_qualification(staff: Staff, kind: str = "care_worker", **values: Any) -> Qualification:
    """A certificate that holds now."""
    chosen = {
        "div": staff.div, "number": f"Z{serial():06d}", "issuer": "市人社局", "valid_from": LONG_AGO, "recorded_from": NOW,
        "place": staff.div[:2] if kind == "doctor" else "", **values,
    }  # fmt: skip
    return Qualification.objects.create(staff=staff, provider_id=staff.provider_id, kind=kind, **chosen)


def make_service_area(
    organisation: Organisation, family: str = "daily_care", div: str = CITY, **values: Any
) -> ServiceArea:
    """The body that answers for a family of services in an area."""
    chosen = {"valid_from": LONG_AGO, "recorded_from": NOW, **values}
    return ServiceArea.objects.create(organisation=organisation, family=family, div=div, **chosen)


def make_household(div: str = COMMUNITY, **values: Any) -> Household:
    """A home with its position."""
    number = serial()
    chosen = {
        "address": f"中山路{number}号", "lon": 120.30, "lat": 31.57, "door_code": f"D{number:08d}", "created_at": NOW, "changed_at": NOW,
        **values,
    }  # fmt: skip
    return Household.objects.create(div=div, **chosen)


def make_elder(div: str = COMMUNITY, *, phone: str = "", household: Household | None = None, **values: Any) -> Elder:
    """A made-up woman of 80 with id number and phone, found by her name."""
    number = serial()
    phone = phone or f"1991{number:07d}"
    chosen = {
        "name": "王秀英", "sex": "2", "born_on": date(1946, 3, 1), "id_type": "id", "phone_last4": phone[-4:], "is_made_up": True,
        "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    elder = Elder(div=div, household=household or make_household(div), **chosen)
    if elder.id_type == "id":
        id_number = made_up(number, elder.born_on, "male" if elder.sex == "1" else "female").number
        elder.id_number_index = blind_index(id_number, purpose="id_number")
        elder.seal_field("id_number", id_number)
    elder.phone_index = blind_index(phone, purpose="phone")
    elder.seal_field("phone", phone)
    elder.save()
    ElderKey.objects.bulk_create(
        ElderKey(elder=elder, div=div, kind=kind, key=key) for kind, key in name_keys(elder.name)
    )
    return elder


def make_representative(elder: Elder, user: User, **values: Any) -> Representative:
    """A login that stands for an elder."""
    chosen = {"capacity": "family", "valid_from": LONG_AGO, "recorded_from": NOW, **values}
    return Representative.objects.create(div=elder.div, elder=elder, user=user, **chosen)


def make_item(**values: Any) -> ServiceItem:
    """An hour of daily care by a care worker."""
    chosen = {
        "code": f"T{serial():04d}", "family": "daily_care", "name": "生活照料", "description": "洗漱、穿衣、整理", "standard": "GB/T 43153",
        "standard_minutes": 60, "steps": ["洗漱", "整理"], "needs_qualification": "care_worker", "department": "民政局",
        "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    return ServiceItem.objects.create(**chosen)


def make_price(
    item: ServiceItem | None = None, organisation: Organisation | None = None, amount_fen: int = 8000, **values: Any
) -> Price:
    """A published price, in force since 2020."""
    body = organisation or make_organisation()
    prices = PriceList.objects.create(
        organisation=body, basis="market", document="价目公示", drafted_by=make_user(), created_at=NOW, changed_at=NOW
    )
    chosen = {"valid_from": LONG_AGO, "recorded_from": NOW, **values}
    price = Price.objects.create(
        price_list=prices, organisation=body, item=item or make_item(), amount_fen=amount_fen, **chosen
    )
    prices.state, prices.published_by = PriceListState.PUBLISHED, make_user()
    prices.published_at = datetime.combine(LONG_AGO, time(), UTC)
    prices.save()
    return price


def make_scheme(**values: Any) -> Scheme:
    """A voucher of half the price."""
    chosen = {
        "code": f"voucher{serial()}", "name": "消费补贴券", "payer": "voucher", "fund": "voucher", "families": ["daily_care"],
        "div": CITY, "document": "test", **values,
    }  # fmt: skip
    return Scheme.objects.create(**chosen)


def make_entitlement(elder: Elder, scheme: Scheme | None = None, **values: Any) -> Entitlement:
    """Half of the price, at most 800 yuan a month."""
    chosen = {
        "share_bp": 5000, "monthly_cap_fen": 80000, "basis": "test", "valid_from": LONG_AGO, "recorded_from": NOW, "created_at": NOW,
        "changed_at": NOW, **values,
    }  # fmt: skip
    return Entitlement.objects.create(div=elder.div, elder=elder, scheme=scheme or make_scheme(), **chosen)


def make_order(
    state: str = "placed", *, elder: Elder | None = None, price: Price | None = None, starts_at: datetime | None = None, **values: Any
) -> Order:  # fmt: skip
    """An order of one item for tomorrow at 10:00, paid by the elder, brought to the state on its legal way."""
    elder = elder or make_elder()
    price = price or make_price()
    start = starts_at or NOW + timedelta(days=1)
    home, item, provider = elder.household, price.item, price.organisation
    chosen = {
        "channel": "console", "elder_name": elder.name, "elder_sex": elder.sex, "address": home.address, "lon": home.lon, "lat": home.lat,
        "door_code": home.door_code, "starts_at": start, "ends_at": start + timedelta(minutes=item.standard_minutes),
        "earliest_at": start, "latest_at": start, "carers_needed": item.carers_needed,
        "placed_at": NOW, "total_fen": price.amount_fen, "self_fen": price.amount_fen, "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    order = Order(div=elder.div, elder=elder, provider=provider, **chosen)
    order.seal_field("phone", elder.unseal_field("phone"))
    order.save()
    common = {"div": order.div, "order": order, "elder": elder, "provider": provider}
    line = OrderLine.objects.create(
        **common,
        item=item,
        price=price,
        kind="item",
        name=item.name,
        minutes=item.standard_minutes,
        amount_fen=price.amount_fen,
    )
    PayerShare.objects.create(**common, line=line, payer="self", amount_fen=price.amount_fen, reason="自付")
    for step in _WAY_TO[state]:
        order.state = step
        if step == OrderState.SERVED:
            order.served_at = order.ends_at
        if step == OrderState.SETTLED:
            order.settled_at = order.ends_at
        order.save()
    return order


def make_contact(elder: Elder, *, phone: str = "", **values: Any) -> Contact:
    """A daughter to call."""
    phone = phone or f"1991{serial():07d}"
    chosen = {"kind": "child", "name": "王芳", "rank": 1, "created_at": NOW, "changed_at": NOW, **values}
    row = Contact(div=elder.div, elder=elder, phone_index=blind_index(phone, purpose="phone"), **chosen)
    row.seal_field("phone", phone)
    row.save()
    return row


def make_call(*, number: str = "", elder: Elder | None = None, seat: Actor | None = None, **values: Any) -> Call:
    """A ringing call; with a seat, answered by it."""
    chosen = {
        "key": f"test:{serial()}", "div": elder.div if elder else CITY, "number_last4": number[-4:], "rang_at": NOW, "created_at": NOW,
        "number_index": blind_index(number, purpose="call") if number else None, "changed_at": NOW, **values,
    }  # fmt: skip
    row = Call(elder=elder, **chosen)
    row.seal_field("number", number)
    row.save()
    if seat is not None:
        row.state, row.seat_id, row.answered_at = CallState.ANSWERED, seat.user_id, NOW
        row.save()
    return row


def make_group(**values: Any) -> SeatGroup:
    """A group of seats of the city to which new calls come."""
    chosen = {"div": CITY, "name": f"班组{serial()}", "is_first": True, "created_at": NOW, "changed_at": NOW, **values}
    duty = chosen.pop("duty", "")
    row = SeatGroup(**chosen)
    row.seal_field("duty", duty)
    row.duty_last4 = duty[-4:]
    row.save()
    return row


def make_seat(who: Actor | None = None, *, group: SeatGroup | None = None, state: str = "ready", **values: Any) -> Seat:
    """A person's place on the line, ready since ten minutes, in the first group of the city if no other is named."""
    group = group or SeatGroup.objects.filter(is_first=True).first() or make_group()
    user_id = (who or actor("seat")).user_id
    chosen = {
        "div": group.div, "group": group, "provider_id": group.provider_id, "number": str(serial()), "user_id": user_id,
        "idle_since": None if state == "off" else NOW - timedelta(minutes=10), "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    row = Seat.objects.create(**chosen)
    for step in {"off": [], "ready": ["ready"], "paused": ["ready", "paused"]}[state]:
        row.state = step
        row.save()
    return row


def make_callback(
    kind: str = "missed", *, call: Call | None = None, elder: Elder | None = None, **values: Any
) -> Callback:
    """Somebody to call within ten minutes."""
    about = elder or call
    chosen = {
        "div": about.div if about else CITY, "due_at": NOW + timedelta(minutes=10), "next_at": NOW, "created_at": NOW, "changed_at": NOW,
        **values,
    }  # fmt: skip
    return Callback.objects.create(kind=kind, call=call, elder=elder or (call.elder if call else None), **chosen)


def make_roster(
    group: SeatGroup | None = None, *, from_at: datetime | None = None, hours: int = 24, **values: Any
) -> Roster:
    """A draft for the day after the next local midnight, without shifts."""
    group = group or SeatGroup.objects.filter(is_first=True).first() or make_group()
    start = from_at or local_midnight(TODAY + timedelta(days=1))
    chosen = {"created_at": NOW, "changed_at": NOW, **values}
    return Roster.objects.create(
        div=group.div, group=group, from_at=start, to_at=start + timedelta(hours=hours), **chosen
    )


def make_shift(roster: Roster, seat: Seat, first: float, last: float, **values: Any) -> Shift:
    """A shift by hours after the roster's beginning."""
    chosen = {"is_live": roster.state == "published", "created_at": NOW, "changed_at": NOW, **values}
    return Shift.objects.create(
        div=roster.div, roster=roster, seat=seat, from_at=roster.from_at + timedelta(hours=first), to_at=roster.from_at + timedelta(hours=last),
        **chosen,
    )  # fmt: skip


def make_ticket(state: str = "open", *, elder: Elder | None = None, **values: Any) -> Ticket:
    """A request for help, due in three days, brought to the state on its legal way."""
    way = {"open": [], "handling": ["handling"], "resolved": ["handling", "resolved"], "closed": ["handling", "closed"]}
    opened = values.get("opened_at", NOW)
    chosen = {
        "div": elder.div if elder else COMMUNITY, "kind": "request", "channel": "phone", "title": "需要助浴", "opened_at": opened,
        "due_at": opened + timedelta(days=3), "created_at": opened, "changed_at": opened, **values,
    }  # fmt: skip
    row = Ticket.objects.create(elder=elder, **chosen)
    for step in way[state]:
        row.state = step
        if step == "closed":
            row.closed_at = opened
        row.save()
    return row


def make_assignment(order: Order, staff: Staff, *, state: str = "offered", **values: Any) -> Assignment:
    """The order offered to a carer, brought to the state on its legal way."""
    chosen = {
        "starts_at": order.starts_at, "ends_at": order.ends_at, "offered_at": NOW, "accept_due_at": NOW + timedelta(minutes=30),
        "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    row = Assignment.objects.create(
        div=order.div,
        order=order,
        elder_id=order.elder_id,
        provider_id=order.provider_id,
        staff=staff,
        staff_name=staff.name,
        **chosen,
    )
    ways = {"offered": [], "released": ["accepted", "released"], "done": ["accepted", "done"]}
    for step in ways.get(state, [state]):
        row.state = step
        if step == "accepted":
            row.accepted_at = NOW
        row.save()
    return row


def make_visit(assignment: Assignment, *, state: str = "on_site", **values: Any) -> Visit:
    """A visit that began at the booked time, brought to the state on its legal way."""
    chosen = {"created_at": NOW, "changed_at": NOW, **values}
    row = Visit.objects.create(
        div=assignment.div, order_id=assignment.order_id, assignment=assignment, elder_id=assignment.elder_id,
        provider_id=assignment.provider_id, staff_id=assignment.staff_id, **chosen,
    )  # fmt: skip
    ways = {"planned": [], "done": ["on_site", "done"]}
    for step in ways.get(state, [state]):
        row.state = step
        if step == "on_site":
            row.started_at = assignment.starts_at
        if step == "done":
            row.ended_at = assignment.ends_at
        row.save()
    return row


def fund_order(order: Order, entitlement: Entitlement, fen: int) -> PayerShare:
    """Let a scheme bear part of a placed order's first line instead of the elder, and reserve it in the month's quota."""
    own = PayerShare.objects.get(order=order, payer="self", line__kind="item")
    own.amount_fen -= fen
    own.save()
    month, uses = month_start(local_date(order.starts_at)), []
    if entitlement.monthly_cap_fen is not None:
        uses = [["fen", "month", month.isoformat(), fen]]
        quota, _ = Quota.objects.get_or_create(
            entitlement=entitlement, from_on=month,
            defaults={"div": entitlement.div, "elder_id": entitlement.elder_id, "cap": entitlement.monthly_cap_fen},
        )  # fmt: skip
        Quota.objects.filter(pk=quota.pk).update(reserved=F("reserved") + fen)
    order.self_fen -= fen
    order.save()
    return PayerShare.objects.create(
        div=order.div, order=order, line=own.line, elder_id=order.elder_id, provider_id=order.provider_id, entitlement=entitlement,
        payer=entitlement.scheme.payer, amount_fen=fen, uses=uses, reason="补贴",
    )  # fmt: skip


def make_hold(order: Order, cause: str = "finding:0", **values: Any) -> Hold:
    """The settlement of an order stopped."""
    chosen = {"reason": "核查", "from_at": NOW, **values}
    return Hold.objects.create(
        div=order.div, order=order, elder_id=order.elder_id, provider_id=order.provider_id, cause=cause, **chosen
    )


def make_check_in(visit: Visit, *, distance_m: int | None = 0, **values: Any) -> CheckIn:
    """A check-in so far from the home."""
    chosen = {"kind": "in", "key": f"in:{serial()}", "datum": "wgs84", "received_at": NOW, **values}
    return CheckIn.objects.create(
        div=visit.div,
        visit=visit,
        elder_id=visit.elder_id,
        provider_id=visit.provider_id,
        distance_m=distance_m,
        **chosen,
    )


def make_photo(visit: Visit, content: bytes, **values: Any) -> Evidence:
    """A photo of a visit; the content is a JPEG only in name."""
    file = store(content, kind="photo", purpose="visit", content_type="image/jpeg", owner=visit, now=NOW)
    chosen = {"kind": "photo", "sha256": bytes(file.sha256), "received_at": NOW, **values}
    return Evidence.objects.create(
        div=visit.div, visit=visit, elder_id=visit.elder_id, provider_id=visit.provider_id, file=file, **chosen
    )


def make_finding(order: Order, rule: str = "far_check_in", **values: Any) -> Finding:
    """An open finding about an order, as the rule says it, without the stops of a block."""
    told = RULES[rule]
    chosen = {
        "key": f"{rule}:{serial()}", "severity": told.severity, "title": told.title, "happened_at": NOW, "found_at": NOW, "created_at": NOW,
        "changed_at": NOW, **values,
    }  # fmt: skip
    return Finding.objects.create(
        div=order.div, rule=rule, order=order, elder_id=order.elder_id, provider_id=order.provider_id, **chosen
    )


def make_value(code: str, div: str = CITY, **values: Any) -> Value:
    """A computed figure of the week of the tests: one of two."""
    chosen = {
        "period_from": TODAY, "period_to": TODAY + timedelta(days=7), "numerator": 1, "denominator": 2, "version": "1", "computed_at": NOW,
        **values,
    }  # fmt: skip
    return Value.objects.create(code=code, div=div, **chosen)


def make_commission(organisation: Organisation, div: str = CITY, **values: Any) -> Commission:
    """A contract in force by which an organisation assesses with the scales of the plans."""
    chosen = {
        "scales": ["gbt42195_2022", "mzt039_2013", "ltc_2021_37", "cq6"], "contract": f"评估〔2026〕{serial()}号", "qualification": "民非证书",
        "assessor_count": 8, "valid_from": LONG_AGO, "recorded_from": NOW, "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    return Commission.objects.create(div=div, provider=organisation, **chosen)


def make_request(elder: Elder | None = None, **values: Any) -> Request:
    """An application at the station of the elder's home, for a first assessment by the national standard."""
    elder = elder or make_elder()
    chosen = {
        "div": elder.div, "home_div": elder.div, "scale": "gbt42195_2022", "purpose": "home_care", "reason": "first", "mode": "home",
        "applied_as": "family", "elder_name": elder.name, "elder_sex": elder.sex, "born_on": elder.born_on, "address": elder.household.address,
        "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    row = Request(elder=elder, **chosen)
    row.seal_field("phone", elder.unseal_field("phone"))
    row.save()
    return row


def make_assessment(elder: Elder, organisation: Organisation | None = None, **values: Any) -> Assessment:
    """A result of the national standard, moderate, of two weeks ago."""
    day = values.get("assessed_on", TODAY - timedelta(days=14))
    chosen = {
        "div": elder.div, "scale": "gbt42195_2022", "scale_version": "1", "level": "moderate", "points": 50, "assessed_on": day,
        "valid_from": day, "valid_to": day + timedelta(days=366), "recorded_from": NOW, **values,
    }  # fmt: skip
    if organisation is None:
        organisation = make_organisation(kind="assessor", is_provider=False)
    return Assessment.objects.create(elder=elder, provider=organisation, **chosen)


def make_correction(state: str = "proposed", **values: Any) -> Correction:
    """Ways by e-bike that take a third longer than the straight line says, all day, in the street of the tree."""
    chosen = {
        "kind": "travel", "div": STREET, "mode": "ebike", "engine": "great_circle", "value": 1.3, "before": 1.0, "low": 1.1, "high": 1.6,
        "sample_count": 120, "distribution": [[0.8, 1.2, 30], [1.2, 1.6, 70], [1.6, 2.0, 20]], "measured_from": TODAY - timedelta(days=56),
        "computed_on": TODAY, "created_at": NOW, "changed_at": NOW, **values,
    }  # fmt: skip
    row = Correction.objects.create(**chosen)
    for step in {"proposed": [], "ended": ["used", "ended"]}.get(state, [state]):
        row.state = step
        row.save()
    return row


def make_evaluation(order: Order, **values: Any) -> Evaluation:
    """What the family says of an order."""
    chosen = {"score": 5, "by": "family", "user": make_user(), "evaluated_at": NOW, **values}
    return Evaluation.objects.create(
        div=order.div, order=order, elder_id=order.elder_id, provider_id=order.provider_id, **chosen
    )
