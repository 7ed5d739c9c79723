"""A month of money, slow and obviously right: lists of what happened, summed up anew each time somebody asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from yinling.kernel.period import local_date, month_start

CAP, AGREED, TOLERANCE = 10_000, 16_001, 10
"""What a voucher gives an elder a month, what its payer buys of the body a month over all elders, minutes of overlap."""


@dataclass
class Booked:
    """One order as a clerk with a pencil would keep it."""

    elder: int
    start: datetime
    price: int
    voucher: int
    state: str = "placed"
    late: int = 0
    claimed: set[int] = field(default_factory=set)
    is_live: bool = False

    @property
    def month(self) -> date:
        return month_start(local_date(self.start))

    @property
    def minutes(self) -> set[int]:
        """Every minute at the door."""
        first = int(self.start.timestamp()) // 60
        return set(range(first, first + 60 + self.late))


@dataclass
class Book:
    """All orders, and every amount that was written down: month, day, account, fen."""

    orders: list[Booked] = field(default_factory=list)
    written: list[tuple[date, date, str, int]] = field(default_factory=list)

    def reserved(self, elder: int, month: date) -> int:
        return sum(
            one.voucher
            for one in self.orders
            if (one.elder, one.month) == (elder, month) and one.state in ("placed", "served")
        )

    def used(self, elder: int, month: date) -> int:
        return sum(one.voucher for one in self.orders if (one.elder, one.month) == (elder, month) and one.is_live)

    def left(self, elder: int, month: date) -> int:
        own = CAP - self.reserved(elder, month) - self.used(elder, month)
        elders = {one.elder for one in self.orders}
        return min(own, AGREED - sum(self.reserved(one, month) + self.used(one, month) for one in elders))

    def place(self, elder: int, start: datetime, price: int) -> Booked:
        """The voucher bears half of the price, rounded half up, as far as the month has it."""
        half = (price + 1) // 2
        one = Booked(elder, start, price, 0)
        one.voucher = min(half, self.left(elder, one.month))
        self.orders.append(one)
        return one

    def may_settle(self, one: Booked) -> bool:
        if one.state not in ("served", "settled") or one.is_live:
            return False
        if one.state == "settled" and self.left(one.elder, one.month) < one.voucher:
            return False
        return not one.voucher or len(one.minutes & self.taken(one)) <= TOLERANCE

    def taken(self, one: Booked) -> set[int]:
        """The minutes that others of the same elder were charged for."""
        return {
            minute for other in self.orders if other.elder == one.elder and other.is_live for minute in other.claimed
        }

    def settle(self, one: Booked, now: datetime) -> None:
        one.claimed = one.minutes - self.taken(one) if one.voucher else set()
        one.state, one.is_live = "settled", True
        self.write(one, now, 1)

    def reverse(self, one: Booked, now: datetime) -> None:
        one.is_live, one.claimed = False, set()
        self.write(one, now, -1)

    def write(self, one: Booked, now: datetime, sign: int) -> None:
        day = local_date(now)
        own = one.price - one.voucher
        for account, fen in (
            ("receivable.voucher", one.voucher), ("payable.provider", -one.voucher), ("direct.elder", own), ("direct.provider", -own)
        ):  # fmt: skip
            if fen:
                self.written.append((month_start(day), day, account, sign * fen))

    def balance(self, account: str, on: date) -> int:
        return sum(fen for _month, day, name, fen in self.written if name == account and day <= on)

    def moved(self) -> dict[tuple[str, date], int]:
        """What each account moved in each month, without what came to nothing."""
        sums: dict[tuple[str, date], int] = {}
        for month, _day, account, fen in self.written:
            sums[account, month] = sums.get((account, month), 0) + fen
        return {key: fen for key, fen in sums.items() if fen}


def start_of(now: datetime, days: int, slot: int) -> datetime:
    """A start on one of the days after now, every two hours from 8 in the morning in China."""
    day = (now + timedelta(days=1 + days)).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(hours=2 * slot)
