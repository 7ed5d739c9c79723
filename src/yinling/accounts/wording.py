"""What a message may say and how long it is."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping

from yinling.kernel.id_number import check_character
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

MOST_PARTS = 4
LONGEST = 500
UCS2_WHOLE, UCS2_PART = 70, 67
GSM_WHOLE, GSM_PART = 160, 153
GSM = re.compile(r"[A-Za-z0-9 \r\n@$!\"#%&'()*+,\-./:;<=>?_]*", re.ASCII)
PLACE = re.compile(r"\{([a-z_]+)\}")
_ID_NUMBER = re.compile(r"(?<!\d)(\d{17})([\dXx])(?![\dXx])", re.ASCII)


def fits_gsm(text: str) -> bool:
    """Whether a text goes out in the 7 bits of GSM: no Chinese in it, and nothing that needs an escape."""
    return GSM.fullmatch(text) is not None


def units(text: str) -> int:
    """Return the length of a text on the air: a rare character (𠮷, an emoji) takes two places."""
    return len(text) if fits_gsm(text) else len(text.encode("utf-16-be")) // 2


def parts_of(text: str) -> int:
    """Return as how many short messages a text is sent and charged."""
    whole, part = (GSM_WHOLE, GSM_PART) if fits_gsm(text) else (UCS2_WHOLE, UCS2_PART)
    length = units(text)
    return 1 if length <= whole else math.ceil(length / part)


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return a text with its places filled; a place without a value stays empty rather than show its name to an elder."""
    return PLACE.sub(lambda found: str(values.get(found[1], "")), text)[:LONGEST]


def holds_id_number(text: str) -> bool:
    """Whether an identity number stands in a text: 18 characters whose last one is right."""
    return any(check_character(found[1]) == found[2].upper() for found in _ID_NUMBER.finditer(text))


def check_private(text: str, field: str = "text") -> None:
    """Refuse an identity number in a message: it can be read by whoever holds the phone (X-PIP-12)."""
    if holds_id_number(text):
        raise Refused("message.id_number", N_("短信和微信中不能有身份证号码，请删去"), field=field)


def check_template(text: str, *, places: Collection[str], forbidden: Collection[str], signature: str) -> None:
    """Refuse a wording with unknown places, forbidden personal data, or more parts than an elder can read at once."""
    if not text.strip():
        raise Refused("wording.empty", N_("请填写内容"), field="text")
    unknown = sorted(set(PLACE.findall(text)) - set(places))
    bare = PLACE.sub("", text)
    if unknown or "{" in bare or "}" in bare:
        known = "、".join(f"{{{name}}}" for name in places) or N_("（没有）")
        raise Refused("wording.place", N_("这个模板只能用这些变量：%(known)s"), field="text", known=known)
    check_private(text)
    found = [word for word in forbidden if word in text]
    if found:
        raise Refused(
            "wording.private", N_("短信中不能出现健康等敏感内容：%(words)s"), field="text", words="、".join(found)
        )
    if parts_of(signature + text) > MOST_PARTS:
        raise Refused("wording.long", N_("最多%(most)s条短信的长度，请缩短"), field="text", most=MOST_PARTS)
