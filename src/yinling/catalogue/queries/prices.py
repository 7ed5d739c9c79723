"""What is asked on a day, as it was published by a moment (R-ORD-16, D-18)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet

from yinling.catalogue.models import CalloutRate, Package, Price, ServiceItem
from yinling.catalogue.states import PriceListState
from yinling.directory.models import Organisation
from yinling.directory.queries import ancestors
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_


@dataclass(frozen=True)
class Offer:
    """An organisation and what it asks for an item: its own price, or the one of its group."""

    organisation: Organisation
    price: Price


def known_at(moment: datetime) -> Q:
    """Return the condition that a price or rate was on record, of a published list, at a moment."""
    return _recorded(moment) & Q(price_list__state=PriceListState.PUBLISHED)


def _recorded(moment: datetime) -> Q:
    return (Q(recorded_to=None) | Q(recorded_to__gt=moment)) & Q(recorded_from__lte=moment)


def holding_on(day: date) -> Q:
    """Return the condition that a price holds on a day."""
    return Q(valid_from__lte=day) & (Q(valid_to=None) | Q(valid_to__gt=day))


def price_for(*, item: ServiceItem, organisation: Organisation, service_day: date, placed_at: datetime) -> Price:
    """Return the one price: of the lists published by ``placed_at``, the one in force on the service day (R-ORD-16, D-18).

    The organisation's own price, else the one of its price group in the nearest area (R-PAY-02). Raises Refused ``price.missing``.
    """
    whose = Q(organisation=organisation)
    if organisation.price_group:
        whose |= Q(organisation=None, price_group=organisation.price_group, div__in=ancestors(organisation.div))
    rows = Price.objects.filter(known_at(placed_at), holding_on(service_day), whose, item=item)
    own_first = rows.order_by(
        F("organisation_id").asc(nulls_last=True), "-div"
    )  # of one way up, the longest code is nearest
    price = own_first.select_related("price_list", "item", "organisation").first()
    if price is None:
        sentence = N_("%(organisation)s 在 %(day)s 没有公布“%(item)s”的价格，请换一家机构或改日期")
        raise Refused(
            "price.missing",
            sentence,
            field="item_code",
            organisation=organisation.short_name,
            day=service_day.isoformat(),
            item=item.name,
        )
    return price


def callout_rate_for(organisation: Organisation, service_day: date, placed_at: datetime) -> CalloutRate | None:
    """Return the on-site rate of an organisation by the same rule as its prices; None where it published none (R-PAY-03)."""
    rows = CalloutRate.objects.filter(known_at(placed_at), holding_on(service_day), organisation=organisation)
    return rows.select_related("price_list").first()


def packages_for(div: str, day: date, placed_at: datetime, *, audience: str = "") -> QuerySet[Package]:
    """The packages that may be signed at a home on a day, as published by a moment: of its area and those above, by name."""
    rows = Package.objects.filter(
        _recorded(placed_at), holding_on(day), div__in=ancestors(div), published_at__isnull=False
    )
    return (rows.filter(audience__in=(audience, "all")) if audience else rows).order_by("name", "-div")


def in_group(day: date) -> QuerySet[Organisation]:
    """The providers in business on a day that belong to a price group."""
    rows = Organisation.objects.filter(Q(valid_to=None) | Q(valid_to__gt=day), is_provider=True, valid_from__lte=day)
    return rows.exclude(price_group="")


def of_group(body: Organisation, prices: list[Price]) -> Price | None:
    """Return of a group's prices for one item the one of the nearest area above a body."""
    near = ancestors(body.div)
    mine = [one for one in prices if one.price_group == body.price_group and one.div in near]
    return max(mine, key=lambda one: len(one.div), default=None)


def may_ask(body: Organisation, item: ServiceItem) -> bool:
    """Whether a body without a price of its own asks its group's: medical items only where it is listed for medical care at home."""
    return body.does_home_medical or not item.is_medical


def offers(item: ServiceItem, service_day: date, placed_at: datetime) -> list[Offer]:
    """All organisations that offer an item on a day with what each asks, cheapest first."""
    rows = list(
        Price.objects.filter(known_at(placed_at), holding_on(service_day), item=item).select_related("organisation")
    )
    found = [Offer(row.organisation, row) for row in rows if row.organisation is not None]
    group = [row for row in rows if row.organisation_id is None]
    if group:
        own = {offer.organisation.pk for offer in found}
        for body in in_group(service_day).filter(price_group__in={row.price_group for row in group}):
            price = of_group(body, group)
            if price is not None and body.pk not in own and may_ask(body, item):
                found.append(Offer(body, price))
    return sorted(found, key=lambda one: (one.price.amount_fen, one.organisation.short_name))


def asking(day: date, now: datetime, *, family: str = "") -> Q:
    """Return the condition that an organisation asks a published price on a day, in a family or in any: its own or its group's."""
    prices = Price.objects.filter(known_at(now), holding_on(day))
    if family:
        prices = prices.filter(item__family=family)
    own = prices.filter(organisation__isnull=False).values("organisation_id")
    here = prices.filter(organisation=None, price_group=OuterRef("price_group"))
    of_group = here.annotate(place=ExpressionWrapper(OuterRef("div"), CharField())).filter(place__startswith=F("div"))
    return Q(pk__in=own) | Q(Exists(of_group))


def families_asked(bodies: Iterable[Organisation], day: date, now: datetime) -> dict[int, set[str]]:
    """Return for each body the families of which it asks a published price on a day, its own or its group's: one query."""
    rows = Price.objects.filter(known_at(now), holding_on(day))
    asked = list(rows.values_list("organisation_id", "price_group", "div", "item__family").distinct())
    return {
        body.pk: {
            family
            for number, group, div, family in asked
            if number == body.pk or (number is None and group == body.price_group and body.div.startswith(div))
        }
        for body in bodies
    }
