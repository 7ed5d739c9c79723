"""What callers hear from the line itself: the prompts of the city, and soft tones while they wait. Every file is made here, by us."""

from __future__ import annotations

import io
import logging
import wave
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.module_loading import import_string

from yinling.ground.clock import business_now, real_now
from yinling.ground.parameters import parameter
from yinling.interop.telephony.sip_kamailio.events import EdgeCall, EdgeLink, moment
from yinling.interop.telephony.sip_kamailio.files import PROMPTS, Edge
from yinling.interop.telephony.sip_kamailio.media import MediaError, ask, early_sound
from yinling.kernel.period import local_date

RATE = 8_000
NOTES = (392.0, 493.9, 587.3, 493.9, 440.0, 523.3, 659.3, 523.3)
NOTE_S, REST_S, ROUNDS, LOUDNESS = 0.6, 0.8, 3, 0.12
WAITING = "waiting.wav"
TIMES = 300
"""A waiting call ends after two hours at the latest."""
log = logging.getLogger("yinling.line")


class Sounds:
    """The sound files of an area's line."""

    def __init__(self, edge: Edge, area: str) -> None:
        self.edge, self.area, self.has_no_voice = edge, area, False

    def parameter(self, key: str) -> Any:
        """Return what the area says today."""
        return parameter(key, self.area, local_date(business_now()))

    def _spoken(self, name: str) -> bytes:
        """Return a prompt with the voice of the settings; nothing if there is no voice."""
        if self.has_no_voice:
            return b""
        try:
            return bytes(import_string(settings.PORTS["tts"])().prompt_wav(str(self.parameter(f"line.prompt.{name}"))))
        except OSError as error:
            self.has_no_voice = True
            log.warning("no prompts: %s", error)
            return b""

    def prompt(self, name: str) -> str:
        """Return the file of a prompt, spoken once."""
        path = self.edge.folder / PROMPTS[name]
        return _kept(path, b"" if path.is_file() else self._spoken(name))

    def waiting(self) -> str:
        """Return the file of what a waiting caller hears: what the city says to them, if there is a voice, then tones."""
        path = self.edge.folder / WAITING
        return str(path) if path.is_file() else _kept(path, _wav([_samples(self._spoken("busy")), tones()]))


def tones() -> np.ndarray:
    """Return a quiet pattern of tones, each fading away, with a rest after every round."""
    at = np.arange(int(NOTE_S * RATE)) / RATE
    fade = np.minimum(1, at / 0.02) * np.exp(-3 * at)
    round_ = [LOUDNESS * fade * np.sin(2 * np.pi * note * at) for note in NOTES]
    return np.tile(np.concatenate([*round_, np.zeros(int(REST_S * RATE))]), ROUNDS)


def _samples(sound: bytes) -> np.ndarray:
    if not sound:
        return np.zeros(0)
    with wave.open(io.BytesIO(sound)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float) / 32768


def _wav(parts: list[np.ndarray]) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.concatenate(parts) * 32767).astype("<i2").tobytes())
    return made.getvalue()


def _kept(path: Path, content: bytes) -> str:
    """Write a file whole; return its name if it is there. The line works on without sounds."""
    try:
        if content:
            path.with_suffix(".new").write_bytes(content)
            path.with_suffix(".new").replace(path)
    except OSError as error:
        log.warning("no prompts: %s", error)
    return str(path) if path.is_file() else ""


class Music:
    """Waiting callers hear something: early media (183) from a call of rtpengine's own, so that nothing of the conversation hangs on it."""

    def __init__(self, link: EdgeLink, edge: Edge, sounds: Sounds) -> None:
        self.link, self.edge, self.sounds = link, edge, sounds
        self.asked: set[str] = set()

    def look(self, calls: list[EdgeCall]) -> None:
        """Ask for the offers of callers who have waited long enough."""
        after = int(self.sounds.parameter("line.music_after_seconds"))
        for seen in calls:
            began = moment(seen.rang_at)
            is_due = began is not None and real_now() - began >= timedelta(seconds=after)
            if after and is_due and seen.state == "waiting" and seen.kind == "in" and seen.call not in self.asked:
                self.sounds.waiting()  # made here, not in the thread that follows calls
                self.asked.add(seen.call)
                self.link.tell(op="music", call=seen.call, leg=seen.leg)

    def play(self, told: dict[str, Any]) -> None:
        """Let rtpengine play to a caller, and the edge tell the caller where it comes from. Without sound the caller hears it ring on."""
        names = {"call": _name(told["call"]), "from_tag": told["from_tag"], "sdp": told["sdp"]}
        try:
            file = self.sounds.waiting()
            sdp = early_sound(self.edge.media_port, self.edge.host, file=file, times=TIMES, **names)
        except OSError as error:
            log.warning("nothing to hear for who waits: %s", error)
        else:
            self.link.tell(op="play", call=told["call"], leg=told["leg"], sdp=sdp)

    def note(self, seen: EdgeCall) -> None:
        """End what somebody heard who waits no more."""
        if seen.call in self.asked and seen.state not in ("arrived", "waiting", "offered"):
            self.asked.discard(seen.call)
            with suppress(MediaError):
                ask(self.edge.media_port, command="delete", call_id=_name(seen.call))


def _name(call: str) -> str:
    return f"waiting-{call}"
