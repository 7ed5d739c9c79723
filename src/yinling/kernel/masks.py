"""What is shown of a person by default: enough to recognise, too little to misuse."""

from __future__ import annotations

import re

COMPOUND_SURNAMES = frozenset(
    re.findall(
        "..",
        "欧阳司马上官诸葛东方皇甫尉迟公孙慕容令狐宇文长孙司徒夏侯轩辕端木司空百里南宫呼延闻人澹台公冶濮阳"
        "淳于单于太叔申屠仲孙万俟赫连独孤钟离闾丘拓跋东郭南门西门宰父谷梁左丘第五公羊子车亓官巫马漆雕乐正壤驷",
    )
)
_ID_SHOWN = (3, 4)
_ID_LEAST = 15
_TAIL = 4
_LANDLINE_LEAST = 7
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d)\d{4}(\d{4})", re.ASCII)
_LANDLINE = re.compile(r"(0(?:10|2\d|[3-9]\d\d))\d{3,4}(\d{4})", re.ASCII)
_ROAD = re.compile(
    r"^.+?(?:街道|大道|路(?!桥|南区|北区)|街|巷|镇(?![江海平远康雄赉原安宁坪沅巴])|乡(?![宁城]))",
)
_DIVISION = re.compile(r"^.*(?:[省市县旗]|(?<![小社])区)")
_HOUSE_NUMBER = re.compile(r"\d")


def mask_name(name: str) -> str:
    """Show the surname: 张三丰 -> 张*, 欧阳锋 -> 欧阳*. The length of the given name is hidden too."""
    surname = name[:2] if len(name) > len("欧阳") and name[:2] in COMPOUND_SURNAMES else name[:1]
    return surname + "*" if len(name) > 1 else "*" * len(name)


def mask_id(number: str) -> str:
    """Show the first 3 and last 4 characters; of a number shorter than 15 only the first and the last."""
    head, tail = _ID_SHOWN if len(number) >= _ID_LEAST else (1, 1)
    hidden = len(number) - head - tail
    return number[:head] + "*" * hidden + number[-tail:] if hidden > 0 else "*" * len(number)


def mask_phone(phone: str) -> str:
    """Show 139****0001 of a mobile, 0510-****1234 of a landline, of others the last 4 at most."""
    digits = re.sub(r"[^\d+]", "", phone, flags=re.ASCII)
    if mobile := _MOBILE.fullmatch(digits):
        return f"{mobile[1]}****{mobile[2]}"
    if landline := _LANDLINE.fullmatch(digits):
        return f"{landline[1]}-****{landline[2]}"
    return "****" + digits[-_TAIL:] if len(digits) >= _LANDLINE_LEAST else "*" * len(digits)


def mask_address(address: str) -> str:
    """Show the address to its first street, road or town, never a house number; without one, to the district."""
    number = _HOUSE_NUMBER.search(address)
    plain = address[: number.start()] if number else address
    shown = _ROAD.match(plain) or _DIVISION.match(plain)
    if shown is not None and shown[0] == address:
        return address
    return (shown[0] if shown else "") + "****" if address else ""
