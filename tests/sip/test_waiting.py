"""What a caller hears who waits: the prompt and the tones of the line as early media, until a seat answers."""

from __future__ import annotations

import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.factories import CITY
from tests.sip.conftest import Line, wait_until
from tests.sip.sound import Voice, likeness, samples

from yinling.bench.sipline import ANSWERED, BYE, PAUSE, Caller
from yinling.interop.telephony.sip_kamailio.files import Edge
from yinling.interop.telephony.sip_kamailio.sounds import RATE, Sounds, tones

SAME = 0.9


@pytest.fixture
def voice() -> Iterator[Voice]:
    one = Voice(np.zeros(RATE))
    yield one
    one.stop()


@pytest.fixture
def only_tones(monkeypatch: pytest.MonkeyPatch, running_edge: Any) -> Path:
    """No voice, so that what is heard is known to the sample; and a caller who waits a second has waited long."""
    path: Path = running_edge.edge.folder / "waiting.wav"
    path.unlink(missing_ok=True)
    monkeypatch.setattr(Sounds, "_spoken", lambda _self, _name: b"")
    known = Sounds.parameter
    values = {"line.music_after_seconds": 1}
    monkeypatch.setattr(Sounds, "parameter", lambda self, key: values.get(key) or known(self, key))
    return path


def waits(line: Line, voice: Voice) -> Any:
    text = Caller(parts=(ANSWERED, PAUSE, BYE), number="13800138001", talk_ms=1500, patience_ms=40_000).text()
    return line.stage.run(
        "waits", text.replace("[media_port]", str(voice.port)), f"{line.edge.host}:{line.edge.trunk_port}", timeout=60
    )


@pytest.mark.req("R-CALL-06")
def test_a_waiting_caller_hears_the_tones_until_a_seat_answers(line: Line, voice: Voice, only_tones: Path) -> None:
    line.start()
    line.seat()
    first = line.caller(talk_ms=12_000)
    line.wait(1, state="answered")
    second = waits(line, voice)
    line.wait(1, state="ringing")
    wait_until(lambda: len(voice.heard) > 150, 11, "three seconds of sound")
    heard = voice.sound()
    assert np.abs(heard).max() > 0.05
    assert likeness(heard[: 3 * RATE], samples(only_tones)) > SAME
    assert line.inside is not None
    assert [first.end(), second.end(60)] == [0, 0], second.log()
    calls = line.wait_over(2)
    assert [one.state for one in calls] == ["ended", "ended"]
    time.sleep(0.5)  # what was still on its way
    count = len(voice.heard)
    time.sleep(0.5)
    assert len(voice.heard) == count


def test_the_sound_is_made_here_with_what_the_city_says_first(tmp_path: Path) -> None:
    sounds = Sounds(Edge(tmp_path), CITY)
    whole = samples(Path(sounds.waiting()))
    assert len(whole) > len(tones()) + 2 * RATE
    assert np.abs(whole[-len(tones()) :] - tones()).max() < 0.001
    with wave.open(sounds.waiting()) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)


def test_without_a_voice_there_are_tones_alone(tmp_path: Path, settings: Any) -> None:
    settings.PORTS = settings.PORTS | {"tts": "tests.sip.test_waiting.Mute"}
    sounds = Sounds(Edge(tmp_path), CITY)
    assert len(samples(Path(sounds.waiting()))) == len(tones())
    assert sounds.prompt("recording") == ""


class Mute:
    """No voice on this machine."""

    def prompt_wav(self, _text: str) -> bytes:
        raise OSError("no voice")
