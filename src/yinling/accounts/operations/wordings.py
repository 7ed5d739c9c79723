"""Wordings of messages, written by administrators; every earlier one stays on record."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.conf import settings

from yinling.accounts.models import MessageTemplate
from yinling.accounts.operations.journal import record
from yinling.accounts.operations.logins import require_area
from yinling.accounts.queries import TEMPLATE, template_codes
from yinling.accounts.wording import LONGEST, check_template
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

explain_constraint("message_template_in_force", "wording.twice", N_("别人刚改过这个模板，请刷新页面后再改"))


@operation("accounts.wording.write", label=N_("启用新内容"))
def write_wording(
    *, actor: Actor, now: datetime,
    code: Annotated[str, Input(N_("模板"), max_length=40, widget="hidden")],
    text: Annotated[str, Input(N_("内容"), help=N_("变量写成 {名称}"), max_length=LONGEST, widget="area")],
    reason: Reason,
) -> MessageTemplate:  # fmt: skip
    """Put a new wording in force for the actor's own area; the one before ends."""
    area = actor.div or ""
    require_area(actor, "accounts.wording.write", area)
    if code not in template_codes():
        raise Refused("wording.code", N_("没有这个模板，请从列表中选择"), field="code")
    day = local_date(now)
    places = parameter(TEMPLATE + code, area, day)["places"]
    check_template(
        text,
        places=places,
        forbidden=parameter("message.forbidden_words", area, day),
        signature=settings.SMS["signature"],
    )
    rows = MessageTemplate.objects.select_for_update().filter(code=code, area=area)
    newest = rows.order_by("-number").first()
    rows.filter(to_at=None).update(to_at=now)
    row = MessageTemplate.objects.create(
        code=code, area=area, number=newest.number + 1 if newest else 1, text=text.strip(), written_by_id=actor.user_id, from_at=now
    )  # fmt: skip
    said = {"code": [None, code], "number": [newest.number if newest else 0, row.number]}
    record(actor=actor, now=now, event="accounts.wording.write", subject=row, changes=said, reason=reason, div=area)
    return row


@operation("accounts.wording.end", label=N_("恢复默认内容"))
def end_wording(*, actor: Actor, now: datetime, wording_id: Id, reason: Reason) -> MessageTemplate:
    """End a wording; the default of the profile is in force again."""
    row = locked(MessageTemplate.objects.all(), wording_id)
    require_area(actor, "accounts.wording.end", row.area)
    if row.to_at is not None:
        raise NotAllowed("wording.ended", N_("这个内容已经停用，请刷新页面"))
    changes = changed(row, now=now, to_at=now)
    record(
        actor=actor, now=now, event="accounts.wording.end", subject=row, changes=changes, reason=reason, div=row.area
    )
    return row
