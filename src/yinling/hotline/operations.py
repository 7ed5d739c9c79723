"""Writing calls, emergencies and tickets."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from django.conf import settings

from yinling.accounts.operations import Recipient, notify, record
from yinling.catalogue.models import FAMILIES
from yinling.directory.models import Grant, Organisation
from yinling.directory.queries import ancestors
from yinling.directory.rules import require
from yinling.directory.states import GrantState
from yinling.ground.crypto import blind_index
from yinling.ground.live import tell
from yinling.ground.models import ClockOffset
from yinling.ground.operation import changed, explain_constraint, locked, note_recorded, operation
from yinling.hotline import rules
from yinling.hotline.models import CHANNELS, KINDS, LEVELS, Call, Emergency, Ticket, TicketNote, Transfer
from yinling.hotline.queries import due_of, received_at
from yinling.hotline.states import CALL, TICKET, CallState, TicketState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Key, Note, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotFound, Refused
from yinling.kernel.words import N_
from yinling.people.models import Contact, Elder
from yinling.people.queries import elders_by_phone

PACES = [("0", N_("关")), ("6", N_("每小时 6 个")), ("20", N_("每小时 20 个")), ("60", N_("每小时 60 个"))]
NUMBER = re.compile(r"\+?\d{5,20}", re.ASCII)
MESSAGE_LENGTH = 500
TOLD_ROLES = ("station", "community", "street")
STEP_LABELS = [("contacts_told", N_("已通知联系人")), ("arrived", N_("救援到达")), ("ended", N_("处置结束"))]

Number = Annotated[str, Input(N_("来电号码"), max_length=20)]
Channel = Annotated[str, Input(N_("渠道"), choices=CHANNELS, widget="choice")]
Title = Annotated[str, Input(N_("标题"), max_length=80)]
Result = Annotated[str, Input(N_("办理结果"), max_length=500, widget="area")]
OptionalId = Annotated[int | None, Input(N_("编号"), least=1, widget="hidden")]
OrganisationId = Annotated[int, Input(N_("承办机构"), least=1, widget="choice")]

Pace = Annotated[str, Input(N_("自动来电"), choices=PACES, widget="choice")]

explain_constraint("call_one_per_seat", "call.busy", N_("您正在通话中，请先挂断当前来电"))


@operation("hotline.call.receive", label=N_("接入来电"))
def receive_call(*, actor: Actor, now: datetime, key: Key, number: Number = "", channel: Channel = "phone") -> Call:
    """Put a call on the line; the second arrival of a key is the first call. An empty number is a withheld one."""
    require(actor, "hotline.call.receive", div=actor.div or "")
    rules.check_listed(channel, CHANNELS, field="channel")
    digits = re.sub(r"[\s()-]", "", number)
    if digits and not NUMBER.fullmatch(digits):
        raise Refused("call.number", N_("号码只能是 5 到 20 位数字；没有号码请留空"), field="number")
    elders = elders_by_phone(digits) if digits else []
    elder = elders[0] if len(elders) == 1 else None
    call = Call(
        key=key, channel=channel, div=elder.div if elder else actor.div or "", elder=elder, number_last4=digits[-4:], rang_at=now,
        number_index=blind_index(digits, purpose="call") if digits else None, created_at=now, changed_at=now,
    )  # fmt: skip
    call.seal_field("number", digits)
    columns = {column.attname: getattr(call, column.attname) for column in Call._meta.concrete_fields}  # noqa: SLF001 - Django's own name
    del columns["id"], columns["key"]
    call, is_new = Call.objects.get_or_create(key=key, defaults=columns)
    if not is_new:
        note_recorded()  # the row of the first arrival stands for both
        return call
    record(actor=actor, now=now, event="hotline.call.receive", subject=call, changes={"state": [None, call.state]})
    tell("calls", pk=call.pk, div=call.div)
    return call


def _move_call(actor: Actor, now: datetime, call: Call, verb: str, **values: Any) -> Call:
    target = CALL.target(verb, CallState(call.state))
    changes = changed(call, now=now, state=target, **values)
    record(actor=actor, now=now, event=f"hotline.call.{verb}", subject=call, changes=changes)
    tell("calls", pk=call.pk, div=call.div)
    return call


@operation("hotline.call.answer", label=N_("接听"))
def answer_call(*, actor: Actor, now: datetime, call_id: Id, seen: Seen = None) -> Call:
    """Take a ringing call; of two seats the second is refused, whatever page it saw."""
    del seen  # who comes second must hear that another answered, not that the page is old
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.answer", div=call.div)
    is_talking = Call.objects.filter(seat_id=actor.user_id, state=CallState.ANSWERED).exists()
    rules.check_answer(state=call.state, seat_is_talking=is_talking)
    return _move_call(actor, now, call, "answer", answered_at=now, seat_id=actor.user_id)


@operation("hotline.activity.set", label=N_("设置自动来电"))
def set_activity(*, actor: Actor, now: datetime, calls_an_hour: Pace) -> ClockOffset:
    """Let made-up elders call by themselves at a pace, or stop it; only a demonstration can."""
    require(actor, "hotline.activity.set")
    if not settings.DEMO:
        raise Refused("activity.not_demo", N_("只有演示环境可以模拟来电"))
    rules.check_listed(calls_an_hour, PACES, field="calls_an_hour")
    pace = int(calls_an_hour)
    row, _is_new = ClockOffset.objects.update_or_create(pk=1, defaults={"calls_an_hour": pace})
    record(actor=actor, now=now, event="hotline.activity.set", subject=row, changes={"calls_an_hour": [None, pace]})
    return row


@operation("hotline.call.hang_up", label=N_("挂断"))
def hang_up_call(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """End one's own call."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.hang_up", div=call.div)
    CALL.target("hang_up", CallState(call.state))
    if not actor.is_system:
        rules.check_seat(seat_id=call.seat_id, user_id=actor.user_id)
    return _move_call(actor, now, call, "hang_up", ended_at=now)


