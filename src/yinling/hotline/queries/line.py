"""Reading the line: who waits, who is free, where a call goes next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from yinling.assessment.inputs import ABILITY_SCALES
from yinling.assessment.models import Assessment
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.hotline import acd
from yinling.hotline.models import Call, CallOffer, Seat, SeatGroup, Shift
from yinling.hotline.states import CallState, SeatState
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.people.models import Circumstance, Elder
from yinling.people.queries import elders_by_phone

AT_ONCE = 50
"""How much of the queue is looked at when a seat becomes free."""
IN_VAIN = ("no_answer", "declined", "failed")


@dataclass(frozen=True)
class Caller:
    """Who may be calling: the elder if there is no doubt, and what is true of all who come into question."""

    elder: Elder | None = None
    candidates: list[Elder] = field(default_factory=list)

    def rank(self, div: str, now: datetime, *, is_sos: bool) -> int:
        """Return the place in the queue; of several people the most urgent counts, for one of them is calling."""
        day, numbers = local_date(now), [one.pk for one in self.candidates]
        circumstances, levels = set(), set()
        if numbers and not is_sos:
            facts = Circumstance.objects.filter(in_force(day), elder_id__in=numbers)
            circumstances = set(facts.values_list("kind", flat=True))
            results = Assessment.objects.filter(in_force(day), elder_id__in=numbers, scale__in=ABILITY_SCALES)
            levels = set(results.values_list("level", flat=True))
        return acd.rank_of(
            is_sos=is_sos, circumstances=circumstances, levels=levels,
            marked_circumstances=parameter("line.marked_circumstances", div, day),
            marked_levels=parameter("line.marked_levels", div, day),
        )  # fmt: skip

    def skills(self, div: str, now: datetime) -> list[str]:
        """Return what the seat should be able to do, if it is certain who calls."""
        if self.elder is None:
            return []
        day = local_date(now)
        facts = Circumstance.objects.filter(in_force(day), elder=self.elder)
        kinds, skill_of = set(facts.values_list("kind", flat=True)), parameter("line.skill_of", div, day)
        return acd.wanted_skills(dialect=self.elder.dialect, circumstances=kinds, skill_of=skill_of)


def caller_of(digits: str, *, is_doubtful: bool) -> Caller:
    """Return who calls from a number. One living person is certain; a doubtful number is nobody's, and lifts nobody in the queue."""
    if not digits or is_doubtful:
        return Caller()
    found = elders_by_phone(digits)
    alive = [one for one in found if one.died_on is None]
    is_certain = len(found) == 1 and len(alive) == 1
    return Caller(elder=alive[0] if is_certain else None, candidates=alive)


Groups = dict[int, SeatGroup]


def groups_in_use() -> Groups:
    """Return every group that takes calls; read once for many calls."""
    return {one.pk: one for one in SeatGroup.objects.filter(is_active=True)}


def chain_of(div: str, groups: Groups | None = None) -> list[SeatGroup]:
    """Return the groups through which a call of a division goes, in order."""
    known = groups_in_use() if groups is None else groups
    firsts = [one for one in known.values() if one.is_first and div.startswith(one.div)]
    group = max(firsts, key=lambda one: len(one.div), default=None)
    chain: list[SeatGroup] = []
    while group is not None and group not in chain:
        chain.append(group)
        group = known.get(group.overflow_id or 0)
    return chain


def first_group(div: str) -> SeatGroup | None:
    """Return the group to which new calls of a division come: that of the nearest area."""
    return next(iter(chain_of(div)), None)


def next_group(call: Call, groups: Groups | None = None) -> SeatGroup | None:
    """Return where a waiting call overflows to, never back to where it was."""
    known = groups_in_use() if groups is None else groups
    chain = chain_of(call.div, known)
    place = next((number for number, one in enumerate(chain) if one.pk == call.group_id), None)
    if place is not None:
        return chain[place + 1] if place + 1 < len(chain) else None
    own = known.get(call.group_id or 0)
    return known.get(own.overflow_id or 0) if own else None


def duty_number(call: Call) -> str:
    """Return the duty phone of a call: that of its group, else of a later one, else of an earlier one; nothing if there is none."""
    chain = chain_of(call.div)
    place = next((number for number, one in enumerate(chain) if one.pk == call.group_id), 0)
    return next((digits for one in [*chain[place:], *chain[:place]] if (digits := one.unseal_field("duty"))), "")


def waiting_rows(actor: Actor) -> QuerySet[Call]:
    """Calls that wait and ring at no seat, as they are served."""
    rows = Call.objects.visible_to(actor).filter(state=CallState.RINGING, is_outbound=False)
    ringing = CallOffer.objects.filter(call_id=OuterRef("pk"), ended_at=None)
    return rows.filter(~Exists(ringing)).order_by("rank", "rang_at", "pk")


