"""What the makers of history share: the city as made so far, the clock, and how a journal row of the past is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from django.db import models

from yinling.accounts.models import Journal, User
from yinling.accounts.rules import digest_of
from yinling.catalogue.models import CalloutRate, Price, ServiceItem
from yinling.demo.bodies import Bodies
from yinling.demo.elders import People
from yinling.demo.profile import Profile
from yinling.demo.rows import Batch
from yinling.directory.models import Organisation, Qualification, Staff
from yinling.ground.models import CalendarDay
from yinling.kernel.period import local_date
from yinling.kernel.workdays import WorkingCalendar
from yinling.orders.rules import SERVICES

STAFF_ROLES = {"nurse": "nurse", "doctor": "doctor"}


@dataclass
class World:
    """The made-up city and everything that happened in it so far."""

    profile: Profile
    bodies: Bodies
    people: People
    users: dict[str, User]
    random: Random
    now: datetime
    batch: Batch = field(default_factory=Batch)
    calendar: WorkingCalendar = field(init=False)
    holidays: frozenset[date] = field(init=False)
    items: dict[str, ServiceItem] = field(init=False)
    prices: dict[tuple[int, int], list[Price]] = field(init=False)
    rates: dict[int, CalloutRate] = field(init=False)
    able: dict[tuple[int, str], list[Staff]] = field(init=False)

    def __post_init__(self) -> None:
        rows = [(day, kind) for day, kind, _ in self.profile.calendar]
        self.calendar = WorkingCalendar.from_rows(rows)
        self.holidays = frozenset(day for day, kind in rows if kind == CalendarDay.HOLIDAY)
        visits = ServiceItem.objects.filter(is_active=True, needs_visit=True, kind__in=SERVICES)
        self.items = {item.code: item for item in visits.order_by("code")}
        self.prices = defaultdict(list)
        for price in Price.objects.filter(organisation__isnull=False).order_by("id"):
            self.prices[price.organisation_id or 0, price.item_id].append(price)
        for price in Price.objects.filter(organisation=None).order_by("id"):  # after what a body asks itself
            for body in self.bodies.all:
                if body.price_group == price.price_group:
                    self.prices[body.pk, price.item_id].append(price)
        self.rates = {rate.organisation_id: rate for rate in CalloutRate.objects.order_by("id")}
        self.able = defaultdict(list)
        soon = self.today + timedelta(days=3)
        lapsed = Qualification.objects.filter(valid_to__lte=soon).values("staff_id")
        valid = Qualification.objects.exclude(staff_id__in=lapsed).order_by("staff_id").values_list("staff_id", "kind")
        by_id = {person.pk: person for person in self.bodies.staff}
        for staff_id, kind in valid:
            person = by_id[staff_id]
            if kind != "induction" or person.kind == "care_worker":
                self.able[person.provider_id, kind].append(person)

    @property
    def today(self) -> date:
        """The local day of the clock."""
        return local_date(self.now)

    def add(self, row: Any) -> Any:
        """Keep a row for writing; it has its number at once."""
        return self.batch.add(row)

    def responsible(self, family: str, div: str) -> Organisation | None:
        """Return the body that answers for a family in a community."""
        return self.bodies.responsible.get((family, div[:9]))

    def price(self, organisation_id: int, item: ServiceItem, day: date) -> Price | None:
        """Return the price in force on a day."""
        rows = self.prices[organisation_id, item.pk]
        return next(
            (row for row in rows if row.valid_from <= day and (row.valid_to is None or day < row.valid_to)), None
        )

    def note(
        self, user: User | None, role: str, event: str, at: datetime, subject: models.Model, *,
        changes: dict[str, Any] | None = None, reason: str = "", name: str = "",
    ) -> None:  # fmt: skip
        """Write the journal row that the operation would have written."""
        row = Journal(
            business_at=at, user_id=user.pk if user else None, user_name=name or (user.name if user else "系统"), role=role, event=event,
            subject_type=str(subject._meta.model_name), subject_id=subject.pk, div=subject.div,  # type: ignore[attr-defined]  # noqa: SLF001
            provider_id=getattr(subject, "provider_id", None), elder_id=getattr(subject, "elder_id", None),
            staff_id=getattr(subject, "staff_id", None), changes=changes or {}, reason=reason,
        )  # fmt: skip
        row.digest = digest_of(row)
        self.add(row)

    def minutes(self, least: int, most: int) -> timedelta:
        """Draw a span of minutes with odd seconds."""
        return timedelta(minutes=self.random.randint(least, most), seconds=self.random.randrange(60))
