"""Reading the list: items, what an organisation asks for them on a day, and what the public sees."""

from yinling.catalogue.queries.prices import (
    Offer,
    asking,
    callout_rate_for,
    families_asked,
    holding_on,
    known_at,
    offers,
    packages_for,
    price_for,
)
from yinling.catalogue.queries.public import (
    BodyPrices,
    Dated,
    Fee,
    PublicFamily,
    PublicItem,
    body_prices,
    public_list,
    public_packages,
    public_rates,
)
from yinling.catalogue.queries.work import active_items, packages, price_lists, prices_until

__all__ = [
    "BodyPrices",
    "Dated",
    "Fee",
    "Offer",
    "PublicFamily",
    "PublicItem",
    "active_items",
    "asking",
    "body_prices",
    "callout_rate_for",
    "families_asked",
    "holding_on",
    "known_at",
    "offers",
    "packages",
    "packages_for",
    "price_for",
    "price_lists",
    "prices_until",
    "public_list",
    "public_packages",
    "public_rates",
]
