"""Reading the files of a profile: YAML and CSV that remember on which line everything stands."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from yinling.kernel.parameters import ParameterError
from yinling.kernel.words import N_

Place = tuple[str | int, ...]
NAMES: dict[type, str] = {
    str: N_("文字（数字请加引号）"),
    int: N_("整数"),
    bool: N_("true 或 false"),
    list: N_("一列值"),
    dict: N_("“名称: 值”的形式"),
}


class ProfileError(ParameterError):
    """A file of a city profile is wrong. The message names file, line and key, and says what to do."""


class Document:
    """A YAML file and the line of everything in it. A place is a path such as ``("items", 0, "family")``."""

    def __init__(self, path: Path) -> None:
        self.file = str(path)
        self.lines: dict[Place, int] = {}
        try:
            node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except OSError:
            raise ProfileError(self.file, 1, "-", N_("没有这个文件，请补上，或在 city.yaml 中改正文件名")) from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            reason = N_("不是正确的YAML，请检查缩进和标点（%(error)s）")
            raise ProfileError(self.file, mark.line + 1 if mark else 1, "-", reason, error=error) from error
        if node is None:
            raise ProfileError(self.file, 1, "-", N_("文件是空的，请补上内容"))
        self.content = self._build(node, ())

    def _build(self, node: yaml.Node, place: Place) -> Any:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._build_mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(child, (*place, index)) for index, child in enumerate(node.value)]
        try:
            return yaml.SafeLoader("").construct_object(node)  # type: ignore[no-untyped-call]
        except ValueError as error:
            self.fail(place, N_("看不懂这个值，请改正（%(error)s）"), error=error)

    def _build_mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            here = (*place, name)
            self.lines[here] = key.start_mark.line + 1
            if name in found:
                self.fail(here, N_("写了两次，请删去一个"))
            found[name] = self._build(value, here)
        return found

    def fail(self, place: Place, reason: str, /, **values: object) -> NoReturn:
        """Raise ProfileError for a place, or for the nearest one above it that is there."""
        known = place
        while known not in self.lines:
            known = known[:-1]
        raise ProfileError(self.file, self.lines[known], ".".join(map(str, place)) or "-", reason, **values)

    def at(self, place: Place) -> Any:
        """Return what stands at a place that ``check`` has passed."""
        found = self.content
        for step in place:
            found = found[step]
        return found

    def check(
        self, place: Place, needed: Mapping[str, Any], optional: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the mapping at a place; its names and types are as given, nothing is missing and nothing unknown."""
        found = self.at(place)
        if not isinstance(found, dict):
            self.fail(place, N_("这里应是“名称: 值”的形式，请改正"))
        types = {**needed, **(optional or {})}
        for name in needed:
            if name not in found:
                self.fail((*place, name), N_("缺少这一项，请补上"))
        for name, value in found.items():
            if name not in types:
                self.fail((*place, name), N_("不认识这一项，只能用 %(known)s"), known=", ".join(sorted(types)))
            if type(value) is not types[name]:
                wanted = NAMES.get(types[name], N_("日期，例如 2023-01-01"))
                self.fail((*place, name), N_("这里应是%(wanted)s，请改正"), wanted=wanted)
            if value == "":
                self.fail((*place, name), N_("不能为空，请填写"))
        return found


@dataclass(frozen=True)
class Row:
    """A row of a CSV file with its line."""

    file: str
    line: int
    cells: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells[name]

    def fail(self, name: str, reason: str, /, **values: object) -> NoReturn:
        """Raise ProfileError for a column of this row."""
        raise ProfileError(self.file, self.line, name, reason, **values)

    def number(self, name: str) -> float:
        """Return a cell as a number."""
        try:
            return float(self.cells[name])
        except ValueError:
            self.fail(name, N_("“%(text)s”不是数字，请改正"), text=self.cells[name])


def read_table(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of a CSV file that has these columns."""
    try:
        handle = path.open(encoding="utf-8", newline="")
    except OSError:
        raise ProfileError(str(path), 1, "-", N_("没有这个文件，请补上，或在 city.yaml 中改正文件名")) from None
    with handle:
        reader = csv.DictReader(handle)
        for name in columns:
            if name not in (reader.fieldnames or ()):
                raise ProfileError(str(path), 1, name, N_("缺少这一列，请补上"))
        for cells in reader:
            row = Row(str(path), reader.line_num, cells)
            if None in cells or None in cells.values():
                row.fail("-", N_("这一行的列数不对，请检查逗号"))
            yield row
