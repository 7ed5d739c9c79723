"""What the outside must do to reach a person."""

from __future__ import annotations

from typing import Protocol


class Sms(Protocol):
    """A way to send short messages."""

    def send(self, *, number: str, text: str, key: str) -> None:
        """Send once per key: a repeated key is not sent again. Raises OSError when the way is shut for now."""
        ...
