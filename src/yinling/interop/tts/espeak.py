"""A voice that needs no network: Debian's espeak-ng. Plain, understandable, the same on every machine."""

from __future__ import annotations

import io
import subprocess
import wave

import numpy as np

RATE = 8_000
WORDS_A_MINUTE = 140
SECONDS = 20
MISSING = "espeak-ng is missing (Debian: apt-get install espeak-ng)"
_TAPS = 63


class Espeak:
    """Speaks with ``espeak-ng -v cmn``."""

    def prompt_wav(self, text: str) -> bytes:
        """Return the text spoken in Mandarin: WAV, mono, 16 bit, 8000 Hz."""
        return prompt_wav(text)


def prompt_wav(text: str) -> bytes:
    """Return the text spoken in Mandarin as a line carries it. Raises OSError when there is no voice."""
    words = ["espeak-ng", "-v", "cmn", "-s", str(WORDS_A_MINUTE), "--stdin", "--stdout"]
    try:
        done = subprocess.run(words, input=text.encode(), capture_output=True, timeout=SECONDS, check=True)  # noqa: S603 - our own words, the text is no argument
    except FileNotFoundError as error:
        raise OSError(MISSING) from error
    except subprocess.SubprocessError as error:
        raise OSError("espeak-ng did not speak") from error
    return _as_line(done.stdout)


def _as_line(sound: bytes) -> bytes:
    """Return a sound of any rate as the telephone carries it. espeak writes to a pipe, so the lengths in its header are not to be trusted."""
    with wave.open(io.BytesIO(sound)) as given:
        rate = given.getframerate()
        samples = np.frombuffer(given.readframes(len(sound) // 2), dtype="<i2").astype(float)
    made = io.BytesIO()
    with wave.open(made, "wb") as line:
        line.setnchannels(1)
        line.setsampwidth(2)
        line.setframerate(RATE)
        line.writeframes(np.clip(_resampled(samples, rate), -32768, 32767).astype("<i2").tobytes())
    return made.getvalue()


def _resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    """Cut what a line cannot carry (a windowed sinc below 3.8 kHz), then read at 8000 Hz."""
    if not len(samples):
        return samples
    places = np.arange(_TAPS) - (_TAPS - 1) / 2
    cut = 2 * 3800 / rate
    taps = np.sinc(cut * places) * np.hamming(_TAPS)
    smooth = np.convolve(samples, taps / taps.sum(), mode="same")
    wanted = np.arange(int(len(samples) * RATE / rate)) * rate / RATE
    return np.interp(wanted, np.arange(len(samples)), smooth)
