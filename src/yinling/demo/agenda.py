"""Who goes to whom and when: clients with their usual services, carers' days without overlap, and what became of each order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice

from yinling.catalogue.models import ServiceItem
from yinling.demo.world import World
from yinling.directory.models import Organisation, Staff
from yinling.entitlements.models import Agreement
from yinling.kernel.period import ONE_DAY, SHANGHAI
from yinling.people.models import Circumstance, Elder

GAP = timedelta(minutes=35)
WEIGHTS = {
    "meal": 14, "daily_care": 30, "rehab_nursing": 14, "rescue": 2, "comfort": 7, "cleaning": 12, "bathing": 10, "escort": 3, "nursing": 9,
    "medical": 4,
}  # fmt: skip
CLIENTS_PER_VISIT = 8
HALF_HOURS = 18
AHEAD = 2
LONGEST = 90
ENOUGH = 8
TRIES = 40
BEFORE = (5, 11, 16, 21, 26)
"""Days of the month before on which the demonstration's own people went out: what statements and shares of that month rest on."""
BESIDE, LONG = timedelta(minutes=5), 45
INSURANCE, INSURED, INSURED_FAMILIES = "ltci", 6, ("bathing", "daily_care", "nursing")
CANTEENS, LUNCHES = 2, (8, 19)
"""So many canteens served a lunch on these days of every month of last year."""
FIRST_DAY = date(2015, 1, 8)
"""Prices and deadlines begin with the year; an order is placed some days before its visit."""


@dataclass(frozen=True)
class Plan:
    """A visit to be made up: for whom, what, by whom, when, and how it ends."""

    elder: Elder
    item: ServiceItem
    provider: Organisation
    staff: Staff
    starts_at: datetime
    outcome: str
    oddity: str = ""
    second: Staff | None = None

    @property
    def ends_at(self) -> datetime:
        """The end of the booked time."""
        return self.starts_at + timedelta(minutes=self.item.standard_minutes)

    @property
    def people(self) -> list[Staff]:
        """Who goes, first and second carer."""
        return [self.staff] if self.second is None else [self.staff, self.second]


