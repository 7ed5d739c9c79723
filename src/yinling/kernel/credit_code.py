"""Unified social credit codes of organisations, GB 32100 (X-ID-02)."""

from __future__ import annotations

import re
import unicodedata

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 18
MOST_SERIAL = 9_999_999


def credit_check_character(first17: str) -> str:
    """Return the 18th character; a sum divisible by 31 gives ``0`` (X-ID-02).

    ValueError for anything but 17 characters of the alphabet.
    """
    if len(first17) != LENGTH - 1 or not set(first17) <= set(ALPHABET):
        raise ValueError("17 characters of the alphabet are needed")
    total = sum(ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(first17))
    return ALPHABET[-total % 31]


def check_credit_code(text: str) -> str:
    """Return the code in upper case, without spaces.

    The first characters are not judged (X-ID-02a: tables in circulation are wrong).
    Raises Refused ``credit_code.length``, ``credit_code.characters``, ``credit_code.checksum``.
    """
    code = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
    if len(code) != LENGTH:
        detail = N_("统一社会信用代码应为18位，现在是%(length)s位，请核对。")
        raise Refused("credit_code.length", detail, length=len(code))
    if not set(code) <= set(ALPHABET):
        raise Refused("credit_code.characters", N_("统一社会信用代码只有数字和大写字母，没有I、O、S、V、Z，请核对。"))
    if credit_check_character(code[:-1]) != code[-1]:
        raise Refused("credit_code.checksum", N_("统一社会信用代码校验不通过，请对照证照逐位核对。"))
    return code


def made_up_credit_code(serial: int, kind: str = "91") -> str:
    """Make a code right in form that belongs to nobody: division 990000.

    ``kind`` is the first two characters: 91 enterprise, 52 private non-enterprise unit, 12 institution (X-ID-02a).
    Serials run from 0 to 9,999,999. ValueError outside.
    """
    if not 0 <= serial <= MOST_SERIAL:
        raise ValueError(f"serial {serial} is not between 0 and {MOST_SERIAL}")
    first17 = f"{kind}990000MA{serial:07d}"
    return first17 + credit_check_character(first17)
