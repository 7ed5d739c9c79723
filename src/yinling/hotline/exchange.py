"""Messages between two lines: how they are signed, which of them still count, and how states are said on either side. Pure.

A message carries its own key (once), the moment at which the state was reached there, and a signature over everything in it. What
arrives late or in the wrong order is kept and changes nothing: a matter never goes back but by a return that says so.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

SPAN = timedelta(minutes=5)
"""How far the clocks of two lines may be apart, and how long a signature is good."""
ACTS = ("", "take", "resolve", "close", "reopen", "remind")
APPLIED, LATE, BACKWARDS, UNKNOWN = "applied", "late", "backwards", "unknown"
SENT, FAILED, REFUSED = "sent", "failed", "refused"


@dataclass(frozen=True)
class ForeignState:
    """What a state of the other line means: how far the matter is, what to do with ours, whether it is a return or said in passing."""

    step: int
    act: str = ""
    is_back: bool = False
    is_aside: bool = False


def read_states(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, ForeignState]:
    """Return the states of one line from its parameter. ValueError for an act that is none."""
    found = {}
    for name, row in rows.items():
        state = ForeignState(
            int(row["step"]), str(row.get("act", "")), bool(row.get("back", False)), bool(row.get("aside", False))
        )
        if state.act not in ACTS:
            raise ValueError(f"{name}: {state.act}")
        found[name] = state
    return found


def judge(
    states: Mapping[str, ForeignState], *, known: str, known_at: datetime | None, said: str, said_at: datetime
) -> str:
    """Return whether a message counts: applied, late (older than what is known), backwards (a smaller step), or unknown."""
    state = states.get(said)
    if state is None:
        return UNKNOWN
    if known_at is not None and said_at < known_at:
        return LATE
    if state.is_back or state.is_aside:
        return APPLIED
    before = states.get(known)
    if before is not None and state.step < before.step:
        return BACKWARDS
    return LATE if before is not None and said == known else APPLIED


def moment_text(at: datetime) -> str:
    """Return a moment as both sides write it: UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def canonical(values: Mapping[str, Any]) -> bytes:
    """Return what is signed: each name with its value, by name, lengths before the values so that no two messages read alike."""
    parts = []
    for name in sorted(values):
        value = values[name]
        text = moment_text(value) if isinstance(value, datetime) else str(value)
        parts.append(f"{name}={len(text)}:{text}")
    return "\n".join(parts).encode()


def sign(secret: str, values: Mapping[str, Any]) -> str:
    """Return the signature of a message, HMAC-SHA256 in hexadecimal."""
    return hmac.new(secret.encode(), canonical(values), hashlib.sha256).hexdigest()


def is_signed(secret: str, values: Mapping[str, Any], signature: str) -> bool:
    """Whether the signature is of this message; without a secret nothing is."""
    return bool(secret) and hmac.compare_digest(sign(secret, values), signature.strip().lower())


def is_fresh(signed_at: datetime, now: datetime) -> bool:
    """Whether a signature was made just now: an old one may be a recording."""
    return abs(signed_at - now) <= SPAN


def digest_of(values: Mapping[str, Any]) -> bytes:
    """Return the fingerprint of a message, by which its second arrival is known to be the same."""
    return hashlib.sha256(canonical(values)).digest()


def wait(tries: int, most_minutes: int) -> timedelta:
    """Return how long to wait after so many tries in vain: 1, 2, 4 ... minutes."""
    return timedelta(minutes=min(2 ** max(tries - 1, 0), most_minutes))
