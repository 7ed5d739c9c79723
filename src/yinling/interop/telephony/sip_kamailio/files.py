"""The run-time files of the SIP edge: ports, secret and configuration of Kamailio and rtpengine in the data folder."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import shutil
import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

RULES = Path(__file__).with_name("edge.cfg")
PROGRAMS = {"kamailio": "kamailio", "rtpengine": "rtpengine-daemon"}
MODULES = {
    "auth_ephemeral.so": "kamailio-autheph-modules",
    "jansson.so": "kamailio-json-modules",
    "websocket.so": "kamailio-websocket-modules",
    "tls.so": "kamailio-tls-modules",
    "evapi.so": "kamailio-extra-modules",
}
PACKAGES = (*PROGRAMS.values(), *MODULES.values())
MODULE_FOLDERS = ("/usr/lib/x86_64-linux-gnu/kamailio/modules", "/usr/lib/aarch64-linux-gnu/kamailio/modules")
TO_PAGE = "replace-origin replace-session-connection ICE=force UDP/TLS/RTP/SAVPF rtcp-mux-offer SDES-off generate-mid"
TO_PHONE = "replace-origin replace-session-connection ICE=remove RTP/AVP rtcp-mux-demux"
ANSWER = "replace-origin replace-session-connection"
CREDENTIAL_SECONDS = 3600
DUTY = "duty.json"
PROMPTS = {"recording": "recorded.wav", "after_hours": "after_hours.wav"}
"""Texts of the line -> what they are spoken into."""
SECRET = "secret"  # noqa: S105 - the name of a file


@dataclass(frozen=True)
class Edge:
    """Where the edge listens and whom it believes. ``numbers`` are those of the line, the first is shown when it calls out."""

    folder: Path
    host: str = "127.0.0.1"
    trunk_port: int = 5060
    seat_port: int = 5062
    ws_port: int = 8002
    events_port: int = 5064
    media_port: int = 5066
    media_from: int = 30000
    media_to: int = 34000
    domain: str = "line.yinling"
    numbers: tuple[str, ...] = ("12349",)
    trusted: tuple[str, ...] = ("127.0.0.1",)
    gateway: str = "127.0.0.1:5080"
    rate: int = 60
    public_ws_url: str = ""
    duty_phone: str = ""
    duty_seats: tuple[str, ...] = ()

    @property
    def ws_url(self) -> str:
        """Where the pages of seats connect: behind https through the reverse proxy."""
        return self.public_ws_url or f"ws://{self.host}:{self.ws_port}/"

    @property
    def spool(self) -> Path:
        """Where rtpengine writes recordings."""
        return self.folder / "spool"

    @property
    def prompt(self) -> Path:
        """What a caller hears first: that the call is recorded. The line process makes it."""
        return self.folder / PROMPTS["recording"]

    @property
    def secret(self) -> str:
        """What the platform and the edge share; made at the first use."""
        path = self.folder / SECRET
        if not path.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32), "ascii")
        return path.read_text("ascii").strip()

    def save(self) -> Path:
        """Write down the plan, for the line process and for people."""
        values = asdict(self) | {"folder": str(self.folder)}
        path = self.folder / "edge.json"
        self.folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values, indent=1), "utf-8")
        return path


def load(folder: Path) -> Edge:
    """Return the plan written in a folder."""
    values = json.loads((folder / "edge.json").read_text("utf-8"))
    lists = {name: tuple(values[name]) for name in ("numbers", "trusted", "duty_seats")}
    return Edge(**values | lists | {"folder": Path(values["folder"])})


def free_ports(edge: Edge) -> Edge:
    """Return the plan with the next free ports where its own are taken."""
    taken: set[int] = set()
    found = {}
    for name in ("trunk_port", "seat_port", "ws_port", "events_port", "media_port"):
        port = getattr(edge, name)
        while port in taken or not is_free(edge.host, port):
            port += 1
        taken.add(port)
        found[name] = port
    return replace(edge, **found)


def is_free(host: str, port: int) -> bool:
    """Whether both UDP and TCP can be bound."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as trial:
            if kind == socket.SOCK_STREAM:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, port))
            except OSError:
                return False
    return True


