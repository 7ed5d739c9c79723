"""The best places for one order in the days of the carers, with cost parts in words; and what stands against a carer who is named.

Which carers and when is found by the scan (``planner.insertion``) in the resident process, or here if that does not answer. Everything
shown is then read and checked anew for the few carers shown, so that an answer from a moment ago cannot propose who is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from yinling.directory.models import Staff
from yinling.dispatch.models import LIVE, Assignment
from yinling.dispatch.planner.enquiry import Enquiry, Found, Prices
from yinling.dispatch.planner.ranking import CostPart, Weights, cost_parts, total
from yinling.dispatch.queries.carers import (
    BEST,
    Acquaintance,
    Ways,
    job_of,
    people_among,
    surroundings,
    trips_to,
    weights,
    with_day,
)
from yinling.dispatch.ranker import asked_resident
from yinling.dispatch.rules import Carer, Exclusion, Job, Trip, compatibility, route_version
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound
from yinling.kernel.words import N_
from yinling.orders.models import Order

MOST_SHOWN = 10
SPARE = 5
"""Asked for beyond those shown, in case one of them was taken a moment ago."""
PAIR = 2
LABELS = {"travel": N_("路上"), "continuity": N_("熟悉程度"), "dialect": N_("方言"), "workload": N_("当天工作量")}
METRES_PER_SECOND_OF_A_KMH = 1000 / 3600


@dataclass(frozen=True)
class Proposal:
    """A carer proposed for an order (a pair, where ``second`` is set), and the start at which that is cheapest.

    ``parts`` are label and minutes on the way that each drawback is worth; ``route`` is the version of the carers' day as it was read,
    which confirming sends back.
    """

    rank: int
    staff_id: int
    name: str
    starts_at: datetime
    cost: float
    parts: tuple[tuple[str, float], ...]
    reasons: tuple[str, ...]
    second: tuple[int, str] | None = None
    route: str = ""


@dataclass(frozen=True)
class RankingView:
    """The best proposals; ``counts`` are the carers of the provider by what first stands against them (code), ``free`` those who may go.

    ``is_live`` is false when the resident ranking did not answer and the database was read instead.
    """

    proposals: tuple[Proposal, ...]
    version: str
    counts: dict[str, int]
    is_live: bool = True


@dataclass(frozen=True)
class Choice:
    """A carer named for an order at a start: the place in the ranking if there is one, the sentences to show, and everything against it."""

    staff_id: int
    place: int | None
    reasons: tuple[str, ...]
    against: tuple[Exclusion, ...]

    @property
    def is_among_best(self) -> bool:
        """Whether it is one of the proposals that need no reason."""
        return self.place is not None and self.place <= BEST


@dataclass(frozen=True)
class Asked:
    """One order, read once: what it asks, what lies between it and the carers, what ways and drawbacks cost, and its window."""

    order: Order
    job: Job
    between: Acquaintance
    ways: Ways
    weights: Weights
    first: datetime
    last: datetime
    carers_needed: int
    people: Mapping[int, Any] | None = None
    """The staff who visit elders for its provider, if the caller has read them already."""
    days: dict[int, Carer] = field(default_factory=dict)
    """The carers read so far, each once."""

    def at(self, starts_at: datetime) -> Job:
        """Return the order as it would be at another start."""
        length = self.job.ends_at - self.job.starts_at
        return replace(self.job, starts_at=starts_at, ends_at=starts_at + length)

    def everybody(self, staff: Any) -> list[Carer]:
        """Return all staff who visit elders for the provider with their day, whatever the order."""
        mine = sent_out(staff).filter(provider_id=self.job.provider_id)
        rows = people_among(mine) if self.people is None else list(self.people.values())
        self.read(rows)
        return [self.days[row.pk] for row in rows]

    def carers(self, staff: Any, staff_ids: Iterable[int]) -> list[Carer]:
        """Return some staff as this order sees them, by their number."""
        wanted, known = sorted(set(staff_ids)), self.people or {}
        others = [pk for pk in wanted if pk not in known and pk not in self.days]
        rows = [known[pk] for pk in wanted if pk in known]
        self.read([*rows, *people_among(staff.filter(pk__in=others))] if others else rows)
        return [self.between.with_carer(self.job, self.days[pk]) for pk in wanted if pk in self.days]

    def read(self, people: Sequence[Any]) -> None:
        """Read the days of people, unless they are known."""
        missing = [row for row in people if row.pk not in self.days]
        if missing:
            found = with_day(local_date(self.job.starts_at), missing)
            self.days.update((one.staff_id, one) for one in found)

    def judged(self, carers: Sequence[Carer], starts_at: datetime) -> list[Judged]:
        """Return carers with what stands against them at a start, and what they cost."""
        job = self.at(starts_at)
        trips = trips_to(job, carers, self.ways)
        return [self._judged(job, one, trips.get(one.staff_id, Trip())) for one in carers]

    def _judged(self, job: Job, carer: Carer, trip: Trip) -> Judged:
        return Judged(carer, tuple(compatibility(job, carer, trip)), cost_parts(job, carer, trip, self.weights))


@dataclass(frozen=True)
class Judged:
    """A carer at one start: what stands against it, and the parts of the cost."""

    carer: Carer
    against: tuple[Exclusion, ...]
    parts: tuple[CostPart, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences of the cost."""
        return tuple(part.reason for part in self.parts)


