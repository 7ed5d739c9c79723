"""Answering the pages and listening to the database, in turn, in one thread."""

from __future__ import annotations

import json
import logging
import selectors
import socket
import time
from pathlib import Path

from yinling.dispatch.ranker import LINE, received
from yinling.dispatch.resident.memory import Resident
from yinling.ground.live import CHANNEL

READ_S = 0.2
"""How long a caller may take to send its question."""
FOLLOW_S, RECONCILE_S = 2.0, 300.0
COALESCE_S = 0.05
TOPICS = ("assignments", "orders", "staff")

logger = logging.getLogger("yinling.dispatch")


class Server:
    """One thread: callers, notices of the database and the clock, in turn."""

    def __init__(self, resident: Resident, path: str) -> None:
        self.resident, self.path = resident, path
        self.followed = self.reconciled = time.monotonic()
        self.is_woken = False

    def serve(self) -> None:
        """Answer until the process is ended."""
        audit, inbox = self.resident.audit, self._opened()
        audit.execute(f"LISTEN {CHANNEL}")
        with selectors.DefaultSelector() as ready, inbox:
            ready.register(inbox, selectors.EVENT_READ)
            ready.register(audit.fileno(), selectors.EVENT_READ)
            while True:
                for key, _events in ready.select(COALESCE_S if self.is_woken or self.resident.missing else FOLLOW_S):
                    if key.fileobj is inbox:
                        self._attend(inbox.accept()[0])
                    else:
                        self.is_woken |= any(_topic(one.payload) in TOPICS for one in audit.notifies(timeout=0))
                self._keep_up()

    def _opened(self) -> socket.socket:
        """Open the socket for our own account only, in place of one left by a process that was killed."""
        Path(self.path).unlink(missing_ok=True)
        inbox = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        inbox.bind(self.path)
        Path(self.path).chmod(0o600)
        inbox.listen(64)
        return inbox

    def _attend(self, caller: socket.socket) -> None:
        with caller:
            caller.settimeout(READ_S)
            try:
                question = received(caller)
                if question is not None:
                    caller.sendall(json.dumps(self.resident.answer(question)).encode() + LINE)
            except (OSError, ValueError, KeyError, TypeError) as error:
                logger.warning("resident ranking: a question was not understood: %r", error)

    def _keep_up(self) -> None:
        moment = time.monotonic()
        due = COALESCE_S if self.is_woken or self.resident.missing else FOLLOW_S
        if moment - self.followed >= due:
            self.is_woken = False
            self.resident.follow()
            self.followed = time.monotonic()
        if moment - self.reconciled >= RECONCILE_S:
            self.resident.reconcile()
            self.reconciled = time.monotonic()


def _topic(payload: str) -> str:
    try:
        return str(json.loads(payload).get("topic", ""))
    except (ValueError, AttributeError):
        return ""