@operation("hotline.call.abandon", label=N_("记为未接"))
def abandon_call(*, actor: Actor, now: datetime, call_id: Id) -> Call:
    """Note that the caller gave up before anybody answered."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.call.abandon", div=call.div)
    return _move_call(actor, now, call, "abandon", ended_at=now)


@operation("hotline.call.identify", label=N_("确认来电人"))
def identify_call(*, actor: Actor, now: datetime, call_id: Id, elder_id: Id, seen: Seen = None) -> Call:
    """Note for which elder somebody calls: an unknown number, or one that several share."""
    call = locked(Call.objects.all(), call_id, seen)
    require(actor, "hotline.call.identify", div=call.div)
    elder = _elder(elder_id)
    changes = changed(call, now=now, elder_id=elder.pk)
    record(actor=actor, now=now, event="hotline.call.identify", subject=call, changes=changes)
    tell("calls", pk=call.pk, div=call.div)
    return call


def _elder(elder_id: int) -> Elder:
    row = Elder.objects.filter(pk=elder_id).first()
    if row is None:
        raise NotFound("row.not_found", N_("没有这条记录，或者它不在您的权限范围内"))
    return row


@operation("hotline.call.hand_over", label=N_("紧急移交"))
def hand_over_call(
    *, actor: Actor, now: datetime, call_id: Id,
    service: Annotated[str, Input(N_("移交给"), choices=Emergency.SERVICES, widget="radio")],
    what: Annotated[str, Input(N_("情况"), help=N_("发生了什么、在哪里"), max_length=300, widget="area")],
) -> Emergency:  # fmt: skip
    """Hand a call over to the emergency services at once, and tell contacts and the people responsible on the spot (R-CALL-02)."""
    call = locked(Call.objects.select_related("elder"), call_id)
    require(actor, "hotline.call.hand_over", div=call.div)
    rules.check_listed(service, Emergency.SERVICES, field="service")
    rules.check_written(what, field="what")
    same = Emergency.objects.filter(call=call, service=service, ended_at=None).exists()
    rules.check_hand_over(state=call.state, is_open_already=same)
    row = Emergency(
        div=call.elder.div if call.elder else call.div, call=call, elder=call.elder, service=service, what=what, handed_over_at=now,
        created_at=now, changed_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    if _tell_people(now, row):
        row.contacts_told_at = now
        row.save(update_fields=["contacts_told_at"])
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
            notify(now=now, about=row, to=to, key=f"emergency:{row.pk}:contact:{contact.pk}", title=title, text=text)
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


@operation("hotline.ticket.open", label=N_("登记工单"))
def open_ticket(  # noqa: PLR0913 - what a ticket consists of
    *, actor: Actor, now: datetime, elder_id: OptionalId = None, call_id: OptionalId = None,
    kind: Annotated[str, Input(N_("类别"), choices=KINDS, widget="radio")],
    level: Annotated[str, Input(N_("紧急程度"), choices=LEVELS, widget="radio")] = "normal",
    family: Annotated[str, Input(N_("服务大类"), choices=[("", N_("不限")), *FAMILIES], widget="choice")] = "",
    title: Title,
    text: Annotated[str, Input(N_("内容"), max_length=2000, widget="area")] = "",
    channel: Channel = "console",
    div: Annotated[str, Input(N_("所在区划"), max_length=12, widget="hidden")] = "",
) -> Ticket:  # fmt: skip
    """Note a need. It belongs to the elder's division; the deadline follows from kind and day (X-CALL-05)."""
    call = locked(Call.objects.all(), call_id) if call_id else None
    elder = _elder(elder_id) if elder_id else (call.elder if call else None)
    place = elder.div if elder else div or (call.div if call else actor.div or "")
    require(actor, "hotline.ticket.open", div=place, elder_id=elder.pk if elder else None)
    rules.check_listed(kind, KINDS, field="kind")
    rules.check_listed(level, LEVELS, field="level")
    rules.check_listed(channel, CHANNELS, field="channel")
    rules.check_listed(family, [("", ""), *FAMILIES], field="family")
    rules.check_written(title, field="title")
    ticket = Ticket(
        div=place, elder=elder, call=call, kind=kind, level="urgent" if kind == "emergency" else level, family=family, title=title,
        text=text, channel=call.channel if call else channel,
    )  # fmt: skip
    return _open(actor, now, ticket)


