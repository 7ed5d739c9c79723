"""Names of made-up people, plausible for their decade of birth."""

from __future__ import annotations

import csv
from collections import defaultdict
from itertools import accumulate
from pathlib import Path
from random import Random

DATA = Path(__file__).with_name("data")
SEXES = {"male": "1", "female": "2"}


def read(name: str) -> list[dict[str, str]]:
    """Return the rows of a file of this folder's data."""
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


class Names:
    """Draws surnames by their frequency and given names by decade and sex."""

    def __init__(self, random: Random) -> None:
        self.random = random
        rows = read("surnames.csv")
        self.surnames = [row["surname"] for row in rows]
        self.weights = list(accumulate(float(row["weight"]) for row in rows))
        self.given: dict[tuple[int, str], list[str]] = defaultdict(list)
        for row in read("given_names_by_decade.csv"):
            for decade in row["birth_decades"].replace("s", "").split("-"):
                self.given[int(decade), SEXES[row["sex"]]].append(row["given_name"])
        self.now: dict[str, list[str]] = defaultdict(list)
        for row in read("given_names_faker.csv"):
            self.now[SEXES[row["sex"]]].append(row["given_name"])

    def surname(self) -> str:
        """Draw a surname."""
        return self.random.choices(self.surnames, cum_weights=self.weights)[0]

    def of_year(self, year: int, sex: str) -> str:
        """Draw a name for a birth year."""
        decade = min(max(year // 10 * 10, 1920), 1990)
        return self.surname() + self.random.choice(self.given[decade, sex])

    def modern(self, sex: str, surname: str = "") -> str:
        """Draw a name for staff and relatives."""
        return (surname or self.surname()) + self.random.choice(self.now[sex])
