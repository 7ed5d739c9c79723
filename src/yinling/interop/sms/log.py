"""Short messages that go to the log only: the default, and the way of every made-up number."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from yinling.accounts.ports import Take
from yinling.kernel.masks import mask_phone

logger = logging.getLogger(__name__)


class LogSms:
    """Writes what would have been sent, without the number in clear. Nothing comes back."""

    def send(self, *, number: str, text: str, key: str) -> Sequence[str]:
        """Log the message."""
        logger.info("sms %s to %s: %s", key, mask_phone(number), text)
        return ()

    def collect(self, take: Take) -> None:
        """Nothing comes back."""

    def close(self) -> None:
        """Nothing is open."""
