"""Reading what a meal order needs besides: by which channel it comes, in which form, and whether this elder may order it (R-MEA-05, R-MEA-07)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from yinling.catalogue.models import MEAL_FORMS, ServiceItem
from yinling.directory.models import Organisation
from yinling.directory.rules import known_choice
from yinling.entitlements.conditions import read_grades
from yinling.entitlements.eligibility import eligibility
from yinling.entitlements.queries.eligibility import situation_of, words
from yinling.ground.parameters import parameter
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.orders.models import MEAL_CHANNELS
from yinling.people.models import Elder

FAMILY = "meal"
USUAL = "community"
"""The channel of a body whose kind stands for none."""


def forms_of(items: Iterable[ServiceItem]) -> list[str]:
    """Return in which forms items bring meals."""
    found = {unit for item in items if item.family == FAMILY for unit in item.units}
    return [form for form, _name in MEAL_FORMS if form in found]


def channel_for(items: Iterable[ServiceItem], provider: Organisation, elder: Elder, day: date, chosen: str = "") -> str:
    """Return the channel of an order: as chosen, else as the kind of body has it in the area; none for an order without a meal.

    Refuses a channel for what is no meal, and an elder who is not of the groups for whom the area keeps the channel.
    """
    if not any(item.family == FAMILY for item in items):
        if chosen:
            raise Refused("order.meal_channel", N_("只有助餐订单填写供餐渠道，请清除"), field="meal_channel")
        return ""
    usual = parameter("meal.channels", elder.div, day).get(provider.kind, USUAL)
    channel = known_choice(chosen, MEAL_CHANNELS, "meal_channel") if chosen else usual
    _check_group(elder, channel, day)
    return channel


def _check_group(elder: Elder, channel: str, day: date) -> None:
    kept = parameter("meal.groups", elder.div, day).get(channel)
    if not kept:
        return
    answer = eligibility(read_grades(kept, words(elder.div, day)), situation_of(elder, day))
    if not answer.is_eligible:
        sentence = N_("“%(channel)s”只供给规定的对象，这位老人不在其中：%(why)s。请另选供餐渠道，或先更新档案和评估")
        name = dict(MEAL_CHANNELS)[channel]
        raise Refused("order.meal_group", sentence, field="meal_channel", channel=name, why=answer.sentence)
