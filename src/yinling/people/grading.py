"""Grade of health management: how closely an elder is followed, by which rule and why (R-PEO-06). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yinling.kernel.words import N_

GRADES = [("low", N_("一般")), ("medium", N_("重点")), ("high", N_("高危"))]
ORDER = tuple(code for code, _ in GRADES)
KEYS = (
    "version", "high_levels", "high_circumstances", "high_diagnoses", "medium_levels", "medium_circumstances", "medium_diagnoses",
    "medium_medications", "medium_age",
)  # fmt: skip
"""Parameters ``health.grade.*`` that make the rule."""


@dataclass(frozen=True)
class Health:
    """What is known of an elder on a day, as far as the grade asks."""

    age: int
    level: str = ""
    circumstances: frozenset[str] = frozenset()
    diagnoses: int = 0
    medications: int = 0


@dataclass(frozen=True)
class Grade:
    """The grade, the version of the rule that gave it, and the reasons, each a sentence."""

    code: str
    rule: str
    reasons: tuple[str, ...]


def grade_of(health: Health, terms: Mapping[str, Any]) -> Grade:
    """Give the highest grade for which there is a reason; without any reason the lowest."""
    for code, reasons in (("high", _high(health, terms)), ("medium", _medium(health, terms))):
        if reasons:
            return Grade(code, str(terms["version"]), tuple(reasons))
    return Grade("low", str(terms["version"]), (N_("没有需要重点随访的情况"),))


def _high(health: Health, terms: Mapping[str, Any]) -> list[str]:
    found = []
    if health.level in terms["high_levels"]:
        found.append(N_("能力等级属于高危"))
    if health.circumstances & set(terms["high_circumstances"]):
        found.append(N_("登记的人群类别属于高危"))
    if health.diagnoses >= terms["high_diagnoses"]:
        found.append(N_("诊断较多"))
    return found


def _medium(health: Health, terms: Mapping[str, Any]) -> list[str]:
    found = []
    if health.level in terms["medium_levels"]:
        found.append(N_("能力等级需要重点关注"))
    if health.circumstances & set(terms["medium_circumstances"]):
        found.append(N_("登记的人群类别需要重点关注"))
    if health.diagnoses >= terms["medium_diagnoses"]:
        found.append(N_("有慢性病诊断"))
    if health.medications >= terms["medium_medications"]:
        found.append(N_("长期用药"))
    if health.age >= terms["medium_age"]:
        found.append(N_("高龄"))
    return found
