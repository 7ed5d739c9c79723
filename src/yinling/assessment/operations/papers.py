"""Printing a form in clear: who printed it and why is on record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yinling.accounts.operations import record
from yinling.assessment.models import Form
from yinling.assessment.queries import content_of
from yinling.directory.rules import require, required_text
from yinling.ground.operation import operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason
from yinling.kernel.refusals import NotFound
from yinling.kernel.words import N_


@operation("assessment.form.print", label=N_("打印评估表"))
def print_form(*, actor: Actor, now: datetime, request_id: Id, reason: Reason) -> dict[str, Any]:
    """Return everything on a form for the paper, with name and address; the reading is journalled with its reason."""
    form = Form.objects.select_related("request").filter(request_id=request_id).first()
    if form is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    require(actor, "assessment.form.print", div=form.div, provider_id=form.provider_id)
    why = required_text(reason, "reason", most=500)
    record(actor=actor, now=now, event="assessment.form.print", subject=form, changes={}, reason=why)
    return content_of(form)