class Agenda:
    """Fills the days with visits."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.busy: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
        self.at_home: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
        self.usual: dict[tuple[int, int], Staff] = {}
        self.stopped: dict[int, datetime] = {}
        self.to_show = iter(("placed", "offered", "accepted"))
        kinds = ["in_hospital", "in_institution", "moved_away"]
        self.away = set(Circumstance.objects.filter(kind__in=kinds).values_list("elder_id", flat=True))

    def clients(self, count: int) -> list[tuple[Elder, list[ServiceItem]]]:
        """Choose regular clients, most of them with an entitlement, each with one or two usual services."""
        world = self.world
        living = [elder for elder in world.people.elders if elder.died_on is None and elder.pk not in self.away]
        funded = [elder for elder in living if elder.pk in world.people.entitlements]
        plain = [elder for elder in living if elder.pk not in world.people.entitlements]
        chosen = world.random.sample(funded, min(len(funded), count * 7 // 10))
        chosen += world.random.sample(plain, min(len(plain), count - len(chosen)))
        items = [item for item in world.items.values() if item.carers_needed == 1]
        weights = [WEIGHTS[item.family] for item in items]
        return [(elder, world.random.choices(items, weights, k=2)) for elder in chosen]

    def fill(self, days: int, visits_a_day: int) -> Iterator[Plan]:
        """Yield the visits of the last days and the next two, and of two days of the month before."""
        clients = self.clients(visits_a_day * CLIENTS_PER_VISIT)
        before = [one.replace(day=day) for day in BEFORE for one in [self.world.today.replace(day=1) - ONE_DAY]]
        before = [day for day in before if FIRST_DAY <= day < self.world.today - days * ONE_DAY]
        offsets = [(day - self.world.today).days for day in before]
        yield from self.own_days([*offsets, *(-number for number in range(days, 0, -2)), 0, 1])
        yield from self.insured_days(before)
        yield from self.lunches()
        last_month = (self.world.today.replace(day=1) - ONE_DAY).replace(day=1)
        earlier = [last_month.replace(day=9), last_month.replace(day=18)]
        first = self.world.today - days * ONE_DAY
        for day in [day for day in earlier if day < first] + [
            first + number * ONE_DAY for number in range(days + 1 + AHEAD)
        ]:
            if day < FIRST_DAY:
                continue
            made = tries = 0
            while made < visits_a_day and tries < visits_a_day * 6:
                tries += 1
                elder, items = self.world.random.choice(clients)
                plan = self.try_slot(elder, self.world.random.choice(items), day)
                if plan:
                    made += 1
                    yield plan
        yield from self.pairs([elder for elder, _items in clients], days)

    def pairs(self, elders: list[Elder], days: int) -> Iterator[Plan]:
        """Yield a visit of two carers for most days, two for the days ahead."""
        items = [item for item in self.world.items.values() if item.carers_needed > 1]
        for offset in range(-days, AHEAD + 1) if items else ():
            day, wanted = self.world.today + offset * ONE_DAY, 2 if offset >= 0 else 1
            tries = (
                self.try_pair(self.world.random.choice(elders), self.world.random.choice(items), day)
                for _ in range(TRIES)
            )
            yield from islice((plan for plan in tries if plan), wanted if day >= FIRST_DAY else 0)

    def try_pair(self, elder: Elder, item: ServiceItem, day: date) -> Plan | None:
        """Find a time and two carers for a visit on a day; None if fewer are free."""
        provider = self.world.responsible(item.family, elder.div)
        if provider is None:
            return None
        start = datetime.combine(day, time(8), SHANGHAI) + timedelta(minutes=30) * self.world.random.randrange(
            HALF_HOURS
        )
        able = self.world.able[provider.pk, item.needs_qualification]
        able = [one for one in able if not (one.user_id and day >= self.world.today)]
        free = [one for one in self.world.random.sample(able, len(able)) if self.is_free(one, elder, start, item)]
        if len(free) < 2:  # noqa: PLR2004 - a pair
            return None
        plan = self.take(elder, item, provider, free[0], start)
        self.busy[free[1].pk].append((start, plan.ends_at))
        return replace(plan, second=free[1])

    def insured_days(self, days: list[date]) -> Iterator[Plan]:
        """Yield visits to people whom the insurance for long-term care pays for, so that its statement has lines."""
        world = self.world
        bound = set(Agreement.objects.filter(payer=INSURANCE).values_list("organisation_id", flat=True))
        items = [one for one in world.items.values() if one.family in INSURED_FAMILIES and one.carers_needed == 1]
        paid: list[tuple[Elder, list[ServiceItem]]] = []
        for elder in world.people.elders:
            held = [row.scheme for row in world.people.entitlements.get(elder.pk, []) if row.scheme.payer == INSURANCE]
            bodies = {item.code: world.responsible(item.family, elder.div) for item in items if held}
            mine = [item for item in items if (body := bodies.get(item.code)) and body.pk in bound]
            if mine and elder.pk not in self.away:
                paid.append((elder, mine))
        is_doubled = False
        for elder, mine in paid[:INSURED]:
            for day in days:
                tries = (self.try_slot(elder, world.random.choice(mine), day) for _ in range(TRIES))
                for plan in islice((plan for plan in tries if plan), 1):
                    yield plan
                    again = None if is_doubled else self.beside(plan, mine)
                    if again is not None:
                        is_doubled = True
                        yield again

    def beside(self, plan: Plan, items: list[ServiceItem]) -> Plan | None:
        """Book another service while the first is going on, which nobody will be charged for (R-PAY-04); None if nobody is free."""
        start = plan.starts_at + BESIDE
        is_long = plan.outcome == "served" and plan.item.standard_minutes >= LONG
        for item in [one for one in items if is_long and one != plan.item and one.standard_minutes >= LONG]:
            provider = self.world.responsible(item.family, plan.elder.div)
            if provider is None:
                continue
            for person in self.world.able[provider.pk, item.needs_qualification]:
                end = start + timedelta(minutes=item.standard_minutes)
                works = person.day_from <= start.time() and end.time() <= person.day_to and not person.user_id
                if works and all(end <= other or start >= until for other, until in self.busy[person.pk]):
                    return replace(self.take(plan.elder, item, provider, person, start), outcome="served")
        return None

    def lunches(self) -> Iterator[Plan]:
        """Yield a year of lunches that elders paid themselves, brought by the canteens nearest to the demonstration's own elder."""
        world = self.world
        meals = [item for item in world.items.values() if item.family == "meal"]
        homes: dict[int, list[Elder]] = defaultdict(list)
        for elder in sorted(world.people.elders, key=lambda one: one.div[:6] != world.profile.city.get("demo_area")):
            canteen = world.responsible("meal", elder.div)
            if (
                canteen
                and not elder.died_on
                and elder.pk not in world.people.entitlements
                and elder.pk not in self.away
            ):
                homes[canteen.pk].append(elder)
        for elders in list(homes.values())[:CANTEENS]:
            for month, number in ((month, number) for month in range(1, 13) for number in LUNCHES):
                day = date(world.today.year - 1, month, number)
                known = [one for one in elders if FIRST_DAY < one.created_at.date() < day - AHEAD * ONE_DAY]
                tries = (self.try_slot(world.random.choice(known), meals[0], day) for _ in range(TRIES if known else 0))
                yield from islice((plan for plan in tries if plan), 1)

    def own_days(self, offsets: list[int]) -> Iterator[Plan]:
        """Yield the days of the logins a newcomer uses: four visits of the carer today, fewer of nurse and doctor."""
        world, provider = self.world, self.world.bodies.demo
        assert provider is not None  # noqa: S101 - made by the step before
        area = world.profile.city.get("demo_area", world.profile.area)
        near = [
            elder
            for elder in world.people.elders
            if elder.died_on is None
            and elder.pk not in self.away
            and world.responsible("daily_care", elder.div) == provider
        ]
        if len(near) < ENOUGH:
            near += [
                elder
                for elder in world.people.elders
                if elder.div.startswith(area) and elder.died_on is None and elder not in near
            ]
        times = {
            "carer": (time(8), time(10, 15), time(13, 30), time(15, 45)),
            "nurse": (time(9), time(14, 30)),
            "doctor": (time(10),),
        }
        for login, starts in times.items():
            person = next(row for row in world.bodies.staff if row.user_id == world.users[login].pk)
            items = [item for item in world.items.values() if self.fits(item, person)]
            for offset in offsets:
                for number, start in enumerate(starts):
                    moment = datetime.combine(world.today + offset * ONE_DAY, start, SHANGHAI)
                    asked = [world.people.demo] if (login, number) == ("carer", 1) else []
                    asked += world.random.sample(near, min(len(near), 12))
                    item = items[(number + offset) % len(items)]
                    elder = next((one for one in asked if one and self.is_free(person, one, moment, item)), None)
                    if elder is not None and moment.date() >= FIRST_DAY:
                        yield self.take(elder, item, provider, person, moment)

    def fits(self, item: ServiceItem, person: Staff) -> bool:
        """Whether a person holds what an item asks for, the provider has a price for it, and it leaves room in a full day."""
        is_able = person in self.world.able[person.provider_id, item.needs_qualification]
        return (
            is_able
            and item.carers_needed == 1
            and item.standard_minutes <= LONGEST
            and self.world.price(person.provider_id, item, self.world.today) is not None
        )

    def try_slot(self, elder: Elder, item: ServiceItem, day: date) -> Plan | None:
        """Find a time and a carer for a visit on a day; None if nobody is free."""
        world = self.world
        provider = world.responsible(item.family, elder.div)
        if provider is None:
            return None
        start = datetime.combine(day, time(8), SHANGHAI) + timedelta(minutes=30) * world.random.randrange(HALF_HOURS)
        able = world.able[provider.pk, item.needs_qualification]
        usual = self.usual.get((elder.pk, provider.pk))
        order = ([usual] if usual in able else []) + world.random.sample(able, len(able))
        person = next((one for one in order if one and self.is_free(one, elder, start, item)), None)
        if person is None or (person.user_id and day >= world.today):
            return None
        return self.take(elder, item, provider, person, start)

    def is_free(self, person: Staff, elder: Elder, start: datetime, item: ServiceItem) -> bool:
        """Whether carer and elder have time, the carer works then and was not stopped before."""
        end = start + timedelta(minutes=item.standard_minutes)
        if (
            not (person.day_from <= start.time() and end.time() <= person.day_to)
            or self.stopped.get(person.pk, end) < end
        ):
            return False
        if (elder.wants_sex and elder.wants_sex != person.sex) or self.straddles(start, end):
            return False
        taken = [*self.busy[person.pk], *self.at_home[elder.pk]]
        return all(end + GAP <= other or start >= until + GAP for other, until in taken)

    def straddles(self, start: datetime, end: datetime) -> bool:
        """Whether a visit would begin or end within minutes of now, where its outcome were a matter of seconds."""
        edge = timedelta(minutes=14)
        return any(abs(moment - self.world.now) < edge for moment in (start, end))

    def take(self, elder: Elder, item: ServiceItem, provider: Organisation, person: Staff, start: datetime) -> Plan:
        """Book a visit."""
        end = start + timedelta(minutes=item.standard_minutes)
        self.busy[person.pk].append((start, end))
        self.at_home[elder.pk].append((start, end))
        self.usual.setdefault((elder.pk, provider.pk), person)
        return Plan(elder, item, provider, person, start, self.outcome(start, end, person))

    def outcome(self, start: datetime, end: datetime, person: Staff) -> str:
        """Draw how a visit ended, or how far it has come."""
        draw = self.world.random.random()
        if end < self.world.now:
            return "cancelled" if draw < 0.04 else "failed" if draw < 0.06 else "served"  # noqa: PLR2004 - shares
        if start < self.world.now:
            return "in_service"
        if person.user_id:
            return "assigned"
        shares = (("assigned", 0.72), ("offered", 0.8), ("placed", 0.92), ("accepted", 1.0))
        # The first ones show each stage, however small the city.
        return next(self.to_show, next(name for name, upto in shares if draw < upto))
