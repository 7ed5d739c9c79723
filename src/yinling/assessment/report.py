"""An outcome in the words of its scale, line by line as on part C of the official form: subtotals, first level, what raised it, final level.

Pure; the words come from the scale's data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from yinling.kernel.words import N_

Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Report:
    """What is printed and shown: parts by name, total and first level, the rules that raised it, and the final word."""

    parts: Lines
    lines: Lines
    rules: tuple[str, ...]
    final: str
    is_provisional: bool = False
    is_ambiguous: bool = False


def report(form: dict[str, Any], outcome: Mapping[str, Any]) -> Report:
    """Return the report of an outcome as stored (only the fields that are set)."""
    names = {row["level"]: row["zh"] for row in form.get("levels", [])}
    lines = []
    for key, label in (
        ("total", N_("总分")),
        ("not_achieved", N_("不能达到的项数")),
        ("balanced_sum", N_("平和质转化分")),
    ):
        if key in outcome:
            lines.append((label, str(outcome[key])))
    if "initial" in outcome:
        lines.append((N_("初步等级"), names[outcome["initial"]]))
    if "needed" in outcome:
        lines += _counts(form, outcome["needed"])
    rules = {row["id"]: row.get("zh", "") for row in form.get("modifiers", [])}
    return Report(
        parts=tuple(_parts(form, outcome)),
        lines=tuple(lines),
        rules=tuple(rules[one] for one in outcome.get("rules", [])),
        final=_final(form, outcome, names),
        is_provisional=bool(outcome.get("is_provisional")),
        is_ambiguous=bool(outcome.get("literal_ambiguous")),
    )


def _final(form: dict[str, Any], outcome: Mapping[str, Any], names: Mapping[Any, str]) -> str:
    if "needed" in outcome:
        return str(form["results"]["some" if outcome["needed"] else "none"])
    if "result" in outcome:
        held = [f"{name}（{word}）" for name, word in outcome["result"].items() if word != "否"]
        return "、".join(held)
    found = next((outcome[key] for key in ("final", "grade", "level") if key in outcome), None)
    return names.get(found, "")


def _counts(form: dict[str, Any], needed: Collection[str]) -> Iterable[tuple[str, str]]:
    """How many of the needed items are base, how many optional: the programme pays for them differently."""
    items = [item for domain in form["domains"] for item in domain["items"] if item["code"] in needed]
    for kind, label in (("base", N_("需要的基础类项目")), ("optional", N_("需要的可选类项目"))):
        yield label, str(sum(item["type"] == kind for item in items))


def _parts(form: dict[str, Any], outcome: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Every first-level indicator with its points and, where the scale grades it, its level; of a list what is needed of it."""
    if "needed" in outcome:
        for domain in form["domains"]:
            names = [f"{item['code']} {item['zh']}" for item in domain["items"] if item["code"] in outcome["needed"]]
            if names:
                yield domain["zh"], "、".join(names)
        return
    levels, points = outcome.get("domain_levels"), outcome.get("subtotals") or outcome.get("sums")
    for number, domain in enumerate(form.get("domains", [])):
        words = []
        if points:
            words.append(f"{points[number]} / {domain['max']}")
        if levels:
            words.append(_level_name(domain, levels[number]))
        if words:
            yield domain["zh"], " ".join(words)


def _level_name(domain: dict[str, Any], level: int) -> str:
    if "level_names" in domain:
        return str(domain["level_names"][level])
    return next(row["zh"] for row in domain["levels"] if row["level"] == level)
