"""The money of made-up orders, by the platform's own rules: quote, counters, ledger, statements."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta

from yinling.catalogue.models import Price, ServiceItem
from yinling.demo.funding import Counters
from yinling.demo.world import World
from yinling.directory.queries import point_at
from yinling.entitlements.rules import Use
from yinling.ground.parameters import parameter
from yinling.kernel.geo import Datum, Position, distance_m
from yinling.kernel.period import local_date, month_start
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.orders.payers import CALLOUT, PricedLine
from yinling.orders.pricing import Asked, Callout, callout
from yinling.orders.queries import CALLOUT_NAME, Priced
from yinling.settlement.models import Charge, ClaimedItem, ClaimedTime, LedgerEntry, Posting, Statement, StatementLine
from yinling.settlement.rules import SELF, SELF_FUND, Minutes, Share, entries, own_minutes
from yinling.settlement.states import DecisionState

AGREED = "老人本人（电话告知）"

TOLERANCE = timedelta(minutes=10)
BESIDE = ("meal", "rescue")


class Money:
    """Freezes prices and payers of orders, moves the counters, and keeps the ledger."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.counters = Counters(world)
        self.uses: dict[int, tuple[Use, ...]] = {}
        self.lines: dict[int, list[OrderLine]] = {}
        self.shares: dict[int, list[PayerShare]] = defaultdict(list)
        self.minutes: dict[int, list[Minutes]] = defaultdict(list)
        self.charges: dict[tuple[int, str, date], list[Charge]] = defaultdict(list)

    def freeze(self, order: Order, item: ServiceItem) -> None:
        """Write lines and shares of an order and reserve the caps."""
        day = local_date(order.starts_at)
        price = self.world.price(order.provider_id, item, day)
        assert price is not None  # noqa: S101 - the caller has looked
        priced = Priced(item, price)
        fee = self._fee(order, item, price)
        asked = (
            [PricedLine(CALLOUT, item.code, CALLOUT_NAME, (), 0, fee.amount_fen, family=item.family)]
            if fee.amount_fen
            else []
        )
        bill = self.counters.bill(order.elder_id, order.provider_id, [priced.line(), *asked], item, day)
        common = {"div": order.div, "order": order, "elder_id": order.elder_id, "provider_id": order.provider_id}
        lines = [
            self.world.add(
                OrderLine(
                    **common, item=item, price=price, kind=line.kind, name=line.name, minutes=line.minutes, amount_fen=line.amount_fen,
                    detail={"parts": [list(part) for part in fee.parts], "asked_fen": fee.amount_fen} if line.kind == CALLOUT else {},
                )
            )
            for line in bill.lines
        ]  # fmt: skip
        held = {row.pk: row for row in self.counters.entitlements(order.elder_id, item, day)}
        for share in bill.shares:
            row = PayerShare(
                **common, line=lines[share.line], payer=share.payer, entitlement=held.get(share.entitlement_id or 0),
                amount_fen=share.amount_fen, reason=share.reason, uses=[use.as_json() for use in share.uses],
            )  # fmt: skip
            self.shares[order.pk].append(self.world.add(row))
            self.uses[row.pk] = share.uses
            self.counters.reserve(row, share.uses)
        self.lines[order.pk] = lines
        order.total_fen, order.self_fen = bill.total_fen, bill.self_fen
        order.self_pay_consent = AGREED if bill.beyond_fen else ""

    def _fee(self, order: Order, item: ServiceItem, price: Price) -> Callout:
        """Return the on-site fee by the published rate of the body, and keep the way it counts on the order."""
        if not item.charges_callout:
            return Callout(0, ())
        site, day = self.world.bodies.sites[order.provider_id], local_date(order.starts_at)
        home = point_at(order.lon, order.lat)
        order.distance_method = "straight_line" if home else "unknown"
        if home:
            metres = distance_m(home, Position(site.lon, site.lat, Datum.WGS84))
            order.distance_m = round(metres * float(parameter("callout.distance_factor", self.world.profile.area, day)))
        return callout(
            [Asked(item.charges_callout, price.callout_fee_fen, item.needs_qualification)], self.world.rates.get(order.provider_id),
            starts_at=order.starts_at, distance_m=order.distance_m, is_holiday=day in self.world.holidays,
        )  # fmt: skip

    def give_back(self, order: Order) -> None:
        """Free what a cancelled or failed order had reserved."""
        for row in self.shares[order.pk]:
            self.counters.give_back(row, self.uses[row.pk])

    def settle(self, order: Order, at: datetime, visited: Minutes | None = None) -> bool:
        """Charge an order: posting, entries on both sides, charges, counters. Not if its minutes were charged already (R-PAY-04)."""
        is_funded = any(row.entitlement_id and row.amount_fen for row in self.shares[order.pk])
        claimed = visited if is_funded and self.lines[order.pk][0].item.family not in BESIDE else None
        own = own_minutes(claimed, self.minutes[order.elder_id], tolerance=TOLERANCE) if claimed else None
        if claimed and own is None:
            return False
        world, day = self.world, local_date(order.starts_at)
        posting = world.add(
            Posting(
                div=order.div, key=f"order:{order.pk}", kind="order", order=order, provider_id=order.provider_id, elder_id=order.elder_id,
                text=order.code, posted_at=at, posted_by=world.users["system"],
            )
        )  # fmt: skip
        self._claim(posting, order, own)
        for side in entries([_as_share(row) for row in self.shares[order.pk]], service_day=day):
            world.add(
                LedgerEntry(
                    div=posting.div, posting=posting, account=side.account, amount=side.amount, business=side.business, fund=side.fund,
                    scheme_id=side.scheme_id, plan_year=side.plan_year or day.year, provider_id=order.provider_id, elder_id=order.elder_id,
                    line_id=side.line_id, service_day=side.service_day, booked_on=local_date(at), period=month_start(local_date(at)),
                )
            )  # fmt: skip
        for row in self.shares[order.pk]:
            if not row.amount_fen:
                continue
            charge = Charge(
                div=posting.div, posting=posting, order=order, line_id=row.line_id, elder_id=row.elder_id, provider_id=row.provider_id,
                payer=row.payer, entitlement_id=row.entitlement_id, amount_fen=row.amount_fen, service_day=day,
            )  # fmt: skip
            self.charges[row.provider_id, row.payer, month_start(day)].append(world.add(charge))
            self.counters.use(row, self.uses[row.pk])
        return True

    def _claim(self, posting: Posting, order: Order, own: Minutes | None) -> None:
        """Note the services, and the minutes of a funded visit, that nobody else can be charged for."""
        common = {
            "div": order.div,
            "posting": posting,
            "order": order,
            "elder_id": order.elder_id,
            "provider_id": order.provider_id,
        }
        for item in {line.item_id for line in self.lines[order.pk] if line.kind == "item"}:
            self.world.add(ClaimedItem(**common, item_id=item, starts_at=order.starts_at))
        if own:
            self.minutes[order.elder_id].append(own)
            self.world.add(ClaimedTime(**common, from_at=own[0], to_at=own[1]))

    def state_accounts(self) -> None:
        """Draw up the statements of months that are over: most approved, some still waiting for a person."""
        ends = [month for _, _, month in self.charges if month < month_start(self.world.today)]
        for number, (key, charges) in enumerate(sorted(self.charges.items(), key=lambda pair: pair[0][:2])):
            if key[1] != SELF and key[2] in ends:
                self._statement(key, charges, number)

    def _statement(self, key: tuple[int, str, date], charges: list[Charge], number: int) -> None:
        world, users = self.world, self.world.users
        provider = next(body for body in world.bodies.all if body.pk == key[0])
        claimed = key[1] in parameter(
            "claims.payers", world.profile.area, world.today
        )  # the story of the money goes on with these
        states = (DecisionState.DRAFT, DecisionState.REVIEWED, DecisionState.APPROVED, DecisionState.APPROVED)
        state = DecisionState.APPROVED if claimed else states[number % 4]
        drafted = max(world.now - timedelta(days=5), world.now.replace(day=1))
        row = Statement(
            div=provider.div, provider=provider, payer=key[1], month=key[2], state=state, total_fen=sum(one.amount_fen for one in charges),
            line_count=len(charges), drafted_at=drafted, drafted_by=users["finance"], created_at=drafted, changed_at=drafted,
        )  # fmt: skip
        world.add(row)
        world.note(users["finance"], "finance", "settlement.statement.draft", drafted, row)
        if state != DecisionState.DRAFT:
            row.reviewed_by, row.reviewed_at, row.version = (
                users["finance"],
                min(drafted + timedelta(hours=1), world.now),
                1,
            )
            world.note(
                users["finance"],
                "finance",
                "settlement.statement.review",
                row.reviewed_at,
                row,
                changes={"state": ["draft", "reviewed"]},
            )
        if state == DecisionState.APPROVED:
            row.approved_by, row.approved_at, row.version = (
                users["finance2"],
                min(drafted + timedelta(hours=5), world.now),
                2,
            )
            changes = {"state": ["reviewed", "approved"]}
            world.note(
                users["finance2"], "finance", "settlement.statement.approve", row.approved_at, row, changes=changes
            )
        for charge in charges:
            world.add(StatementLine(div=row.div, statement=row, charge=charge, provider=provider))


def _as_share(row: PayerShare) -> Share:
    scheme = row.entitlement.scheme if row.entitlement else None
    return Share(
        line_id=row.line_id, payer=row.payer, amount_fen=row.amount_fen, is_medical=row.line.item.is_medical,
        fund=scheme.fund if scheme else SELF_FUND, scheme_id=scheme.pk if scheme else None,
    )  # fmt: skip
