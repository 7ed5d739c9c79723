"""What the operations on elders ask for. Pure."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from yinling.directory.models import DATUMS
from yinling.kernel.inputs import Input
from yinling.kernel.words import N_

SEXES = [("1", N_("男")), ("2", N_("女")), ("9", N_("未说明"))]
ID_TYPES = [
    ("id", N_("居民身份证")),
    ("residence_permit", N_("港澳台居民居住证")),
    ("passport", N_("护照")),
    ("none", N_("无证件")),
]
WANTED_SEXES = [("", N_("不限")), ("1", N_("男")), ("2", N_("女"))]
CONTACT_KINDS = [
    ("spouse", N_("配偶")), ("child", N_("子女")), ("grandchild", N_("孙辈")), ("neighbour", N_("邻居")), ("guardian", N_("监护人")),
    ("other", N_("其他")),
]  # fmt: skip
CAPACITIES = [("self", N_("本人")), ("guardian", N_("监护人")), ("agent", N_("代理人")), ("family", N_("家属"))]
CIRCUMSTANCES = [
    ("lives_alone", N_("独居")), ("empty_nest", N_("空巢")), ("left_behind", N_("留守")),
    ("bereaved", N_("失独")), ("special_family", N_("计划生育特殊家庭")), ("destitute", N_("特困（分散供养）")),
    ("destitute_in_care", N_("特困（集中供养）")), ("childless", N_("孤寡")), ("dibao", N_("低保")),
    ("dibao_marginal", N_("低保边缘")), ("poverty_file", N_("建档立卡")), ("veteran_care", N_("重点优抚")),
    ("disability", N_("残疾")), ("severe_disability", N_("重残")), ("dementia", N_("失智")),
    ("chronic", N_("慢性病")), ("limited_mobility", N_("行动不便")), ("in_hospital", N_("住院")),
    ("hardship_child", N_("困境儿童（仅助餐）")), ("hardship", N_("其他经济困难")), ("in_institution", N_("入住机构")),
    ("ltci_insured", N_("参加长期护理保险")), ("accident_insured", N_("老年人意外伤害保险")), ("moved_away", N_("迁出")),
]  # fmt: skip
DEPARTMENTS = [
    ("civil_affairs", N_("民政")), ("health", N_("卫生健康")), ("insurance", N_("医疗保障")), ("disabled_federation", N_("残联")),
    ("veterans", N_("退役军人事务")), ("police", N_("公安")), ("other", N_("其他部门")),
]  # fmt: skip
HEALTH_KINDS = [
    ("allergy", N_("过敏")), ("diagnosis", N_("诊断")), ("medication", N_("长期用药")), ("check", N_("体检")),
    ("contraindication", N_("疫苗接种禁忌")), ("vaccination", N_("疫苗接种")), ("grade", N_("健康管理分级")),
]  # fmt: skip
CAMPAIGN_KINDS = [("vaccination", N_("健康状况和接种禁忌摸底")), ("disability", N_("失能老年人底数摸底"))]
SURVEY_OUTCOMES = [
    ("done", N_("已接种")), ("willing", N_("愿意接种")), ("contraindicated", N_("有接种禁忌")), ("declined", N_("不愿接种")),
    ("disabled", N_("疑似失能，需评估")), ("able", N_("能自理")), ("not_reached", N_("未联系上")),
]  # fmt: skip
LINE_OUTCOMES = [
    ("new", N_("新建")), ("changed", N_("更新")), ("same", N_("无变化")), ("error", N_("有错误")), ("double", N_("疑似重复")),
    ("skipped", N_("跳过")),
]  # fmt: skip

Name = Annotated[str, Input(N_("姓名"), max_length=40)]
Sex = Annotated[str, Input(N_("性别"), choices=SEXES, widget="radio")]
Born = Annotated[date, Input(N_("出生日期"), widget="date")]
IdKind = Annotated[str, Input(N_("证件类型"), choices=ID_TYPES, widget="choice")]
IdText = Annotated[str, Input(N_("证件号"), help=N_("修改档案时，不改请留空"), max_length=30)]
Phone = Annotated[str, Input(N_("电话"), help=N_("手机11位，固定电话带区号；修改档案时，不改请留空"), max_length=30)]
Div = Annotated[str, Input(N_("社区（村）"), max_length=12, widget="choice")]
Address = Annotated[str, Input(N_("详细住址"), max_length=200)]
Lon = Annotated[
    float | None, Input(N_("经度"), help=N_("住址的位置，可从地图上读取"), least=-180, most=180, widget="number")
]
Lat = Annotated[float | None, Input(N_("纬度"), least=-90, most=90, widget="number")]
Datum = Annotated[str, Input(N_("坐标系"), choices=DATUMS, widget="choice")]
Dialect = Annotated[str, Input(N_("方言"), max_length=20)]
WantsSex = Annotated[str, Input(N_("希望服务人员的性别"), choices=WANTED_SEXES, widget="choice")]
Day = Annotated[date, Input(N_("日期"), widget="date")]
HourOfDeath = Annotated[
    str, Input(N_("去世时刻"), help=N_("知道时填写，如 14:30；不知道请留空，当天的服务仍可结算"), max_length=5)
]
LastDay = Annotated[date | None, Input(N_("截止日期"), help=N_("最后一天，含当日；长期有效可不填"), widget="date")]
ContactKind = Annotated[str, Input(N_("关系"), choices=CONTACT_KINDS, widget="choice")]
Rank = Annotated[int, Input(N_("联系顺序"), help=N_("1为最先联系"), least=1, most=9, widget="number")]
CircumstanceKind = Annotated[str, Input(N_("人群类别"), choices=CIRCUMSTANCES, widget="choice")]
Body = Annotated[str, Input(N_("认定部门"), max_length=80)]
Evidence = Annotated[str, Input(N_("凭证"), help=N_("证件名称和编号"), max_length=200)]
Detail = Annotated[str, Input(N_("等级或种类"), help=N_("如残疾种类和等级、慢性病名称；没有可不填"), max_length=40)]
HukouDiv = Annotated[str, Input(N_("户籍所在区划"), help=N_("区划代码，2、4、6、9或12位；不清楚可不填"), max_length=12)]
Resident = Annotated[
    bool | None, Input(N_("常住本地"), help=N_("一年中住在本地半年以上；按实际居住，不看户籍"), widget="check")
]
Capacity = Annotated[str, Input(N_("身份"), choices=CAPACITIES, widget="choice")]
