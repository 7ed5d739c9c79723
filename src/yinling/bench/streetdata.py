"""Carers and orders of one district for a day, entered in bulk: the demo city has the elders, this gives them something to do."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random

from django.db.models import Count

from yinling.catalogue.models import Price, ServiceItem
from yinling.directory.models import Organisation, Qualification, Site, Staff
from yinling.kernel.period import SHANGHAI
from yinling.orders.models import Order, OrderLine
from yinling.people.models import Elder

ITEM = "DC01"
LONG_AGO = date(2020, 1, 1)
ROOM = (30, 60, 90)
HOURS = (8.0, 8.5, 9.0, 9.5, 10.0, 11.0, 13.0, 14.0, 15.0, 16.0)
DOUBLE, MALE = 0.04, 0.15
WIDE, HIGH = 0.03, 0.022
"""Degrees: about 3 km by 2.5 km."""
SITES, SPOTS = 4, 400


def place(day: date) -> tuple[Organisation, ServiceItem, Price, str]:
    """Return a provider with a price for the item, and the district with the most elders."""
    item = ServiceItem.objects.get(code=ITEM)
    prices = Price.objects.filter(item=item, recorded_to=None, valid_from__lte=day)
    price = prices.filter(organisation__is_provider=True).order_by("organisation_id")[0]
    body = Organisation.objects.get(pk=price.organisation_id or 0)
    elders = Elder.objects.filter(died_on=None, household__lon__isnull=False)
    counted = elders.values_list("div").annotate(number=Count("pk"))
    districts: dict[str, int] = {}
    for div, number in counted:
        districts[div[:6]] = districts.get(div[:6], 0) + number
    return body, item, price, max(districts, key=lambda div: districts[div])


def enter_carers(provider: Organisation, area: str, count: int, now: datetime, dice: Random) -> list[Site]:
    """Enter carers with the two papers everybody needs, and the sites in the street they start from."""
    lon, lat = middle(area)
    sites = [
        Site.objects.create(
            organisation=provider, name=f"站点{number}", kind="home_care", div=area, address="中山路1号", lon=lon + dice.uniform(0, WIDE),
            lat=lat + dice.uniform(0, HIGH), created_at=now, changed_at=now,
        )
        for number in range(SITES)
    ]  # fmt: skip
    staff = [
        Staff(
            div=area, provider=provider, site=dice.choice(sites), name=f"护理{number}", kind="care_worker", sex="1" if dice.random() < MALE else "2",
            day_from=time(8), day_to=time(18), contract_minutes_a_day=420, break_from=time(11, 30), break_to=time(13), break_minutes=30,
            duty_div=area, employed_from=LONG_AGO, created_at=now, changed_at=now,
        )
        for number in range(count)
    ]  # fmt: skip
    Staff.objects.bulk_create(staff)
    Qualification.objects.bulk_create(
        Qualification(
            div=area, staff=person, provider=provider, kind=kind, number=f"B{number:05d}", issuer="市人社局", valid_from=LONG_AGO, recorded_from=now
        )
        for number, person in enumerate(staff)
        for kind in ("induction", "care_worker")
    )  # fmt: skip
    return sites


def middle(area: str) -> tuple[float, float]:
    """Return a home of the area: the corner of the made-up street."""
    home = (
        Elder.objects.filter(div__startswith=area, household__lon__isnull=False)
        .order_by("pk")
        .select_related("household")[0]
        .household
    )
    return float(home.lon or 0), float(home.lat or 0)


def enter_orders(
    provider: Organisation,
    item: ServiceItem,
    price: Price,
    area: str,
    count: int,
    now: datetime,
    day: date,
    dice: Random,
) -> None:
    """Place orders for so many elders of the district, each with a window, at homes that stand as close as in a street."""
    elders = Elder.objects.filter(died_on=None, household__lon__isnull=False, div__startswith=area, wants_sex="")
    people = list(elders.select_related("household").order_by("pk")[:count])
    lon, lat = middle(area)
    spots = [(lon + dice.uniform(0, WIDE), lat + dice.uniform(0, HIGH)) for _ in range(SPOTS)]
    orders = []
    for number in range(count):
        elder = people[number % len(people)]
        hour = dice.choice(HOURS) + (5 if number >= len(people) else 0)
        start = datetime.combine(day, time(), SHANGHAI) + timedelta(hours=min(hour, 16.5))
        spot, home = spots[number % SPOTS], elder.household
        orders.append(
            Order(
                div=elder.div, elder=elder, provider=provider, channel="console", elder_name=elder.name, elder_sex=elder.sex,
                address=home.address, lon=spot[0], lat=spot[1], door_code=home.door_code, dialect=elder.dialect, starts_at=start,
                ends_at=start + timedelta(minutes=item.standard_minutes), earliest_at=start,
                latest_at=start + timedelta(minutes=dice.choice(ROOM)), carers_needed=2 if dice.random() < DOUBLE else 1, placed_at=now,
                total_fen=price.amount_fen, self_fen=price.amount_fen, created_at=now, changed_at=now,
            )
        )  # fmt: skip
    Order.objects.bulk_create(orders)
    OrderLine.objects.bulk_create(
        OrderLine(
            div=order.div, order=order, elder_id=order.elder_id, provider=provider, item=item, price=price, kind="item", name=item.name,
            minutes=item.standard_minutes, amount_fen=price.amount_fen,
        )
        for order in orders
    )  # fmt: skip
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(state="placed")
