"""The counters that settled shares move: what was reserved is used, what was used is given back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from yinling.entitlements.models import Entitlement
from yinling.entitlements.operations import confirm_use_each, is_shared_out, reserve_each, undo_use_each
from yinling.entitlements.rules import Use
from yinling.kernel.actor import Actor
from yinling.people.models import Elder
from yinling.settlement.rules import Share


def confirm_shares(actor: Actor, now: datetime, shares: Iterable[Share]) -> None:
    """Use up what placing had reserved. Needs the scope of the province: the elder may have moved to another city since."""
    confirm_use_each(actor, now, _uses(shares))


def find_again(actor: Actor, now: datetime, shares: Sequence[Share]) -> bool:
    """Reserve what an order billed anew needs; if others used it up meanwhile, reserve nothing and say so. As above."""
    rows = Entitlement.objects.select_related("scheme").in_bulk([pk for pk, _use in _uses(shares) if pk is not None])
    wanted = [(None if pk is None else rows[pk], use) for pk, use in _uses(shares)]
    list(Elder.objects.select_for_update(of=("self",)).filter(pk__in={row.elder_id for row in rows.values()}))
    return not is_shared_out(wanted) and not reserve_each(actor, now, wanted)


def undo_shares(actor: Actor, now: datetime, shares: Iterable[Share]) -> None:
    """Give back what a settlement had used. As above."""
    undo_use_each(actor, now, _uses(shares))


def _uses(shares: Iterable[Share]) -> Iterator[tuple[int | None, Use]]:
    for share in shares:
        for use in share.uses:
            yield share.entitlement_id, use
