"""An MQTT broker for benches and tests: Debian's mosquitto on a free loopback port, durable as the guide asks for."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from yinling.bench.start import free_port

HOST = "127.0.0.1"
PLATFORM, CARRIER = "platform", "carrier"
SECONDS = 10
CONFIGURATION = """listener {port} 127.0.0.1
user root
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 1
max_inflight_messages 500
max_queued_messages 0
"""
ACL = """user platform
topic read up/#
topic write down/#

user carrier
topic write up/#
topic read down/#

pattern write up/%u/+
pattern read down/%u/ack
"""


@dataclass
class Broker:
    """A broker that runs, or can be killed and started again."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def url(self, name: str = PLATFORM) -> str:
        """Return the address as the gateway takes it; every password here is the name."""
        return f"mqtt://{name}:{name}@{HOST}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen([program, "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log)
        began = time.monotonic()
        while b" running" not in (self.folder / "log").read_bytes().rpartition(b"starting")[2]:
            if self.process.poll() is not None or time.monotonic() - began > SECONDS:
                raise RuntimeError((self.folder / "log").read_text()[-800:])
            time.sleep(0.05)

    def stop(self, *, at_once: bool = False) -> None:
        """End it, or kill it as a machine that fails does."""
        if self.process is not None:
            (self.process.kill if at_once else self.process.terminate)()
            self.process.wait(SECONDS)


@contextmanager
def broker(folder: Path, devices: Mapping[str, str] | None = None) -> Iterator[Broker]:
    """Run a broker with the logins of platform, carrier and some devices."""
    one = Broker(folder, free_port())
    (folder / "mosquitto.conf").write_text(CONFIGURATION.format(port=one.port, folder=folder))
    (folder / "acl").write_text(ACL)
    words = {PLATFORM: PLATFORM, CARRIER: CARRIER} | dict(devices or {})
    (folder / "passwords").write_text("".join(f"{name}:{word}\n" for name, word in words.items()))
    subprocess.run(["mosquitto_passwd", "-U", str(folder / "passwords")], check=True, capture_output=True)  # noqa: S607 - Debian's
    one.start()
    try:
        yield one
    finally:
        one.stop()
