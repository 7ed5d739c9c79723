"""What may pay for made-up orders, and the counters they move, by the platform's own rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from yinling.catalogue.models import ServiceItem
from yinling.demo.world import World
from yinling.entitlements.models import Agreement, Entitlement, Quota
from yinling.entitlements.rules import Funding, Left, Use, kept_limits, period_start
from yinling.ground.models import DatedFact
from yinling.ground.parameters import parameter
from yinling.orders.models import PayerShare
from yinling.orders.payers import Bill, PayerPolicy, PricedLine, divide
from yinling.orders.queries import payer_policy

NO_AGREEMENT = "没有定点协议"


class Counters:
    """What entitlements still give, kept in memory while a city is made."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.quotas: dict[tuple[int, str, str, date], Quota] = {}
        self.rules: dict[date, tuple[PayerPolicy, list[str]]] = {}
        self.meals: set[tuple[int, date, str]] = set()
        self.agreed = {(row.organisation_id, row.payer): row for row in Agreement.objects.exclude(payer="")}

    def bill(self, elder_id: int, provider_id: int, lines: Sequence[PricedLine], item: ServiceItem, day: date) -> Bill:
        """Divide the lines of an order among whatever may pay on the day."""
        area = self.world.profile.area
        if day not in self.rules:
            self.rules[day] = payer_policy(area, day), parameter("payers.needs_agreement", area, day)
        policy, needing = self.rules[day]
        taken = {meal for meal in lines[0].meals if (elder_id, day, meal) in self.meals}
        fundings = [self._funding(row, provider_id, day, needing) for row in self.entitlements(elder_id, item, day)]
        bill = divide(lines, fundings, policy, meals_taken=taken)
        if any(share.amount_fen and share.payer in policy.one_meal for share in bill.shares):
            self.meals |= {(elder_id, day, meal) for meal in lines[0].meals}
        return bill

    def entitlements(self, elder_id: int, item: ServiceItem, day: date) -> list[Entitlement]:
        """What the elder holds for an item on a day."""
        rows = self.world.people.entitlements.get(elder_id, [])
        return [row for row in rows if _holds(row, day) and _is_for(row, item)]

    def _funding(self, row: Entitlement, provider_id: int, day: date, needing: Iterable[str]) -> Funding:
        scheme = row.scheme
        agreed = self.agreed.get((provider_id, scheme.payer))
        barred = {"": NO_AGREEMENT} if scheme.payer in needing and not (agreed and _holds(agreed, day)) else {}
        limits = []
        for limit in kept_limits(row.limits, monthly_cap_fen=row.monthly_cap_fen, items=row.items):
            first, most = period_start(limit.per, day, row.valid_from), limit.most_on(day, row.valid_from)
            known = self.quotas.get((row.pk, limit.unit, limit.per, first))
            left = most - known.reserved - known.used if known else most
            limits.append(Left(limit.unit, limit.per, first, max(0, left), most))
        return Funding(
            entitlement_id=row.pk, scheme_id=scheme.pk, scheme_code=scheme.code, scheme_name=scheme.name, payer=scheme.payer,
            fund=scheme.fund, share_bp=row.share_bp, units=row.units, items=row.items, limits=tuple(limits),
            families=frozenset(scheme.families), barred=barred,
        )  # fmt: skip

    def reserve(self, row: PayerShare, uses: Iterable[Use]) -> None:
        """Set aside what a share uses."""
        for use in uses:
            self._quota(row, use).reserved += use.amount

    def give_back(self, row: PayerShare, uses: Iterable[Use]) -> None:
        """Free what a cancelled or failed order had set aside."""
        for use in uses:
            self._quota(row, use).reserved -= use.amount

    def use(self, row: PayerShare, uses: Iterable[Use]) -> None:
        """Use up what a settled order had set aside."""
        for use in uses:
            quota = self._quota(row, use)
            quota.reserved, quota.used = quota.reserved - use.amount, quota.used + use.amount

    def _quota(self, row: PayerShare, use: Use) -> Quota:
        assert row.entitlement is not None  # noqa: S101 - only shares of entitlements use counters
        key = (row.entitlement.pk, use.unit, use.per, use.from_on)
        if key not in self.quotas:
            self.quotas[key] = self.world.add(
                Quota(
                    div=row.entitlement.div, elder_id=row.elder_id, entitlement=row.entitlement, unit=use.unit, per=use.per,
                    from_on=use.from_on, cap=use.most or 0,
                )
            )  # fmt: skip
        quota = self.quotas[key]
        quota.cap = max(quota.cap, use.most or 0)
        return quota


def _holds(row: DatedFact, day: date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or day < row.valid_to)


def _is_for(row: Entitlement, item: ServiceItem) -> bool:
    return item.code in row.items if row.items else item.family in row.scheme.families
