"""Who pays what over some weeks, slow and obviously right: a list of orders, every counter added up anew each time somebody asks.

Nothing of the platform is used here. A contract pays a dressing so many times in all; the long-term care insurance pays 90 % of what is done
in so many visits a week, no drugs, and lets nobody charge for the way; a voucher pays half of everything up to a sum a month; the elder the
rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))
DRESSING, INJECTION, DRUG, WAY = "N1", "N2", "D1", "way"
TIMES, VISITS, VOUCHER = 3, 2, 9_000
GONE = ("cancelled", "failed")


def half_up(fen: int, percent: int) -> int:
    return (fen * percent * 2 + 100) // 200


@dataclass
class Line:
    """One line: what it costs, and who pays how much."""

    code: str
    fen: int
    paid: dict[str, int] = field(default_factory=dict)
    is_added: bool = False
    is_confirmed: bool = True
    is_dropped: bool = False


@dataclass
class Visit:
    """One order."""

    elder: int
    start: datetime
    placed_at: datetime
    lines: list[Line] = field(default_factory=list)
    state: str = "placed"
    is_live: bool = False

    @property
    def day(self) -> date:
        return self.start.astimezone(SHANGHAI).date()

    @property
    def week(self) -> date:
        return self.day - timedelta(days=self.day.weekday())

    @property
    def month(self) -> date:
        return self.day.replace(day=1)

    @property
    def standing(self) -> list[Line]:
        return [line for line in self.lines if not line.is_dropped]

    @property
    def total(self) -> int:
        return sum(line.fen for line in self.standing if line.is_confirmed)

    @property
    def own(self) -> int:
        return sum(line.paid.get("self", 0) for line in self.standing if line.is_confirmed)

    def by(self, payer: str) -> int:
        return sum(line.paid.get(payer, 0) for line in self.standing)


@dataclass
class Pencil:
    """All visits, and every price with the moment it was published and its first day."""

    visits: list[Visit] = field(default_factory=list)
    prices: list[tuple[datetime, date, str, int]] = field(default_factory=list)

    def price(self, code: str, day: date, placed_at: datetime) -> int:
        """Of what was published by then the latest first day up to the day; of the same day what was published last."""
        known = [one for one in self.prices if one[2] == code and one[0] <= placed_at and one[1] <= day]
        return max(known, key=lambda one: (one[1], one[0]))[3]

    def counted(self, elder: int, *, is_used: bool) -> list[Visit]:
        """The visits whose payers' counters are reserved, or used."""
        held = [one for one in self.visits if one.elder == elder and one.state not in GONE]
        return [one for one in held if (one.is_live if is_used else one.state != "settled")]

    def taken(self, elder: int) -> list[Visit]:
        return self.counted(elder, is_used=False) + self.counted(elder, is_used=True)

    def times_left(self, elder: int) -> int:
        return TIMES - sum(1 for one in self.taken(elder) for line in one.standing if line.paid.get("contract"))

    def visits_left(self, elder: int, week: date) -> int:
        return VISITS - sum(1 for one in self.taken(elder) if one.week == week and one.by("ltci"))

    def voucher_left(self, elder: int, month: date) -> int:
        return VOUCHER - sum(one.by("voucher") for one in self.taken(elder) if one.month == month)

    def pay(self, visit: Visit, line: Line) -> None:
        """Let each payer bear a line in turn; the visit stands in the list already."""
        rest = line.fen
        if line.code == DRESSING and rest and self.times_left(visit.elder) > 0:
            line.paid["contract"], rest = rest, 0
        may = visit.by("ltci") or self.visits_left(visit.elder, visit.week) > 0
        if line.code in (DRESSING, INJECTION) and may and (fen := min(rest, half_up(line.fen, 90))):
            line.paid["ltci"], rest = fen, rest - fen
        if fen := min(rest, half_up(line.fen, 50), self.voucher_left(visit.elder, visit.month)):
            line.paid["voucher"], rest = fen, rest - fen
        if rest or not line.paid:
            line.paid["self"] = rest

    def place(self, elder: int, start: datetime, codes: list[str], now: datetime, way: int) -> Visit:
        one = Visit(elder, start, now)
        self.visits.append(one)
        for code in codes:
            line = Line(code, self.price(code, one.day, now))
            self.pay(one, line)
            one.lines.append(line)
        if DRESSING in codes:
            line = Line(WAY, 0 if one.by("ltci") else way)
            self.pay(one, line)
            one.lines.append(line)
        return one

    def add(self, one: Visit, code: str) -> Line:
        line = Line(code, self.price(code, one.day, one.placed_at), is_added=True, is_confirmed=False)
        self.pay(one, line)
        one.lines.append(line)
        return line

    def may_settle(self, one: Visit) -> bool:
        """Once; and after a reversal only while nobody else has used what it needs."""
        if one.state == "served":
            return True
        if one.state != "settled" or one.is_live:
            return False
        times = sum(1 for line in one.standing if line.paid.get("contract"))
        return (
            self.times_left(one.elder) >= times
            and self.visits_left(one.elder, one.week) >= (1 if one.by("ltci") else 0)
            and self.voucher_left(one.elder, one.month) >= one.by("voucher")
        )

    def counters(self, elder: int) -> dict[tuple[str, date | None], tuple[int, int]]:
        """By payer and period: reserved and used."""
        found: dict[tuple[str, date | None], list[int]] = {}
        for place, is_used in enumerate((False, True)):
            for one in self.counted(elder, is_used=is_used):
                times = sum(1 for line in one.standing if line.paid.get("contract"))
                uses = {
                    ("contract", None): times, ("ltci", one.week): 1 if one.by("ltci") else 0, ("voucher", one.month): one.by("voucher")
                }  # fmt: skip
                for key, amount in uses.items():
                    found.setdefault(key, [0, 0])[place] += amount
        return {key: (reserved, used) for key, (reserved, used) in found.items() if reserved or used}
