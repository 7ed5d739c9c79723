"""A made-up register of a whole city as a CSV file, as a city would hand it over: the same seed gives the same file.

Document numbers have the issuing area 99…, which no place has, and phones begin with 1600, which no carrier has.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from yinling.demo.elders import BODIES, MARRIED_TO, ROADS, SHARES, Ages
from yinling.demo.names import Names
from yinling.kernel.id_number import made_up
from yinling.kernel.period import add_years

COLUMNS = (
    "name", "sex", "born_on", "id_number", "phone", "div", "address", "lon", "lat", "hukou_div", "is_resident", "circumstances",
)  # fmt: skip
PHONES = 1600_0000000
FIRST = 1_000_000
"""Serial numbers below are the demo city's."""
SPREAD = 0.004
SPARSE = 0.62
"""Of those who could live with a spouse; as in the demo city."""


@dataclass(frozen=True)
class Community:
    """Where people live: code, name, and a point."""

    div: str
    name: str
    lon: float
    lat: float


class Crowd:
    """Draws people, household by household."""

    def __init__(self, communities: Sequence[Community], random: Random, today: date) -> None:
        self.communities, self.random, self.today = communities, random, today
        self.names, self.ages, self.serial = Names(random), Ages.load(), FIRST

    def rows(self, count: int) -> Iterator[tuple[object, ...]]:
        """Yield so many rows; people of one household stand together."""
        last = FIRST + count
        while self.serial < last:
            yield from self.household(last - self.serial)

    def household(self, most: int) -> Iterator[tuple[object, ...]]:
        """Draw a household: alone or a couple."""
        random, place = self.random, self.random.choice(self.communities)
        road = random.choice(ROADS)
        home = (
            place.div,
            f"{place.name}{road}{random.randint(1, 400)}号{random.randint(1, 40)}幢{random.randint(1, 60)}室",
            round(random.gauss(place.lon, SPREAD), 6),
            round(random.gauss(place.lat, SPREAD), 6),
        )
        age, sex = self.ages.draw(random)
        is_couple = most > 1 and random.random() < MARRIED_TO[min(age // 10 * 10, 100)] * SPARSE
        yield self.person(home, age, sex, "" if is_couple or random.random() < 0.7 else "lives_alone")  # noqa: PLR2004 - a share
        if is_couple:
            yield self.person(home, max(60, age + random.randint(-4, 2)), "2" if sex == "1" else "1", "")

    def person(self, home: tuple[str, str, float, float], age: int, sex: str, first: str) -> tuple[object, ...]:
        """Draw a person of a household."""
        random, serial = self.random, self.serial
        self.serial += 1
        born = add_years(self.today, -age) - timedelta(days=random.randrange(365))
        number = made_up(serial, born, "male" if sex == "1" else "female").number
        kinds = [first, *(kind for kind, share in SHARES.items() if random.random() < share)]
        since = self.today - timedelta(days=random.randint(60, 1500))
        facts = ";".join(f"{kind}/{since}/{BODIES.get(kind, '民政部门')}" for kind in kinds if kind)
        name, is_local = self.names.of_year(born.year, sex), random.random() < 0.9  # noqa: PLR2004 - a share
        hukou = home[0][:4] if is_local else "3411"
        return (name, sex, born, number, PHONES + serial, *home, hukou, "1", facts)


def write(path: Path, communities: Sequence[Community], *, count: int, seed: int, today: date) -> None:
    """Write the file."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        out = csv.writer(handle)
        out.writerow(COLUMNS)
        out.writerows(Crowd(communities, Random(seed), today).rows(count))
