"""The settings of an assessment in the words of people: names, values and how sure the source is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yinling.assessment import inputs
from yinling.assessment.rules import level_label
from yinling.catalogue.models import FAMILIES
from yinling.directory.models import Qualification
from yinling.kernel.parameters import Entry
from yinling.kernel.words import N_
from yinling.people.models import Circumstance
from yinling.web.show import tr

NAMES = {
    "appeal_is_final": N_("复评结论为最终结论"),
    "assessor_education": N_("评估员学历"),
    "assessor_experience_years": N_("评估员从业年限"),
    "assessor_training": N_("评估员背景和培训"),
    "assessors_fixed": N_("定点评估的最少评估员人数"),
    "assessors_home": N_("上门评估的最少评估员人数"),
    "commission": N_("评估机构须受委托"),
    "confirming_experts": N_("未到现场的确认专家人数"),
    "cut_offs": N_("低风险和中风险的最高分"),
    "declarations": N_("评估人员须声明"),
    "deliver_workdays": N_("受理后出结果的工作日"),
    "disability_months": N_("申请前失能须持续的月数"),
    "expert_qualifications": N_("专家须有的资格"),
    "experts": N_("现场专家人数"),
    "gated_part": N_("须具名人员确认的部分"),
    "groups": N_("适用的人群类别"),
    "informant": N_("须有信息提供者"),
    "medical_home": N_("上门评估中医护人员的最少人数"),
    "needs": N_("答案与服务需求的对应"),
    "notice_days": N_("公示天数"),
    "notice_levels": N_("须公示的等级"),
    "organisation_assessors": N_("评估机构的最少评估员人数"),
    "organisation_kind": N_("评估机构的性质"),
    "qualifications": N_("评估员须有的资格之一"),
    "reassess_after_months": N_("再次评估须间隔的月数"),
    "reuse_window": N_("此日起的结果可以沿用"),
    "reviewer": N_("须有人复核"),
    "self_assessment_grades": N_("自评可以申请的等级"),
    "separation": N_("评估机构与服务机构分开"),
    "severe_levels": N_("另定有效期的重度等级"),
    "stacking": N_("几项等级变更同时符合时"),
    "station": N_("动态评估的申请地点"),
    "valid_months": N_("结果有效的月数"),
    "valid_months_severe": N_("重度结果有效的月数"),
    "verify_workdays": N_("申请后答复的工作日"),
    "warn_days": N_("到期前几天提醒复评"),
    "worst_skill_level": N_("护理员的最低等级（数字越小越高）"),
}
VALUES = {
    "separation": {"never": N_("不要求"), "home": N_("上门评估须分开"), "always": N_("一律须分开")},
    "stacking": {"cumulative": N_("累计变更"), "at_most_one": N_("最多变更一级")},
    "station": {"hukou": N_("户籍地服务站"), "home": N_("居住地服务站")},
    "verify_workdays": {"0": N_("不限")},
    "deliver_workdays": {"0": N_("不限")},
    "gated_part": {"matrix": N_("综合判断表")},
    "declarations": inputs.DECLARED,
    "qualifications": dict(Qualification.KINDS),
    "expert_qualifications": dict(Qualification.KINDS),
    "groups": dict(Circumstance.KINDS),
}
CERTAIN = {
    "A": N_("三处以上公开来源"),
    "B": N_("两处公开来源"),
    "C": N_("一处公开来源"),
    "D": N_("一处公开来源和政府网页"),
    "M": N_("凭记忆，未核对"),
}
LETTER = re.compile(r"([ABCDM])(?=$|[:; ])")


@dataclass(frozen=True)
class Shown:
    """One setting as people read it. The note is the developers', in English, and shown on English pages only."""

    label: str
    value: str
    entry: Entry
    certainty: str
    note: str


def is_chinese() -> bool:
    """Whether the page is in Chinese."""
    return (get_language() or "").startswith("zh")


def shown_settings(scale_id: str, entries: Iterable[tuple[str, Entry]]) -> list[Shown]:
    """Return the settings of a scale in words."""
    found = []
    for name, entry in entries:
        letter = LETTER.match(entry.note)
        certainty = CERTAIN[letter.group(1)] if letter else ""
        note = "" if is_chinese() else entry.note
        found.append(Shown(NAMES.get(name, name), _value(scale_id, name, entry.value), entry, certainty, note))
    return found


def _value(scale_id: str, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if name == "needs":
        families = dict(FAMILIES)
        return "；".join(f"{tr(families[row['family']])} {'、'.join(map(str, row['items']))}" for row in value) or "—"
    if isinstance(value, list):
        return "、".join(_word(scale_id, name, one) for one in value) or "—"
    return _word(scale_id, name, value) or "—"


def _word(scale_id: str, name: str, value: Any) -> str:
    text = str(value)
    if name in ("notice_levels", "severe_levels"):
        return tr(level_label(scale_id, text))
    return tr(VALUES.get(name, {}).get(text, text))
