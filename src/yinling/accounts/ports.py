"""What the outside must be able to do to reach a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Throttled(OSError):  # noqa: N818 - what the gateway said
    """The gateway asks to go slower: nothing is wrong with the message, it waits and the round ends."""


class Rejected(Exception):  # noqa: N818 - what the gateway said
    """The gateway will never take this message: a wrong number, a barred text. The text of it says why, without the number."""


@dataclass(frozen=True)
class Receipt:
    """What a provider says became of one part of a message: ``outcome`` is delivered or failed."""

    port_id: str
    outcome: str
    at: datetime | None = None
    code: str = ""


@dataclass(frozen=True)
class Reply:
    """What somebody answered to a message."""

    number: str
    text: str


Take = Callable[[Receipt | Reply], None]
"""Stores a receipt or reply; it is confirmed to the provider only after this has returned."""


class Gateway(Protocol):
    """What every way out has: what came back is handed over, and at the end of a round the connection is closed."""

    def collect(self, take: Take) -> None:
        """Hand over what has come back on the line itself. Ways whose provider calls us have nothing here."""
        ...

    def close(self) -> None:
        """Leave the line."""
        ...


class Sms(Gateway, Protocol):
    """A way to send short messages."""

    def send(self, *, number: str, text: str, key: str) -> Sequence[str]:
        """Send once per key and return the provider's number of each part: a repeated key is not sent again.

        Raises OSError when the way is shut for now, Throttled when it is too fast, Rejected when this message will never go.
        """
        ...


class Wechat(Gateway, Protocol):
    """A way to send subscribed messages of WeChat."""

    def send(self, *, open_id: str, title: str, text: str, link: str, key: str) -> Sequence[str]:
        """As for short messages."""
        ...


class Tts(Protocol):
    """A voice."""

    def prompt_wav(self, text: str) -> bytes:
        """Return the text spoken in Mandarin: WAV, mono, 16 bit, 8000 Hz. Raises OSError when there is no voice."""
        ...
