"""Reading the map: actors, areas, who is responsible where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject

from yinling.accounts.models import User
from yinling.directory.models import (
    Absence,
    ApiToken,
    Area,
    Grant,
    OldArea,
    Organisation,
    Policy,
    Qualification,
    ServiceArea,
    Site,
    Staff,
    Suspension,
)
from yinling.directory.roles import ROLES
from yinling.directory.rules import Duty, against_body, bodies_at, bodies_by_area, first_gap, token_hash
from yinling.directory.states import GrantState
from yinling.ground.clock import business_now, real_now
from yinling.ground.kept import Given, Kept
from yinling.ground.models import CalendarDay, ClockOffset, in_force
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.geo import Datum, Position, distance_m
from yinling.kernel.period import DayPeriod, day_bounds
from yinling.kernel.workdays import WorkingCalendar


def _holds(now: datetime | Given, prefix: str = "") -> Q:
    """Return the condition that a grant holds now."""
    later = Q(**{f"{prefix}to_at": None}) | Q(**{f"{prefix}to_at__gt": now})
    return later & Q(**{f"{prefix}state": GrantState.ACTIVE, f"{prefix}from_at__lte": now})


def active_grants(user_id: int, now: datetime) -> QuerySet[Grant]:
    """Grants of a user that hold now, with their organisation."""
    rows = Grant.objects.filter(_holds(now), user_id=user_id)
    return rows.select_related("organisation").order_by("id")


def _grants_of_user() -> QuerySet[Grant]:
    rows = Grant.objects.filter(user_id=Given("user_id"), state=GrantState.ACTIVE)
    return rows.select_related("organisation").order_by("id")


GRANTS: Kept[Any] = Kept(_grants_of_user)
GRANTS_AND_CLOCK: Kept[Any] = Kept(
    lambda: _grants_of_user().annotate(clock=Subquery(ClockOffset.objects.values("seconds")[:1]))
)


def grants_and_time(user_id: int) -> tuple[list[Grant], datetime]:
    """The grants of a user that hold now, and the business time: one statement for what every request asks first."""
    if not settings.DEMO:
        rows, now = GRANTS(user_id=user_id), real_now()
    else:
        rows = GRANTS_AND_CLOCK(user_id=user_id)
        now = real_now() + timedelta(seconds=rows[0].clock or 0) if rows else business_now()
    return [row for row in rows if row.from_at <= now and (row.to_at is None or row.to_at > now)], now


def actor_from(
    user: User,
    grant: Grant | None,
    *,
    elder_ids: tuple[int, ...] = (),
    staff_id: int | None = None,
    request_id: str = "",
) -> Actor:
    """Return the actor a user is in one grant; without a grant, one with no rights."""
    if grant is None:
        return Actor(user.pk, user.name, "", request_id=request_id)
    role = ROLES[grant.role]
    return Actor(
        user_id=user.pk, name=user.name, role=grant.role, rights=role.rights, div=grant.div or None, organisation_id=grant.organisation_id,
        elder_ids=elder_ids, staff_id=staff_id, grant_id=grant.pk, request_id=request_id, is_system=user.is_system,
    )  # fmt: skip


def uncovered(staff: Staff, kinds: Collection[str], days: DayPeriod) -> tuple[str, date] | None:
    """Return which paper (or "employment") a person lacks at the own body, and from which day on, within some days.

    A doctor's licence counts where it is registered, and with the filing of the body (R-STF-03).
    """
    if gap := first_gap(days, [DayPeriod(staff.employed_from, staff.employed_to)]):
        return "employment", gap
    held: dict[str, list[DayPeriod]] = {kind: [] for kind in kinds}
    rows = Qualification.objects.filter(
        staff=staff, provider_id=staff.provider_id, kind__in=list(kinds), recorded_to=None
    )
    for row in rows:
        if row.kind != "doctor" or (row.place and staff.div.startswith(row.place)):
            held[row.kind].append(DayPeriod(row.valid_from, row.valid_to))
    return next(((kind, gap) for kind in kinds if (gap := first_gap(days, held[kind]))), None)


def staff_id_of(user_id: int) -> int | None:
    """Return the staff row of a login. Needs a scope of the organisation or of the user's own."""
    return Staff.objects.filter(user_id=user_id).values_list("pk", flat=True).first()


