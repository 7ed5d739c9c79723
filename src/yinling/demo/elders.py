"""Made-up elders: households, plausible ages and circumstances, levels of ability, and the entitlements that follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random

from yinling.assessment.models import Assessment
from yinling.demo.bodies import Bodies
from yinling.demo.city import STREET_SPREAD, near, outline_of
from yinling.demo.names import Names, read
from yinling.demo.profile import Profile
from yinling.demo.rows import insert
from yinling.directory.models import Area
from yinling.entitlements.eligibility import Fact, Result, Situation, first_fitting
from yinling.entitlements.models import Entitlement, Scheme
from yinling.entitlements.queries.eligibility import Terms, key_of, terms_of
from yinling.entitlements.rules import limits_of
from yinling.ground.crypto import blind_index
from yinling.kernel.id_number import made_up
from yinling.kernel.period import ONE_DAY, DayPeriod, add_years, age_on, local_date, local_midnight
from yinling.people.models import Circumstance, Consent, Contact, Elder, ElderKey, Household
from yinling.people.rules import name_keys

PHONES, RELATIVES_FROM = 9500, 5001
"""199 0000 0000 and up: elders first, then their relatives; staff have the last 500."""
DEMO_NAME, DEMO_PHONE, DEMO_SON = "沈桂英", "19900000001", "陆建明"
ROADS = [
    "人民路",
    "中山路",
    "学前街",
    "解放路",
    "健康路",
    "幸福路",
    "永乐路",
    "文化路",
    "兴源路",
    "建设路",
    "和平路",
    "环城路",
    "新华路",
    "友谊路",
    "金城路",
    "永丰路",
    "团结路",
    "长江路",
    "香梅路",
    "运河路",
]
MARRIED_TO = {60: 0.85, 70: 0.75, 80: 0.5, 90: 0.25, 100: 0.1}
LEVELS = ("intact", "mild", "moderate", "severe", "total")
LEVEL_WEIGHTS = {
    60: (70, 18, 7, 3, 2),
    70: (55, 26, 11, 5, 3),
    80: (30, 34, 20, 10, 6),
    90: (12, 33, 28, 16, 11),
    100: (5, 25, 32, 22, 16),
}
SHARES = {
    "dibao": 0.02, "dibao_marginal": 0.02, "destitute": 0.006, "disability": 0.07, "severe_disability": 0.015, "bereaved": 0.006,
    "veteran_care": 0.012, "chronic": 0.45, "in_hospital": 0.008, "left_behind": 0.03,
}  # fmt: skip
BODIES = {
    "chronic": "社区卫生服务中心",
    "disability": "残联",
    "severe_disability": "残联",
    "veteran_care": "退役军人事务部门",
    "in_hospital": "医院",
}
RARE = {"poverty_file": 0.012, "special_family": 0.008, "childless": 0.008}
"""Drawn apart, so that what the others are does not hang on it."""
HOLDS_ON, ENDS_SOON = 97, 29
FILES_BEGAN = 800
"""Days ago on which the first files were opened: before the year began for whose results subsidies are paid."""
INSURED, INSURED_GRADES = 24, {"moderate": "2", "severe": "3", "total": "4"}
"""How many are insured for long-term care, and the insurance's grade by ability."""
CHANCE_DEAD = 0.012
PURPOSES = {"service": 0.8, "health": 0.72}


@dataclass
class People:
    """What was made."""

    elders: list[Elder] = field(default_factory=list)
    households: list[Household] = field(default_factory=list)
    levels: dict[int, str] = field(default_factory=dict)
    insured: dict[int, str] = field(default_factory=dict)
    entitlements: dict[int, list[Entitlement]] = field(default_factory=dict)
    demo: Elder | None = None


