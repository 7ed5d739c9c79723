"""Label packs: the wording of a standard, loaded by an operator who holds it, in place of the paraphrases shipped.

A pack is one YAML file. It changes words only; scores, keys and bands stay those of the scale. It is checked against its scale item by
item, so that a question never stands above the options of another. Pure.

    scale: gbt42195_2022
    version: "1"
    source: GB/T 42195-2022, purchased copy no. 123
    items:
      "1.1": {label: 进食, options: {4: ..., 3: ..., 2: ..., 1: ..., 0: ...}}
      "3.9": {label: 意识水平, options: {clear: ..., drowsy: ..., stupor: ..., coma: ...}}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from yinling.assessment.forms import questions
from yinling.assessment.scoring import scale, scales

LONGEST = 500


class LabelError(Exception):
    """A pack that does not fit its scale; the sentence names file and item."""


@dataclass(frozen=True)
class Pack:
    """The words of one scale, and whose they are."""

    scale: str
    source: str
    items: dict[str, Any]


def load_packs(folder: Path) -> dict[str, Pack]:
    """Return the packs of a folder by scale. Raises LabelError: a city with a bad pack does not start."""
    packs: dict[str, Pack] = {}
    for path in sorted(folder.glob("*.yaml")):
        pack = load_pack(path)
        if pack.scale in packs:
            raise LabelError(f"{path.name}: 量表 {pack.scale} 有两个标签包 two packs for one scale")
        packs[pack.scale] = pack
    return packs


def load_pack(path: Path) -> Pack:
    """Return one pack, checked. Raises LabelError."""
    try:
        loaded = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LabelError(f"{path.name}: 无法读取 cannot be read: {error}") from error
    if not isinstance(loaded, dict) or set(loaded) != {"scale", "version", "source", "items"}:
        raise LabelError(f"{path.name}: 须有且只有 scale, version, source, items")
    if loaded["scale"] not in scales():
        raise LabelError(f"{path.name}: 没有这个量表 no such scale: {loaded['scale']}")
    form = scale(loaded["scale"])
    if str(loaded["version"]) != form["version"]:
        raise LabelError(f"{path.name}: 标签包为版本 {loaded['version']}，量表为版本 {form['version']}")
    if not isinstance(loaded["source"], str) or not loaded["source"].strip():
        raise LabelError(f"{path.name}: 请写明来源和授权 source is empty")
    _check_items(path.name, form, loaded["items"])
    return Pack(loaded["scale"], loaded["source"], loaded["items"])


def _check_items(name: str, form: dict[str, Any], items: Any) -> None:
    wanted = {one.code: {option.key or option.value for option in one.options} for one in questions(form)}
    if not isinstance(items, dict) or set(items) != set(wanted):
        differing = sorted(set(items if isinstance(items, dict) else ()) ^ set(wanted), key=str)
        raise LabelError(f"{name}: 条目与量表不一致 items differ: {differing}")
    for code, row in items.items():
        if not isinstance(row, dict) or set(row) != {"label", "options"} or not isinstance(row["options"], dict):
            raise LabelError(f"{name} {code}: 须有且只有 label, options")
        if set(row["options"]) != wanted[code]:
            raise LabelError(f"{name} {code}: 选项须为 options must be {sorted(wanted[code], key=str)}")
        if any(not _is_text(text) for text in (row["label"], *row["options"].values())):
            raise LabelError(
                f"{name} {code}: 文字不能为空，不超过 {LONGEST} 字 texts must be 1 to {LONGEST} characters"
            )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= LONGEST
