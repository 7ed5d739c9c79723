"""Asking the resident ranking, a process beside the pages that holds the days of all carers in memory (``dispatch.resident``).

One question and one answer, a line of JSON each, over a socket in the data folder that only our own account can open. A large city may
have several, each for an area of providers.
"""

from __future__ import annotations

import json
import logging
import socket
from typing import Any

from django.conf import settings

from yinling.dispatch.planner.enquiry import Enquiry, Found

logger = logging.getLogger("yinling.dispatch")
PATIENCE_S = 0.5
"""Longer than an answer ever takes; who waits longer reads the database instead."""
MOST_BYTES = 1 << 20
LINE = b"\n"


def asked_resident(asked: Enquiry, div: str) -> Found | None:
    """Return the answer of the resident for a provider's division; nothing if there is none, or it does not hold that day yet."""
    values = exchange({"rank": asked.as_dict()}, div)
    return Found.of(values["found"]) if values and "found" in values else None


def socket_for(div: str) -> str:
    """Return where the resident of a division listens: the narrowest area that has one, else the one for all."""
    areas = [area for area in settings.DISPATCH_SOCKETS if div.startswith(area)]
    return str(settings.DISPATCH_SOCKETS[max(areas, key=len)]) if areas else ""


def exchange(question: dict[str, Any], div: str = "") -> dict[str, Any] | None:
    """Send one question and return the answer, or nothing if none comes in time."""
    path = socket_for(div)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(PATIENCE_S)
            link.connect(path)
            link.sendall(json.dumps(question).encode() + LINE)
            return received(link)
    except (OSError, ValueError) as error:
        if not isinstance(error, FileNotFoundError | ConnectionRefusedError):
            logger.warning("resident ranking: %s", error)
        return None


def received(link: socket.socket) -> dict[str, Any] | None:
    """Read one line of JSON. ValueError if it is none, nothing if the other side has gone."""
    text = bytearray()
    while not text.endswith(LINE):
        if not (part := link.recv(65536)):
            return None
        text += part
        if len(text) > MOST_BYTES:
            raise ValueError("too long")
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError("no object")  # noqa: TRY004 - of the text received
    return values