def absences_between(start: datetime, end: datetime) -> QuerySet[Absence]:
    """Absences that touch a time, by carer and time; those taken back before they began do not."""
    still = Q(to_at=None) | Q(to_at__gt=start)
    return Absence.objects.filter(still, ~Q(to_at=F("from_at")), from_at__lt=end).order_by("staff_id", "from_at")


def absences_on(day: date, staff_ids: Iterable[int] | None = None) -> dict[int, list[Absence]]:
    """Return the absences that touch a day, by carer: of those named, or of all whom the scope shows."""
    rows = absences_between(*day_bounds(day))
    found: dict[int, list[Absence]] = defaultdict(list)
    for row in rows if staff_ids is None else rows.filter(staff_id__in=list(staff_ids)):
        found[row.staff_id].append(row)
    return dict(found)


def _with_policies(bodies: QuerySet[Organisation]) -> QuerySet[Any]:
    """Bodies with their policies on record in the same query; ``_policies_of`` reads them."""
    names = ("id", "kind", "insurer", "number", "valid_from", "valid_to")
    rows = Policy.objects.filter(organisation_id=OuterRef("pk"), recorded_to=None).order_by("kind", "valid_from", "id")
    parts = rows.values_list(JSONObject(**{name: name for name in names}), flat=True)
    return bodies.annotate(held_policies=ArraySubquery(parts))


def _policies_of(body: Any) -> list[Policy]:
    return [
        Policy(
            id=one["id"], organisation=body, kind=one["kind"], insurer=one["insurer"], number=one["number"],
            valid_from=date.fromisoformat(one["valid_from"]), valid_to=date.fromisoformat(one["valid_to"]) if one["valid_to"] else None,
        )
        for one in body.held_policies
    ]  # fmt: skip


BODIES = """SELECT o.id, o.div, CASE WHEN o.does_home_medical THEN o.home_medical_filed_on END, p.kind, p.valid_from, p.valid_to
    FROM directory_organisation o LEFT JOIN directory_policy p ON p.organisation_id = o.id AND p.recorded_to IS NULL
    WHERE o.id = ANY ((SELECT %s::bigint[])::bigint[]) ORDER BY o.id, p.kind, p.valid_from, p.id"""


@dataclass(frozen=True)
class Body:
    """What decides whether a body may serve at home: its policies, and since when it is listed for medical care there."""

    div: str
    listed_from: date | None
    policies: list[tuple[str, date, date | None]] = field(default_factory=list)

    def obstacles(self, days: Collection[date], *, is_medical: bool) -> tuple[tuple[str, str], ...]:
        """Return what stops it on some days, as code and sentence (R-ORD-13, R-STF-04)."""
        return against_body(policies=self.policies, listed_from=self.listed_from, days=days, is_medical=is_medical)


def bodies(organisation_ids: Iterable[int]) -> dict[int, Body]:
    """Return what decides it for some bodies, by number: one query."""
    found: dict[int, Body] = {}
    with connection.cursor() as cursor:
        cursor.execute(BODIES, [list(organisation_ids)])
        for pk, div, listed_from, kind, valid_from, valid_to in cursor.fetchall():
            body = found.setdefault(pk, Body(div, listed_from))
            if kind is not None:
                body.policies.append((kind, valid_from, valid_to))
    return found


def body_obstacles(organisation_id: int, days: Collection[date], *, is_medical: bool) -> tuple[tuple[str, str], ...]:
    """Return what stops a body from serving at home on some days, as code and sentence: one query."""
    body = bodies([organisation_id]).get(organisation_id)
    return () if body is None else body.obstacles(days, is_medical=is_medical)


SYSTEM: Kept[Any] = Kept(lambda: User.objects.filter(is_system=True).order_by("pk").values_list("pk")[:1])


def system_actor(area: str) -> Actor:
    """Return the system user as an actor for an area; jobs act as this."""
    numbers = [pk for (pk,) in SYSTEM.rows()]
    return Actor(numbers[0] if numbers else None, "系统", "system", ROLES["system"].rights, div=area, is_system=True)


def ancestors(div: str) -> list[str]:
    """Return a division code and those above it, nearest first (12, 9, 6, 4, 2 characters)."""
    return [div[:size] for size in (12, 9, 6, 4, 2) if len(div) >= size]


