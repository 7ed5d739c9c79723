"""Reading the list: items, what an organisation asks for them on a day, and what the public sees."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, Q, QuerySet

from yinling.catalogue.models import FAMILIES, Price, PriceList, ServiceItem
from yinling.catalogue.states import PriceListState
from yinling.directory.models import Organisation
from yinling.directory.queries import ancestors
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_


@dataclass(frozen=True)
class Dated:
    """A published text and the day from which it holds."""

    text: str
    effective_on: date


@dataclass(frozen=True)
class Fee:
    """What one organisation asks, from which day, on what basis."""

    organisation: str
    amount_fen: int
    callout_fee_fen: int
    unit: str
    basis: str
    document: str
    effective_on: date
    organisation_id: int = 0


@dataclass(frozen=True)
class PublicItem:
    """The five kinds of information of one item (R-ORD-10): list entry, guide, standard, fee, support policy."""

    item: ServiceItem
    entry: Dated
    guide: Dated
    standard: Dated
    support_policy: Dated
    fees: tuple[Fee, ...]


@dataclass(frozen=True)
class PublicFamily:
    """A family of services with its items; ``is_basic`` marks the five."""

    code: str
    label: str
    is_basic: bool
    items: tuple[PublicItem, ...]


def active_items() -> QuerySet[ServiceItem]:
    """The items in use, in the order of the list."""
    return ServiceItem.objects.filter(is_active=True).order_by("family", "code")


def known_at(moment: datetime) -> Q:
    """Return the condition that a price was on record, of a published list, at a moment."""
    later = Q(recorded_to=None) | Q(recorded_to__gt=moment)
    return later & Q(recorded_from__lte=moment, price_list__state=PriceListState.PUBLISHED)


def holding_on(day: date) -> Q:
    """Return the condition that a price holds on a day."""
    return Q(valid_from__lte=day) & (Q(valid_to=None) | Q(valid_to__gt=day))


def price_for(*, item: ServiceItem, organisation: Organisation, service_day: date, placed_at: datetime) -> Price:
    """Return the one price: of the lists published by ``placed_at``, the one in force on the service day (R-ORD-16, D-18).

    Raises Refused ``price.missing``.
    """
    rows = Price.objects.filter(known_at(placed_at), holding_on(service_day), item=item, organisation=organisation)
    price = rows.select_related("price_list", "item", "organisation").first()
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


def offers(item: ServiceItem, service_day: date, placed_at: datetime) -> QuerySet[Price]:
    """The prices of one item at all organisations that offer it on a day, cheapest first."""
    rows = Price.objects.filter(known_at(placed_at), holding_on(service_day), item=item)
    return rows.select_related("organisation").order_by("amount_fen", "organisation__short_name")


def price_lists(actor: Actor) -> QuerySet[PriceList]:
    """The price lists an actor may work on: of the own organisation or of the organisations in the own area."""
    mine = Q(pk__in=[])
    if actor.organisation_id:
        mine |= Q(organisation_id=actor.organisation_id)
    if actor.div:
        mine |= Q(organisation__div__gte=actor.div, organisation__div__lt=actor.div + ":")
    rows = PriceList.objects.filter(mine).select_related("organisation", "drafted_by", "published_by")
    return rows.annotate(line_count=Count("prices")).order_by("-id")


def public_list(div: str, on: date, now: datetime) -> list[PublicFamily]:
    """The list with the five kinds of information, each with its effective date, as everybody may read it (R-ORD-10, R-PAY-08)."""
    fees = _fees(div, on, now)
    basics = parameter("catalogue.basic_families", div, on)
    by_family: dict[str, list[PublicItem]] = defaultdict(list)
    for item in active_items():
        by_family[item.family].append(_public(item, fees[item.pk]))
    order = sorted(
        FAMILIES, key=lambda family: (family[0] not in basics, [code for code, _ in FAMILIES].index(family[0]))
    )
    return [
        PublicFamily(code, label, code in basics, tuple(by_family[code]))
        for code, label in order
        if code in by_family or code in basics
    ]


def _fees(div: str, on: date, now: datetime) -> dict[int, tuple[Fee, ...]]:
    near = Q(organisation__div__gte=div, organisation__div__lt=div + ":") | Q(organisation__div__in=ancestors(div))
    rows = Price.objects.filter(known_at(now), holding_on(on), near).select_related("organisation", "price_list")
    found: dict[int, tuple[Fee, ...]] = defaultdict(tuple)
    for row in rows.order_by("amount_fen", F("organisation__short_name")):
        fee = Fee(
            organisation=row.organisation.short_name,
            amount_fen=row.amount_fen,
            callout_fee_fen=row.callout_fee_fen,
            unit=row.unit,
            basis=row.price_list.get_basis_display(),
            document=row.price_list.document,
            effective_on=row.valid_from,
            organisation_id=row.organisation_id,
        )
        found[row.item_id] += (fee,)
    return found


def _public(item: ServiceItem, fees: tuple[Fee, ...]) -> PublicItem:
    return PublicItem(
        item=item,
        entry=Dated(item.description, item.effective("description")),
        guide=Dated(item.guide, item.effective("guide")),
        standard=Dated(item.standard, item.effective("standard")),
        support_policy=Dated(item.support_policy, item.effective("support_policy")),
        fees=fees,
    )
