"""Which community a text in a sheet means: a code, a name, or a name with street and district before it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

_ENDINGS = re.compile(r"(?:社区居民委员会|社区居委会|居民委员会|村民委员会|居委会|村委会|社区|居委|村|委会)$")
_STEM = re.compile(r"(?:街道办事处|街道|办事处|镇|乡|区|县|市)$")
_CODE = re.compile(r"\d{9,15}", re.ASCII)
CODE_LENGTH = 12
SHORTEST = 2


@dataclass(frozen=True)
class Place:
    """An area of the map as far as sheets need it."""

    div: str
    name: str
    short_name: str
    level: str


class Places:
    """The map of a city, asked which community is meant; ``own`` is the area in which the importing person keeps the register."""

    def __init__(self, areas: Iterable[Place], own: str) -> None:
        self.own = own
        self.areas = {area.div: area for area in areas}
        self.by_name: dict[str, list[str]] = {}
        for area in self.areas.values():
            if area.level == "community":
                for name in {_core(area.name), _core(area.short_name)}:
                    self.by_name.setdefault(name, []).append(area.div)
        self._known: dict[tuple[str, ...], str] = {}

    def find(self, text: str, *hints: str) -> str:
        """Return the code of the community. Raises Refused ``place.unknown``, ``place.ambiguous``, ``place.outside``, ``place.level``."""
        asked = (text, *hints)
        if asked not in self._known:
            self._known[asked] = self._find(text, hints)
        return self._known[asked]

    def _find(self, text: str, hints: tuple[str, ...]) -> str:
        plain = re.sub(r"\s", "", text)
        if _CODE.fullmatch(plain):
            return self._inside(self._by_code(plain))
        found = self._by_path(plain, [re.sub(r"\s", "", hint) for hint in hints if hint])
        mine = [div for div in found if div.startswith(self.own)]
        if len(mine) > 1:
            sentence = N_("有%(count)s个社区叫这个名字，请在前面写上街道（镇），或改填12位区划代码")
            raise Refused("place.ambiguous", sentence, field="div", count=len(mine))
        if not found:
            raise Refused("place.unknown", N_("没有这个社区（村），请按区划名称填写，或改填12位区划代码"), field="div")
        return self._inside((mine or found)[0])

    def _by_code(self, code: str) -> str:
        div = code[:CODE_LENGTH]
        area = self.areas.get(div) or self.areas.get(div.rstrip("0"))
        if area is None:
            raise Refused("place.unknown", N_("没有这个区划代码，请核对，或改填社区（村）名称"), field="div")
        if area.level != "community":
            raise Refused("place.level", N_("区划要写到社区（村），不能只写到街道或区县"), field="div")
        return area.div

    def _inside(self, div: str) -> str:
        if not div.startswith(self.own):
            raise Refused("place.outside", N_("这个社区（村）不在您的管辖范围内，请交给所属地区导入"), field="div")
        return div

    def _by_path(self, plain: str, hints: list[str]) -> list[str]:
        """Return the communities of that name; what stands before the name, and the columns of street and district, narrow them."""
        core = _core(plain)
        name = next((core[start:] for start in range(len(core)) if core[start:] in self.by_name), "")
        if len(name) < min(SHORTEST, len(core)):
            return []
        before = plain[: plain.rfind(name)] if name else ""
        found = self.by_name.get(name, [])
        fitting = [div for div in found if all(self._is_below(div, hint) for hint in hints)]
        exact = [div for div in fitting if plain.endswith((self.areas[div].name, self.areas[div].short_name))]
        fitting = exact or fitting
        if before:
            narrowed = [div for div in fitting if self._above(div, before)]
            return narrowed if narrowed or len(fitting) > 1 or len(before) > SHORTEST else []
        return fitting

    def _names_above(self, div: str) -> list[str]:
        return [
            name
            for size in (9, 6, 4)
            if (area := self.areas.get(div[:size]))
            for name in (_stem(area.name), _stem(area.short_name))
        ]

    def _is_below(self, div: str, hint: str) -> bool:
        return any(name and (name in hint or hint in name) for name in self._names_above(div)) or div.startswith(hint)

    def _above(self, div: str, before: str) -> bool:
        return any(name and name in before for name in self._names_above(div))


def _core(name: str) -> str:
    plain = re.sub(r"[\s（）()]", "", name)
    return _ENDINGS.sub("", plain) or plain


def _stem(name: str) -> str:
    return _STEM.sub("", name) or name
