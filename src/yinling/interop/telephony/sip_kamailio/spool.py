"""Recordings: from the packets that rtpengine wrote down to a sound file, and from the spool into the platform."""

from __future__ import annotations

import io
import re
import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from yinling.ground.clock import business_now, real_now
from yinling.ground.scope import scope
from yinling.hotline.models import Call
from yinling.hotline.operations import store_recording
from yinling.hotline.states import CallState

RATE = 8000
PCMU, PCMA = 0, 8
UDP, RAW_IP, IP4, IP6 = 17, 101, 4, 6
LONGEST_SECONDS = 4 * 3600
KEPT_WITHOUT_ROW = timedelta(hours=24)
NUMBER_OF_ROW = re.compile(r"^row:(\d{1,18})$", re.MULTILINE | re.ASCII)


def _mu_law() -> Any:
    codes = ~np.arange(256, dtype=np.uint8)
    sizes = (((codes & 0x0F).astype(np.int32) << 3) + 0x84) << ((codes & 0x70) >> 4)
    return np.where(codes & 0x80, 0x84 - sizes, sizes - 0x84).astype(np.int16)


def _a_law() -> Any:
    codes = np.arange(256, dtype=np.uint8) ^ 0x55
    steps = (codes & 0x70) >> 4
    sizes = ((codes & 0x0F).astype(np.int32) << 4) + 8
    sizes = np.where(steps > 0, (sizes + 0x100) << np.maximum(steps.astype(np.int32) - 1, 0), sizes)
    return np.where(codes & 0x80, sizes, -sizes).astype(np.int16)


LAWS = {PCMU: _mu_law(), PCMA: _a_law()}


@dataclass(frozen=True)
class Packet:
    """One packet of sound: when it came, at which of our ports, its place in the stream (samples), and the sound.

    Our port stands for the side: a browser that finds a better way goes on from another address of its own.
    """

    at: float
    side: tuple[bytes, int]
    stream: int
    place: int
    sound: Any


def packets(data: bytes) -> Iterator[Packet]:
    """Read the G.711 packets of a pcap file of raw IP; anything else in it is left out, a torn end too."""
    magic, link = struct.unpack_from("<I16xI", data) if len(data) >= 24 else (0, 0)  # noqa: PLR2004 - the head of a pcap
    if magic not in (0xA1B2C3D4, 0xA1B23C4D) or link != RAW_IP:
        return
    parts = 1e9 if magic == 0xA1B23C4D else 1e6  # noqa: PLR2004 - nanoseconds
    place = 24
    while place + 16 <= len(data):
        seconds, fraction, length = struct.unpack_from("<III", data, place)
        found = _rtp(data[place + 16 : place + 16 + length], seconds + fraction / parts)
        if found is not None:
            yield found
        place += 16 + length


def _rtp(packet: bytes, at: float) -> Packet | None:
    version = packet[0] >> 4 if packet else 0
    head = (packet[0] & 15) * 4 if version == IP4 else 40
    protocol = (
        packet[9]
        if version == IP4 and len(packet) > head
        else packet[6]
        if version == IP6 and len(packet) > head
        else 0
    )
    body = packet[head + 8 :]
    if protocol != UDP or len(body) < 12 or body[0] >> 6 != 2:  # noqa: PLR2004 - the head of RTP
        return None
    law = LAWS.get(body[1] & 0x7F)
    if law is None:
        return None
    extra = 12 + 4 * (body[0] & 15)
    if body[0] & 0x10 and len(body) >= extra + 4:
        extra += 4 + 4 * struct.unpack_from("!H", body, extra + 2)[0]
    padding = body[-1] if body[0] & 0x20 else 0
    port = struct.unpack_from("!H", packet, head + 2)[0]
    place, stream = struct.unpack_from("!II", body, 4)
    ours = packet[16:20] if version == IP4 else packet[24:40]
    return Packet(at, (ours, port), stream, place, law[np.frombuffer(body[extra : len(body) - padding], np.uint8)])


def sound_of(*files: bytes) -> tuple[bytes, datetime, int] | None:
    """Return a call's sound as WAV (left the caller, right the seats), when it began and how many seconds; none without sound.

    A call that was passed on has several files. In each, whoever was heard first is the caller.
    """
    found = [rows for rows in (list(packets(data)) for data in files) if rows]
    if not found:
        return None
    began = min(rows[0].at for rows in found)
    left: list[tuple[int, Any]] = []
    right: list[tuple[int, Any]] = []
    for rows in found:
        first = rows[0].side
        streams: dict[tuple[tuple[bytes, int], int], Packet] = {}
        for row in rows:
            start = streams.setdefault((row.side, row.stream), row)
            place = round((start.at - began) * RATE) + ((row.place - start.place) & 0xFFFFFFFF)
            (left if row.side == first else right).append((place, row.sound))
    tracks = [_track(left), _track(right)]
    length = max(len(one) for one in tracks)
    both = np.zeros((length, 2), np.int16)
    for side, one in enumerate(tracks):
        both[: len(one), side] = one
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(both.tobytes())
    return file.getvalue(), datetime.fromtimestamp(began, UTC), round(length / RATE)


def _track(parts: list[tuple[int, Any]]) -> Any:
    """Lay packets where they belong in time; what would lie beyond any call is left out."""
    inside = [(start, sound) for start, sound in parts if start + len(sound) <= LONGEST_SECONDS * RATE]
    line = np.zeros(max((start + len(sound) for start, sound in inside), default=0), np.int16)
    for start, sound in inside:
        line[start : start + len(sound)] = sound
    return line


def keep_recordings(follower: Any, spool: Path) -> None:
    """Bring the recordings of ended calls into the platform, then delete them. Killed between, the next round stores them once.

    rtpengine writes a note beside each recording when it is over: where the sound lies and, from us, the number of the row.
    """
    parts: dict[int, list[tuple[Path, Path]]] = {}
    kinds: dict[int, str] = {}
    for note in sorted((spool / "metadata").glob("*.txt")):
        text = note.read_text("utf-8", "replace")
        path = spool / "pcaps" / Path(text.partition("\n")[0]).name
        if "call end time" not in text or not path.is_file():
            continue
        row = _row(follower, text, unquote(path.name.rpartition("-")[0]))
        if row is not None and row.ended_at is not None:
            parts.setdefault(row.pk, []).append((path, note))
            kinds[row.pk] = "message" if row.state == CallState.MESSAGE else "talk"
        elif row is None and real_now().timestamp() - note.stat().st_mtime > KEPT_WITHOUT_ROW.total_seconds():
            _delete([(path, note)])
    for number, files in parts.items():
        found = sound_of(*(path.read_bytes() for path, _note in files))
        if found is not None:
            content, started_at, seconds = found
            shift = business_now() - real_now()
            values = {"call_id": number, "kind": kinds[number], "content": content, "started_at": started_at + shift}
            follower.run(store_recording, seconds=seconds, **values)
        _delete(files)


def _delete(files: list[tuple[Path, Path]]) -> None:
    for path, note in files:
        path.unlink(missing_ok=True)
        note.unlink(missing_ok=True)


def _row(follower: Any, text: str, call: str) -> Call | None:
    """Return the call of a recording: by the number of its row, or by the edge's name of it."""
    found = NUMBER_OF_ROW.search(text)
    with scope(follower.actor):
        if found and int(found[1]):
            return Call.objects.filter(pk=int(found[1])).first()
        return Call.objects.filter(key=call).first()