def _open(actor: Actor, now: datetime, ticket: Ticket) -> Ticket:
    """Write a new ticket with its deadline."""
    ticket.due_at, ticket.is_due_provisional = due_of(ticket.kind, ticket.div, now)
    ticket.opened_at = ticket.created_at = ticket.changed_at = now
    ticket.save(force_insert=True)
    opened = {"state": [None, str(ticket.state)], "kind": [None, ticket.kind], "due_at": [None, str(ticket.due_at)]}
    record(actor=actor, now=now, event="hotline.ticket.open", subject=ticket, changes=opened)
    tell("tickets", pk=ticket.pk, div=ticket.div)
    return ticket


def open_follow_up(*, actor: Actor, now: datetime, elder_id: int, div: str, facts: str) -> Ticket:
    """Ask the seats to call an elder about a warning (X-SUP-06). What is known stands in an internal note, which the elder never sees."""
    row = Ticket(div=div, elder_id=elder_id, kind="request", level="normal", channel="console", title=N_("预警回访"))
    ticket = _open(actor, now, row)
    TicketNote.objects.create(
        div=div,
        ticket=ticket,
        is_internal=True,
        text=facts,
        written_at=now,
        written_by_id=actor.user_id,
        written_as=actor.name,
    )
    return ticket


def _ticket(actor: Actor, verb: str, ticket_id: int, seen: int | None = None) -> Ticket:
    """Return a ticket locked, its right checked."""
    row = locked(Ticket.objects.all(), ticket_id, seen)
    require(actor, f"hotline.ticket.{verb}", div=row.div, provider_id=row.provider_id)
    return row


def _move_ticket(actor: Actor, now: datetime, row: Ticket, verb: str, *, reason: str = "", **values: Any) -> Ticket:
    target = TICKET.target(verb, TicketState(row.state))
    changes = changed(row, now=now, state=target, **values)
    record(actor=actor, now=now, event=f"hotline.ticket.{verb}", subject=row, changes=changes, reason=reason)
    tell("tickets", pk=row.pk, div=row.div)
    return row


