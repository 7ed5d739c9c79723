"""The soft-phone behind https: its WebSocket comes by wss through a proxy that ends TLS, as the guide asks for."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import expect
from tests.browser.looking import DESK
from tests.sip.conftest import wait_until
from tests.sip.sound import samples
from tests.sip.test_browser_call import Shift, browser_with_voice, shift, spoken  # noqa: F401 - fixtures

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class TlsProxy:
    """Ends TLS on a loopback port and hands the bytes to another port, like the reverse proxy before the platform."""

    def __init__(self, folder: Path, to_port: int) -> None:
        self.to_port, self.count = to_port, 0
        self.sealed = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.sealed.load_cert_chain(*certificate(folder))
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.door.getsockname()[1])
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        with suppress(OSError):
            while True:
                wire, _source = self.door.accept()
                threading.Thread(target=self._join, args=(wire,), daemon=True).start()

    def _join(self, wire: socket.socket) -> None:
        with suppress(OSError):
            near, far = (
                self.sealed.wrap_socket(wire, server_side=True),
                socket.create_connection(("127.0.0.1", self.to_port)),
            )
            self.count += 1
            threading.Thread(target=pump, args=(far, near), daemon=True).start()
            pump(near, far)

    def stop(self) -> None:
        self.door.close()


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for localhost and its key."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@pytest.fixture
def proxy(shift: Shift, tmp_path: Path) -> Iterator[TlsProxy]:  # noqa: F811 - the fixture
    """A proxy before the edge, which the plan of the line names to the pages."""
    one = TlsProxy(tmp_path, shift.line.edge.ws_port)
    replace(shift.line.edge, public_ws_url=f"wss://localhost:{one.port}/sip").save()
    yield one
    shift.line.edge.save()
    one.stop()


def test_a_call_is_answered_and_ended_through_the_proxy(shift: Shift, proxy: TlsProxy, spoken: Any) -> None:  # noqa: F811 - fixtures
    browser = shift.context.browser
    assert browser is not None
    # The browser does not know who signed the certificate of the test.
    context = browser.new_context(viewport=DESK, locale="zh-CN", ignore_https_errors=True)  # type: ignore[arg-type]
    context.add_cookies(shift.context.cookies())  # type: ignore[arg-type]
    sealed = replace(shift, context=context)
    _desk, phone = sealed.sign_in()
    assert proxy.count > 0
    voice, caller = sealed.ring(samples(spoken[0]))
    phone.get_by_role("button", name="接听").click()
    (call,) = shift.line.wait(1, state="answered")
    assert call.seat_id == shift.who.user_id
    wait_until(lambda: len(voice.heard) > 25, 20, "the caller hears the seat")
    phone.get_by_role("button", name="挂断").click()
    assert caller.end(20) == 0, caller.log()
    (call,) = shift.line.wait_over()
    assert (call.state, call.ended_by) == ("ended", "seat")
    expect(phone.locator("#light")).to_have_text("已注册")
    context.close()