def carers_of_order(*, actor: Actor, order: Order) -> list[Any]:
    """Return the staff who may be named for an order, by name: what ``asked_about`` takes."""
    rows = people_among(sent_out(Staff.objects.visible_to(actor)).filter(provider_id=order.provider_id))
    return sorted(rows, key=lambda row: (row.name, row.pk))


def asked_about(order: Order, now: datetime, people: Iterable[Any] | None = None) -> Asked:
    """Read an order for several questions about it, with the staff of its provider as ``carers_of_order`` gave them."""
    asked = _asked(order, now)
    return asked if people is None else replace(asked, people={row.pk: row for row in sorted(people, key=_number)})


def _number(row: Any) -> int:
    return int(row.pk)


def ranking(
    *, actor: Actor, order: Order, now: datetime, limit: int = MOST_SHOWN, asked: Asked | None = None
) -> RankingView:
    """Return the best carers for an order (pairs, if it takes two) and for each the cheapest start in its window."""
    asked = asked or _asked(order, now)
    if asked.job.against_body:
        return RankingView((), "", {"free": 0})
    found, is_live = _found(actor, asked, limit=limit + SPARE)
    shown = sorted(_proposals(actor, asked, found), key=lambda one: (one.cost, one.staff_id))[:limit]
    proposals = tuple(replace(one, rank=place) for place, one in enumerate(shown, 1))
    return RankingView(proposals, _whole(one.route for one in proposals), found.counts, is_live)


def choices(*, actor: Actor, order: Order, now: datetime, people: Sequence[Any]) -> tuple[list[Choice], str]:
    """Judge carers somebody named (rows of ``held_people``) for the appointed time, as their days are now; also return the version of these."""
    asked, numbers = _asked(order, now), [row.pk for row in people]
    asked.read(people)
    carers = asked.carers(Staff.objects.none(), numbers)
    judged = {one.carer.staff_id: one for one in asked.judged(carers, order.starts_at)}
    places = {} if asked.job.against_body else _places(actor, asked, numbers)
    route = _whole(route_version(judged[pk].carer.booked) for pk in numbers)
    return [_choice(judged[pk], places.get(pk)) for pk in numbers], route


def _choice(one: Judged, place: int | None) -> Choice:
    if one.against:
        return Choice(one.carer.staff_id, None, tuple(reason.reason for reason in one.against), one.against)
    return Choice(one.carer.staff_id, place, one.reasons, ())


def exclusions_of(order: Order, staff: Staff) -> list[Exclusion]:
    """Return every reason against one carer at the appointed time."""
    asked = _asked(order, order.starts_at)
    return list(asked.judged(asked.carers(Staff.objects.all(), [staff.pk]), order.starts_at)[0].against)


def why_not(*, actor: Actor, order: Order, staff_id: int, now: datetime, asked: Asked | None = None) -> list[str]:
    """Return in words why a carer is not proposed; for one who may go, the place in the ranking and its reasons."""
    asked = asked or _asked(order, now)
    own = asked.carers(Staff.objects.visible_to(actor), [staff_id])
    if not own:
        raise NotFound("staff.not_found", N_("没有这位服务人员，或不在您的权限范围内"), field="staff_id")
    found, _is_live = _found(actor, asked, limit=MOST_SHOWN, named=[staff_id])
    place, fit = found.named.get(staff_id, (None, None))
    one = asked.judged(own, fit.starts_at if fit else order.starts_at)[0]
    if one.against:
        return [reason.reason for reason in one.against]
    if own[0].kind == "office":
        return [N_("管理人员不上门服务")]
    if place is None:
        return [N_("没有能与这位服务人员同时上门的第二位人员")]
    return [N_("可以派，排在第 %(place)s 位") % {"place": place}, *one.reasons]


def _asked(order: Order, now: datetime) -> Asked:
    job = job_of(order)
    first, last, needed = order.earliest_at, order.latest_at, order.carers_needed
    if needed == PAIR and (taken := Assignment.objects.filter(order=order, state__in=LIVE).count()):
        # The one who is named already goes at the appointed time.
        first, last, needed = order.starts_at, order.starts_at, max(1, needed - taken)
    first = max(first, min(now, last))
    return Asked(
        order,
        job,
        *surroundings(job),
        weights(order.div, local_date(order.starts_at)),
        first,
        last,
        needed,
    )


