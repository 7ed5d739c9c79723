"""What rtpengine is told directly: to answer a caller itself, to speak and to write down (its "ng" protocol, bencode over UDP)."""

from __future__ import annotations

import secrets
import socket
from typing import Any

OURS = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)
"""The answer of a side that is not there: it hears at a port where nobody is."""


class MediaError(OSError):
    """rtpengine did not do it."""


def bencode(value: Any) -> bytes:
    """Write a text, a number, a list or a dictionary as ng has it."""
    if isinstance(value, str):
        data = value.encode()
        return b"%d:%s" % (len(data), data)
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, list):
        return b"l" + b"".join(bencode(one) for one in value) + b"e"
    return b"d" + b"".join(bencode(name) + bencode(value[name]) for name in sorted(value)) + b"e"


def bdecode(data: bytes, place: int = 0) -> tuple[Any, int]:
    """Read one value; return it and where the next one begins."""
    kind = data[place : place + 1]
    if kind == b"i":
        end = data.index(b"e", place)
        return int(data[place + 1 : end]), end + 1
    if kind in (b"l", b"d"):
        values, place = [], place + 1
        while data[place : place + 1] != b"e":
            value, place = bdecode(data, place)
            values.append(value)
        return (values if kind == b"l" else dict(zip(values[::2], values[1::2], strict=True))), place + 1
    mark = data.index(b":", place)
    end = mark + 1 + int(data[place:mark])
    return data[mark + 1 : end].decode("utf-8", "replace"), end


def ask(port: int, **words: Any) -> dict[str, Any]:
    """Ask rtpengine; the same question twice is answered once (the cookie)."""
    cookie = secrets.token_hex(8).encode()
    message = cookie + b" " + bencode({name.replace("_", "-"): value for name, value in words.items()})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(0.5)
        for _once in range(4):
            line.sendto(message, ("127.0.0.1", port))
            try:
                answer = line.recv(65536)
            except TimeoutError:
                continue
            found, _end = bdecode(answer.partition(b" ")[2])
            if found.get("result") != "ok":
                raise MediaError(str(found.get("error-reason", found)))
            return dict(found)
    raise MediaError("rtpengine does not answer")


def pick_up(port: int, host: str, *, call: str, from_tag: str, sdp: str, row: int, prompt: str) -> str:
    """Answer a caller, speak the prompt, and write down what is said; return the answer for the caller."""
    names = {"call_id": call, "from_tag": from_tag}
    answer = _answered(port, host, sdp, names)
    ask(port, command="start recording", metadata=f"row:{row}", **names)
    if prompt:
        ask(port, command="play media", file=prompt, **names)
    return answer


def early_sound(port: int, host: str, *, call: str, from_tag: str, sdp: str, file: str, times: int) -> str:
    """Play a file again and again to somebody who waits; return the answer for the caller."""
    names = {"call_id": call, "from_tag": from_tag}
    answer = _answered(port, host, sdp, names)
    ask(port, command="play media", file=file, repeat_times=times, **names)
    return answer


def _answered(port: int, host: str, sdp: str, names: dict[str, str]) -> str:
    """Put rtpengine itself at the other side of a caller; return its answer."""
    ask(
        port,
        command="offer",
        sdp=sdp,
        replace=["origin", "session-connection"],
        ICE="remove",
        transport_protocol="RTP/AVP",
        **names,
    )
    answer = ask(
        port,
        command="answer",
        sdp=OURS.format(host=host),
        to_tag="message",
        replace=["origin", "session-connection"],
        **names,
    )
    return str(answer["sdp"])
