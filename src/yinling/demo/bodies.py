"""Made-up organisations with sites, service areas, prices and staff. No real institution's name is used."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from yinling.accounts.models import User
from yinling.catalogue.models import CalloutRate, Price, PriceList, ServiceItem
from yinling.catalogue.states import PriceListState
from yinling.demo.city import DISTRICT_SPREAD, EARLIEST, near, outline_of
from yinling.demo.names import Names
from yinling.demo.profile import PriceRow, PriceTable, Profile
from yinling.demo.rows import insert
from yinling.directory.models import Area, Organisation, Policy, Qualification, ServiceArea, Site, Staff
from yinling.kernel.credit_code import made_up_credit_code
from yinling.kernel.period import SHANGHAI

LONG_AGO = date(2015, 1, 1)
WORDS = [
    "安康",
    "颐和",
    "松鹤",
    "银杏",
    "暖桂",
    "长青",
    "福乐",
    "锦华",
    "春晖",
    "怡然",
    "康宁",
    "静园",
    "夕阳红",
    "和润",
    "常乐",
    "百合",
    "玉兰",
    "金秋",
    "仁爱",
    "慈恩",
    "瑞祥",
    "清风",
    "同德",
    "久安",
    "禾苗",
]
HOME = ("daily_care", "cleaning", "bathing", "escort", "comfort", "rescue")
CARE = ("rehab_nursing", "nursing", "medical")
"""Kind of body: Chinese ending, families it answers for, how many a district has, its staff by kind."""
OFFERS = {
    "care_centre": ["assessment", "comfort", "culture", "daily_care", "day_care", "meals", "short_stay"],
    "health_centre": ["medical", "rehabilitation"],
    "care_home": ["daily_care", "short_stay"],
    "nursing_home": ["medical", "rehabilitation", "short_stay"],
    "meal_point": ["meals"],
    "guidance_centre": ["assessment", "training"],
}
"""What the made-up places of a kind offer."""
BEDS = {"care_centre": 10, "care_home": 60, "nursing_home": 50, "health_centre": 8}
HOURS = "周一至周日 8:00-17:00"


@dataclass(frozen=True)
class Kind:
    """What bodies of one kind are called, answer for, and employ."""

    ending: str
    code: str
    families: tuple[str, ...]
    staff: dict[str, int]
    credit: str = "91"


KINDS = {
    "home_care": Kind("居家养老服务有限公司", "home_care", HOME, {"care_worker": 11}),
    "health_centre": Kind(
        "社区卫生服务中心", "health_centre", CARE, {"nurse": 5, "medical_care_worker": 2, "doctor": 2}, "12"
    ),
    "meal_point": Kind("助餐服务社", "meal_point", ("meal",), {"care_worker": 3}, "52"),
    "care_centre": Kind("综合养老服务中心", "care_centre", (), {"care_worker": 2}, "52"),
    "nursing_home": Kind(
        "护理院",
        "nursing_home",
        (*HOME, *CARE),
        {"care_worker": 8, "nurse": 6, "medical_care_worker": 2, "doctor": 2},
        "52",
    ),
    "guidance_centre": Kind("居家养老服务指导中心", "guidance_centre", (), {"office": 0}, "12"),
    "call_centre": Kind("为老服务呼叫中心", "call_centre", (), {"office": 5}),
    "assessor": Kind("老年人能力评估中心", "assessor", (), {"office": 0}, "52"),
    "department": Kind("养老服务管理处", "department", (), {"office": 0}, "12"),
}
PLAN = ["home_care"] * 3 + ["health_centre"] * 2 + ["meal_point", "care_centre", "guidance_centre"]
"""Bodies of a district; the first district has a nursing home in place of the last home-care company."""
CITY_WIDE = ("department", "call_centre", "assessor", "meal_point")


@dataclass
class Bodies:
    """What was made, by what the later steps look for."""

    all: list[Organisation] = field(default_factory=list)
    sites: dict[int, Site] = field(default_factory=dict)
    staff: list[Staff] = field(default_factory=list)
    responsible: dict[tuple[str, str], Organisation] = field(default_factory=dict)
    demo: Organisation | None = None

    def of_kind(self, kind: str) -> list[Organisation]:
        """Return the organisations of one kind."""
        return [body for body in self.all if body.kind == kind]


def regions_of(profile: Profile) -> list[Area]:
    """Return the districts, or the city itself where it has none."""
    areas = Area.objects.filter(div__startswith=profile.area)
    districts = list(areas.filter(level="district", is_statistical=False).order_by("div"))
    return districts or list(areas.filter(level="city"))


def load_bodies(profile: Profile, random: Random, *, most: int) -> Bodies:
    """Make organisations and sites, at most so many, and share out the streets so that each has one body per family."""
    bodies = Bodies()
    regions = regions_of(profile)
    home = next((region for region in regions if region.div == profile.city.get("demo_area")), regions[0])
    plan = [
        (kind, region)
        for region in [home, *(other for other in regions if other != home)]
        for kind in _plan(region == home)
    ]
    city = Area.objects.get(pk=profile.area)
    plan = plan[: most - len(CITY_WIDE)] + [(kind, city) for kind in CITY_WIDE]
    words = _words(random)
    for serial, (kind, region) in enumerate(plan):
        bodies.all.append(_organisation(kind, region, next(words), serial, profile.city["hotline"]))
    insert(bodies.all)
    _add_sites(bodies, profile, regions, random)
    bodies.demo = next(body for body in bodies.all if body.kind == "nursing_home")
    _share_out(bodies, profile)
    return bodies


def _plan(is_home: bool) -> list[str]:  # noqa: FBT001 - private
    return [*PLAN[:2], "nursing_home", *PLAN[3:]] if is_home else PLAN


def _words(random: Random):  # noqa: ANN202 - an endless iterator of words
    while True:
        shuffled = random.sample(WORDS, len(WORDS))
        yield from shuffled


def _organisation(kind: str, region: Area, word: str, serial: int, hotline: str) -> Organisation:
    shape = KINDS[kind]
    place = re.sub(r"(?<=..)[区市县]$", "", region.name.removesuffix("（虚构）"))
    return Organisation(
        name=f"{place}{word}{shape.ending}（虚构）", short_name=f"{place}{word}{shape.ending[:6]}",
        credit_code=made_up_credit_code(serial + 1, shape.credit), kind=shape.code, div=region.div,
        address=f"{region.name}演示路{serial + 1}号", phone=hotline, is_provider=bool(shape.families) or kind == "care_centre",
        does_home_medical="medical" in shape.families, home_medical_filed_on=LONG_AGO if "medical" in shape.families else None,
        home_medical_number=f"演示备字{serial + 1:03d}号" if "medical" in shape.families else "",
        price_group="level1" if "medical" in shape.families else "",
        valid_from=LONG_AGO, created_at=EARLIEST, changed_at=EARLIEST,
    )  # fmt: skip


def _add_sites(bodies: Bodies, profile: Profile, regions: list[Area], random: Random) -> None:
    points = {region.div: (region.lon or 0.0, region.lat or 0.0) for region in regions}
    streets: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for street in Area.objects.filter(level="street", is_statistical=False, div__startswith=profile.area).order_by(
        "div"
    ):
        streets[street.parent_id or ""].append((street.lon or 0.0, street.lat or 0.0))
    rows = []
    for place, body in enumerate(bodies.all):
        around = streets.get(body.div) or [points.get(body.div, next(iter(points.values())))]
        lon, lat = near(around[place * 3 % len(around)], DISTRICT_SPREAD / 8, outline_of(profile, body.div), random)
        rows.append(
            Site(
                organisation=body, name=body.short_name, kind=body.kind, div=body.div, address=body.address, lon=round(lon, 6),
                lat=round(lat, 6), capabilities=OFFERS.get(body.kind, []), beds=BEDS.get(body.kind, 0) * random.randint(1, 3),
                hours=HOURS if body.kind in OFFERS else "", created_at=EARLIEST, changed_at=EARLIEST,
            )
        )  # fmt: skip
    bodies.sites = {site.organisation_id: site for site in insert(rows)}


def _share_out(bodies: Bodies, profile: Profile) -> None:
    """Give every street one body per family, the nearest; the home region's first street goes to the demonstration's own."""
    rows = []
    city_wide = [body for body in bodies.all if body.div == profile.area]
    parents = Area.objects.filter(level__in=("city", "district"), div__startswith=profile.area).order_by("div")
    for region in parents.defer("outline"):
        streets = list(Area.objects.filter(level="street", parent_id=region.pk).order_by("is_statistical", "div"))
        for family in ("meal", *HOME, *CARE):
            groups = ([body for body in bodies.all if body.div == region.div], city_wide, bodies.all)
            able = next(
                found
                for found in ([body for body in group if family in families_of(body)] for group in groups)
                if found
            )
            for street in streets:
                is_own = bodies.demo in able and street == streets[0]
                body = (
                    bodies.demo
                    if is_own and bodies.demo
                    else min(able, key=lambda one: _apart(bodies.sites[one.pk], street))
                )
                bodies.responsible[family, street.div] = body
                rows.append(
                    ServiceArea(
                        organisation=body, family=family, div=street.div, valid_from=LONG_AGO, recorded_from=EARLIEST
                    )
                )
    insert(rows)


def _apart(site: Site, street: Area) -> float:
    return (site.lon - (street.lon or 0)) ** 2 + (site.lat - (street.lat or 0)) ** 2


def families_of(body: Organisation | None) -> tuple[str, ...]:
    """The families of items that a body of its kind offers."""
    return KINDS[body.kind].families if body else ()


def load_prices(bodies: Bodies, profile: Profile, random: Random, drafter: User, publisher: User) -> None:
    """Publish the price lists of the profile for every provider, with its on-site rate, or once for a group; market prices differ by provider."""
    items = {item.code: item for item in ServiceItem.objects.all()}
    lists: list[PriceList] = []
    prices: list[Price] = []
    rates: list[CalloutRate] = []

    def publish(table: PriceTable, rows: list[PriceRow], factor: float, **whose: Any) -> None:
        published = datetime.combine(table.valid.from_, time(9), SHANGHAI) - timedelta(days=15)
        lists.append(_price_list(table, published, drafter, publisher, **whose))
        prices.extend(
            Price(
                price_list=lists[-1], **whose, item=items[row.item], callout_fee_fen=row.callout_fee_fen,
                amount_fen=row.amount_fen if table.basis == "approved" else round(row.amount_fen * factor / 100) * 100,
                valid_from=table.valid.from_, valid_to=table.valid.to, recorded_from=published,
            )
            for row in rows
        )  # fmt: skip
        if table.callout and "organisation" in whose:
            rates.append(
                CalloutRate(
                    price_list=lists[-1], **whose, **table.callout, valid_from=table.valid.from_, valid_to=table.valid.to,
                    recorded_from=published,
                )
            )  # fmt: skip

    for body in (body for body in bodies.all if body.is_provider):
        factor = random.choice((0.9, 0.95, 1, 1, 1.05, 1.1))
        for table in profile.price_tables:
            wanted = families_of(body) or ("meal", "daily_care", "comfort")
            rows = [row for row in table.rows if items[row.item].family in wanted]
            if rows and not table.price_group:
                publish(table, rows, factor, organisation=body)
    for table in profile.price_tables:
        if table.price_group:
            publish(table, list(table.rows), 1, price_group=table.price_group, div=profile.area)
    insert(lists)
    for price in prices:
        price.price_list_id = price.price_list.pk
    for rate in rates:
        rate.price_list_id = rate.price_list.pk
    insert(prices)
    insert(rates)


def _price_list(table: PriceTable, published: datetime, drafter: User, publisher: User, **whose: Any) -> PriceList:
    return PriceList(
        **whose, state=PriceListState.PUBLISHED, basis=table.basis, document=table.document, document_on=table.document_on,
        drafted_by=drafter, published_by=publisher, published_at=published, created_at=published - timedelta(days=3), changed_at=published,
    )  # fmt: skip


POLICY_SOON_EVERY = 9


def load_policies(bodies: Bodies, now: datetime) -> None:
    """Insure every provider year by year; the year of some ends soon, and nobody has renewed yet (R-ORD-13)."""
    today = now.astimezone(SHANGHAI).date()
    rows = []
    for serial, body in enumerate(body for body in bodies.all if body.is_provider):
        ends_soon = serial % POLICY_SOON_EVERY == POLICY_SOON_EVERY - 1 and body != bodies.demo
        for kind, _label in Policy.KINDS:
            last = today + timedelta(days=25) if ends_soon and kind == "personal_injury" else date(2042, 1, 1)
            rows.append(
                Policy(
                    organisation=body, kind=kind, insurer="演示财产保险（虚构）", number=f"YS{kind[:2].upper()}{serial + 1:05d}", valid_from=LONG_AGO,
                    valid_to=last, recorded_from=EARLIEST,
                )
            )  # fmt: skip
    insert(rows)


def load_staff(bodies: Bodies, names: Names, random: Random, now: datetime, *, most: int, dialect: str) -> None:
    """Employ people, at most so many; some qualifications have run out, some are about to."""
    kinds = [
        (body, kind) for body in bodies.all for kind, count in KINDS[body.kind].staff.items() for _ in range(count)
    ]
    if len(kinds) > most:
        own = [pair for pair in kinds if pair[0] == bodies.demo]
        others = [pair for pair in kinds if pair[0] != bodies.demo]
        kinds = own + random.sample(others, max(most - len(own), 0))
    bodies.staff = [_person(body, kind, bodies.sites[body.pk], names, random, dialect) for body, kind in kinds]
    nurses = [person for person in bodies.staff if person.provider == bodies.demo and person.kind == "nurse"]
    for person in nurses:
        person.day_from, person.day_to = EARLY
    for serial, person in enumerate(bodies.staff):
        _planning(person, serial)
        person.seal_field("phone", f"1990000{9500 + serial % 500}")
    insert(bodies.staff)
    today = now.astimezone(SHANGHAI).date()
    rows = [row for serial, person in enumerate(bodies.staff) for row in _qualifications(person, serial, today)]
    for row in rows:
        if row.staff in nurses and row.kind == "nurse":
            row.valid_to = today - timedelta(days=20) if row.staff == nurses[-1] else date(2042, 1, 1)
            row.valid_from = min(LONG_AGO, row.valid_to - timedelta(days=365))
    insert(rows)


EARLY, LATE = (time(7, 30), time(18, 30)), (time(11), time(21))


def _person(body: Organisation, kind: str, site: Site, names: Names, random: Random, dialect: str) -> Staff:
    sex = "1" if random.random() < (0.5 if kind == "doctor" else 0.15) else "2"
    day_from, day_to = EARLY if random.random() < 0.8 else LATE  # noqa: PLR2004 - a share
    return Staff(
        div=body.div, provider=body, site=site, name=names.modern(sex), kind=kind, sex=sex,
        skill_level=random.randint(1, 5) if kind == "care_worker" else None, dialects=random.choice(("", dialect, dialect)),
        day_from=day_from, day_to=day_to, employed_from=LONG_AGO,
        created_at=EARLIEST, changed_at=EARLIEST,
    )  # fmt: skip


MODES_OF = ("", "ebike", "ebike", "walk")
HOME_EVERY, HOME_APART = 4, 0.01


def _planning(person: Staff, serial: int) -> None:
    """Give a person what planning asks: the way of travel, a break at noon, hours by contract, and for some a start from home."""
    if person.kind == "office":
        return
    person.mode = MODES_OF[serial % len(MODES_OF)]
    person.break_from, person.break_to, person.break_minutes = time(11), time(14), 30
    person.contract_minutes_a_day = 300
    if serial % HOME_EVERY == HOME_EVERY - 1:
        person.starts_at_home = True
        person.home_lon = round(person.site.lon + HOME_APART * (serial % 3 - 1), 3)
        person.home_lat = round(person.site.lat + HOME_APART * (serial % 2), 3)


NEEDS = {
    "care_worker": ("induction", "health", "care_worker"),
    "medical_care_worker": ("induction", "health", "care_worker", "medical_care_worker"),
    "nurse": ("induction", "health", "nurse"),
    "doctor": ("induction", "health", "doctor", "filing"),
}
HEALTH_AUTHORITY = "卫生健康部门"
ISSUERS = {
    "induction": "所在机构", "health": "疾控中心", "nurse": HEALTH_AUTHORITY, "doctor": HEALTH_AUTHORITY, "filing": HEALTH_AUTHORITY,
}  # fmt: skip
SCOPES = {"nurse": "护理", "doctor": "全科医学"}
RETIRED_EVERY = 3
OUT_EVERY, SOON_EVERY = 29, 23


def _qualifications(person: Staff, serial: int, today: date) -> list[Qualification]:
    rows = []
    for kind in NEEDS.get(person.kind, ()):
        valid_to = date(2042, 1, 1)
        if kind == person.kind and serial % OUT_EVERY == OUT_EVERY - 1:
            valid_to = today - timedelta(days=20)
        elif kind == person.kind and serial % SOON_EVERY == SOON_EVERY - 1:
            valid_to = today + timedelta(days=18)
        rows.append(
            Qualification(
                div=person.div, staff=person, provider_id=person.provider_id, kind=kind, number=f"YS{kind[:2].upper()}{serial + 1:05d}",
                issuer=ISSUERS.get(kind, "人力资源社会保障部门"), valid_from=min(LONG_AGO, valid_to - timedelta(days=365)),
                recorded_from=EARLIEST, valid_to=valid_to, practice_scope=SCOPES.get(kind, ""), place=person.div[:2] if kind == "doctor" else "",
                is_retired_practice=kind == "doctor" and serial % RETIRED_EVERY == 0,
            )
        )  # fmt: skip
    return rows
