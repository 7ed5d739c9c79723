"""Handing a call over to the emergency services, each step with its time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import Recipient, Worded, notify, record
from yinling.directory.models import Grant
from yinling.directory.queries import ancestors
from yinling.directory.rules import require
from yinling.directory.states import GrantState
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.hotline import rules
from yinling.hotline.models import Call, Emergency
from yinling.hotline.operations.handovers import announce
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input
from yinling.kernel.words import N_
from yinling.people.models import Contact

TOLD_ROLES = ("station", "community", "street")


STEP_LABELS = [
    ("accepted", N_("对方已受理")),
    ("contacts_told", N_("已通知联系人")),
    ("arrived", N_("救援到达")),
    ("ended", N_("处置结束")),
]


@operation("hotline.call.hand_over", label=N_("紧急移交"))
def hand_over_call(
    *, actor: Actor, now: datetime, call_id: Id,
    service: Annotated[str, Input(N_("移交给"), choices=Emergency.SERVICES, widget="radio")],
    what: Annotated[str, Input(N_("情况"), help=N_("发生了什么、在哪里"), max_length=300, widget="area")],
    organisation_id: Annotated[int | None, Input(N_("医疗机构"), least=1, widget="hidden")] = None,
) -> Emergency:  # fmt: skip
    """Hand a call over to the emergency services at once, and tell contacts and the people responsible on the spot (R-CALL-02).

    By the green channel a medical body is told in the same action, with a summary (R-REF-02); without one named, the nearest.
    """
    call = locked(Call.objects.select_related("elder"), call_id)
    require(actor, "hotline.call.hand_over", div=call.div)
    rules.check_listed(service, Emergency.SERVICES, field="service")
    rules.check_written(what, field="what")
    same = Emergency.objects.filter(call=call, service=service, ended_at=None).exists()
    rules.check_hand_over(state=call.state, is_open_already=same, is_of_device=call.channel == "device")
    row = Emergency(
        div=call.elder.div if call.elder else call.div, call=call, elder=call.elder, service=service, what=what, handed_over_at=now,
        created_at=now, changed_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    if _tell_people(now, row):
        row.contacts_told_at = now
        row.save(update_fields=["contacts_told_at"])
    if service == "green":
        announce(actor=actor, now=now, emergency=row, organisation_id=organisation_id)
    record(actor=actor, now=now, event="hotline.call.hand_over", subject=row, changes={"service": [None, service]})
    tell("calls", pk=call.pk, div=call.div)
    return row


def _tell_people(now: datetime, row: Emergency) -> bool:
    """Leave messages to the elder's contacts and to station, community and street; return whether a contact has one."""
    if row.elder is None:
        return False
    title = N_("紧急求助")
    text = f"{row.elder.name}老人来电求助，已转{row.get_service_display()}。请立即与老人联系。"
    told = False
    for contact in Contact.objects.filter(elder=row.elder).order_by("rank", "id"):
        if number := contact.unseal_field("phone"):
            to = Recipient(channel="sms", address=number)
            said = Worded("emergency", {"name": row.elder.name, "service": row.get_service_display()})
            notify(
                now=now, about=row, to=to, key=f"emergency:{row.pk}:contact:{contact.pk}", title=title, template=said
            )
            told = True
    near = [div for div in ancestors(row.div) if len(div) >= len("320213021")]
    grants = Grant.objects.filter(role__in=TOLD_ROLES, div__in=near, state=GrantState.ACTIVE)
    for user_id in sorted(set(grants.values_list("user_id", flat=True))):
        key = f"emergency:{row.pk}:user:{user_id}"
        notify(
            now=now,
            about=row,
            to=Recipient(user_id=user_id),
            key=key,
            title=title,
            text=text,
            link=f"/elders/{row.elder_id}/",
        )
    return told


@operation("hotline.emergency.advance", label=N_("登记步骤"))
def advance_emergency(
    *, actor: Actor, now: datetime, emergency_id: Id,
    step: Annotated[str, Input(N_("步骤"), choices=STEP_LABELS, widget="radio")],
    outcome: Annotated[str, Input(N_("结果"), max_length=300, widget="area")] = "",
) -> Emergency:  # fmt: skip
    """Note the time of a step; the end asks for the outcome."""
    row = locked(Emergency.objects.all(), emergency_id)
    require(actor, "hotline.emergency.advance", div=row.div)
    done = {name: getattr(row, f"{name}_at") is not None for name in rules.STEPS}
    rules.check_step(step, done=done)
    values: dict[str, Any] = {f"{step}_at": now}
    if step == "ended":
        rules.check_written(outcome, field="outcome")
    if outcome:
        values["outcome"] = outcome
    changes = changed(row, now=now, **values)
    record(actor=actor, now=now, event="hotline.emergency.advance", subject=row, changes=changes)
    tell("calls", pk=row.call_id, div=row.div)
    return row
