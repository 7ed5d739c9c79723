"""Refused attempts to charge twice, from the journal; and persons for whom two payers stand ready (R-PAY-04, R-LTC-07)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from yinling.accounts.models import Journal
from yinling.directory.rules import require
from yinling.entitlements.models import PAYERS, Entitlement, Scheme
from yinling.ground.models import in_force
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_
from yinling.orders.models import Order, PayerShare
from yinling.people.models import Elder
from yinling.settlement.models import ClaimedTime, Posting

PAYER_ORDER = [code for code, _name in PAYERS]
CODES = [
    ("settlement.repeated", N_("同一服务重复结算")),
    ("settlement.time_claimed", N_("同一时间重复结算")),
    ("settlement.already", N_("同一订单再次结算")),
    ("settlement.quota", N_("额度已用完仍结算")),
    ("quota.cap", N_("额度已用完仍下单")),
    ("entitlement.overlap", N_("重复享受同一待遇")),
    ("bed.twice", N_("重复建家庭病床")),
    ("stay.overlap", N_("住院床日重叠")),
    ("contract.overlap", N_("重复签约")),
    ("reimbursement.household", N_("一户重复报销")),
    ("subsidy.twice", N_("重复补助机构")),
    ("statement.twice", N_("重复出对账单")),
    ("claim.already", N_("重复申报")),
    ("remittance.twice", N_("重复导入回款")),
    ("bank.twice", N_("重复导入银行回单")),
    ("ledger.key_reused", N_("同一编号再次入账")),
]
"""The refusals that stand for an attempt to be paid twice, with what people read."""


@dataclass(frozen=True)
class Link:
    """One payer of a chain and what it bears."""

    payer: str
    scheme: str
    fen: int


@dataclass(frozen=True)
class Charged:
    """One of the two orders of a try, with who pays for it in order, and the posting that stands."""

    order: Order
    chain: tuple[Link, ...]
    posting: Posting | None


@dataclass(frozen=True)
class Try:
    """One refused attempt: the journal row, the order that was to be charged, and the one that had been before."""

    row: Journal
    tried: Charged | None
    before: Charged | None
    elder: str = ""

    @property
    def what(self) -> str:
        """What was attempted."""
        return dict(CODES).get(self.row.code, self.row.code)

    @property
    def elder_name(self) -> str:
        """Whose care it was."""
        side = self.tried or self.before
        return side.order.elder_name if side else self.elder


def tries(actor: Actor) -> QuerySet[Journal]:
    """Refused attempts to charge twice in the actor's area, the newest first."""
    require(actor, "settlement.try.view")
    return Journal.objects.visible_to(actor).filter(is_refused=True, code__in=dict(CODES)).order_by("-pk")


def described(actor: Actor, rows: Iterable[Journal]) -> list[Try]:
    """Return tries with both orders and their payers: few questions, however many rows."""
    shown = list(rows)
    claimed = _claimed(shown)
    pairs = [(row, _tried(row) or 0, _before(row) or claimed.get(row.pk, 0)) for row in shown]
    orders = _sides(actor, {number for _row, *numbers in pairs for number in numbers if number})
    people = Elder.objects.visible_to(actor).filter(pk__in={row.elder_id for row in shown if row.elder_id})
    names: dict[int | None, str] = dict(people.values_list("pk", "name"))
    return [
        Try(row, orders.get(tried), orders.get(before), names.get(row.elder_id, "")) for row, tried, before in pairs
    ]


def _tried(row: Journal) -> int | None:
    number = row.changes.get("asked", {}).get("order_id") or (row.subject_id if row.subject_type == "order" else None)
    return int(number) if number else None


def _before(row: Journal) -> int | None:
    """The order that was charged before, as the refusal names it."""
    named = row.changes.get("why", {}).get("order")
    if named and int(named) != _tried(row):
        return int(named)
    return _tried(row) if row.code == "settlement.already" else None