@dataclass(frozen=True)
class Ages:
    """Draws age and sex from the census bands."""

    bands: list[tuple[int, float]]
    weights: list[float]

    @classmethod
    def load(cls) -> Ages:
        """Read the bands of 60 and above."""
        rows = [row for row in read("age_bands.csv") if row["female_share_2020_estimate"]]
        bands = [
            (int(row["age_band"].split("-")[0].rstrip("+")), float(row["female_share_2020_estimate"])) for row in rows
        ]
        return cls(bands, list(accumulate(float(row["share_of_60plus_2020_pct"]) for row in rows)))

    def draw(self, random: Random) -> tuple[int, str]:
        """Return an age and a sex."""
        start, women = random.choices(self.bands, cum_weights=self.weights)[0]
        return start + random.randrange(5), "2" if random.random() < women else "1"


class Settlers:
    """Makes the elders of one city, household by household."""

    def __init__(self, profile: Profile, names: Names, random: Random, now: datetime, today: date) -> None:
        self.profile, self.names, self.random, self.now, self.today = profile, names, random, now, today
        self.ages = Ages.load()
        rows = Area.objects.filter(level="community", is_statistical=False, div__startswith=profile.area).order_by(
            "div"
        )
        self.communities = [
            (div, name, lon or 0.0, lat or 0.0)
            for div, name, lon, lat in rows.values_list("div", "short_name", "lon", "lat")
        ]
        self.districts = dict(Area.objects.filter(div__startswith=profile.area).values_list("div", "name"))
        self.recorded = now - timedelta(days=FILES_BEGAN)
        self.people = People()
        self.contacts: list[Contact] = []
        self.facts: list[Circumstance] = []

    def settle(self, count: int) -> People:
        """Make so many elders; the first is the one whose login a newcomer uses."""
        self.first_home()
        while len(self.people.elders) < count:
            self.household(count)
        return self.people

    def first_home(self) -> None:
        """An 82-year-old woman who lives alone in the demonstration's own district."""
        area = self.profile.city.get("demo_area", "")
        community = next((row for row in self.communities if row[0].startswith(area)), self.communities[0])
        home = self.home(community)
        elder = self.elder(home, "2", add_years(self.today, -82) - timedelta(days=40), DEMO_NAME)
        elder.dialect, elder.wants_sex = self.profile.dialect, "2"
        self.people.demo = elder
        self.fact(elder, "lives_alone", "社区居委会")
        self.child(home, [elder], DEMO_SON)

    def home(self, community: tuple[str, str, float, float]) -> Household:
        """Make a home in a community, inside the outline of its district."""
        div, name, lon, lat = community
        x, y = near((lon, lat), STREET_SPREAD / 3, outline_of(self.profile, div), self.random)
        district = next((self.districts[div[:size]] for size in (6, 4, 2) if div[:size] in self.districts), "")
        road = self.random.choice(ROADS)
        number = len(self.people.households) + 1
        home = Household(
            div=div, address=f"{district}{name}{road}{self.random.randint(1, 400)}号{self.random.randint(1, 60)}室", lon=round(x, 6),
            lat=round(y, 6), door_code=f"YL-{self.profile.area}-{number:06d}", created_at=self.recorded, changed_at=self.recorded,
        )  # fmt: skip
        self.people.households.append(home)
        return home

    def household(self, most: int) -> None:
        """Make a household: alone, a couple, or with children."""
        random = self.random
        home = self.home(random.choice(self.communities))
        age, sex = self.ages.draw(random)
        elder = self.elder(home, sex, self.birthday(age))
        members = [elder]
        if random.random() < MARRIED_TO[min(age // 10 * 10, 100)] * 0.62 and len(self.people.elders) < most:
            other = age + random.randint(-4, 2) if sex == "1" else age + random.randint(-2, 4)
            members.append(self.elder(home, "1" if sex == "2" else "2", self.birthday(max(other, 60))))
            if random.random() < 0.6:  # noqa: PLR2004 - a share
                for member in members:
                    self.fact(member, "empty_nest", "社区居委会")
        elif random.random() < 0.3:  # noqa: PLR2004 - a share
            self.fact(elder, "lives_alone", "社区居委会")
        for member in members:
            self.circumstances(member)
        self.child(home, members)

    def birthday(self, age: int) -> date:
        """Return a day on which somebody of this age was born."""
        return add_years(self.today, -age) - timedelta(days=self.random.randrange(365))

    def elder(self, home: Household, sex: str, born: date, name: str = "") -> Elder:
        """Make an elder with sealed id number and phone."""
        serial = len(self.people.elders)
        id_number = made_up(serial, born, "male" if sex == "1" else "female").number
        phone = f"1990000{(serial + 1) % PHONES:04d}"
        recorded = self.recorded + timedelta(hours=serial % 5000)
        elder = Elder(
            div=home.div, household=home, name=name or self.names.of_year(born.year, sex), sex=sex, born_on=born, id_type="id",
            id_number_index=blind_index(id_number, purpose="id_number"), phone_index=blind_index(phone, purpose="phone"),
            phone_last4=phone[-4:], hukou_div=home.div, is_made_up=True, created_at=recorded, changed_at=recorded,
            dialect=self.random.choice(("", self.profile.dialect)), verified_on=self.today - timedelta(days=serial % 400),
        )  # fmt: skip
        elder.seal_field("id_number", id_number)
        elder.seal_field("phone", phone)
        self.people.elders.append(elder)
        return elder

    def child(self, home: Household, parents: list[Elder], name: str = "") -> None:
        """Give the parents one child to call, with one number for both."""
        if not name and self.random.random() < 0.12:  # noqa: PLR2004 - a share
            return
        father = next((elder for elder in parents if elder.sex == "1"), None)
        name = name or self.names.modern(self.random.choice("12"), father.name[:1] if father else "")
        serial = len(self.people.households)
        phone = f"1990000{PHONES - 1 - serial % (PHONES - RELATIVES_FROM):04d}"
        for parent in parents:
            contact = Contact(
                div=home.div, elder=parent, kind="child", name=name, phone_index=blind_index(phone, purpose="phone"),
                created_at=self.recorded, changed_at=self.recorded,
            )  # fmt: skip
            contact.seal_field("phone", phone)
            self.contacts.append(contact)

    def fact(self, elder: Elder, kind: str, body: str, valid_from: date | None = None) -> None:
        """Note a circumstance."""
        start = valid_from or self.today - timedelta(days=self.random.randint(60, 1500))
        row = Circumstance(
            div=elder.div, elder=elder, kind=kind, body=body, valid_from=start, recorded_from=self.recorded
        )
        self.facts.append(row)

    def circumstances(self, elder: Elder) -> None:
        """Draw what is true of an elder."""
        random, age = self.random, age_on(elder.born_on, self.today)
        for kind, share in SHARES.items():
            if random.random() < share:
                recent = self.today - timedelta(days=random.randint(1, 9)) if kind == "in_hospital" else None
                self.fact(elder, kind, BODIES.get(kind, "民政部门"), recent)
        rare = Random(f"rare {len(self.people.elders)} {elder.born_on}")
        for kind, share in RARE.items():
            if rare.random() < share:
                self.fact(elder, kind, "民政部门", self.today - timedelta(days=rare.randint(60, 1500)))
        for kind, start, step in (("dementia", 72, 0.008), ("limited_mobility", 68, 0.014)):
            if random.random() < (age - start) * step:
                self.fact(elder, kind, "社区卫生服务中心")
        if random.random() < CHANCE_DEAD:
            elder.died_on = self.today - timedelta(days=random.randint(20, 300))
            self.fact(elder, "deceased", "公安部门", elder.died_on)


def load_elders(profile: Profile, bodies: Bodies, names: Names, random: Random, now: datetime, *, count: int) -> People:
    """Make the elders with everything that belongs to them."""
    today = local_date(now)
    settlers = Settlers(profile, names, random, now, today)
    people = settlers.settle(count)
    insert(people.households)
    for elder in people.elders:
        elder.household_id = elder.household.pk
    insert(people.elders)
    keys = {name: sorted(name_keys(name)) for name in {elder.name for elder in people.elders}}
    insert(
        [
            ElderKey(elder_id=elder.pk, div=elder.div, kind=kind, key=key)
            for elder in people.elders
            for kind, key in keys[elder.name]
        ]
    )
    for contact in settlers.contacts:
        contact.elder_id = contact.elder.pk
    for fact in settlers.facts:
        fact.elder_id = fact.elder.pk
    insert(settlers.contacts)
    insert(settlers.facts)
    consent(people, random, now)
    assess(people, bodies, random, today)
    insure(people, settlers.facts, bodies, profile, now)
    entitle(people, settlers.facts, profile, now)
    return people


def consent(people: People, random: Random, now: datetime) -> None:
    """Most have agreed, in their own name, to what the platform keeps and passes on to those who come."""
    rows = []
    for elder in people.elders:
        day = local_date(elder.created_at)
        for purpose, share in PURPOSES.items():
            if elder is people.demo or random.random() < share:
                is_old = elder.pk % 9 == 0 and elder is not people.demo
                consented = Consent(
                    div=elder.div, elder=elder, purpose=purpose, text_version="2024-1" if is_old else "2026-1", given_by="self",
                    valid_from=day,
                )  # fmt: skip
                consented.recorded_from = min(elder.created_at, now)
                rows.append(consented)
    insert(rows)


def assess(people: People, bodies: Bodies, random: Random, today: date) -> None:
    """Assess most elders of 80 and above and some younger ones, each within the last two years."""
    assessor = bodies.of_kind("assessor")[0]
    rows = []
    for elder in people.elders:
        age = age_on(elder.born_on, today)
        is_demo = elder is people.demo
        if elder.died_on or not (is_demo or random.random() < (0.75 if age >= 80 else 0.22)):  # noqa: PLR2004 - ages and shares
            continue
        level = "moderate" if is_demo else random.choices(LEVELS, LEVEL_WEIGHTS[min(age // 10 * 10, 100)])[0]
        day = today - timedelta(days=random.randint(40, 640))
        people.levels[elder.pk] = level
        rows.append(
            Assessment(
                div=elder.div, elder=elder, provider=assessor, scale="gbt42195_2022", level=level, assessed_on=day, valid_from=day,
                valid_to=add_years(day, 2), recorded_from=local_midnight(day + ONE_DAY),
            )
        )  # fmt: skip
    insert(rows)


def insure(people: People, facts: list[Circumstance], bodies: Bodies, profile: Profile, now: datetime) -> None:
    """Insure some of the disabled where an insurance for long-term care has its scheme; the insurer sent their grades on paper."""
    places = tuple(scheme["div"] for scheme in profile.schemes if scheme["payer"] == "ltci" and "div" in scheme)
    today = local_date(now)
    near = [elder for elder in people.elders if places and elder.div.startswith(places) and not elder.died_on]
    disabled = [elder for elder in near if people.levels.get(elder.pk) in INSURED_GRADES]
    unknown = [elder for elder in near if elder.pk not in people.levels and age_on(elder.born_on, today) >= 75]  # noqa: PLR2004 - an age
    found = (disabled + unknown)[:INSURED]
    day, recorded = today - timedelta(days=200), now - timedelta(days=190)
    common = {"valid_from": day, "recorded_from": recorded}
    insured, grades = [], []
    for elder in found:
        people.insured[elder.pk] = INSURED_GRADES[people.levels.get(elder.pk, "moderate")]
        insured.append(
            Circumstance(
                div=elder.div, elder=elder, kind="ltci_insured", detail="居民", body="医疗保障部门", evidence=f"YS{elder.pk:08d}", **common
            )
        )  # fmt: skip
        grades.append(
            Assessment(
                div=elder.div, elder=elder, provider=bodies.of_kind("assessor")[0], scale="ltc_2021_37", level=people.insured[elder.pk],
                assessed_on=day, valid_to=add_years(day, 2), department="insurance", document="长期护理失能等级评定结论（虚构）", **common,
            )
        )  # fmt: skip
    insert(insured)
    insert(grades)
    facts += insured


def entitle(people: People, facts: list[Circumstance], profile: Profile, now: datetime) -> None:
    """Grant the schemes to most of those who meet their conditions, by the amounts of each period.

    Of four in five only, so that there are some who could apply; a few hold what they no longer may, or soon no longer.
    """
    recorded, today = now - timedelta(days=30), local_date(now)
    situations = _situations(people, facts, today)
    rows = []
    for scheme in Scheme.objects.filter(div__startswith=profile.area, is_active=True).order_by("id"):
        entries = _entries(profile, scheme)
        for elder in people.elders:
            if (
                elder.died_on
                or not elder.div.startswith(scheme.div)
                or not (elder is people.demo or _has_applied(elder, scheme))
            ):
                continue
            for terms in entries:
                place = first_fitting(terms.grades, situations[elder.pk])
                if place is None and not (
                    elder.pk % HOLDS_ON == 0 and scheme.code == "national_voucher" and terms.grades
                ):
                    continue
                amounts = terms.grades[place or 0].amounts
                end = terms.days.to
                if end is None and elder.pk % ENDS_SOON == 0 and elder is not people.demo:
                    end = today + timedelta(days=5 + elder.pk % 50)
                row = Entitlement(
                    div=elder.div, elder=elder, scheme=scheme, share_bp=amounts.share_bp or 0, monthly_cap_fen=amounts.monthly_cap_fen,
                    units=dict(amounts.units), limits=[limit.as_json() for limit in limits_of(amounts)],
                    basis=scheme.document, valid_from=terms.days.from_, valid_to=end, recorded_from=recorded, created_at=recorded,
                    changed_at=recorded,
                )  # fmt: skip
                rows.append(row)
                if scheme.families:
                    people.entitlements.setdefault(elder.pk, []).append(row)
    insert(rows)


def _has_applied(elder: Elder, scheme: Scheme) -> bool:
    """Four in five have; state care comes without."""
    return scheme.code == "state_care" or (elder.pk + len(scheme.code)) % 5 != 0


def _entries(profile: Profile, scheme: Scheme) -> list[Terms]:
    """Return the terms of a scheme in each of its periods: the city's own, where it has any."""
    known = profile.parameters.entries(key_of(scheme.code))
    own = [entry for entry in known if entry.area and scheme.div.startswith(entry.area)]
    days = [entry.valid.from_ for entry in own or [entry for entry in known if not entry.area]]
    found = (terms_of(scheme.code, scheme.div, day, profile.parameters) for day in days)
    return [terms for terms in found if terms is not None]


def _situations(people: People, facts: list[Circumstance], today: date) -> dict[int, Situation]:
    """Return what schemes ask of the elders, as of today."""
    held: dict[int, list[Fact]] = {}
    for fact in facts:
        held.setdefault(fact.elder_id, []).append(Fact(fact.kind, DayPeriod(fact.valid_from, fact.valid_to)))
    return {
        elder.pk: Situation(
            day=today, born_on=elder.born_on, facts=tuple(held.get(elder.pk, ())), hukou_div=elder.hukou_div, died_on=elder.died_on,
            results=tuple(
                Result(scale, levels[elder.pk], DayPeriod(today), today)
                for scale, levels in (("gbt42195_2022", people.levels), ("ltc_2021_37", people.insured))
                if levels.get(elder.pk)
            ),
        )
        for elder in people.elders
    }  # fmt: skip
