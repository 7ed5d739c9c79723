"""Dated amounts, thresholds and deadlines from YAML, asked for by (key, area, date) (style.md §5).

A file, with ``to`` the last day inclusive (D-17)::

    area: "3202"            # omitted: product default
    parameters:
      visit.weekly.least_age:
        - {value: 80, from: 2023-01-01, to: 2025-12-31, document: 锡政办发〔2023〕1号, clause: 二(二)1}

Every key has a product default. An empty list there declares a key of which each city must give the value.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import yaml

from yinling.kernel.period import DayPeriod
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

AREA_LENGTHS = (12, 9, 6, 4, 2, 0)
_AREA = re.compile(r"[0-9A-Z]*")
_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_NEEDED = ("value", "from", "document", "clause")
_FIELDS = {*_NEEDED, "to", "note"}
_YAML_OMITS = "tag:yaml.org,2002:null"


class ParameterError(ValueError):
    """A parameter file is wrong. The message names file, line and key, and says what to do."""

    def __init__(self, file: str, line: int, key: str, reason: str, /, **values: object) -> None:
        self.file = file
        self.line = line
        self.key = key
        super().__init__(f"{file}:{line}: {key}: {reason % values}")


@dataclass(frozen=True)
class Entry:
    """One value with its area (empty: everywhere), its days and its source."""

    key: str
    area: str
    value: Any
    valid: DayPeriod
    document: str
    clause: str
    note: str
    file: str
    line: int


class Parameters:
    """All values loaded. Equal questions get equal answers: nothing in it changes after loading."""

    def __init__(self, entries: Iterable[Entry], declared: Iterable[str] = ()) -> None:
        self._entries: dict[str, list[Entry]] = {key: [] for key in declared}
        for entry in entries:
            self._entries.setdefault(entry.key, []).append(entry)
        for found in self._entries.values():
            found.sort(key=lambda entry: (entry.area, entry.valid.from_))

    def keys(self) -> list[str]:
        """Every key, sorted."""
        return sorted(self._entries)

    def entries(self, key: str) -> tuple[Entry, ...]:
        """All entries of a key, by area and date. KeyError for a key that no file knows."""
        return tuple(self._entries[key])

    def entry(self, key: str, area: str, on: date) -> Entry:
        """Return the entry in force on a day in an area (trimmed division code): the nearest up the tree.

        Raises Refused ``parameter.missing``; KeyError for a key that no file knows.
        """
        in_force = {entry.area: entry for entry in self._entries[key] if entry.valid.contains(on)}
        for length in AREA_LENGTHS:
            if length <= len(area) and area[:length] in in_force:
                return in_force[area[:length]]
        detail = N_("缺少参数 %(key)s（区划 %(area)s，%(on)s），请管理员在城市参数文件中补上并注明依据。")
        raise Refused("parameter.missing", detail, key=key, area=area, on=on.isoformat())

    def changes(self, key: str, area: str) -> set[date]:
        """Return the days on which the value of a key for an area may change; none for a key that no file knows."""
        found = [entry.valid for entry in self._entries.get(key, ()) if area.startswith(entry.area)]
        return {day for valid in found for day in (valid.from_, valid.to) if day is not None}

    def value(self, key: str, area: str, on: date) -> Any:
        """Return the value alone, fractions as Decimal, a list or mapping as a copy. Refuses as ``entry``."""
        return deepcopy(self.entry(key, area, on).value)


class _Loader(yaml.SafeLoader):
    """Reads 0.7 exactly and refuses a key given twice, which YAML would let pass."""

    def construct_exact(self, node: yaml.ScalarNode) -> Decimal:
        return Decimal(str(self.construct_scalar(node)).replace("_", ""))

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as in yaml
        names = [name.value for name, _ in node.value]
        if len(set(map(str, names))) < len(names):
            raise yaml.constructor.ConstructorError(None, None, N_("有重复的键，请删去一个"), node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_exact)


class _File:
    """One file being read: turns nodes into entries, and everything wrong into a ParameterError with its line."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.area = ""
        try:
            self.loader = _Loader(path.read_text(encoding="utf-8"))
            self.root = self.loader.get_single_node()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            reason = N_("不是正确的YAML，请检查缩进和标点（%(error)s）")
            raise ParameterError(self.name, mark.line + 1 if mark else 1, "-", reason, error=error) from error

    def error(self, node: yaml.Node, key: str, reason: str, /, **values: object) -> ParameterError:
        return ParameterError(self.name, node.start_mark.line + 1, key, reason, **values)

    def read(self) -> tuple[list[str], list[Entry]]:
        """Return the keys of the file and its entries."""
        if self.root is None:
            raise ParameterError(self.name, 1, "-", N_("文件是空的，请写上 parameters"))
        top = self.fields(self.root, "-", {"area", "parameters"})
        if "area" in top:
            self.area = self.read_area(top["area"])
        if "parameters" not in top:
            raise self.error(self.root, "-", N_("缺少 parameters，请补上"))
        lists = self.fields(top["parameters"], "-", None)
        return list(lists), [entry for key, node in lists.items() for entry in self.entries(key, node)]

    def fields(self, node: yaml.Node, key: str, known: set[str] | None) -> dict[str, yaml.Node]:
        """Return the nodes of a mapping by name; None knows every parameter key."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, key, N_("这里应是“名称: 值”的形式，请改正"))
        found: dict[str, yaml.Node] = {}
        for name_node, value_node in node.value:
            name = str(name_node.value)
            if name in found:
                raise self.error(name_node, key, N_("%(name)s 写了两次，请删去一个"), name=name)
            if known is None and not _KEY.fullmatch(name):
                raise self.error(name_node, name, N_("参数名只用小写字母、数字、下划线和点，请改正"))
            if known is not None and name not in known:
                reason = N_("不认识 %(name)s，只能用 %(known)s")
                raise self.error(name_node, key, reason, name=name, known=", ".join(sorted(known)))
            found[name] = value_node
        return found

    def construct(self, node: yaml.Node, key: str) -> Any:
        try:
            return self.loader.construct_object(node, deep=True)
        except (ValueError, ArithmeticError, yaml.YAMLError) as error:
            reason = N_("看不懂这个值，请改正（%(error)s）")
            raise self.error(node, key, reason, error=getattr(error, "problem", error)) from error

    def read_area(self, node: yaml.Node) -> str:
        area = self.construct(node, "area")
        if area is None:
            return ""
        if not isinstance(area, str) or len(area) not in AREA_LENGTHS or not _AREA.fullmatch(area):
            reason = N_("区划代码应是带引号的2、4、6、9或12位代码，不补零，例如 “3202”，请改正")
            raise self.error(node, "area", reason)
        return area

    def entries(self, key: str, node: yaml.Node) -> Iterator[Entry]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(node, key, N_("这里应是一列值，每个值前加“- ”，请改正"))
        for item in node.value:
            yield self.entry(key, item)

    def entry(self, key: str, node: yaml.Node) -> Entry:
        fields = self.fields(node, key, _FIELDS)
        for name in _NEEDED:
            if name not in fields:
                raise self.error(node, key, N_("缺少 %(name)s，请补上"), name=name)
        document, clause = (self.text(fields, key, name) for name in ("document", "clause"))
        note = self.text(fields, key, "note") if "note" in fields else ""
        return Entry(
            key=key,
            area=self.area,
            value=self.construct(fields["value"], key),
            valid=self.period(fields, key),
            document=document,
            clause=clause,
            note=note,
            file=self.name,
            line=node.start_mark.line + 1,
        )

    def text(self, fields: dict[str, yaml.Node], key: str, name: str) -> str:
        text = self.construct(fields[name], key)
        if not isinstance(text, str) or not text.strip():
            raise self.error(fields[name], key, N_("%(name)s 应是文字且不能为空（数字请加引号），请改正"), name=name)
        return text.strip()

    def day(self, fields: dict[str, yaml.Node], key: str, name: str) -> date:
        day = self.construct(fields[name], key)
        if not isinstance(day, date) or isinstance(day, datetime):
            raise self.error(fields[name], key, N_("%(name)s 应是日期，例如 2023-01-01，请改正"), name=name)
        return day

    def period(self, fields: dict[str, yaml.Node], key: str) -> DayPeriod:
        first = self.day(fields, key, "from")
        last = self.day(fields, key, "to") if "to" in fields and fields["to"].tag != _YAML_OMITS else None
        if last is not None and last < first:
            raise self.error(fields["to"], key, N_("to（含当日）早于 from，请改正"))
        return DayPeriod.through(first, last)


def _kind(value: Any) -> type | None:
    """Return what must be alike in all values of a key: numbers are numbers, None is like everything."""
    if value is None:
        return None
    return Decimal if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else type(value)


def _wrong(entry: Entry, reason: str, /, **values: object) -> ParameterError:
    return ParameterError(entry.file, entry.line, entry.key, reason, **values)


def _check_together(entries: tuple[Entry, ...]) -> None:
    """Refuse two values for one day in one area, and values of different kinds, in the entries of one key."""
    before: Entry | None = None
    kinds: dict[type, Entry] = {}
    for entry in entries:
        if before and before.area == entry.area and before.valid.overlaps(entry.valid):
            reason = N_("与 %(file)s:%(line)s 的日期重叠，请调整 from 或 to")
            raise _wrong(entry, reason, file=before.file, line=before.line)
        before = entry
        if kind := _kind(entry.value):
            kinds.setdefault(kind, entry)
            first = next(iter(kinds.values()))
            if len(kinds) > 1:
                reason = N_("值的类型与 %(file)s:%(line)s 不同，请改成一致")
                raise _wrong(entry, reason, file=first.file, line=first.line)


def load(paths: Iterable[Path]) -> Parameters:
    """Read parameter files, in any order; several may speak of one area.

    Raises ParameterError for a file that cannot be right: overlapping dates, no product default, a source missing.
    """
    defaults: set[str] = set()
    entries: list[Entry] = []
    for path in paths:
        file = _File(path)
        keys, found = file.read()
        entries += found
        if not file.area:
            defaults.update(keys)
    for entry in entries:
        if entry.key not in defaults:
            raise _wrong(entry, N_("产品默认参数中没有这个参数名，请检查拼写，或先在默认参数中登记"))
    parameters = Parameters(entries, defaults)
    for key in parameters.keys():  # noqa: SIM118 - not a dict
        _check_together(parameters.entries(key))
    return parameters