def _claimed(rows: Sequence[Journal]) -> dict[int, int]:
    """The orders whose minutes refused ones wanted, by journal row: one question for all."""
    spans = {
        row.pk: tuple(datetime.fromisoformat(str(row.changes["why"][name])) for name in ("from_at", "to_at"))
        for row in rows
        if row.code == "settlement.time_claimed"
        and row.elder_id
        and {"from_at", "to_at"} <= set(row.changes.get("why", {}))
    }
    if not spans:
        return {}
    elders = {row.pk: row.elder_id for row in rows if row.pk in spans}
    first, last = min(span[0] for span in spans.values()), max(span[1] for span in spans.values())
    taken = list(
        ClaimedTime.objects.filter(elder__in=set(elders.values()), from_at__lt=last, to_at__gt=first)
        .order_by("is_live", "-from_at")
        .values_list("elder_id", "from_at", "to_at", "order_id")
    )
    own = {row.pk: _tried(row) for row in rows}
    return {
        pk: order
        for pk, (begin, end) in spans.items()
        for elder, from_at, to_at, order in taken
        if elder == elders[pk] and order != own[pk] and from_at < end and to_at > begin
    }


def _sides(actor: Actor, numbers: set[int]) -> dict[int, Charged]:
    orders = list(Order.objects.visible_to(actor).filter(pk__in=numbers).select_related("provider"))
    chains: dict[int, dict[tuple[str, str], int]] = {order.pk: {} for order in orders}
    shares = PayerShare.objects.filter(order__in=list(chains), line__dropped_at=None, amount_fen__gt=0)
    for share in shares.select_related("entitlement__scheme"):
        name = share.entitlement.scheme.name if share.entitlement else ""
        chain = chains[share.order_id]
        chain[share.payer, name] = chain.get((share.payer, name), 0) + share.amount_fen
    reversal = Posting.objects.filter(reverses=OuterRef("pk"))
    live = Posting.objects.filter(~Exists(reversal), order__in=list(chains), kind="order", reverses=None)
    postings = {row.order_id: row for row in live}
    return {order.pk: Charged(order, _in_order(chains[order.pk]), postings.get(order.pk)) for order in orders}


def _in_order(chain: dict[tuple[str, str], int]) -> tuple[Link, ...]:
    links = [Link(payer, scheme, fen) for (payer, scheme), fen in chain.items()]
    return tuple(sorted(links, key=lambda one: PAYER_ORDER.index(one.payer)))


@dataclass(frozen=True)
class Overlap:
    """An elder with two live schemes for the same families on a day, in the order in which they pay."""

    elder: Elder
    entitlements: tuple[Entitlement, ...]
    families: tuple[str, ...]


def overlapping(schemes: Sequence[Scheme]) -> dict[int, list[int]]:
    """Return which schemes of different payers pay for a family in common."""
    return {
        one.pk: others
        for one in schemes
        if (others := [other.pk for other in schemes if other.payer != one.payer and set(one.families) & set(other.families)])
    }  # fmt: skip


def elders_with_overlap(actor: Actor, on: date, *, payer: str = "") -> QuerySet[Any]:
    """Elders for whom two payers stand ready for the same services on a day (R-LTC-07)."""
    require(actor, "settlement.try.view")
    schemes = list(Scheme.objects.filter(is_active=True))
    held = Q(pk__in=[])
    for scheme_id, others in overlapping(schemes).items():
        if payer and next(one for one in schemes if one.pk == scheme_id).payer != payer:
            continue
        first = Entitlement.objects.filter(in_force(on), elder=OuterRef("pk"), scheme_id=scheme_id)
        second = Entitlement.objects.filter(in_force(on), elder=OuterRef("pk"), scheme_id__in=others)
        held |= Q(Exists(first)) & Q(Exists(second))
    return Elder.objects.visible_to(actor).filter(held).order_by("div", "pk")


def overlaps(elders: Sequence[Elder], on: date, order: Sequence[str] = PAYER_ORDER) -> list[Overlap]:
    """Return for elders their live schemes that share a family, in the order of payers."""
    rows = Entitlement.objects.filter(in_force(on), elder__in=elders, scheme__is_active=True).select_related("scheme")
    by_elder: dict[int, list[Entitlement]] = {}
    for row in rows:
        by_elder.setdefault(row.elder_id, []).append(row)
    found = []
    for elder in elders:
        own = by_elder.get(elder.pk, [])
        shared = {
            family
            for one in own
            for other in own
            if one.scheme.payer != other.scheme.payer
            for family in set(one.scheme.families) & set(other.scheme.families)
        }
        alike = [one for one in own if shared & set(one.scheme.families)]
        alike.sort(key=lambda one: (order.index(one.scheme.payer), one.pk))
        found.append(Overlap(elder, tuple(alike), tuple(sorted(shared))))
    return found
