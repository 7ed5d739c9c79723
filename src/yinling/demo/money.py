"""The money of made-up orders, by the platform's own rules: quote, counters, ledger, statements."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta

from yinling.catalogue.models import ServiceItem
from yinling.demo.world import World
from yinling.entitlements.models import Entitlement, Quota
from yinling.entitlements.rules import PAYER_ORDER
from yinling.kernel.period import local_date, month_start
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.orders.rules import PricedItem, Source, price_lines, split_lines
from yinling.settlement.models import Charge, LedgerEntry, Posting, Statement, StatementLine
from yinling.settlement.rules import SELF, SELF_FUND, Share, claim_key, entries
from yinling.settlement.states import StatementState


class Money:
    """Freezes prices and payers of orders, moves the counters, and keeps the ledger."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.quotas: dict[tuple[int, date], Quota] = {}
        self.lines: dict[int, list[OrderLine]] = {}
        self.shares: dict[int, list[PayerShare]] = defaultdict(list)
        self.charges: dict[tuple[int, str, date], list[Charge]] = defaultdict(list)

    def freeze(self, order: Order, item: ServiceItem) -> None:
        """Write lines and shares of an order and reserve the caps."""
        day = local_date(order.starts_at)
        price = self.world.price(order.provider_id, item, day)
        assert price is not None  # noqa: S101 - the caller has looked
        callout = price.callout_fee_fen if item.charges_callout else 0
        bill = price_lines([PricedItem(item.name, item.standard_minutes, price.amount_fen, callout)])
        common = {"div": order.div, "order": order, "elder_id": order.elder_id, "provider_id": order.provider_id}
        lines = [
            self.world.add(
                OrderLine(
                    **common, item=item, price=price, kind=line.kind, name=line.name, minutes=line.minutes, amount_fen=line.amount_fen
                )
            )
            for line in bill
        ]  # fmt: skip
        held = {row.pk: row for row in self.funding(order.elder_id, item.family, day)}
        sources = [
            Source(row.scheme.payer, row.scheme.name, row.share_bp, row.pk, self.left(row, day))
            for row in held.values()
        ]
        for share in split_lines(bill, sources):
            row = PayerShare(
                **common, line=lines[share.line], payer=share.payer, entitlement=held.get(share.entitlement_id or 0),
                amount_fen=share.amount_fen, reason=share.reason,
            )  # fmt: skip
            self.shares[order.pk].append(self.world.add(row))
            if row.entitlement and row.entitlement.monthly_cap_fen is not None:
                self.quota(row.entitlement, day).reserved += row.amount_fen
        self.lines[order.pk] = lines
        order.total_fen = sum(line.amount_fen for line in lines)
        order.self_fen = sum(row.amount_fen for row in self.shares[order.pk] if row.payer == SELF)

    def funding(self, elder_id: int, family: str, day: date) -> list[Entitlement]:
        """Return what may pay, in the order of payers."""
        rows = [
            row
            for row in self.world.people.entitlements.get(elder_id, [])
            if family in row.scheme.families and row.valid_from <= day and (row.valid_to is None or day < row.valid_to)
        ]
        return sorted(rows, key=lambda row: PAYER_ORDER.index(row.scheme.payer))

    def left(self, row: Entitlement, day: date) -> int | None:
        """Return what is left of the month, without a cap nothing to count."""
        if row.monthly_cap_fen is None:
            return None
        known = self.quotas.get((row.pk, month_start(day)))
        return known.cap - known.reserved - known.used if known else row.monthly_cap_fen

    def quota(self, row: Entitlement, day: date) -> Quota:
        """Return the counter of the month."""
        key = (row.pk, month_start(day))
        if key not in self.quotas:
            self.quotas[key] = self.world.add(
                Quota(
                    div=row.div, elder_id=row.elder_id, entitlement=row, from_on=key[1], cap=row.monthly_cap_fen or 0
                )
            )
        return self.quotas[key]

    def give_back(self, order: Order) -> None:
        """Free what a cancelled or failed order had reserved."""
        for row in self.shares[order.pk]:
            if row.entitlement and row.entitlement.monthly_cap_fen is not None:
                self.quota(row.entitlement, local_date(order.starts_at)).reserved -= row.amount_fen

    def settle(self, order: Order, at: datetime) -> None:
        """Charge an order: posting, entries on both sides, charges, counters."""
        world, day = self.world, local_date(order.starts_at)
        item_line = self.lines[order.pk][0]
        posting = world.add(
            Posting(
                div=order.div, key=f"order:{order.pk}", kind="order", order=order, provider_id=order.provider_id, elder_id=order.elder_id,
                text=order.code, posted_at=at, posted_by=world.users["system"],
                claim=claim_key(elder_id=order.elder_id, item_id=item_line.item_id, starts_at=order.starts_at, billed=0),
            )
        )  # fmt: skip
        for side in entries(
            [_as_share(row) for row in self.shares[order.pk]], service_day=day, period=month_start(local_date(at))
        ):
            world.add(
                LedgerEntry(
                    div=posting.div, posting=posting, account=side.account, amount=side.amount, business=side.business, fund=side.fund,
                    scheme_id=side.scheme_id, plan_year=side.plan_year, provider_id=order.provider_id, elder_id=order.elder_id,
                    line_id=side.line_id, service_day=side.service_day, booked_on=local_date(at), period=side.period,
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
            if row.entitlement and row.entitlement.monthly_cap_fen is not None:
                quota = self.quota(row.entitlement, day)
                quota.reserved, quota.used = (
                    quota.reserved - row.amount_fen,
                    quota.used + row.amount_fen,
                )

    def state_accounts(self) -> None:
        """Draw up the statements of months that are over: most approved, some still waiting for a person."""
        ends = [month for _, _, month in self.charges if month < month_start(self.world.today)]
        for number, (key, charges) in enumerate(sorted(self.charges.items(), key=lambda pair: pair[0][:2])):
            if key[1] != SELF and key[2] in ends:
                self._statement(key, charges, number)

    def _statement(self, key: tuple[int, str, date], charges: list[Charge], number: int) -> None:
        world, users = self.world, self.world.users
        provider = next(body for body in world.bodies.all if body.pk == key[0])
        state = (StatementState.DRAFT, StatementState.REVIEWED, StatementState.APPROVED, StatementState.APPROVED)[
            number % 4
        ]
        drafted = max(world.now - timedelta(days=5), world.now.replace(day=1))
        row = Statement(
            div=provider.div, provider=provider, payer=key[1], month=key[2], state=state, total_fen=sum(one.amount_fen for one in charges),
            line_count=len(charges), drafted_at=drafted, drafted_by=users["finance"], created_at=drafted, changed_at=drafted,
        )  # fmt: skip
        world.add(row)
        world.note(users["finance"], "finance", "settlement.statement.draft", drafted, row)
        if state != StatementState.DRAFT:
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
        if state == StatementState.APPROVED:
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
