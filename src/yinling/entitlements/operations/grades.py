"""Entitlements of the long-term care insurance follow the grade on record by themselves."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.entitlements.following import End, steps
from yinling.entitlements.models import Entitlement
from yinling.entitlements.operations.grants import (
    SchemeCode,
    end_for_programme,
    give_for_programme,
    known_scheme,
)
from yinling.entitlements.queries.eligibility import situation_of
from yinling.entitlements.queries.grades import SOURCE, followed_schemes, held_of, to_follow, wanted_of
from yinling.ground.operation import operation
from yinling.ground.rounds import tried
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.people.operations.elders import open_file

FOLLOWS = N_("按评估等级和参保情况核定")


@operation("entitlements.entitlement.follow_grade", label=N_("按评估等级核定"))
def follow_grade(*, actor: Actor, now: datetime, elder_id: Id, scheme_code: SchemeCode) -> Elder:
    """Give, prolong, change or end what an insurance gives an elder, as the grade on record says (R-LTC-01).

    A grade of a matrix that no named person has confirmed decides nothing. Refused when nothing is to be done.
    """
    elder, today = open_file(elder_id), local_date(now)
    require(actor, "entitlements.entitlement.follow_grade", div=elder.div)
    scheme = known_scheme(scheme_code, elder.div)
    wanted, grade = wanted_of(scheme, situation_of(elder, today), elder.div)
    held = held_of(scheme, [elder.pk])[elder.pk]
    due = steps(wanted, held, today)
    if not due:
        raise Refused("entitlement.follows", N_("待遇与现有评估等级和参保情况一致，不用调整"))
    done: list[str] = []
    for step in due:
        if isinstance(step, End):
            row = Entitlement.objects.get(pk=step.pk)
            end_for_programme(actor=actor, now=now, entitlement=row, last_day=step.last_day, why=FOLLOWS)
            done.append(f"-{step.pk}")
        elif wanted is not None:
            last = step.days.last_day
            row = give_for_programme(
                actor=actor, now=now, elder=elder, scheme_code=scheme.code, valid_from=step.days.from_, valid_to=last,
                source=f"{SOURCE}grade:{elder.pk}:{step.days.from_:%Y%m%d}:{len(held)}", **wanted.given,
            )  # fmt: skip
            done.append(f"+{row.pk}")
    changes = {"scheme": scheme.code, "grade": grade, "entitlements": done}
    record(actor=actor, now=now, event="entitlements.entitlement.follow_grade", subject=elder, changes=changes)
    return elder


def follow_grades(actor: Actor, now: datetime) -> int:
    """Let the entitlements of the actor's area follow the grades on record; one that is refused waits for the next day. Return how many."""
    today, div = local_date(now), actor.div or ""
    with scope(actor):
        due = [(pk, scheme.code) for scheme in followed_schemes(div, today) for pk in to_follow(scheme, div, today)]
    return sum(tried(actor, now, follow_grade, elder_id=pk, scheme_code=code) for pk, code in due)
