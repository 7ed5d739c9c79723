"""Who should be offered a contract: elders without one, those in greatest need first (R-FAM-05, R-FAM-06)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from yinling.assessment.models import Assessment
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import born_by
from yinling.people.models import Circumstance, Elder
from yinling.programmes.family_doctor.models import DoctorContract
from yinling.programmes.family_doctor.states import ContractState

ABILITY = ("semi_disabled", "disabled")


@dataclass(frozen=True)
class Groups:
    """The need groups of an area in the order of calls, and what their words mean there on a day."""

    order: tuple[str, ...]
    levels: dict[str, Q]
    kinds: dict[str, frozenset[str]]
    oldest: date
    on: date

    def condition(self, group: str) -> Q:
        """Return the condition on an elder of belonging to a group."""
        if group == "great_age":
            return Q(born_on__lte=self.oldest)
        kinds = self.kinds.get(group, frozenset() if group in ABILITY else frozenset({group}))
        own = Circumstance.objects.filter(in_force(self.on), elder_id=OuterRef("pk"), kind__in=kinds)
        found = Q(Exists(own)) if kinds else Q(pk__in=[])
        if group in ABILITY:
            results = Assessment.objects.filter(in_force(self.on), self.levels[group], elder_id=OuterRef("pk"))
            found |= Q(Exists(results))
        return found


def groups(div: str, on: date) -> Groups:
    """Return the need groups of an area on a day."""
    levels: dict[str, Q] = {}
    kinds: dict[str, frozenset[str]] = {}
    for ability, table in parameter("assessment.level_map", div, on).items():
        levels[ability] = Q(pk__in=[])
        for scale, codes in table.items():
            if scale == "circumstances":
                kinds[ability] = frozenset(codes)
            else:
                levels[ability] |= Q(scale=scale, level__in=codes)
    oldest = born_by(int(parameter("population.great_age", div, on)), on)
    return Groups(tuple(parameter("family_doctor.call_order", div, on)), levels, kinds, oldest, on)


def without_contract(rows: QuerySet[Elder], on: date) -> QuerySet[Elder]:
    """Of some elders the living who have no contract on a day or later."""
    signed = DoctorContract.objects.filter(elder_id=OuterRef("pk"), state=ContractState.SIGNED, valid_to__gt=on)
    gone = Circumstance.objects.filter(in_force(on), elder_id=OuterRef("pk"), kind="moved_away")
    return rows.filter(~Exists(signed), ~Exists(gone), died_on=None, merged_into=None)


def call_list(actor: Actor, on: date, *, div: str = "", group: str = "") -> QuerySet[Elder]:
    """Elders of the actor's area in a need group and without a contract, by the first group they belong to."""
    known = groups(div or actor.div or "", on)
    rows = Elder.objects.visible_to(actor)
    open_files = without_contract(rows.within(div) if div else rows, on)
    wanted = [group] if group in known.order else list(known.order)
    ranks = [When(known.condition(one), then=Value(place)) for place, one in enumerate(wanted)]
    place = Case(*ranks, default=Value(len(wanted)), output_field=IntegerField())
    return open_files.annotate(place=place).filter(place__lt=len(wanted)).order_by("place", "born_on", "pk")


def groups_of(elder_ids: Iterable[int], known: Groups) -> dict[int, list[str]]:
    """Return to which need groups elders belong, in the order of calls."""
    marks = {
        f"in_{group}": Case(When(known.condition(group), then=Value(1)), default=Value(0)) for group in known.order
    }
    rows = Elder.objects.filter(pk__in=list(elder_ids)).annotate(**marks).values_list("pk", *marks)
    return {pk: [group for group, flag in zip(known.order, flags, strict=True) if flag] for pk, *flags in rows}
