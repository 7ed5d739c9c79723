"""Which services are looked at on site: a share of them, drawn so that whoever draws again draws the same. Pure."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from hashlib import sha256
from math import ceil


def needed(count: int, share: Decimal) -> int:
    """How many of so many are to be drawn: the share, rounded up, at least one (X-PAY-04)."""
    return max(1, ceil(count * share)) if count else 0


def drawn(numbers: Collection[int], *, known: Collection[int], share: Decimal, seed: str) -> list[int]:
    """Return what is still to be drawn: in an order that the seed alone decides, until with what is known already there are enough."""
    by_lot = sorted(set(numbers) - set(known), key=lambda number: sha256(f"{seed}:{number}".encode()).digest())
    return by_lot[: max(0, needed(len(numbers), share) - len(known))]
