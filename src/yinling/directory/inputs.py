"""What the operations on the map ask for. Pure."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from yinling.directory.models import CAPABILITIES, DATUMS, MODES, PRICE_GROUPS, Organisation, Policy, Qualification
from yinling.directory.roles import ROLES
from yinling.kernel.inputs import Input
from yinling.kernel.words import N_

Username = Annotated[str, Input(N_("登录名"), help=N_("3至60位小写字母、数字、点、横线"), max_length=60)]
PersonName = Annotated[str, Input(N_("姓名"), max_length=40)]
Password = Annotated[str, Input(N_("初始密码"), help=N_("至少10位"), max_length=128, widget="password")]
UserId = Annotated[int, Input(N_("账号编号"), least=1, widget="number")]
RoleCode = Annotated[
    str,
    Input(
        N_("角色"), choices=[(one.code, one.name) for one in ROLES.values() if one.code != "system"], widget="choice"
    ),
]
OptionalDiv = Annotated[str, Input(N_("管辖区划"), max_length=12, widget="choice")]
OptionalBody = Annotated[int | None, Input(N_("所属机构"), least=1, widget="choice")]
BodyId = Annotated[int, Input(N_("机构"), least=1, widget="choice")]
Div = Annotated[str, Input(N_("行政区划"), max_length=12, widget="choice")]
FirstDay = Annotated[date, Input(N_("生效日期"), widget="date")]
LastDay = Annotated[date | None, Input(N_("截止日期"), help=N_("最后一天，含当日；长期有效可不填"), widget="date")]
BodyName = Annotated[str, Input(N_("机构名称"), max_length=120)]
ShortName = Annotated[str, Input(N_("简称"), max_length=40)]
BodyKind = Annotated[str, Input(N_("机构类型"), choices=Organisation.KINDS, widget="choice")]
Address = Annotated[str, Input(N_("地址"), max_length=200)]
Phone = Annotated[str, Input(N_("电话"), max_length=30)]
Sex = Annotated[str, Input(N_("性别"), choices=[("1", N_("男")), ("2", N_("女"))], widget="radio")]
DayFrom = Annotated[str, Input(N_("上班时刻"), help=N_("如 08:00"), max_length=5)]
DayTo = Annotated[str, Input(N_("下班时刻"), help=N_("如 18:00"), max_length=5)]
Capabilities = Annotated[list[str] | None, Input(N_("能提供的服务"), choices=CAPABILITIES, widget="checks")]
Beds = Annotated[int, Input(N_("床位数"), least=0, most=9999, widget="number")]
OpeningHours = Annotated[str, Input(N_("开放时间"), help=N_("如 周一至周日 8:00-17:00"), max_length=60)]
SiteName = Annotated[str, Input(N_("站点名称"), max_length=80)]
Lon = Annotated[float, Input(N_("经度"), least=-180, most=180, widget="number")]
Lat = Annotated[float, Input(N_("纬度"), least=-90, most=90, widget="number")]
Datum = Annotated[str, Input(N_("坐标系"), choices=DATUMS, widget="choice")]
AreaCode = Annotated[str, Input(N_("区划"), max_length=12, widget="hidden")]
AreaName = Annotated[str, Input(N_("名称"), max_length=60)]
CreditCode = Annotated[str, Input(N_("统一社会信用代码"), max_length=24)]
PriceGroup = Annotated[
    str, Input(N_("价格类别"), choices=(*PRICE_GROUPS, ("none", N_("不按类别定价"))), widget="choice")
]
IsProvider = Annotated[bool, Input(N_("上门服务商"), widget="check")]
UntilDay = Annotated[date, Input(N_("自何日起"), help=N_("这一天起不再有效"), widget="date")]
FiledOn = Annotated[date, Input(N_("备案日期"), help=N_("从这一天起可以提供居家医疗服务"), widget="date")]
FilingNumber = Annotated[str, Input(N_("备案编号"), max_length=60)]
PolicyKind = Annotated[str, Input(N_("险种"), choices=Policy.KINDS, widget="choice")]
Insurer = Annotated[str, Input(N_("保险公司"), max_length=80)]
PolicyNumber = Annotated[str, Input(N_("保单号"), max_length=60)]
LicenceKind = Annotated[str, Input(N_("证书"), choices=Qualification.KINDS, widget="choice")]
PracticeScope = Annotated[str, Input(N_("执业范围"), max_length=80)]
PracticePlace = Annotated[
    str,
    Input(N_("注册执业地点"), help=N_("区划代码，如江苏省填 32；医师必须填写，其他证书不填即不限"), max_length=12),
]
RetiredPractice = Annotated[
    bool, Input(N_("退休执业"), help=N_("退休医务人员执业，继续教育学分不作硬性要求"), widget="check")
]
CreditsTo = Annotated[
    date | None, Input(N_("继续教育学分合格至"), help=N_("最后一天；不考核学分可不填"), widget="date")
]
MostMinutes = Annotated[int, Input(N_("每天最多服务分钟数"), least=30, most=720, widget="number")]
ContractMinutes = Annotated[
    int, Input(N_("每天合同工作分钟数"), help=N_("排班尽量达到；0 为没有约定"), least=0, most=720, widget="number")
]
Mode = Annotated[
    str,
    Input(N_("出行方式"), help=N_("不选即按地区的默认方式"), choices=[("", N_("地区默认")), *MODES], widget="choice"),
]
AtHome = Annotated[bool, Input(N_("从家里出发"), help=N_("不选即从站点出发"), widget="check")]
HomeLon = Annotated[
    float | None, Input(N_("住处经度"), help=N_("只保留到约100米，用于排班"), least=-180, most=180, widget="number")
]
HomeLat = Annotated[float | None, Input(N_("住处纬度"), least=-90, most=90, widget="number")]
BreakFrom = Annotated[str, Input(N_("休息不早于"), help=N_("如 11:00"), max_length=5)]
BreakTo = Annotated[str, Input(N_("休息不晚于"), help=N_("如 14:00"), max_length=5)]
Dialects = Annotated[str, Input(N_("方言"), max_length=60)]
BreakMinutes = Annotated[int, Input(N_("中间休息分钟数"), help=N_("0 为不安排"), least=0, most=240, widget="number")]
DutyDiv = Annotated[str, Input(N_("责任区划"), help=N_("不选即机构服务的所有地区"), max_length=12, widget="choice")]
