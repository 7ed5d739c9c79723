"""The green channel: one action tells a medical body and hands over what it must know; no approval stands in between (R-REF-02)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import Recipient, notify, record
from yinling.directory.models import Grant, Organisation
from yinling.directory.rules import known_choice, require
from yinling.directory.states import GrantState
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.hotline.models import Emergency, Handover
from yinling.hotline.queries.handovers import nearest_health_centre
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.period import age_on, local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.health import EMERGENCY, PROTECTED
from yinling.people.models import Circumstance, Contact, Elder
from yinling.people.operations.health import open_facts
from yinling.people.queries import circumstances_on
from yinling.people.queries.health import has_health_consent

MOBILE_DIGITS = 11


def announce(*, actor: Actor, now: datetime, emergency: Emergency, organisation_id: int | None) -> Handover | None:
    """Tell a medical body, the nearest health centre if none is named, and seal a summary for it. None where there is no such body.

    Called inside the hand-over, in its transaction; reading the health facts stands in the journal as an emergency and is reviewed.
    """
    today, elder = local_date(now), emergency.elder
    body = _body(organisation_id) if organisation_id else nearest_health_centre(emergency.div, today)
    if body is None:
        return None
    row = Handover(
        div=emergency.div, emergency=emergency, elder=elder, provider=body, what=emergency.what, notified_at=now, created_at=now,
        changed_at=now, has_consent=elder is not None and has_health_consent(elder.pk, today),
    )  # fmt: skip
    if elder is not None:
        row.seal_field("summary", _summary(actor, now, elder, emergency.what))
    row.save(force_insert=True)
    row.notified_count = _tell_body(now, row, body)
    row.save(update_fields=["notified_count"])
    return row


def _body(organisation_id: int) -> Organisation:
    row = Organisation.objects.filter(pk=organisation_id).first()
    if row is None:
        raise Refused("handover.organisation", N_("没有这家机构，请从列表中选择"), field="organisation_id")
    return row


def _summary(actor: Actor, now: datetime, elder: Elder, what: str) -> str:
    """Write down whom help comes for: who, where, whom to call, in what condition."""
    today = local_date(now)
    kinds = circumstances_on(elder.pk, today)
    contacts = Contact.objects.filter(elder=elder).order_by("rank", "id")
    facts = open_facts(
        actor, now, elder, purpose=EMERGENCY, kinds=PROTECTED, reason=f"绿色通道：{what}"[:500], event="people.health.reveal"
    )  # fmt: skip
    lines = [
        f"姓名：{elder.name} {elder.get_sex_display()} {age_on(elder.born_on, today)}岁", f"地址：{elder.household.address}",
        f"电话：{elder.unseal_field('phone') or '无'}", f"情况：{what}",
        "类别：" + ("、".join(label for kind, label in Circumstance.KINDS if kind in kinds) or "无"),
        *(f"联系人：{row.name}（{row.get_kind_display()}）{row.unseal_field('phone')}" for row in contacts),
        *(f"{label}：{text}" for label, text in facts.items()),
    ]  # fmt: skip
    return "\n".join(lines)


def _tell_body(now: datetime, row: Handover, body: Organisation) -> int:
    """Leave a message with everybody who acts for the body, and at its mobile number. It names nobody: the page does."""
    title, text = N_("绿色通道：有急救老人"), f"{row.what[:120]}。请立即打开绿色通道页面查看并接收。"
    grants = Grant.objects.filter(organisation=body, state=GrantState.ACTIVE, user__is_active=True)
    users = sorted(set(grants.values_list("user_id", flat=True)))
    for user_id in users:
        to, key = Recipient(user_id=user_id, is_urgent=True), f"handover:{row.pk}:user:{user_id}"
        notify(now=now, about=row, to=to, key=key, title=title, text=text, link=f"/green/{row.pk}/")
    number = "".join(letter for letter in body.phone if letter.isdigit())
    if len(number) != MOBILE_DIGITS or not number.startswith("1"):
        return len(users)
    to = Recipient(channel="sms", address=number, is_urgent=True)
    notify(now=now, about=row, to=to, key=f"handover:{row.pk}:sms", title=title, text=text)
    return len(users) + 1


def _handover(actor: Actor, verb: str, handover_id: int, seen: int | None = None) -> Handover:
    row = locked(Handover.objects.select_related("provider"), handover_id, seen)
    require(actor, f"hotline.handover.{verb}", div=row.div, provider_id=row.provider_id)
    return row


@operation("hotline.handover.open", label=N_("查看急救摘要"))
def open_handover(*, actor: Actor, now: datetime, handover_id: Id) -> dict[str, str]:
    """Return the summary in clear, for the body that was told; that it was read stands in the journal."""
    row = _handover(actor, "open", handover_id)
    changes = changed(row, now=now, opened_at=row.opened_at or now)
    record(actor=actor, now=now, event="hotline.handover.open", subject=row, changes=changes)
    tell("calls", pk=row.emergency_id, div=row.div)
    return {N_("急救摘要"): row.unseal_field("summary") or N_("来电人身份不明，没有档案")}


@operation("hotline.handover.accept", label=N_("接收"))
def accept_handover(
    *, actor: Actor, now: datetime, handover_id: Id,
    answer: Annotated[str, Input(N_("答复"), help=N_("如：救护车已出发、急诊已准备床位"), max_length=200)] = "",
    seen: Seen = None,
) -> Handover:  # fmt: skip
    """Say that the body takes the patient."""
    row = _handover(actor, "accept", handover_id, seen)
    if row.accepted_at is not None:
        raise NotAllowed("handover.accepted", N_("已有同事接收，请查看页面上的时间"))
    changes = changed(row, now=now, accepted_at=now, accepted_by_id=actor.user_id, answer=answer.strip())
    record(actor=actor, now=now, event="hotline.handover.accept", subject=row, changes=changes)
    tell("calls", pk=row.emergency_id, div=row.div)
    return row


@operation("hotline.handover.inform", label=N_("登记事后告知"))
def inform_handover(
    *, actor: Actor, now: datetime, handover_id: Id,
    informed: Annotated[str, Input(N_("告知了谁"), choices=Handover.INFORMED, widget="radio")],
    seen: Seen = None,
) -> Handover:  # fmt: skip
    """Note that the elder or the family was told afterwards which data went to whom (X-PIP-06)."""
    row = _handover(actor, "inform", handover_id, seen)
    known_choice(informed, Handover.INFORMED, "informed")
    if row.informed_at is not None:
        raise NotAllowed("handover.informed", N_("已登记过事后告知"))
    changes = changed(row, now=now, informed_at=now, informed=informed)
    record(actor=actor, now=now, event="hotline.handover.inform", subject=row, changes=changes)
    tell("calls", pk=row.emergency_id, div=row.div)
    return row