def waiting_calls(actor: Actor, now: datetime) -> list[acd.Waiting]:
    """Return the head of the queue, as decisions need it: calls with a group and room for another offer."""
    del now
    waiting = waiting_rows(actor).filter(group__isnull=False, offer_count__lt=acd.MOST_OFFERS)
    rows = list(waiting.values_list("pk", "div", "rank", "rang_at", "group_id", "skills")[:AT_ONCE])
    tried: dict[int, set[int]] = {}
    vain = CallOffer.objects.filter(call_id__in=[row[0] for row in rows], outcome__in=IN_VAIN)
    for call_id, user_id in vain.values_list("call_id", "seat_id"):
        tried.setdefault(call_id, set()).add(user_id)
    return [
        acd.Waiting(pk, div, rank, rang_at, group_id, frozenset(skills), frozenset(tried.get(pk, ())))
        for pk, div, rank, rang_at, group_id, skills in rows
    ]


def free_rows(actor: Actor, now: datetime) -> QuerySet[Seat]:
    """Seats that are ready, whose soft-phone (if they ever had one) is there, and that neither talk, dial nor ring."""
    talking = Call.objects.filter(seat_id=OuterRef("user_id"), state__in=[CallState.ANSWERED, CallState.RINGING])
    ringing = CallOffer.objects.filter(seat_id=OuterRef("user_id"), ended_at=None)
    here = Q(registered_until=None) | Q(registered_until__gt=now)
    rows = Seat.objects.visible_to(actor).filter(here, state=SeatState.READY, left_on=None)
    return rows.filter(~Exists(talking), ~Exists(ringing))


def free_seats(actor: Actor, now: datetime) -> list[acd.FreeSeat]:
    """Return the free seats, as decisions need them; a seat can do what its group can."""
    names = ("pk", "user_id", "div", "group_id", "idle_since", "skills", "group__skills")
    rows = free_rows(actor, now).order_by("idle_since", "pk").values_list(*names)
    return [
        acd.FreeSeat(pk, user_id, div, group_id, idle_since or now, frozenset([*skills, *taught]))
        for pk, user_id, div, group_id, idle_since, skills, taught in rows
    ]


@dataclass(frozen=True)
class LineStep:
    """What the line has to do now with a call: expire an offer, overflow, divert or message."""

    verb: str
    call_id: int
    offer_id: int = 0


def due_steps(actor: Actor, now: datetime) -> list[LineStep]:
    """Return what is due on the line: rings that nobody took, and calls that go further. Calls without a group wait for whoever answers."""
    expired = (
        CallOffer.objects.visible_to(actor).filter(ended_at=None, expires_at__lte=now).order_by("expires_at", "pk")
    )
    steps = [LineStep("expire", one.call_id, one.pk) for one in expired]
    rows = list(waiting_rows(actor).filter(group__isnull=False)[:AT_ONCE])
    if not rows:
        return steps
    staffed, misses, groups = _staffed(now), _misses([row.pk for row in rows]), groups_in_use()
    for row in rows:
        chain = chain_of(row.div, groups)
        place = next((number for number, one in enumerate(chain) if one.pk == row.group_id), 0)
        standing = acd.Standing(
            waited_s=(now - row.rang_at).total_seconds(), place=place, misses=misses.get((row.pk, row.group_id), 0),
            offers=row.offer_count, is_staffed=row.group_id in staffed, has_overflow=next_group(row, groups) is not None,
            has_duty=any(one.duty_last4 for one in chain),
        )  # fmt: skip
        seconds = int(parameter("line.overflow_seconds", row.div, local_date(now)))
        verb = acd.next_step(standing, overflow_s=seconds)
        stays = (
            row.channel == "device" and not row.leg and verb != "overflow"
        )  # no voice to divert: its alarm has a chain of its own
        if verb != "wait" and not stays:
            steps.append(LineStep(verb, row.pk))
    return steps


def _staffed(now: datetime) -> set[int | None]:
    """Groups where somebody is signed in, or should be by the roster."""
    ready = Seat.objects.filter(state=SeatState.READY, left_on=None).values_list("group_id", flat=True)
    due = Shift.objects.filter(is_live=True, is_out=False, from_at__lte=now, to_at__gt=now)
    return {*ready, *due.values_list("roster__group_id", flat=True)}


def _misses(call_ids: list[int]) -> dict[tuple[int, int | None], int]:
    found: dict[tuple[int, int | None], int] = {}
    rows = CallOffer.objects.filter(call_id__in=call_ids, outcome__in=IN_VAIN, is_transfer=False)
    for call_id, group_id in rows.values_list("call_id", "group_id"):
        found[call_id, group_id] = found.get((call_id, group_id), 0) + 1
    return found


def present_seats(actor: Actor) -> QuerySet[Seat]:
    """Seats that are signed in, with whether they are in a call."""
    talking = Call.objects.filter(seat_id=OuterRef("user_id"), state__in=[CallState.ANSWERED, CallState.RINGING])
    rows = Seat.objects.visible_to(actor).filter(left_on=None).exclude(state=SeatState.OFF)
    return rows.select_related("user").annotate(is_talking=Exists(talking)).order_by("state", "number")


def transfer_targets(actor: Actor, call: Call, now: datetime) -> list[tuple[int, str]]:
    """To whom a talking seat can pass a call on: (person, extension and name) of free seats that may see the caller."""
    rows = free_rows(actor, now).exclude(user_id=actor.user_id or 0).select_related("user").order_by("number")
    return [(row.user_id, f"{row.number} {row.user.name}") for row in rows if call.div.startswith(row.div)]
