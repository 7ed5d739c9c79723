"""What the edge says and is told: JSON texts in netstrings over Kamailio's evapi."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LONGEST = 65536


@dataclass(frozen=True)
class EdgeCall:
    """A call as the edge knows it: the whole of it each time, so that a lost message is made good by the next.

    ``state`` is arrived, waiting, offered, answered, duty or ended. ``missed`` is the last offer that nobody took, with its SIP ``code``.
    """

    call: str
    state: str
    kind: str = "in"
    number: str = ""
    doubtful: int = 0
    called: str = ""
    leg: str = ""
    hop: int = 0
    row: int = 0
    seat: str = ""
    offer: int = 0
    missed: int = 0
    code: int = 0
    late: int = 0
    by: str = ""
    rang_at: str = ""
    answered_at: str = ""
    ended_at: str = ""
    from_tag: str = ""
    to_tag: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nobody is on the line any more."""
        return self.state == "ended"


def edge_call(values: Mapping[str, Any]) -> EdgeCall:
    """Read a call that the edge tells of; words it may learn later are left out."""
    known = EdgeCall.__dataclass_fields__
    return EdgeCall(**{name: value for name, value in values.items() if name in known})


def moment(text: str) -> datetime | None:
    """Read a time of the edge (seconds and microseconds since 1970); none if it has not come to that."""
    return datetime.fromtimestamp(float(text), UTC) if text else None


class EdgeLink:
    """The connection to the edge. Reading is for one thread, telling for any."""

    def __init__(self, host: str, port: int, secret: str, *, timeout: float = 3) -> None:
        self._socket = socket.create_connection((host, port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(timeout)
        self._lock = threading.Lock()
        self._rest = b""
        self.tell(op="hello", secret=secret)

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def tell(self, **words: Any) -> None:
        """Say something to the edge."""
        text = json.dumps(words, separators=(",", ":")).encode()
        with self._lock:
            self._socket.sendall(b"%d:%s," % (len(text), text))

    def heard(self) -> list[dict[str, Any]]:
        """Return the messages that have come, waiting for at least a part of one. Raises ConnectionError at the end of the line."""
        part = self._socket.recv(LONGEST)
        if not part:
            raise ConnectionError("the edge has closed the connection")
        messages, self._rest = split(self._rest + part)
        return messages

    def close(self) -> None:
        """Hang up; the edge knows at once that nobody decides any more."""
        self._socket.close()


def split(data: bytes) -> tuple[list[dict[str, Any]], bytes]:
    """Return the whole messages of a stream and what is left of it."""
    messages = []
    while (mark := data.find(b":")) > 0:
        length = int(data[:mark])
        end = mark + 1 + length
        if len(data) <= end:
            break
        messages.append(json.loads(data[mark + 1 : end]))
        data = data[end + 1 :]
    return messages, data