def answering(family: str, on: date) -> QuerySet[ServiceArea]:
    """The service areas of a family on a day, of bodies that still work."""
    working = Q(organisation__valid_to=None) | Q(organisation__valid_to__gt=on)
    return ServiceArea.objects.filter(in_force(on), working, family=family).select_related("organisation")


def responsible_body(
    family: str, div: str, on: date, *, lon: float | None = None, lat: float | None = None
) -> Organisation | None:
    """Return the one body that answers for a family of services at an address: the grid it lies in, or the narrowest division (R-ORD-04)."""
    rows = list(answering(family, on).filter(div__in=ancestors(div)))
    bodies = {row.organisation_id: row.organisation for row in rows}
    found = bodies_at(div, point_at(lon, lat), [duty_of(row) for row in rows])
    return bodies[found[0]] if found else None


def point_at(lon: float | None, lat: float | None) -> Position | None:
    """Return a position in WGS-84, if there is one."""
    return None if lon is None or lat is None else Position(lon, lat, Datum.WGS84)


def duty_of(row: ServiceArea) -> Duty:
    """Return a service area as the rules take it."""
    return Duty(row.div, row.organisation_id, row.outline)


def cities() -> QuerySet[Area]:
    """The loaded cities."""
    return Area.objects.filter(level="city").order_by("div")


def city_of(div: str) -> str:
    """Return the loaded city that holds a division: its code has two, four or six characters. Empty if none does."""
    return cities().filter(pk__in=ancestors(div)).values_list("pk", flat=True).first() or ""


def parent_of(div: str) -> str:
    """Return the division directly above, empty for a city: not always a fixed number of characters shorter."""
    return Area.objects.filter(pk=div).values_list("parent_id", flat=True).first() or ""


def areas_below(div: str, on: date | None = None) -> QuerySet[Area]:
    """The areas directly below one; of the tree of a day, if one is named."""
    rows = Area.objects.filter(parent_id=div).order_by("div").defer("outline")
    return rows if on is None else rows.filter(standing(on))


def standing(on: date) -> Q:
    """The condition that an area is in the tree of a day: reports use the tree of their own day."""
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


def present_codes(code: str, year: int) -> list[str]:
    """Where the area lies now that had a county code in a year: several codes after a split, none if unknown.

    A code can have been given out twice, to one area after the other.
    """
    rows = OldArea.objects.filter(code=code, first_year__lte=year).filter(Q(last_year=None) | Q(last_year__gte=year))
    return sorted({now for row in rows for now in row.now_codes.split(";") if now})


def communities(div: str) -> QuerySet[Area]:
    """The communities (villages) of an area, where elders live."""
    rows = Area.objects.filter(level="community", div__gte=div, div__lt=div + ":", is_statistical=False)
    return rows.select_related("parent").defer("outline", "parent__outline").order_by("div")


@dataclass(frozen=True)
class Coverage:
    """Who answers for a family of services where: communities with nobody, and with more than one; by what areas, and the communities' names."""

    gaps: list[Area]
    overlaps: list[tuple[Area, list[Organisation]]]
    resolved: dict[str, Organisation]
    areas: list[ServiceArea]
    names: dict[str, str]

    @property
    def grids(self) -> list[ServiceArea]:
        """The areas drawn by hand, in which the position of a home decides."""
        return [row for row in self.areas if row.outline is not None]


def coverage_gaps(family: str, on: date, div: str = "") -> Coverage:
    """Return which communities have no body, or several, for a family of services on a day (R-ORD-04).

    Where grids are drawn and nobody answers for the whole community, its middle decides; the homes themselves are looked at by
    ``people.queries.homes_by_body``.
    """
    rows = list(answering(family, on))
    bodies = {row.organisation_id: row.organisation for row in rows}
    places = {area.div: area for area in communities(div)}
    found = bodies_by_area(places, [(row.div, row.organisation_id) for row in rows if row.outline is None])
    grids = [duty_of(row) for row in rows if row.outline is not None]
    for place, ids in found.items():
        if not ids and grids:
            found[place] = bodies_at(place, point_at(places[place].lon, places[place].lat), grids)
    return Coverage(
        gaps=[places[place] for place, ids in found.items() if not ids],
        overlaps=[(places[place], [bodies[one] for one in ids]) for place, ids in found.items() if len(ids) > 1],
        resolved={place: bodies[ids[0]] for place, ids in found.items() if len(ids) == 1},
        areas=rows,
        names={div: area.short_name for div, area in places.items()},
    )


