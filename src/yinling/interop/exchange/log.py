"""An exchange that goes to the log only: the default, until another line is connected."""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger(__name__)


class LogExchange:
    """Writes what would have been sent, without the text of the matter."""

    def send(self, message: dict[str, Any]) -> str:
        """Log the message; the number there is our own."""
        logger.info("exchange %s: %s is %s", message["key"], message["code"], message["state"])
        return str(message["number"] or message["code"])
