"""Search keys of names, phone numbers in one form, and what somebody is searching by."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

from pypinyin import Style, pinyin

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

SearchKind = Literal["pinyin", "initials", "hanzi", "phone", "last4", "id", "code"]
MOST_READINGS = 64
"""Beyond so many readings of one name, further characters count with their commonest reading only."""

_SURNAME_READINGS = dict(
    re.findall(
        r"(\w):(\w+)",
        "单:shan 曾:zeng 解:xie 仇:qiu 区:ou 查:zha 朴:piao 盖:ge 翟:zhai 缪:miao 乐:yue 员:yun 贠:yun 覃:qin 洗:xian "
        "折:she 黑:he 秘:bi 种:chong 句:gou 佴:nai 隗:wei 郇:xun 召:shao 牟:mu 祭:zhai 繁:po 都:du 不:fou 重:chong "
        "薄:bo 尉:yu 万:mo 费:bi 宓:fu 适:kuo 蕃:pi 阚:kan",
    )
)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SEPARATORS = re.compile(r"[\s·•・‧∙．.']")
_SYLLABLES = re.compile(
    r"(?:(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?"
    r"(?:iang|iong|uang|ueng|ang|eng|ing|ong|iao|ian|uai|uan|van|ai|ei|ao|ou|an|en|er|in|un|vn"
    r"|ia|ie|iu|ua|uo|ui|ue|ve|a|o|e|i|u|v))+"
)
_LONGEST_INITIALS = 4
_LAST = 4
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE = re.compile(r"(?:0(?:10|2\d|[3-9]\d\d))?[2-8]\d{6,7}|[48]00\d{7}", re.ASCII)
_PHONE_LETTERS = re.compile(r"[\d\s()\-.+]+", re.ASCII)


def plain_name(text: str) -> str:
    """Bring a name, or what was typed to find one, to the form of the keys: no spaces and dots, lower case, ü as v."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).lower().replace("ü", "v")


@cache
def _readings_of(character: str, *, is_surname: bool) -> tuple[str, ...]:
    """Return the readings of a character, the commonest first.

    A letter reads as itself; what has no reading is left out.
    """
    if not _HAN.match(character):
        return (character,) if character.isalnum() else ()
    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    readings = list(found[0]) if found else []
    if is_surname and character in _SURNAME_READINGS:
        readings.insert(0, _SURNAME_READINGS[character])
    return tuple(dict.fromkeys(readings))


def _readings(name: str) -> list[tuple[str, ...]]:
    """Return every way to read a name, syllable by syllable."""
    ways: list[tuple[str, ...]] = [()]
    for place, character in enumerate(plain_name(name)):
        readings = _readings_of(character, is_surname=place == 0)
        if readings:
            few = readings if len(ways) * len(readings) <= MOST_READINGS else readings[:1]
            ways = [(*way, reading) for way in ways for reading in few]
    return [way for way in ways if way]


def pinyin_keys(name: str) -> set[str]:
    """All full readings in lower case without tones; ü is v as people type it: 吕 -> lv."""
    return {"".join(way) for way in _readings(name)}


def initials_keys(name: str) -> set[str]:
    """First letters of all readings: 单雄信 -> sxx, dxx, cxx."""
    return {"".join(syllable[0] for syllable in way) for way in _readings(name)}


def deletion_keys(name: str) -> set[str]:
    """The name and the name less each character: two names that differ in one character share a key."""
    plain = plain_name(name)
    return {plain, *(plain[:place] + plain[place + 1 :] for place in range(len(plain)))} - {""}


def normalise_phone(text: str) -> str:
    """Bring a phone number to its digits: +86 and separators go, the area code of a landline stays (X-ID-04).

    Raises Refused ``phone.format``.
    """
    if _MOBILE.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFKC", text).strip()
    digits = re.sub(r"\D", "", plain, flags=re.ASCII) if _PHONE_LETTERS.fullmatch(plain) else ""
    within = re.sub(r"^(?:00)?86(?=\d{10})", "", digits)
    candidates = (within, "0" + within) if within != digits else (digits,) if "+" not in plain else ()
    for candidate in candidates:
        if _MOBILE.fullmatch(candidate) or _LANDLINE.fullmatch(candidate):
            return candidate
    raise Refused("phone.format", N_("电话号码不对：手机号11位，固定电话请带区号，分机号写在备注里。"))


def _is_phone(text: str) -> bool:
    try:
        normalise_phone(text)
    except Refused:
        return False
    return True


def _kind_of_digits(text: str) -> SearchKind:
    compact = re.sub(r"\s", "", text)
    if re.fullmatch(r"\d{15}|\d{17}[\dx]", compact, re.ASCII):
        return "id"
    if re.fullmatch(rf"\d{{{_LAST}}}", compact, re.ASCII):
        return "last4"
    return "phone" if _is_phone(text) else "code"


def search_kind(text: str) -> SearchKind:
    """Say what somebody searches by.

    Letters that can be read as syllables are pinyin (also ``an``); up to 4 others are initials, more a pinyin not
    finished. Letters with digits, and digits that are nothing else, are a code. Raises Refused ``search.empty``.
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if not plain:
        raise Refused("search.empty", N_("请输入姓名、拼音、电话、身份证号或编号。"))
    if _HAN.search(plain):
        return "hanzi"
    letters = plain_name(plain)
    if re.fullmatch(r"[a-z]+", letters):
        is_whole = _SYLLABLES.fullmatch(letters) is not None
        return "pinyin" if is_whole or len(letters) > _LONGEST_INITIALS else "initials"
    return _kind_of_digits(plain)
