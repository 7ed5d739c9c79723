"""The counters that settled shares move: what was reserved is used, what was used is given back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from yinling.directory.queries import system_actor
from yinling.entitlements.models import Entitlement
from yinling.entitlements.operations import confirm_use_each, reserve_each, undo_use_each
from yinling.entitlements.rules import FEN, Use, uses_from_json
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date, month_start
from yinling.orders.models import PayerShare


def confirm_shares(actor: Actor, now: datetime, shares: Sequence[PayerShare]) -> None:
    """Use up what placing had reserved. The system does it: the elder may have moved to another city of the province since."""
    if moved := [(entitlement.pk, use) for entitlement, use in _uses(shares)]:
        with scope(system_actor(shares[0].div[:2])):
            confirm_use_each(actor, now, moved)


def find_again(actor: Actor, now: datetime, shares: Sequence[PayerShare]) -> bool:
    """Reserve what an order billed anew needs; if others used it up meanwhile, reserve nothing and say so."""
    wanted = list(_uses(shares))
    if not wanted:
        return True
    with scope(system_actor(shares[0].div[:2])):
        return not reserve_each(actor, now, wanted)


def undo_shares(actor: Actor, now: datetime, shares: Sequence[PayerShare]) -> None:
    """Give back what a settlement had used."""
    if moved := [(entitlement.pk, use) for entitlement, use in _uses(shares)]:
        with scope(system_actor(shares[0].div[:2])):
            undo_use_each(actor, now, moved)


def _uses(shares: Iterable[PayerShare]) -> Iterator[tuple[Entitlement, Use]]:
    for share in shares:
        if share.entitlement is None:
            continue
        for use in uses_from_json(share.uses) or _of_the_month(share, share.entitlement):
            yield share.entitlement, use


def _of_the_month(share: PayerShare, entitlement: Entitlement) -> list[Use]:
    """What a share frozen before shares kept their uses draws on: the money of the month."""
    if entitlement.monthly_cap_fen is None:
        return []
    return [Use(FEN, "month", month_start(local_date(share.order.starts_at)), share.amount_fen)]