def working_calendar() -> WorkingCalendar:
    """Return the working days of the years loaded."""
    return WorkingCalendar.from_rows(CalendarDay.objects.values_list("day", "kind"))


def is_holiday(day: date) -> bool | None:
    """Whether the yearly notice makes the day a holiday; None while the list of its year is not loaded."""
    kinds = dict(CalendarDay.objects.filter(day__year=day.year).values_list("day", "kind"))
    return kinds.get(day) == CalendarDay.HOLIDAY if kinds else None


def is_rural(div: str, on: date) -> bool:
    """Whether a division is countryside (R-PAY-20): the narrowest area of community or street that is known has one of the kinds named so."""
    kinds = parameter("support.rural_kinds", div, on)
    known = dict(
        Area.objects.filter(div__in=ancestors(div), level__in=("street", "community")).values_list("div", "kind")
    )
    return next((known[one] in kinds for one in ancestors(div) if one in known), False)


def calendar_years() -> list[tuple[int, int, str]]:
    """Return (year, days listed, source) of the years loaded."""
    rows = CalendarDay.objects.values_list("day__year", "source").annotate(days=Count("day")).order_by("day__year")
    return [(year, days, source) for year, source, days in rows]


NEXT_YEAR_KNOWN = timedelta(days=60)
"""So long before it the days off of a year are published, and orders and deadlines begin to reach into it."""


def calendar_years_missing(today: date) -> list[int]:
    """Return the years that orders and deadlines of now fall into and whose days off are not loaded."""
    years = {today.year, (today + NEXT_YEAR_KNOWN).year}
    return sorted(years - {year for year, _days, _source in calendar_years()})


TOKEN = Kept(
    lambda: ApiToken.objects.filter(
        _holds(Given("now"), "grant__"), token_hash=Given("token_hash"), ended_at=None, expires_at__gt=Given("real_now"),
        user__is_active=True, grant__user=F("user"),
    ).select_related("user", "grant")
)  # fmt: skip


def token_for(plain: str, now: datetime) -> ApiToken | None:
    """Return the token of a text, with login and grant, if both hold. Its life is counted in real time, the grant's in business time."""
    return next(iter(TOKEN(token_hash=token_hash(plain), now=now, real_now=real_now())), None)


def sites(actor: Actor) -> QuerySet[Site]:
    """Places in the actor's area or of who answers for services there, or of the actor's organisation, by area and name."""
    rows = Site.objects.select_related("organisation")
    if actor.div:
        around = Q(div__in=ancestors(actor.div)) | Q(div__gte=actor.div, div__lt=actor.div + ":")
        serving = ServiceArea.objects.filter(around, recorded_to=None).values("organisation_id")
        rows = rows.filter(Q(div__gte=actor.div, div__lt=actor.div + ":") | Q(organisation_id__in=serving))
    elif actor.organisation_id:
        rows = rows.filter(organisation_id=actor.organisation_id)
    return rows.order_by("div", "name", "id")


def organisations(actor: Actor, *, div: str = "", kind: str = "", text: str = "") -> QuerySet[Organisation]:
    """Bodies of an area (the map is open to everybody who may read it), by name."""
    rows = Organisation.objects.all()
    place = div or actor.div
    if place:
        rows = rows.within(place)
    elif actor.organisation_id:
        rows = rows.filter(pk=actor.organisation_id)
    if kind:
        rows = rows.filter(kind=kind)
    if text:
        rows = rows.filter(Q(name__contains=text) | Q(credit_code=text.upper()))
    return rows.order_by("name", "id")


def _ends(rows: QuerySet[Any], same: tuple[str, ...], today: date, days: int) -> QuerySet[Any]:
    """Of papers on record those that end within so many days from today, or are over (0), and that no later one of the kind follows."""
    later = Q(valid_to=None) | Q(valid_to__gt=OuterRef("valid_to"))
    own = {name: OuterRef(name) for name in same}
    following = rows.model._default_manager.filter(later, recorded_to=None, **own)  # noqa: SLF001 - Django's own name
    span = Q(valid_to__gt=today, valid_to__lte=today + timedelta(days=days + 1)) if days else Q(valid_to__lte=today)
    return rows.filter(span, ~Exists(following), recorded_to=None)