def is_media_ready(edge: Edge) -> bool:
    """Whether rtpengine answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
        ask.settimeout(0.2)
        try:
            ask.sendto(b"1 d7:command4:pinge", ("127.0.0.1", edge.media_port))
            return b"pong" in ask.recv(200)
        except OSError:
            return False


def is_listening(edge: Edge) -> bool:
    """Whether Kamailio takes connections of a line process."""
    try:
        with socket.create_connection(("127.0.0.1", edge.events_port), 1):
            return True
    except OSError:
        return False


def missing_packages() -> list[str]:
    """Return the Debian packages that are not there."""
    found = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    folders = [Path(one) for one in MODULE_FOLDERS if Path(one).is_dir()]
    return found + [
        package for module, package in MODULES.items() if not any((folder / module).exists() for folder in folders)
    ]


def write(edge: Edge) -> Path:
    """Write the configuration of Kamailio and return its path."""
    edge = with_duty(edge)
    edge.save()
    edge.spool.mkdir(exist_ok=True)
    addresses = edge.folder / "trusted.list"
    addresses.write_text("".join(f"1 {one.replace('/', ' ')}\n" for one in edge.trusted), "ascii")
    words = {
        "EDGE_TRUNK_PORT": edge.trunk_port,
        "EDGE_HOST": edge.host,
        "EDGE_WS_PORT": edge.ws_port,
        "EDGE_TRUNK": f"udp:{edge.host}:{edge.trunk_port}",
        "EDGE_EVENTS": f"127.0.0.1:{edge.events_port}",
        "EDGE_MEDIA": f"127.0.0.1:{edge.media_port}",
        "EDGE_ADDRESSES": addresses,
        "EDGE_SECRET": edge.secret,
        "EDGE_DOMAIN": edge.domain,
        "EDGE_NUMBERS": "|".join(re.escape(one) for one in edge.numbers),
        "EDGE_NUMBER": edge.numbers[0],
        "EDGE_GATEWAY": edge.gateway,
        "EDGE_RATE": edge.rate,
        "EDGE_TO_PAGE": TO_PAGE,
        "EDGE_TO_PHONE": TO_PHONE,
        "EDGE_ANSWER": ANSWER,
        "EDGE_DUTY_SEATS": ",".join(edge.duty_seats),
        "EDGE_DUTY_PHONE": edge.duty_phone,
        "EDGE_PROMPT": edge.prompt if edge.prompt.is_file() else "",
    }
    text = RULES.read_text("utf-8")
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, str(words[word]))
    path = edge.folder / "kamailio.cfg"
    path.touch(mode=0o600)
    path.write_text("#!KAMAILIO\n" + "".join(f"{one}\n" for one in listening(edge)) + text, "utf-8")
    return path


def listening(edge: Edge) -> Iterable[str]:
    """The sockets of Kamailio."""
    yield f"listen=udp:{edge.host}:{edge.trunk_port}"
    yield f"listen=tcp:{edge.host}:{edge.trunk_port}"
    yield f"listen=udp:{edge.host}:{edge.seat_port}"
    yield f"listen=tcp:{edge.host}:{edge.ws_port}"


def with_duty(edge: Edge) -> Edge:
    """Return the plan with the duty seats and phone that the line process wrote down last."""
    path = edge.folder / DUTY
    if not path.is_file():
        return edge
    found = json.loads(path.read_text("utf-8"))
    return replace(edge, duty_seats=tuple(found["seats"]), duty_phone=found["phone"] or edge.duty_phone)


def kamailio_argv(edge: Edge, *, memory_mb: int = 128) -> list[str]:
    """The command that runs Kamailio in the foreground."""
    program = shutil.which("kamailio") or "kamailio"
    pid = str(edge.folder / "kamailio.pid")
    runtime = str(edge.folder)
    return [
        program,
        "-DD",
        "-E",
        "-f",
        str(edge.folder / "kamailio.cfg"),
        "-P",
        pid,
        "-Y",
        runtime,
        "-m",
        str(memory_mb),
        "-M",
        "16",
    ]


def rtpengine_argv(edge: Edge) -> list[str]:
    """The command that runs rtpengine in the foreground: user space only, no kernel module."""
    return [
        shutil.which("rtpengine") or "rtpengine", "--foreground", "--log-stderr", "--log-level=4", "--table=-1", "--config-file=none",
        f"--interface={edge.host}", f"--listen-ng=127.0.0.1:{edge.media_port}", f"--port-min={edge.media_from}",
        f"--port-max={edge.media_to}", f"--recording-dir={edge.spool}", "--recording-method=pcap", "--recording-format=raw",
        "--delete-delay=0", "--timeout=120", "--silent-timeout=3600", "--num-threads=2", "--media-num-threads=1",
    ]  # fmt: skip


def credential(secret: str, user: str, expires: int) -> tuple[str, str]:
    """Return the name and password that the edge accepts from a seat until a moment (Unix seconds)."""
    name = f"{expires}:{user}"
    mac = hmac.new(secret.encode(), name.encode(), hashlib.sha256).digest()
    return name, base64.b64encode(mac).decode()