def enquiry_of(order: Order, now: datetime, *, limit: int = MOST_SHOWN) -> Enquiry:
    """Return an order as the resident ranking is asked about it."""
    return _enquiry(_asked(order, now), limit, ())


def _found(actor: Actor, asked: Asked, *, limit: int, named: Iterable[int] = ()) -> tuple[Found, bool]:
    """Ask the resident ranking, else scan the provider's carers as they stand in the database."""
    enquiry = _enquiry(asked, limit, tuple(named))
    if (found := asked_resident(enquiry, asked.job.provider_div)) is not None:
        return found, True
    # Only here, because compiled code takes long to load and is not needed where the resident answers.
    from yinling.dispatch.planner.insertion import best_insertions  # noqa: PLC0415 - as said
    from yinling.dispatch.planner.roster import Roster  # noqa: PLC0415 - as above

    roster = Roster(local_date(asked.job.starts_at))
    roster.put(asked.everybody(Staff.objects.visible_to(actor)))
    return best_insertions(roster, enquiry), False


def sent_out(rows: Any) -> Any:
    """Return the staff who visit elders."""
    return rows.exclude(kind="office")


def _enquiry(asked: Asked, limit: int, named: tuple[int, ...]) -> Enquiry:
    job, cost, day = asked.job, asked.weights, local_date(asked.job.starts_at)
    detour = float(parameter("travel.detour", "", day))
    speeds = [float(parameter(f"travel.speed_kmh.{mode}", "", day)) for mode in asked.ways.factors]
    # Seconds a metre in the very same steps as the straight line's adapter, so that both round alike.
    prices = Prices(
        cost.travel_minute, cost.new_face, cost.other_dialect, cost.workload_hour,
        tuple(detour / (speed * METRES_PER_SECOND_OF_A_KMH) for speed in speeds), tuple(asked.ways.factors.values()), asked.ways.usual,
    )  # fmt: skip
    return Enquiry(
        provider_id=job.provider_id, day=day.isoformat(), div=job.div, lon=job.lon, lat=job.lat, earliest=asked.first.isoformat(),
        latest=asked.last.isoformat(), wish=job.starts_at.isoformat(), seconds=(job.ends_at - job.starts_at) / timedelta(seconds=1),
        needs=tuple(kind for kind, _name in job.needs), wants_sex=job.wants_sex, dialect=job.dialect, prices=prices,
        known=tuple(asked.between.served), declined=tuple(asked.between.declined), avoided=tuple(asked.between.avoided), named=named,
        limit=limit, carers_needed=asked.carers_needed, step_seconds=60 * float(parameter("dispatch.start_step_minutes", job.div, day)),
    )  # fmt: skip


def _proposals(actor: Actor, asked: Asked, found: Found) -> list[Proposal]:
    """Read the carers of the best fits anew and put them into words; who may not go after all is left out."""
    wanted = {pk for fit in found.best for pk in fit.staff_ids}
    carers = {one.staff_id: one for one in asked.carers(Staff.objects.visible_to(actor), wanted)}
    shown = []
    for fit in found.best:
        people = asked.judged([carers[pk] for pk in fit.staff_ids if pk in carers], fit.starts_at)
        if len(people) == len(fit.staff_ids) and not any(one.against for one in people):
            shown.append(_proposal(people, fit.starts_at))
    return shown


def _proposal(people: Sequence[Judged], starts_at: datetime) -> Proposal:
    first, second = people[0].carer, people[1].carer if len(people) == PAIR else None
    parts: dict[str, float] = {}
    for part in (part for one in people for part in one.parts):
        parts[part.code] = parts.get(part.code, 0) + part.cost
    reasons = (
        people[0].reasons
        if second is None
        else tuple(_named(one.carer.name, reason) for one in people for reason in one.reasons)
    )
    return Proposal(
        rank=0, staff_id=first.staff_id, name=first.name, starts_at=starts_at, cost=round(sum(total(one.parts) for one in people), 3),
        parts=tuple((LABELS[code], round(cost, 3)) for code, cost in parts.items()), reasons=reasons,
        second=(second.staff_id, second.name) if second else None, route=_whole(route_version(one.carer.booked) for one in people),
    )  # fmt: skip


def _named(name: str, reason: str) -> str:
    return N_("%(name)s：%(reason)s") % {"name": name, "reason": reason}


def _places(actor: Actor, asked: Asked, staff_ids: Sequence[int]) -> dict[int, int]:
    """Return the place of each carer in the ranking; of two, that of the pair they are."""
    found, _is_live = _found(actor, asked, limit=MOST_SHOWN, named=staff_ids)
    if asked.carers_needed == PAIR and len(staff_ids) == PAIR:
        place = next((place for place, fit in enumerate(found.best, 1) if set(fit.staff_ids) == set(staff_ids)), None)
        return dict.fromkeys(staff_ids, place) if place else {}
    return {pk: place for pk, (place, _fit) in found.named.items()}


def _whole(versions: Iterable[str]) -> str:
    return "-".join(versions)
