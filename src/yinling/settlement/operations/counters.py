"""The counters that settled shares move: what was reserved is used, what was used is given back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from yinling.entitlements.models import Entitlement
from yinling.entitlements.operations import confirm_use_each, reserve_each, undo_use_each
from yinling.entitlements.rules import Use, uses_from_json
from yinling.kernel.actor import Actor
from yinling.orders.models import PayerShare


def confirm_shares(actor: Actor, now: datetime, shares: Sequence[PayerShare]) -> None:
    """Use up what placing had reserved. Needs the scope of the province: the elder may have moved to another city since."""
    confirm_use_each(actor, now, [(entitlement.pk, use) for entitlement, use in _uses(shares)])


def find_again(actor: Actor, now: datetime, shares: Sequence[PayerShare]) -> bool:
    """Reserve what an order billed anew needs; if others used it up meanwhile, reserve nothing and say so. As above."""
    return not reserve_each(actor, now, list(_uses(shares)))


def undo_shares(actor: Actor, now: datetime, shares: Sequence[PayerShare]) -> None:
    """Give back what a settlement had used. As above."""
    undo_use_each(actor, now, [(entitlement.pk, use) for entitlement, use in _uses(shares)])


def _uses(shares: Iterable[PayerShare]) -> Iterator[tuple[Entitlement, Use]]:
    for share in shares:
        if share.entitlement is not None:
            for use in uses_from_json(share.uses):
                yield share.entitlement, use
