"""What the operations on the map ask for. Pure."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from yinling.directory.models import CAPABILITIES, DATUMS, Organisation
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
Hour = Annotated[str, Input(N_("时刻"), help=N_("如 08:00"), max_length=5)]
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
IsProvider = Annotated[bool, Input(N_("上门服务商"), widget="check")]
