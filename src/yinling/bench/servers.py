"""The real servers beside a bench: granian with its threads and pool, and the worker, as ``./run`` starts them."""

from __future__ import annotations

import http.client
import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from yinling.bench.city import BenchCity, processes
from yinling.bench.start import free_port
from yinling.cli.environment import address_environment
from yinling.cli.start import servers
from yinling.cli.supervisor import Supervisor

HOST = "127.0.0.1"
GOOD = 300


@contextmanager
def running(city: BenchCity, *names: str) -> Iterator[int]:
    """Run the named children of ``./run`` on the bench city; yield the port of the pages."""
    port = free_port()
    environment = processes(city, **address_environment(HOST, port))
    supervisor = Supervisor(sys.stderr)
    try:
        for child in servers(HOST, port, environment):
            if child.name in names:
                supervisor.start(child)
        yield port
    finally:
        supervisor.stop()


class RefusedError(RuntimeError):
    """The platform said no; the code is that of the problem document."""

    def __init__(self, path: str, status: int, answer: Any) -> None:
        super().__init__(f"{path}: {status} {answer}")
        self.status = status
        self.code = answer.get("code", "") if isinstance(answer, dict) else ""


class Client:
    """One kept connection to the API; each call names the token it acts with."""

    def __init__(self, port: int) -> None:
        self.link = http.client.HTTPConnection(HOST, port, timeout=60)

    def get(self, token: str, path: str) -> Any:
        """Read."""
        return self._send("GET", token, path, None, {})

    def post(self, token: str, path: str, **body: Any) -> Any:
        """Write, with an idempotency key of its own."""
        return self._send("POST", token, path, json.dumps(body), {"Idempotency-Key": uuid.uuid4().hex})

    def _send(self, method: str, token: str, path: str, body: str | None, extra: dict[str, str]) -> Any:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        } | extra
        self.link.request(method, path, body, headers)
        response = self.link.getresponse()
        text = response.read()
        answer = json.loads(text) if text else None
        if response.status >= GOOD:
            raise RefusedError(path, response.status, answer)
        return answer
