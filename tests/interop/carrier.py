"""A carrier's text-message centre on this machine: it speaks SMPP, remembers what it was given and sends receipts when told."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BIND, BIND_OK = 0x00000009, 0x80000009
SUBMIT, SUBMIT_OK = 0x00000004, 0x80000004
DELIVER, DELIVER_OK = 0x00000005, 0x80000005
UNBIND, UNBIND_OK = 0x00000006, 0x80000006
ENQUIRE = 0x00000015
HEAD = struct.Struct(">LLLL")


@dataclass
class Part:
    """One submitted part."""

    to: str
    coding: int
    esm_class: int
    registered: int
    text: bytes


@dataclass
class Centre:
    """What the tests say and see: ``statuses`` are answered one after the other, then zero; ``waiting`` goes to the next session."""

    port: int = 0
    password: str = "secret"
    parts: list[Part] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    waiting: list[bytes] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    sessions: int = 0
    hangs_up_after: int = -1

    def receipt(self, port_id: str, stat: str) -> None:
        """Have a receipt sent as soon as somebody is there."""
        text = f"id:{port_id} sub:001 dlvrd:001 submit date:2606151000 done date:2606151001 stat:{stat} err:000 text:"
        self.waiting.append(_deliver("10690001", 0x04, 0, text.encode()))

    def reply(self, number: str, text: str) -> None:
        """Have a reply sent."""
        self.waiting.append(_deliver(number, 0, 8, text.encode("utf-16-be")))


def _deliver(sender: str, esm_class: int, coding: int, text: bytes) -> bytes:
    body = b"\0" + b"\x01\x01" + sender.encode() + b"\0" + b"\x01\x01" + b"10690001\0"
    body += bytes([esm_class, 0, 0]) + b"\0\0" + bytes([0, 0, coding, 0, len(text)]) + text
    return body


def _text(body: bytes, at: int) -> tuple[str, int]:
    end = body.index(b"\0", at)
    return body[at:end].decode(), end + 1


def _part(body: bytes) -> Part:
    _service, at = _text(body, 0)
    _source, at = _text(body, at + 2)
    to, at = _text(body, at + 2)
    esm_class = body[at]
    _scheduled, at = _text(body, at + 3)
    _valid, at = _text(body, at)
    registered, _replace, coding, _default, length = body[at : at + 5]
    return Part(to, coding, esm_class, registered, body[at + 5 : at + 5 + length])


@contextmanager
def text_centre() -> Iterator[Centre]:
    """Serve on a free port of loopback."""
    centre = Centre()
    listener = socket.create_server(("127.0.0.1", 0))
    centre.port = listener.getsockname()[1]

    def accept() -> None:
        while True:
            try:
                line, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=_session, args=(centre, line), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield centre
    finally:
        listener.close()


def _read(line: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = line.recv(size - len(found))
        if not part:
            raise ConnectionError
        found += part
    return found


def _session(centre: Centre, line: socket.socket) -> None:
    centre.sessions += 1
    try:
        while True:
            length, command, _status, sequence = HEAD.unpack(_read(line, HEAD.size))
            body = _read(line, length - HEAD.size)
            if command == BIND:
                user, at = _text(body, 0)
                password, _at = _text(body, at)
                is_right = (user, password) == ("yinling", centre.password)
                _answer(line, BIND_OK, 0 if is_right else 0x0E, sequence, b"centre\0")
                for number, one in enumerate(centre.waiting, 1000):
                    _answer(line, DELIVER, 0, number, one)
                centre.waiting.clear()
            elif command == SUBMIT:
                if len(centre.parts) == centre.hangs_up_after:
                    centre.hangs_up_after = -1
                    line.close()
                    return
                status = centre.statuses.pop(0) if centre.statuses else 0
                if status == 0:
                    centre.parts.append(_part(body))
                _answer(line, SUBMIT_OK, status, sequence, f"m{len(centre.parts)}\0".encode() if status == 0 else b"")
            elif command == DELIVER_OK:
                centre.confirmed.append(_status)
            elif command == UNBIND:
                _answer(line, UNBIND_OK, 0, sequence, b"")
    except (ConnectionError, OSError):
        line.close()


def _answer(line: socket.socket, command: int, status: int, sequence: int, body: bytes) -> None:
    line.sendall(HEAD.pack(HEAD.size + len(body), command, status, sequence) + body)
