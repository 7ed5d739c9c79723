"""A server on this machine that answers as a test says, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request: path, the values of its query, its body, and both as they came: headers and bytes."""

    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""


@dataclass
class Reply:
    """What to answer: a status and JSON, or raw bytes; ``wait`` seconds before it, ``drip`` seconds between its bytes."""

    answer: Any = None
    status: int = 200
    raw: bytes | None = None
    wait: float = 0
    drip: float = 0


@dataclass
class Server:
    """The address, what was asked so far, and the function that answers."""

    address: str = ""
    reply: Callable[[Asked], Reply] = lambda _asked: Reply({})
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def fake_server() -> Iterator[Server]:
    """Serve on a free port of loopback."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked = Asked(parts.path, query, json.loads(sent) if sent else None, dict(self.headers), sent)
            server.asked.append(asked)
            reply = server.reply(asked)
            time.sleep(reply.wait)
            text = reply.raw if reply.raw is not None else json.dumps(reply.answer).encode()
            try:
                self.send_response(reply.status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                for place in range(0, len(text), 1 if reply.drip else len(text) or 1):
                    self.wfile.write(text[place : place + (1 if reply.drip else len(text))])
                    self.wfile.flush()
                    time.sleep(reply.drip)
            except (BrokenPipeError, ConnectionResetError):
                return

        def log_message(self, *_words: Any) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    server.address = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
