"""Voices for a call: speech made by espeak-ng, a caller who sends it as RTP and keeps what comes back, and how like two sounds are."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import threading
import time
import wave
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from yinling.interop.telephony.sip_kamailio.spool import LAWS, PCMA, RATE

STEP = RATE // 50
LONGEST = 600 * RATE
QUIET = 0.01


def speak(text: str, path: Path) -> Path:
    """Write a WAV file in which a text is spoken in Chinese."""
    subprocess.run([shutil.which("espeak-ng") or "espeak-ng", "-v", "cmn", "-w", str(path), text], check=True)
    return path


def samples(path: Path, rate: int = RATE) -> Any:
    """Return the sound of a WAV file at a rate, as numbers between -1 and 1."""
    with wave.open(str(path)) as file:
        found = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64) / 32768
        found = found.reshape(-1, file.getnchannels())[:, 0]
        places = np.arange(0, len(found), file.getframerate() / rate)
    return np.interp(places, np.arange(len(found)), found)


def coded(sound: Any) -> Any:
    """Return a sound as A-law bytes: of the 256 values each time the nearest."""
    order = np.argsort(LAWS[PCMA], kind="stable")
    known = LAWS[PCMA][order].astype(np.float64) / 32768
    places = np.clip(np.searchsorted(known, sound), 1, len(known) - 1)
    places -= sound - known[places - 1] < known[places] - sound
    return order[places].astype(np.uint8)


def decoded(codes: bytes) -> Any:
    """Return A-law bytes as numbers between -1 and 1."""
    return LAWS[PCMA][np.frombuffer(codes, np.uint8)].astype(np.float64) / 32768


class Voice:
    """The sound of a caller on a loopback port. It answers to where the first packet comes from, and says its text again and again."""

    def __init__(self, sound: Any) -> None:
        self.codes = coded(sound).tobytes()
        self.heard: list[tuple[int, int, bytes]] = []
        self.wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.wire.bind(("127.0.0.1", 0))
        self.wire.settimeout(0.2)
        self.port = int(self.wire.getsockname()[1])
        self.far: Any = None
        self.is_over = threading.Event()
        self.threads = [
            threading.Thread(target=self._hear, daemon=True),
            threading.Thread(target=self._say, daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def _hear(self) -> None:
        while not self.is_over.is_set():
            try:
                packet, source = self.wire.recvfrom(2048)
            except TimeoutError:
                continue
            if len(packet) > 12 and packet[1] & 0x7F == PCMA:
                self.far = self.far or source
                self.heard.append((*struct.unpack_from("!II", packet, 4), packet[12:]))

    def _say(self) -> None:
        number, due = 0, 0.0
        while not self.is_over.is_set():
            if self.far is None:
                time.sleep(0.005)
                continue
            due = due or time.monotonic()
            start = number * STEP % len(self.codes)
            part = (self.codes + self.codes)[start : start + STEP]
            self.wire.sendto(
                struct.pack("!BBHII", 0x80, PCMA, number & 0xFFFF, number * STEP, 0x59494E47) + part, self.far
            )
            number, due = number + 1, due + 0.02
            time.sleep(max(0, due - time.monotonic()))

    def sound(self) -> Any:
        """Return what was heard of the longest stream, each packet at its place: a prompt before it is a stream of its own."""
        if not self.heard:
            return np.zeros(0)
        longest = Counter(stream for _place, stream, _part in self.heard).most_common(1)[0][0]
        parts = [(place, part) for place, stream, part in self.heard if stream == longest]
        start = parts[0][0]
        parts = [(ahead, part) for place, part in parts if (ahead := (place - start) % 2**32) < LONGEST]
        line = np.zeros(max(at for at, _part in parts) + STEP)
        for at, part in parts:
            line[at : at + len(part)] = decoded(part)[: len(line) - at]
        return line

    def stop(self) -> None:
        """Say and hear no more."""
        self.is_over.set()
        for thread in self.threads:
            thread.join(2)
        self.wire.close()


def envelope(sound: Any, rate: int = RATE) -> Any:
    """Return how loud a sound is, fifty times a second."""
    step = rate // 50
    whole = np.asarray(sound, np.float64)[: len(sound) // step * step].reshape(-1, step)
    return np.sqrt((whole**2).mean(axis=1))


def likeness(heard: Any, said: Any) -> float:
    """Return the best correlation of what was heard with a text said again and again, whatever the shift: 1 is the same."""
    heard = np.asarray(heard, np.float64)
    heard = heard - heard.mean()
    twice = np.tile(np.asarray(said, np.float64), int(np.ceil(len(heard) / len(said))) + 1)
    size = 1 << int(np.ceil(np.log2(len(twice) + len(heard))))
    product = np.fft.irfft(np.fft.rfft(twice, size) * np.conj(np.fft.rfft(heard, size)), size)[
        : len(twice) - len(heard) + 1
    ]
    sums, squares = (np.concatenate(([0], np.cumsum(values))) for values in (twice, twice**2))
    size_h = len(heard)
    mean = (sums[size_h:] - sums[:-size_h]) / size_h
    spread = np.sqrt(np.maximum(squares[size_h:] - squares[:-size_h] - size_h * mean**2, 1e-12)) * np.sqrt(
        (heard**2).sum() + 1e-12
    )
    return float((product / spread).max())


def middle(sound: Any, seconds: float) -> Any:
    """Return the middle of a sound, away from how it began and ended; on a busy machine one side may have spoken less than the other."""
    places = np.flatnonzero(np.abs(sound) > QUIET)
    sound = sound[places[0] : places[-1] + 1] if places.size else sound
    half, centre = int(seconds * RATE / 2), len(sound) // 2
    return sound[max(0, centre - half) : centre + half]
