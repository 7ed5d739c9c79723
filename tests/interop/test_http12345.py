"""The signed interface of a 12345 platform, against a server on this machine."""

from __future__ import annotations

import hashlib
import hmac
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from yinling.hotline.ports import ExchangeRefused
from yinling.interop.exchange.http12345 import Http12345
from yinling.interop.exchange.log import LogExchange

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE = {
    "platform": "12345",
    "key": "7-0",
    "number": "",
    "code": "T-260615-0007",
    "state": "已派发",
    "title": "路灯不亮",
}


class Platform(BaseHTTPRequestHandler):
    """Checks the signature and the nonce as such a platform does, and knows each key once."""

    secret = "shared"
    known: ClassVar[dict[str, str]] = {}
    nonces: ClassVar[set[str]] = set()
    asked: ClassVar[list[dict[str, Any]]] = []
    answer: ClassVar[tuple[int, bytes] | None] = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = [
            self.headers["X-App-Key"],
            self.headers["X-Timestamp"],
            self.headers["X-Nonce"],
            hashlib.sha256(body).hexdigest(),
        ]
        good = hmac.new(self.secret.encode(), "\n".join(parts).encode(), hashlib.sha256).hexdigest()
        status, text = self.answer or (200, b"")
        if self.answer is None:
            if self.path != "/api/tickets" or self.headers["X-Signature"] != good or parts[2] in self.nonces:
                status, text = 401, json.dumps({"code": 401, "message": "signature"}).encode()
            else:
                self.nonces.add(parts[2])
                message = json.loads(body)
                self.asked.append(message)
                number = self.known.setdefault(message["key"], f"G{len(self.known) + 1}")
                text = json.dumps({"code": 0, "number": number}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_words: Any) -> None:
        return


@pytest.fixture
def platform(settings: Any) -> Iterator[type[Platform]]:
    Platform.known, Platform.nonces, Platform.asked, Platform.answer, Platform.secret = {}, set(), [], None, "shared"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.EXCHANGE = {
        "url": f"http://127.0.0.1:{server.server_port}/api/",
        "key": "yinling",
        "secret": "shared",
        "timeout": "30",
    }
    yield Platform
    server.shutdown()
    server.server_close()


@pytest.mark.req("R-CALL-07")
def test_a_signed_message_arrives_and_twice_is_once(platform: type[Platform]) -> None:
    assert [Http12345().send(MESSAGE) for _ in range(2)] == ["G1", "G1"]
    assert platform.asked == [MESSAGE, MESSAGE]
    assert len(platform.nonces) == 2


def test_a_wrong_secret_is_an_answer_for_a_person(platform: type[Platform]) -> None:
    platform.secret = "changed"
    with pytest.raises(ExchangeRefused, match="HTTP 401 signature"):
        Http12345().send(MESSAGE)
    assert platform.asked == []


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_server_in_trouble_is_asked_again_later(platform: type[Platform], status: int) -> None:
    platform.answer = (status, b"busy")
    with pytest.raises(OSError, match=f"HTTP {status}"):
        Http12345().send(MESSAGE)


@pytest.mark.parametrize("text", [b"", b"[]", b"not json", b'{"code": 7, "message": "no"}'])
def test_an_answer_that_is_none_or_says_no_is_refused(platform: type[Platform], text: bytes) -> None:
    platform.answer = (200, text)
    with pytest.raises(ExchangeRefused):
        Http12345().send(MESSAGE)


def test_nobody_there_is_asked_again_later(settings: Any) -> None:
    settings.EXCHANGE = {"url": "http://127.0.0.1:9", "key": "", "secret": "", "timeout": "1"}
    with pytest.raises(OSError, match="refused"):
        Http12345().send(MESSAGE)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://127.0.0.1"])
def test_only_http_is_spoken(settings: Any, url: str) -> None:
    settings.EXCHANGE = {"url": url, "key": "", "secret": "", "timeout": "1"}
    with pytest.raises(OSError, match="EXCHANGE_URL"):
        Http12345().send(MESSAGE)


def test_the_log_tells_no_text_and_answers_with_our_number(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="yinling.interop.exchange.log"):
        assert LogExchange().send(MESSAGE) == "T-260615-0007"
        assert LogExchange().send(MESSAGE | {"number": "G1"}) == "G1"
    assert "已派发" in caplog.text
    assert "路灯" not in caplog.text
