"""The envelope a device signs (JWS, HS256), read without trusting it. Pure.

A message is ``header.payload.signature`` in base64url. The header names algorithm and device, the payload is the envelope
``{v, dev, msg_id, seq, boot, ts_dev, kind, data, pos}``. Whatever is wrong is a fault with a code, never an exception.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from yinling.devices.rules import EVENT_KINDS

VERSION = 1
LONGEST = 8192
MOST_NUMBER = 2**53
MOST_BOOT = 2**31 - 1
LONGEST_NAME = 40
KINDS = frozenset(kind for kind, _label in EVENT_KINDS)
EARLIEST_MS, LATEST_MS = 0, 7_258_118_400_000


@dataclass(frozen=True)
class Message:
    """One message as it came: what it claims, what was signed, and what is wrong with it."""

    dev: str = ""
    fault: str = ""
    signed: bytes = b""
    signature: bytes = b""
    msg_id: str = ""
    boot: int = 0
    seq: int = 0
    at: datetime | None = None
    kind: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    pos: dict[str, Any] | None = None

    @property
    def digest(self) -> bytes:
        """Fingerprint of what the device wrote."""
        return hashlib.sha256(self.signed).digest()

    def is_signed_with(self, key: str) -> bool:
        """Whether the device with this key wrote it."""
        made = hmac.new(key.encode(), self.signed, hashlib.sha256).digest()
        return hmac.compare_digest(made, self.signature)


def sign(envelope: dict[str, Any], key: str) -> str:
    """Return an envelope as a device sends it (for tests, demonstration and documentation)."""
    header = _encoded(json.dumps({"alg": "HS256", "kid": envelope.get("dev", "")}).encode())
    payload = _encoded(json.dumps(envelope).encode())
    signed = f"{header}.{payload}".encode()
    return f"{header}.{payload}.{_encoded(hmac.new(key.encode(), signed, hashlib.sha256).digest())}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def read(text: str) -> Message:
    """Read a message; ``fault`` is empty if it can be used."""
    parts = text.split(".")
    if len(text) > LONGEST or not text.isascii() or len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return Message(fault="event.form")
    try:
        header, payload = (json.loads(_decoded(part), parse_constant=_nothing) for part in parts[:2])
        signature = _decoded(parts[2])
    except (binascii.Error, ValueError, RecursionError):
        return Message(fault="event.form")
    if not isinstance(header, dict) or not isinstance(payload, dict) or header.get("alg") != "HS256":
        return Message(fault="event.form")
    return _envelope(payload, str(header.get("kid", "")), f"{parts[0]}.{parts[1]}".encode(), signature)


def _envelope(payload: dict[str, Any], kid: str, signed: bytes, signature: bytes) -> Message:
    dev, kind = payload.get("dev"), payload.get("kind")
    if not isinstance(dev, str) or not 0 < len(dev) <= LONGEST_NAME or "\x00" in dev or kid != dev:
        return Message(fault="event.device")
    boot, seq = _number(payload.get("boot"), MOST_BOOT), _number(payload.get("seq"), MOST_NUMBER)
    facts, pos = payload.get("data"), payload.get("pos")
    if payload.get("v") != VERSION or boot is None or seq is None or not isinstance(facts, dict | None):
        return Message(dev=dev, fault="event.form")
    if not isinstance(kind, str) or kind not in KINDS:
        return Message(dev=dev, fault="event.kind")
    return Message(
        dev=dev, signed=signed, signature=signature, msg_id=str(payload.get("msg_id", ""))[:64].replace("\x00", ""), boot=boot, seq=seq,
        at=_moment(payload.get("ts_dev")), kind=kind, facts=_storable(facts or {}), pos=_storable(pos) if isinstance(pos, dict) else None,
    )  # fmt: skip


def _number(value: Any, most: int) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value <= most else None


def _moment(value: Any) -> datetime | None:
    """Read milliseconds since 1970, or ISO 8601 with an offset; a clock that shows nothing is none."""
    try:
        if isinstance(value, int) and not isinstance(value, bool) and EARLIEST_MS < value < LATEST_MS:
            return datetime.fromtimestamp(value / 1000, UTC)
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def written(facts: dict[str, Any]) -> str:
    """Return facts as the text that is sealed."""
    return json.dumps(facts, ensure_ascii=False)


def _nothing(_name: str) -> None:
    """What NaN and Infinity are to JSON."""


def _storable(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what a database keeps: nothing of a structure with a NUL, half a character, or a number beyond all."""
    try:
        text = json.dumps(facts, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        return {}
    return {} if "\\u0000" in text else facts
