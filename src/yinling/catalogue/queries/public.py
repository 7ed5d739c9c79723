"""What anybody may read: the list with its five kinds of information, what each body asks, on-site rates and packages (R-PAY-08)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, Q, QuerySet

from yinling.catalogue.models import FAMILIES, CalloutRate, Package, Price, PriceList, ServiceItem
from yinling.catalogue.queries.prices import holding_on, in_group, known_at, may_ask, of_group
from yinling.catalogue.queries.work import active_items
from yinling.directory.models import Organisation
from yinling.directory.queries import ancestors
from yinling.ground.parameters import parameter


@dataclass(frozen=True)
class Dated:
    """A published text and the day from which it holds."""

    text: str
    effective_on: date


@dataclass(frozen=True)
class Fee:
    """What one organisation asks, from which day, on what basis; ``group`` names the group if the price is not its own."""

    organisation: str
    amount_fen: int
    callout_fee_fen: int
    unit: str
    basis: str
    document: str
    effective_on: date
    organisation_id: int = 0
    document_on: date | None = None
    group: str = ""


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


@dataclass(frozen=True)
class BodyPrices:
    """Everything one body asks on a day (R-ORD-16): each item with its fee, and its on-site rate."""

    body: Organisation
    fees: tuple[tuple[ServiceItem, Fee], ...]
    rate: CalloutRate | None


def public_list(div: str, on: date, now: datetime, *, text: str = "", basis: str = "") -> list[PublicFamily]:
    """The list with the five kinds of information, each with its effective date, as everybody may read it (R-ORD-10, R-PAY-08).

    ``text`` finds items by code or name, ``basis`` fees by what their price rests on.
    """
    fees = _fees(div, on, now, basis)
    basics = parameter("catalogue.basic_families", div, on)
    by_family: dict[str, list[PublicItem]] = defaultdict(list)
    for item in active_items():
        if text in item.name or item.code.startswith(text.upper()):
            by_family[item.family].append(_public(item, fees[item.pk]))
    order = sorted(
        FAMILIES, key=lambda family: (family[0] not in basics, [code for code, _ in FAMILIES].index(family[0]))
    )
    return [
        PublicFamily(code, label, code in basics, tuple(by_family[code]))
        for code, label in order
        if code in by_family or (code in basics and not text)
    ]


def _near(div: str, prefix: str = "") -> Q:
    within = {f"{prefix}div__gte": div, f"{prefix}div__lt": div + ":"}
    return Q(**within) | Q(**{f"{prefix}div__in": ancestors(div)})


def _fees(div: str, on: date, now: datetime, basis: str = "") -> dict[int, tuple[Fee, ...]]:
    """What the bodies of an area ask for each item, cheapest first: their own prices, and of those without one their group's."""
    rows = Price.objects.filter(known_at(now), holding_on(on)).select_related("organisation", "price_list", "item")
    rows = rows.filter(_near(div, "organisation__") | (Q(organisation=None) & _near(div)))
    found: dict[int, list[Fee]] = defaultdict(list)
    group: dict[int, list[Price]] = defaultdict(list)
    own: set[tuple[int, int | None]] = set()
    for row in rows.order_by("amount_fen", F("organisation__short_name")):
        if row.organisation is None:
            group[row.item_id].append(row)
        else:
            found[row.item_id].append(_fee(row.organisation, row))
            own.add((row.item_id, row.organisation_id))
    bodies = list(in_group(on).filter(_near(div))) if group else []
    for item_id, prices in group.items():
        for body in bodies:
            price = of_group(body, prices)
            if price is not None and (item_id, body.pk) not in own and may_ask(body, price.item):
                found[item_id].append(_fee(body, price))
        found[item_id].sort(key=lambda fee: (fee.amount_fen, fee.organisation))
    rests_on = dict(PriceList.BASES).get(basis, "")
    chosen = {
        item_id: tuple(fee for fee in fees if not basis or fee.basis == rests_on) for item_id, fees in found.items()
    }
    return defaultdict(tuple, chosen)


def _fee(body: Organisation, price: Price) -> Fee:
    return Fee(
        organisation=body.short_name, amount_fen=price.amount_fen, callout_fee_fen=price.callout_fee_fen, unit=price.unit,
        basis=price.price_list.get_basis_display(), document=price.price_list.document, effective_on=price.valid_from,
        organisation_id=body.pk, document_on=price.price_list.document_on,
        group="" if price.organisation_id else str(price.get_price_group_display()),
    )  # fmt: skip


def _public(item: ServiceItem, fees: tuple[Fee, ...]) -> PublicItem:
    return PublicItem(
        item=item,
        entry=Dated(item.description, item.effective("description")),
        guide=Dated(item.guide, item.effective("guide")),
        standard=Dated(item.standard, item.effective("standard")),
        support_policy=Dated(item.support_policy, item.effective("support_policy")),
        fees=fees,
    )


def body_prices(organisation_id: int, on: date, now: datetime) -> BodyPrices | None:
    """Return what one body asks on a day, its own prices before its group's; None for a body that does not serve."""
    body = Organisation.objects.filter(pk=organisation_id, is_provider=True).first()
    if body is None:
        return None
    whose = Q(organisation=body)
    if body.price_group:
        whose |= Q(organisation=None, price_group=body.price_group, div__in=ancestors(body.div))
    rows = Price.objects.filter(known_at(now), holding_on(on), whose, item__is_active=True)
    best: dict[int, Price] = {}
    for row in rows.select_related("price_list", "item").order_by(F("organisation_id").asc(nulls_last=True), "-div"):
        if row.organisation_id or may_ask(body, row.item):
            best.setdefault(row.item_id, row)
    fees = sorted(
        ((row.item, _fee(body, row)) for row in best.values()), key=lambda pair: (pair[0].family, pair[0].code)
    )
    return BodyPrices(body, tuple(fees), public_rates("", on, now).filter(organisation=body).first())


def public_rates(div: str, on: date, now: datetime) -> QuerySet[CalloutRate]:
    """The on-site rates in force on a day of the bodies in an area and above it, by name."""
    rows = CalloutRate.objects.filter(known_at(now), holding_on(on)).select_related("organisation", "price_list")
    return (rows.filter(_near(div, "organisation__")) if div else rows).order_by("organisation__short_name", "pk")


def public_packages(div: str, on: date, now: datetime) -> QuerySet[Package]:
    """The packages in force on a day in an area, above it and below it, by name."""
    published = Q(recorded_from__lte=now, published_at__isnull=False) & (Q(recorded_to=None) | Q(recorded_to__gt=now))
    return Package.objects.filter(published, holding_on(on), _near(div)).order_by("name", "div", "pk")
