"""A gateway that remembers: what it was given, by key, and what it should say next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from yinling.accounts.models import Notice
from yinling.accounts.operations import Recipient, notify
from yinling.accounts.ports import Receipt, Reply, Take

REAL = "13912345678"


class Line:
    """Sends once per key, as a good gateway does. Numbers in ``shut`` cannot be reached now; ``faults`` are raised one after the other."""

    def __init__(
        self, *shut: str, faults: Sequence[Exception] = (), ids: Callable[[str], list[str]] | None = None
    ) -> None:
        self.shut = shut
        self.faults = list(faults)
        self.ids = ids or (lambda key: [f"id-{key}"])
        self.sent: list[tuple[str, str, str]] = []
        self.asked = 0
        self.back: list[Receipt | Reply] = []
        self.closed = False

    def send(self, *, number: str, text: str, key: str) -> list[str]:
        self.asked += 1
        if self.faults:
            raise self.faults.pop(0)
        if number in self.shut:
            raise OSError("shut")
        if key not in {one[2] for one in self.sent}:
            self.sent.append((number, text, key))
        return self.ids(key)

    def collect(self, take: Take) -> None:
        while self.back:
            take(self.back.pop(0))

    def close(self) -> None:
        self.closed = True


def message(key: str, number: str = REAL, *, about: Any, now: Any, text: str = "明天上门", **to: Any) -> Notice:
    recipient = Recipient(channel="sms", address=number, **to)
    return notify(now=now, about=about, to=recipient, key=key, title="通知", text=text)
