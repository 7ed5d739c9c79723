"""What the long-term care insurance pays for in an area: each item with its minutes, how often, its price and the fund's part (R-LTC-03).

The parts come from the payers' own division of a bill, so that the list says what an order will be charged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from yinling.catalogue.models import ServiceItem
from yinling.catalogue.queries import PublicItem, public_list
from yinling.entitlements.conditions import Grade
from yinling.entitlements.models import Agreement, Scheme
from yinling.entitlements.queries.agreements import BUYING, obstacle
from yinling.entitlements.queries.eligibility import Terms, terms_of
from yinling.entitlements.queries.sets import active_schemes
from yinling.entitlements.rules import Agreed, Funding
from yinling.ground.models import in_force
from yinling.ground.parameters import parameter
from yinling.orders.payers import ITEM, PayerPolicy, PricedLine, split
from yinling.orders.queries.quotes import minutes_of, payer_policy
from yinling.orders.rules import GOODS

PAYER = "ltci"
SAMPLE_FEN = 10_000
"""A price by which is found whether the fund pays for an item at all."""


@dataclass(frozen=True)
class Paid:
    """What the fund pays for an item of somebody of a grade: of the lowest and of the highest price, nothing while no price is known."""

    grade: Grade
    of_lowest_fen: int | None
    of_highest_fen: int | None


@dataclass(frozen=True)
class InsuredItem:
    """An item that the fund pays for. The prices are those that the bodies ask which it pays, so many as ``bodies``."""

    item: ServiceItem
    bodies: int
    lowest_fen: int | None
    highest_fen: int | None
    paid: tuple[Paid, ...]


@dataclass(frozen=True)
class Insurance:
    """One insurance of an area on a day, with its terms and what it pays for."""

    scheme: Scheme
    terms: Terms | None
    items: tuple[InsuredItem, ...]


def insurances(div: str, on: date, now: datetime) -> list[Insurance]:
    """The insurances that concern an area on a day, each with the items it pays for at the prices published by now."""
    return [_insurance(scheme, div, on, now) for scheme in active_schemes(div) if scheme.payer == PAYER]


def _insurance(scheme: Scheme, div: str, on: date, now: datetime) -> Insurance:
    terms, policy = terms_of(scheme.code, scheme.div, on), payer_policy(scheme.div or div, on)
    grades = terms.grades if terms else ()
    bound = _bound(on) if PAYER in parameter("payers.needs_agreement", scheme.div or div, on) else None
    shown = [one for family in public_list(scheme.div or div, on, now) for one in family.items]
    found = [_item(one, grades, scheme, policy, bound) for one in shown]
    return Insurance(scheme, terms, tuple(one for one in found if one.paid))


def _bound(on: date) -> dict[int, list[Agreed]]:
    """The agreements of the fund in force on a day, by body."""
    rows = Agreement.objects.filter(in_force(on), payer=PAYER, kind__in=BUYING)
    found: dict[int, list[Agreed]] = {}
    for pk, body, items in rows.values_list("pk", "organisation_id", "items"):
        found.setdefault(body, []).append(Agreed(pk, frozenset(items)))
    return found


def _item(
    one: PublicItem, grades: Sequence[Grade], scheme: Scheme, policy: PayerPolicy, bound: Mapping[int, Sequence[Agreed]] | None
) -> InsuredItem:  # fmt: skip
    item = one.item
    fees = [
        fee.amount_fen
        for fee in one.fees
        if bound is None or obstacle(bound.get(fee.organisation_id, ()), item.code) is None
    ]
    lowest, highest = (min(fees), max(fees)) if fees else (None, None)

    def part(grade: Grade, price: int) -> int:
        funding = _funding(scheme, grade)
        return sum(share.amount_fen for share in split([_line(item, price)], [funding], policy) if share.payer == PAYER)

    paid = tuple(
        Paid(grade, None if lowest is None else part(grade, lowest), None if highest is None else part(grade, highest))
        for grade in grades
        if part(grade, SAMPLE_FEN)
    )
    return InsuredItem(item, len(fees), lowest, highest, paid)


def _funding(scheme: Scheme, grade: Grade) -> Funding:
    """What a grade gives before anything of it is used."""
    amounts = grade.amounts
    return Funding(
        entitlement_id=0, scheme_id=scheme.pk, scheme_code=scheme.code, scheme_name=scheme.name, payer=scheme.payer, fund=scheme.fund,
        share_bp=amounts.share_bp or 0, units=dict(amounts.units), families=frozenset(scheme.families),
    )  # fmt: skip


def _line(item: ServiceItem, price: int) -> PricedLine:
    return PricedLine(
        ITEM, item.code, item.name, tuple(item.units), minutes_of(item, 1), price, item.is_insurable, item.family,
        is_goods=item.kind in GOODS,
    )  # fmt: skip
