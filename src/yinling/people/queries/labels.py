"""What follows from a file on a day without being written in it: great age, economic hardship, a file to be looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.period import add_months, age_on, local_midnight
from yinling.kernel.words import N_
from yinling.people.models import Elder

GREAT_AGE, HARDSHIP = N_("高龄"), N_("经济困难")


def hardship_kinds(div: str, on: date) -> frozenset[str]:
    """Return the labels any of which makes a person one in economic hardship there on a day (D-04)."""
    return frozenset(parameter("population.hardship", div, on))


def is_great_age(born_on: date, div: str, on: date) -> bool:
    """Whether a person counts as of great age: from the calendar birthday on (D-05)."""
    return age_on(born_on, on) >= int(parameter("population.great_age", div, on))


def labels_on(elder: Elder, kinds: Iterable[str], on: date) -> list[str]:
    """Return the computed labels of an elder of whom these circumstances hold on a day."""
    day = min(on, elder.died_on) if elder.died_on else on
    found = [GREAT_AGE] if is_great_age(elder.born_on, elder.div, day) else []
    return found + ([HARDSHIP] if hardship_kinds(elder.div, on) & set(kinds) else [])


def verification_due(actor: Actor, on: date) -> QuerySet[Elder]:
    """Files of the living in the actor's area that nobody looked at for the months of the parameter, the oldest first."""
    months = int(parameter("people.verify_months", actor.div or "", on))
    limit = add_months(on, -months)
    never = Q(verified_on=None, created_at__lt=local_midnight(limit))
    rows = Elder.objects.visible_to(actor).filter(died_on=None, merged_into=None)
    return rows.filter(Q(verified_on__lte=limit) | never).order_by("verified_on", "id")