def ending_policies(today: date, days: int) -> QuerySet[Policy]:
    """Policies of working providers whose last day comes within so many days, the soonest first; with 0 those that are over."""
    rows = _ends(Policy.objects.all(), ("organisation", "kind"), today, days)
    working = Q(organisation__valid_to=None) | Q(organisation__valid_to__gt=today)
    rows = rows.filter(working, organisation__is_provider=True)
    return rows.select_related("organisation").order_by("valid_to", "organisation__name", "pk")


def ending_qualifications(today: date, days: int) -> QuerySet[Qualification]:
    """Certificates of people still employed whose last day comes within so many days; with 0 those that are over."""
    rows = _ends(Qualification.objects.all(), ("staff", "kind"), today, days)
    employed = Q(staff__employed_to=None) | Q(staff__employed_to__gt=today)
    return rows.filter(employed).select_related("staff", "provider").order_by("valid_to", "staff__name", "pk")


def managers_of(organisation_id: int, now: datetime) -> list[int]:
    """Return the logins that manage a provider now."""
    later = Q(to_at=None) | Q(to_at__gt=now)
    rows = Grant.objects.filter(
        later, organisation_id=organisation_id, role="provider_manager", state=GrantState.ACTIVE
    )
    return list(rows.filter(from_at__lte=now, user__is_active=True).values_list("user_id", flat=True).distinct())


def listed_for_home_medical(div: str, on: date) -> QuerySet[Organisation]:
    """The bodies of an area that may do medical care at home on a day, as published (R-STF-04)."""
    rows = Organisation.objects.within(div).filter(does_home_medical=True, home_medical_filed_on__lte=on)
    return rows.filter(Q(valid_to=None) | Q(valid_to__gt=on)).order_by("div", "name")


def distances_from(place: Area, city: str) -> dict[int, float]:
    """Return how far the nearest place of each provider of the city is from the middle of an area, in metres as the crow flies."""
    here = point_at(place.lon, place.lat)
    if here is None:
        return {}
    found: dict[int, float] = {}
    near = Site.objects.filter(organisation__is_provider=True, div__gte=city, div__lt=city + ":")
    for body, lon, lat in near.values_list("organisation_id", "lon", "lat"):
        away = distance_m(here, Position(lon, lat, Datum.WGS84))
        found[body] = min(away, found.get(body, away))
    return found


@dataclass(frozen=True)
class OrganisationFile:
    """A body with its places, policies, people and their certificates, and its duties on a day with the names of their areas."""

    organisation: Organisation
    sites: list[Site]
    policies: list[Policy]
    staff: list[Staff]
    duties: list[tuple[ServiceArea, str]]
    qualifications: dict[int, list[Qualification]]
    suspended: frozenset[int]


def organisation_file(actor: Actor, organisation_id: int, on: date) -> OrganisationFile | None:
    """Return a body; of its people, those whom the actor may see."""
    body = _with_policies(Organisation.objects.filter(pk=organisation_id)).first()
    if body is None:
        return None
    stopped = Exists(Suspension.objects.filter(staff=OuterRef("pk"), to_at=None))
    people = Staff.objects.visible_to(actor).filter(provider=body).select_related("site").annotate(is_stopped=stopped)
    staff: list[Any] = list(people.order_by("kind", "name", "id"))
    held: dict[int, list[Qualification]] = {row.pk: [] for row in staff}
    for row in Qualification.objects.filter(staff_id__in=list(held), recorded_to=None).order_by("kind", "valid_from"):
        held[row.staff_id].append(row)
    name = Subquery(Area.objects.filter(pk=OuterRef("div")).values("short_name"))
    duties = ServiceArea.objects.filter(in_force(on), organisation=body).annotate(place=Coalesce(name, "div"))
    return OrganisationFile(
        organisation=body,
        sites=list(Site.objects.filter(organisation=body).order_by("name", "id")),
        policies=_policies_of(body),
        staff=staff,
        duties=[(row, row.place) for row in duties.order_by("family", "div")],
        qualifications=held,
        suspended=frozenset(row.pk for row in staff if row.is_stopped),
    )
