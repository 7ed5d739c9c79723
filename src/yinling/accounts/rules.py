"""Decisions about messages to people."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from yinling.kernel.period import SHANGHAI

_MADE_UP = re.compile(r"(?:\+?86)?1990000\d{4}", re.ASCII)


MOST_FAILURES = 5
FAILURE_WINDOW = timedelta(minutes=5)


def locked_until(failures: Sequence[datetime], now: datetime) -> datetime | None:
    """Return until when a login is locked: five failures within five minutes lock it until the first of them is five minutes old."""
    recent = sorted(at for at in failures if now - at < FAILURE_WINDOW)
    return recent[-MOST_FAILURES] + FAILURE_WINDOW if len(recent) >= MOST_FAILURES else None


def is_made_up(number: str) -> bool:
    """Whether a number belongs to nobody: the pattern of the demonstration, which is never dialled or texted."""
    return _MADE_UP.fullmatch(re.sub(r"[\s-]", "", number)) is not None


def bare_number(number: str) -> str:
    """Return a number as it is compared: digits only, without the country."""
    digits = re.sub(r"\D", "", number, flags=re.ASCII)
    is_abroad_form = number.strip().startswith(("+86", "0086")) or (len(digits) == 13 and digits.startswith("86"))  # noqa: PLR2004 - 86 and 11 digits
    return digits.removeprefix("00").removeprefix("86") if is_abroad_form else digits


def quiet_until(now: datetime, quiet_from: str, quiet_to: str) -> datetime | None:
    """Return when the quiet hours end in which ``now`` lies, or nothing. They may run over midnight; equal ends mean none."""
    first, last = time.fromisoformat(quiet_from), time.fromisoformat(quiet_to)
    local = now.astimezone(SHANGHAI)
    clock = local.time().replace(tzinfo=None)
    is_quiet = first <= clock < last if first <= last else clock >= first or clock < last
    if not is_quiet:
        return None
    end = datetime.combine(local.date(), last, SHANGHAI)
    return (end if end > local else end + timedelta(days=1)).astimezone(UTC)


@dataclass(frozen=True)
class Case:
    """What is known of a message when its turn comes."""

    age: timedelta
    is_urgent: bool
    is_opted_out: bool
    is_double: bool
    sent_today: int
    quiet_until: datetime | None


@dataclass(frozen=True)
class Verdict:
    """What becomes of a message: sent now, held until a moment, or dropped for a reason."""

    hold_until: datetime | None = None
    drop: str = ""


def verdict(case: Case, *, most_today: int, latest: timedelta) -> Verdict:
    """Decide. An urgent message passes quiet hours, wishes and the cap; one that comes far too late helps nobody, urgent or not."""
    if case.age > latest:
        return Verdict(drop="too_late")
    if case.is_urgent:
        return Verdict()
    unwanted = "opted_out" if case.is_opted_out else "double" if case.is_double else ""
    if not unwanted and case.quiet_until is not None:
        return Verdict(hold_until=case.quiet_until)
    return Verdict(drop=unwanted or ("over_cap" if case.sent_today >= most_today else ""))


def retry_at(now: datetime, tries: int, waits: Sequence[int]) -> datetime | None:
    """Return when to try again after ``tries`` failures, or nothing when it is time to give up."""
    return now + timedelta(seconds=waits[tries - 1]) if tries <= len(waits) else None


_AWAY = re.compile(r"TD?|退订?")
_BACK = re.compile(r"DY|HF|订阅|恢复")


def wish_of(text: str) -> str:
    """Return what a reply asks for: ``away`` (TD, 退订), ``back`` (DY, 恢复), or nothing."""
    word = re.sub(r"[\s。.!！【】\[\]]", "", text).upper()
    if _AWAY.fullmatch(word):
        return "away"
    return "back" if _BACK.fullmatch(word) else ""


def outcome_of(parts: Sequence[tuple[int, str]]) -> str:
    """Return what became of a message from the (round, outcome) of its parts.

    One round with every part delivered is a delivery. Otherwise a part that failed in the last round is a failure.
    """
    rounds: dict[int, list[str]] = {}
    for number, outcome in parts:
        rounds.setdefault(number, []).append(outcome)
    if any(all(outcome == "delivered" for outcome in own) for own in rounds.values()):
        return "delivered"
    return "failed" if rounds and "failed" in rounds[max(rounds)] else ""


def digest_of(row: Any) -> bytes:
    """Return the fingerprint of a journal row's content, the same when written and when read again in whatever time zone."""
    parts = [
        row.business_at.astimezone(UTC).isoformat(), row.user_id, row.user_name, row.role, row.event, row.subject_type, row.subject_id,
        row.div, row.provider_id, row.elder_id, row.staff_id, _as_read(row.changes), row.reason, row.request_id, row.is_refused, row.code,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()).digest()


EXACT = 2**53
"""Whole numbers up to here are exact in every program."""


def _as_read(value: Any) -> Any:
    """Return a value with its numbers in one form: the database gives 1e19 back as a whole number and -0.0 as 0."""
    if isinstance(value, dict):
        return {name: _as_read(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_read(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if abs(value) >= EXACT:
        return repr(float(value))
    return int(value) if value == int(value) else value


def seal_of(previous: bytes, from_xid: int, to_xid: int, digests: Sequence[bytes]) -> bytes:
    """Return the seal of a block of the journal: a hash over the block before, its range, and every fingerprint in it."""
    mac = hashlib.sha256(previous)
    mac.update(f":{from_xid}:{to_xid}:{len(digests)}:".encode())
    for digest in digests:
        mac.update(digest)
    return mac.digest()
