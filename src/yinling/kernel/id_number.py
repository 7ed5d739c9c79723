"""Resident identity numbers, GB 11643 (X-ID-01): form, check character, birth date.

The county code is never refused (X-ID-01a).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal

from yinling.kernel.masks import mask_id
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

if TYPE_CHECKING:
    from collections.abc import Container

Sex = Literal["male", "female"]
Kind = Literal["resident", "hk_permit", "macau_permit", "taiwan_permit"]
LENGTH = 18
OLD_LENGTH = 15
MADE_UP_AREA = 990000
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_PERMITS: dict[str, Kind] = {"81": "hk_permit", "82": "macau_permit", "83": "taiwan_permit"}
_SEQUENCES = 500
_AREAS = 10000


def check_character(first17: str) -> str:
    """Return the 18th character for the 17 digits (ISO 7064 MOD 11-2). ValueError for anything but 17 digits."""
    if not re.fullmatch(r"\d{17}", first17, re.ASCII):
        raise ValueError("17 digits are needed")
    return _CHECK[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first17, strict=True)) % 11]


def _sex_of(digit: str) -> Sex:
    return "male" if int(digit) % 2 else "female"


def _as_18(text: str) -> str:
    """Bring what was typed to 18 characters (X-ID-01c: an old number belongs to the years 19xx)."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
    if len(plain) not in (LENGTH, OLD_LENGTH):
        detail = N_("身份证号码应为18位（老号码15位），现在是%(length)s位，请核对。")
        raise Refused("id.length", detail, length=len(plain))
    if not re.fullmatch(r"\d{15}(\d{2}[\dX])?", plain, re.ASCII):
        raise Refused("id.characters", N_("身份证号码只能是数字，最后一位可以是X，请核对。"))
    if len(plain) == OLD_LENGTH:
        first17 = plain[:6] + "19" + plain[6:]
        return first17 + check_character(first17)
    return plain


@dataclass(frozen=True)
class IdNumber:
    """A well-formed number and what it proposes.

    ``issued_in`` is the county where it was first given: neither home nor hukou (X-ID-01b).
    Printed masked; only ``number`` holds it in clear.
    """

    number: str = field(repr=False)
    born: date = field(repr=False)
    sex: Sex
    issued_in: str

    def __str__(self) -> str:
        return mask_id(self.number)

    @classmethod
    def parse(cls, text: str, today: date) -> IdNumber:
        """Read a number as typed: spaces, full-width digits, lower-case x and the old 15 digits are accepted.

        Raises Refused ``id.length``, ``id.characters``, ``id.checksum``, ``id.birth_date``, ``id.future``.
        """
        number = _as_18(text)
        if check_character(number[:17]) != number[17]:
            raise Refused("id.checksum", N_("身份证号码校验不通过，多半是输错了一位，请对照证件逐位核对。"))
        try:
            born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        except ValueError:
            raise Refused("id.birth_date", N_("身份证号码第7至14位不是有效的出生日期，请核对。")) from None
        if born > today:
            raise Refused("id.future", N_("身份证号码中的出生日期晚于今天，请核对。"))
        return cls(number, born, _sex_of(number[16]), number[:6])

    @property
    def kind(self) -> Kind:
        """Resident card, or residence permit for people from Hong Kong, Macau or Taiwan (X-ID-01c)."""
        return _PERMITS.get(self.number[:2], "resident")

    @property
    def is_made_up(self) -> bool:
        """Whether it is one of ours: no province has the code 99."""
        return self.number.startswith("99")

    def known_prefix(self, codes: Container[str]) -> bool:
        """Whether the county code is in a list: False is a hint for the clerk, never a reason to refuse (X-ID-01a)."""
        return self.issued_in in codes


def made_up(serial: int, born: date, sex: Sex) -> IdNumber:
    """Make a number that is right in form and cannot belong to anybody: issuing area 990000 and up.

    Different serials (0 to 4,999,999) of the same day and sex give different numbers. ValueError outside.
    """
    area, sequence = divmod(serial, _SEQUENCES)
    if not 0 <= area < _AREAS:
        raise ValueError(f"serial {serial} is not between 0 and {_AREAS * _SEQUENCES - 1}")
    first17 = f"{MADE_UP_AREA + area}{born:%Y%m%d}{sequence * 2 + (sex == 'male'):03d}"
    return IdNumber(first17 + check_character(first17), born, sex, first17[:6])
