"""Messages of WeChat that go to the log only."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from yinling.accounts.ports import Take

logger = logging.getLogger(__name__)


class LogWechat:
    """Writes what would have been sent, without the receiver."""

    def send(self, *, open_id: str, title: str, text: str, link: str, key: str) -> Sequence[str]:  # noqa: ARG002 - as the port says
        """Log the message."""
        logger.info("wechat %s: %s %s", key, title, text)
        return ()

    def collect(self, take: Take) -> None:
        """Nothing comes back."""

    def close(self) -> None:
        """Nothing is open."""
