"""The texts of the items."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.catalogue.models import FAMILIES, ServiceItem
from yinling.catalogue.rules import check_basics, check_minutes
from yinling.directory.models import Qualification
from yinling.directory.rules import require
from yinling.ground.operation import changed, locked, operation
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

AT_HOME = ("service", "scale_assessment")
PUBLISHED_TEXTS = ("name", "description", "standard", "guide", "support_policy")


@operation("catalogue.item.update", label=N_("修改项目"))
def update_item(  # noqa: PLR0913 - the texts of an item
    *,
    actor: Actor,
    now: datetime,
    item_id: Id,
    name: Annotated[str | None, Input(N_("名称"), max_length=60)] = None,
    description: Annotated[str | None, Input(N_("服务内容"), max_length=300, widget="area")] = None,
    standard: Annotated[str | None, Input(N_("执行标准"), max_length=200)] = None,
    standard_minutes: Annotated[
        int | None,
        Input(N_("标准时长（分钟）"), help=N_("药品、耗材、床日和费用填 0"), least=0, most=480, widget="number"),
    ] = None,
    steps: Annotated[str | None, Input(N_("操作步骤"), help=N_("每行一步"), max_length=2000, widget="area")] = None,
    needs_qualification: Annotated[
        str | None, Input(N_("所需资格"), choices=tuple(Qualification.KINDS), widget="choice")
    ] = None,
    guide: Annotated[str | None, Input(N_("服务指南"), max_length=500, widget="area")] = None,
    support_policy: Annotated[str | None, Input(N_("扶持政策"), max_length=300, widget="area")] = None,
    is_active: Annotated[bool | None, Input(N_("在用"), widget="check")] = None,
    seen: Seen = None,
) -> ServiceItem:
    """Change what is given. A basic service keeps at least one item in use."""
    row = locked(ServiceItem.objects.all(), item_id, seen)
    require(actor, "catalogue.item.update")
    values: dict[str, Any] = {
        "name": name, "description": description, "standard": standard, "standard_minutes": standard_minutes, "guide": guide,
        "steps": None if steps is None else [line.strip() for line in steps.splitlines() if line.strip()],
        "needs_qualification": needs_qualification, "support_policy": support_policy, "is_active": is_active,
    }  # fmt: skip
    values = {key: value for key, value in values.items() if value is not None}
    if not values.get("name", row.name).strip():
        raise Refused("item.name", N_("请填写项目名称"), field="name")
    check_minutes(
        values.get("standard_minutes", row.standard_minutes), needs_visit=row.kind in AT_HOME and row.needs_visit
    )
    if is_active is False:
        others = ServiceItem.objects.filter(is_active=True).exclude(pk=row.pk).values_list("family", flat=True)
        basics = parameter("catalogue.basic_families", actor.div or "", local_date(now))
        check_basics(set(others), basics, dict(FAMILIES))
    today = local_date(now).isoformat()
    touched = {key: today for key in PUBLISHED_TEXTS if key in values and values[key] != getattr(row, key)}
    changes = changed(row, now=now, effective_on=row.effective_on | touched, **values)
    record(actor=actor, now=now, event="catalogue.item.update", subject=row, changes=changes)
    return row
