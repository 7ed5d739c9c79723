"""`./run --hotline`: a telephone line that really rings, of Debian's Kamailio and rtpengine, kept running beside the platform."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from yinling.cli.account import Unusable
from yinling.cli.supervisor import Child
from yinling.interop.telephony.sip_kamailio.files import (
    Edge,
    free_ports,
    is_listening,
    is_media_ready,
    kamailio_argv,
    missing_packages,
    rtpengine_argv,
    write,
)

ADAPTER = "yinling.interop.telephony.sip_kamailio.adapter.SipKamailio"
SETTINGS = {
    "LINE_HOST": "address of this machine at which trunk and seats reach the line (127.0.0.1)",
    "LINE_PORT": "SIP port of the trunk (5060)",
    "LINE_TRUNK": "addresses of the trunk, comma-separated; nobody else is believed (127.0.0.1)",
    "LINE_GATEWAY": "address and port to which calls go out (127.0.0.1:5080)",
    "LINE_NUMBERS": "numbers under which the line is called, comma-separated; the first is shown when it calls (12349)",
    "LINE_DUTY_PHONE": "number that is called when neither platform nor seat is there, until the platform names another",
    "LINE_WS_URL": "address of the line's WebSocket as browsers reach it, wss://… behind https",
    "LINE_MEDIA": "UDP ports of the sound, from-to (30000-34000)",
    "LINE_RATE": "new calls a second at most (60)",
}


def plan(data: Path) -> Edge:
    """Return where the line listens, as the environment says; taken ports give way to the next free ones."""
    missing = missing_packages()
    if missing:
        words = " ".join(missing)
        raise Unusable(
            f"热线需要 Debian 软件包：{words}。请运行 apt-get install {words}，再启动。 "
            f"The line needs Debian packages: apt-get install {words}, then start again."
        )
    value = os.environ.get
    media_from, _dash, media_to = value("LINE_MEDIA", "30000-34000").partition("-")
    edge = Edge(
        folder=data / "hotline", host=value("LINE_HOST", "127.0.0.1"), trunk_port=int(value("LINE_PORT", "5060")),
        trusted=listed("LINE_TRUNK", "127.0.0.1"), gateway=value("LINE_GATEWAY", "127.0.0.1:5080"), numbers=listed("LINE_NUMBERS", "12349"),
        duty_phone=value("LINE_DUTY_PHONE", ""), public_ws_url=value("LINE_WS_URL", ""), media_from=int(media_from), media_to=int(media_to),
        rate=int(value("LINE_RATE", "60")),
    )  # fmt: skip
    edge = free_ports(edge)
    write(edge)
    return edge


def listed(name: str, default: str) -> tuple[str, ...]:
    """Read a comma-separated setting."""
    return tuple(one.strip() for one in os.environ.get(name, default).split(",") if one.strip())


def edge_children(edge: Edge, environment: Mapping[str, str]) -> list[Child]:
    """Return the programs of the line in the order of their start: sound, signalling, decisions."""
    line = [sys.executable, "-m", "yinling.interop.telephony.line"]
    return [
        Child("media", rtpengine_argv(edge), dict(os.environ), is_ready=lambda: is_media_ready(edge)),
        Child("edge", kamailio_argv(edge), dict(os.environ), is_ready=lambda: is_listening(edge)),
        Child("line", line, {**environment, "YINLING_POOL": "0"}),
    ]


def how_to_call(edge: Edge) -> str:
    """The words with which `./run` says that the line is there."""
    address = f"sip:{edge.numbers[0]}@{edge.host}:{edge.trunk_port}"
    words = f"热线已接通 The line is on: {address}   用软电话或 sipp 呼叫 call it with a soft-phone or sipp:\n"
    if shutil.which("sipp"):
        words += f"  sipp {edge.host}:{edge.trunk_port} -sn uac -s {edge.numbers[0]} -m 1 -d 10000\n"
    return words + f"  坐席网页 pages of seats: {edge.ws_url}   说明 docs/howto/hotline.md\n"
