"""What the operations on assessments ask for. Pure."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from yinling.kernel.inputs import Input
from yinling.kernel.words import N_

SCALES = [
    ("gbt42195_2022", "GB/T 42195-2022"), ("mzt039_2013", "MZ/T 039-2013"), ("ltc_2021_37", N_("长期护理失能等级（2021）")),
    ("barthel", N_("Barthel指数")), ("cq6", N_("生活自理六项指标")), ("selfcare65", N_("65岁以上自理能力自评")),
    ("tcm33", N_("中医体质辨识")), ("morse", N_("Morse跌倒风险")), ("mna_sf", N_("微型营养评定")),
    ("home_needs_2020", N_("居家适老化改造需求")),
]  # fmt: skip
ABILITY_SCALES = ("gbt42195_2022", "mzt039_2013")
"""The scales whose result is "the level of ability" in which the plans and schemes speak."""
HOME_NEEDS = "home_needs_2020"
"""What a home needs: a list of items, no level of anybody."""
ABILITY = [pair for pair in SCALES if pair[0] in ABILITY_SCALES]
LEVELS = [
    ("intact", N_("能力完好")), ("mild", N_("轻度失能")), ("moderate", N_("中度失能")), ("severe", N_("重度失能")),
    ("total", N_("完全失能")),
]  # fmt: skip
PURPOSES = [
    ("home_care", N_("居家养老服务")), ("consumption_subsidy", N_("养老服务消费补贴")), ("nursing_allowance", N_("护理补贴")),
    ("admission", N_("养老机构入院")), ("ltc_benefit", N_("长期护理保险待遇")), ("modification", N_("居家适老化改造")),
    ("health", N_("健康管理")),
]  # fmt: skip
REASONS = [
    ("first", N_("首次评估")), ("routine", N_("常规评估")), ("immediate", N_("即时评估（情况有变化）")),
    ("appeal", N_("对结果有疑问的复评")), ("other", N_("其他")),
]  # fmt: skip
MODES = [("home", N_("上门评估")), ("fixed", N_("定点评估"))]
CAPACITIES = [
    ("assessor", N_("评估员")), ("expert", N_("评估专家")), ("reviewer", N_("复核人")), ("confirming", N_("确认专家")),
]  # fmt: skip
APPLICANTS = [
    ("self", N_("本人")), ("guardian", N_("监护人")), ("agent", N_("代理人")), ("family", N_("家属")), ("staff", N_("工作人员代办")),
]  # fmt: skip
DEPARTMENTS = [
    ("civil_affairs", N_("民政")), ("health", N_("卫生健康")), ("insurance", N_("医疗保障")), ("disabled_federation", N_("残联")),
    ("housing", N_("住房建设")),
]  # fmt: skip
DECLARED = {
    "no_interest": N_("评估人员与老人没有亲属或利害关系"),
    "guardian_present": N_("监护人或代理人在场"),
    "video": N_("已全程录像"),
}
"""What the assessors declare by signing; which of it a scale asks for is a setting."""

Scale = Annotated[str, Input(N_("评估标准"), choices=SCALES, widget="choice")]
AbilityScale = Annotated[str, Input(N_("评估标准"), choices=ABILITY, widget="choice")]
Level = Annotated[str, Input(N_("等级"), choices=LEVELS, widget="choice")]
Points = Annotated[int | None, Input(N_("总分"), least=0, most=90, widget="number")]
AssessedOn = Annotated[date, Input(N_("评估日期"), widget="date")]
AnotherDay = Annotated[date | None, Input(N_("评估日期"), help=N_("不填为安排的日期"), widget="date")]
Body = Annotated[int, Input(N_("评估机构"), least=1, widget="choice")]
Purpose = Annotated[str, Input(N_("用途"), choices=PURPOSES, widget="choice")]
WhyNow = Annotated[str, Input(N_("评估原因"), choices=REASONS, widget="choice")]
Mode = Annotated[str, Input(N_("评估方式"), choices=MODES, widget="radio")]
Change = Annotated[str, Input(N_("情况变化"), help=N_("有效结果期内再次评估须写明变化"), max_length=500, widget="area")]
Applicant = Annotated[str, Input(N_("申请人"), choices=APPLICANTS, widget="choice")]
Former = Annotated[int | None, Input(N_("原评估结果"), least=1, widget="hidden")]
People = Annotated[list[int], Input(N_("评估员"), widget="check")]
Expert = Annotated[int | None, Input(N_("评估专家"), least=1, widget="choice")]
Place = Annotated[int | None, Input(N_("定点评估地点"), least=1, widget="choice")]
VisitOn = Annotated[date, Input(N_("评估日期"), widget="date")]
Answers = Annotated[dict, Input(N_("各题答案"), max_length=20000)]
Facts = Annotated[dict, Input(N_("疾病诊断和风险事件"), max_length=800_000)]
Informant = Annotated[str, Input(N_("信息提供者"), help=N_("姓名和与老人的关系"), max_length=80)]
Signed = Annotated[list[int], Input(N_("签名的评估人员"), widget="check")]
Declared = Annotated[dict, Input(N_("评估人员声明"), max_length=2000)]
Opinion = Annotated[str, Input(N_("意见"), max_length=500, widget="area")]
Document = Annotated[str, Input(N_("文件和文号"), max_length=200)]
OptionalDocument = Annotated[
    str, Input(N_("文件和文号"), help=N_("外部门送达的结果须写明；与出具部门一并填写"), max_length=200)
]
Department = Annotated[str, Input(N_("部门"), choices=DEPARTMENTS, widget="choice")]
OptionalDepartment = Annotated[str, Input(N_("出具部门"), choices=DEPARTMENTS, widget="choice")]
ScaleIds = Annotated[list[str], Input(N_("评估标准"), help=N_("标准代号，每行一个"), widget="check")]
LevelCodes = Annotated[list[str], Input(N_("等级代号"), help=N_("每行一个"))]
LastDay = Annotated[date | None, Input(N_("截止日期"), help=N_("最后一天，含当日；长期有效可不填"), widget="date")]