@operation("hotline.ticket.take", label=N_("受理"))
def take_ticket(*, actor: Actor, now: datetime, ticket_id: Id, seen: Seen = None) -> Ticket:
    """Begin to work on a ticket, in one's own name."""
    row = _ticket(actor, "take", ticket_id, seen)
    return _move_ticket(actor, now, row, "take", seat_id=actor.user_id)


@operation("hotline.ticket.transfer", label=N_("转办"))
def transfer_ticket(
    *, actor: Actor, now: datetime, ticket_id: Id, organisation_id: OrganisationId, reason: Reason, seen: Seen = None
) -> Ticket:
    """Give a ticket to another body, with the reason. The clock runs on (R-CALL-05)."""
    row = _ticket(actor, "transfer", ticket_id, seen)
    rules.check_written(reason, field="reason")
    TICKET.target("transfer", TicketState(row.state))
    target = _organisation(organisation_id, now)
    rules.check_transfer(current_id=row.provider_id, target_id=target.pk)
    before = row.provider_id
    _move_ticket(actor, now, row, "transfer", reason=reason, provider_id=target.pk, seat_id=None)
    Transfer.objects.create(
        div=row.div, ticket=row, from_organisation_id=before, provider=target, reason=reason, transferred_at=now,
        transferred_by_id=actor.user_id,
    )  # fmt: skip
    _tell_organisation(now, row)
    return row


def _organisation(organisation_id: int, now: datetime) -> Organisation:
    row = Organisation.objects.filter(pk=organisation_id).first()
    if row is None:
        raise Refused("transfer.organisation", N_("没有这家机构，请从列表中选择"), field="organisation_id")
    rules.check_in_business(valid_to=row.valid_to, today=local_date(now))
    return row


def _tell_organisation(now: datetime, row: Ticket) -> None:
    """Leave a notice to everybody who acts for the body that has the ticket now."""
    grants = Grant.objects.filter(organisation=row.provider, role="provider_manager", state=GrantState.ACTIVE)
    for user_id in sorted(set(grants.values_list("user_id", flat=True))):
        key = f"ticket:{row.pk}:{row.version}:user:{user_id}"
        text = f"{row.code} {row.title}"
        notify(
            now=now,
            about=row,
            to=Recipient(user_id=user_id),
            key=key,
            title=N_("新转来的工单"),
            text=text,
            link=f"/tickets/{row.pk}/",
        )


@operation("hotline.ticket.split", label=N_("分流"))
def split_ticket(
    *, actor: Actor, now: datetime, ticket_id: Id, organisation_id: OrganisationId, title: Title,
    text: Annotated[str, Input(N_("内容"), max_length=2000, widget="area")] = "",
) -> Ticket:  # fmt: skip
    """Give part of a ticket to another body as a ticket of its own, due when the whole is due; return the new ticket."""
    parent = _ticket(actor, "split", ticket_id)
    rules.check_split(parent.state)
    rules.check_written(title, field="title")
    target = _organisation(organisation_id, now)
    child = Ticket(
        div=parent.div, parent=parent, elder_id=parent.elder_id, call_id=parent.call_id, provider=target, kind=parent.kind, level=parent.level,
        channel=parent.channel, family=parent.family, title=title, text=text, opened_at=now, due_at=parent.due_at,
        is_due_provisional=parent.is_due_provisional, created_at=now, changed_at=now,
    )  # fmt: skip
    child.save(force_insert=True)
    split = {"parent_id": [None, parent.pk], "provider_id": [None, target.pk]}
    record(actor=actor, now=now, event="hotline.ticket.split", subject=child, changes=split)
    tell("tickets", pk=child.pk, div=child.div)
    _tell_organisation(now, child)
    return child


@operation("hotline.ticket.annotate", label=N_("添加备注"))
def annotate_ticket(
    *, actor: Actor, now: datetime, ticket_id: Id, text: Note,
    is_internal: Annotated[bool, Input(N_("仅内部可见"), help=N_("取消勾选则以短信发给来电人"), widget="check")] = True,
) -> TicketNote:  # fmt: skip
    """Write a note: an internal one, or a message that goes to the elder side as well."""
    row = _ticket(actor, "annotate", ticket_id)
    rules.check_written(text, field="text")
    number = "" if is_internal else _number_of(row)
    if not is_internal:
        rules.check_reachable(has_address=bool(number))
    note = TicketNote(
        div=row.div, ticket=row, elder_id=None if is_internal else row.elder_id, provider_id=row.provider_id, is_internal=is_internal,
        text=text, written_at=now, written_by_id=actor.user_id, written_as=actor.name,
    )  # fmt: skip
    note.save(force_insert=True)
    if not is_internal:
        to = Recipient(channel="sms", address=number)
        notify(now=now, about=row, to=to, key=f"note:{note.pk}", title=row.code, text=text[:MESSAGE_LENGTH])
    shown = {"is_internal": [None, is_internal], "note": [None, note.pk]}
    record(actor=actor, now=now, event="hotline.ticket.annotate", subject=row, changes=shown)
    tell("tickets", pk=row.pk, div=row.div)
    return note


def _number_of(row: Ticket) -> str:
    """Return the elder's number, else the caller's, as far as the actor may see them."""
    elder = Elder.objects.filter(pk=row.elder_id).first() if row.elder_id else None
    call = Call.objects.filter(pk=row.call_id).first() if row.call_id else None
    return (elder.unseal_field("phone") if elder else "") or (call.unseal_field("number") if call else "")


@operation("hotline.ticket.resolve", label=N_("办理完毕"))
def resolve_ticket(*, actor: Actor, now: datetime, ticket_id: Id, result: Result, seen: Seen = None) -> Ticket:
    """Say what was done; a seat closes after that."""
    row = _ticket(actor, "resolve", ticket_id, seen)
    rules.check_written(result, field="result")
    return _move_ticket(actor, now, row, "resolve", result=result)


@operation("hotline.ticket.close", label=N_("办结"))
def close_ticket(*, actor: Actor, now: datetime, ticket_id: Id, result: Result, seen: Seen = None) -> Ticket:
    """End a ticket; a parent ends after all its children (R-CALL-05)."""
    row = _ticket(actor, "close", ticket_id, seen)
    TICKET.target("close", TicketState(row.state))
    rules.check_written(result, field="result")
    children = Ticket.objects.filter(parent=row).exclude(state=TicketState.CLOSED)
    rules.check_close(open_children=children.count())
    return _move_ticket(actor, now, row, "close", result=result, closed_at=now)


@operation("hotline.ticket.reopen", label=N_("重新办理"))
def reopen_ticket(*, actor: Actor, now: datetime, ticket_id: Id, reason: Reason, seen: Seen = None) -> Ticket:
    """Work on a ticket again, with the reason; its deadline stays."""
    row = _ticket(actor, "reopen", ticket_id, seen)
    rules.check_written(reason, field="reason")
    parent = locked(Ticket.objects.all(), row.parent_id) if row.parent_id else None
    rules.check_reopen(parent_state=parent.state if parent else None)
    return _move_ticket(actor, now, row, "reopen", reason=reason, closed_at=None)


@operation("hotline.ticket.recount", label=N_("重算办理时限"))
def recount_ticket(*, actor: Actor, now: datetime, ticket_id: Id) -> Ticket:
    """Count a provisional deadline again with the calendar loaded since (X-CAL-03)."""
    row = locked(Ticket.objects.select_related("parent__parent"), ticket_id)
    require(actor, "hotline.ticket.recount", div=row.div)
    rules.check_provisional(is_provisional=row.is_due_provisional)
    due_at, is_provisional = due_of(row.kind, row.div, received_at(row))
    changes = changed(row, now=now, due_at=due_at, is_due_provisional=is_provisional)
    record(actor=actor, now=now, event="hotline.ticket.recount", subject=row, changes=changes)
    tell("tickets", pk=row.pk, div=row.div)
    return row
