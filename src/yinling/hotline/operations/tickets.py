"""Writing tickets and what is said about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import Recipient, Worded, notify, record
from yinling.catalogue.models import FAMILIES
from yinling.directory.models import Grant, Organisation
from yinling.directory.queries import working_calendar
from yinling.directory.rules import require
from yinling.directory.states import GrantState
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.ground.parameters import parameter
from yinling.hotline import rules
from yinling.hotline.models import (
    CHANNELS,
    KINDS,
    LEVELS,
    Call,
    Callback,
    Reporter,
    Supervision,
    Ticket,
    TicketNote,
    Transfer,
)
from yinling.hotline.operations.callbacks import open_callback
from yinling.hotline.operations.calls import Channel, OptionalId, elder_of
from yinling.hotline.queries import due_of, received_at
from yinling.hotline.states import CALLBACK, TICKET, CallbackState, TicketState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Note, Reason, Seen
from yinling.kernel.period import local_date, local_midnight
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.models import Elder

MESSAGE_LENGTH = 500


Title = Annotated[str, Input(N_("标题"), max_length=80)]


Result = Annotated[str, Input(N_("办理结果"), max_length=500, widget="area")]


OrganisationId = Annotated[int, Input(N_("承办机构"), least=1, widget="choice")]


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
    elder = elder_of(elder_id) if elder_id else (call.elder if call else None)
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
    return write_ticket(actor, now, ticket)


def write_ticket(actor: Actor, now: datetime, ticket: Ticket) -> Ticket:
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
    ticket = write_ticket(actor, now, row)
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


def ticket_for(actor: Actor, verb: str, ticket_id: int, seen: int | None = None) -> Ticket:
    """Return a ticket locked, its right checked."""
    row = locked(Ticket.objects.all(), ticket_id, seen)
    require(actor, f"hotline.ticket.{verb}", div=row.div, provider_id=row.provider_id)
    return row


def move_ticket(actor: Actor, now: datetime, row: Ticket, verb: str, *, reason: str = "", **values: Any) -> Ticket:
    target = TICKET.target(verb, TicketState(row.state))
    changes = changed(row, now=now, state=target, **values)
    record(actor=actor, now=now, event=f"hotline.ticket.{verb}", subject=row, changes=changes, reason=reason)
    tell("tickets", pk=row.pk, div=row.div)
    return row


@operation("hotline.ticket.take", label=N_("受理"))
def take_ticket(*, actor: Actor, now: datetime, ticket_id: Id, seen: Seen = None) -> Ticket:
    """Begin to work on a ticket, in one's own name."""
    row = ticket_for(actor, "take", ticket_id, seen)
    return move_ticket(actor, now, row, "take", seat_id=actor.user_id)


@operation("hotline.ticket.transfer", label=N_("转办"))
def transfer_ticket(
    *, actor: Actor, now: datetime, ticket_id: Id, organisation_id: OrganisationId, reason: Reason, seen: Seen = None
) -> Ticket:
    """Give a ticket to another body, with the reason. The clock runs on (R-CALL-05)."""
    row = ticket_for(actor, "transfer", ticket_id, seen)
    rules.check_written(reason, field="reason")
    return hand_over(actor, now, row, organisation_for(organisation_id, now), reason)


def hand_over(actor: Actor, now: datetime, row: Ticket, target: Organisation, reason: str, **values: Any) -> Ticket:
    """Give a locked ticket to a body. Plain: the caller has checked the right and the reason."""
    TICKET.target("transfer", TicketState(row.state))
    rules.check_transfer(current_id=row.provider_id, target_id=target.pk)
    before = row.provider_id
    move_ticket(actor, now, row, "transfer", reason=reason, provider_id=target.pk, seat_id=None, **values)
    Transfer.objects.create(
        div=row.div, ticket=row, from_organisation_id=before, provider=target, reason=reason, transferred_at=now,
        transferred_by_id=actor.user_id,
    )  # fmt: skip
    Supervision.objects.filter(ticket=row, answered_at=None).update(provider_id=target.pk)
    _tell_organisation(now, row)
    return row


def organisation_for(organisation_id: int, now: datetime) -> Organisation:
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
    parent = ticket_for(actor, "split", ticket_id)
    rules.check_split(parent.state)
    rules.check_written(title, field="title")
    return split_off(actor, now, parent, organisation_for(organisation_id, now), title, text)


def split_off(
    actor: Actor, now: datetime, parent: Ticket, target: Organisation, title: str, text: str, reason: str = ""
) -> Ticket:
    """Write the child of a locked ticket for a body. Plain: the caller has checked the right."""
    child = Ticket(
        div=parent.div, parent=parent, elder_id=parent.elder_id, call_id=parent.call_id, provider=target, kind=parent.kind, level=parent.level,
        channel=parent.channel, family=parent.family, title=title, text=text, opened_at=now, due_at=parent.due_at,
        is_due_provisional=parent.is_due_provisional, created_at=now, changed_at=now,
    )  # fmt: skip
    child.save(force_insert=True)
    split = {"parent_id": [None, parent.pk], "provider_id": [None, target.pk]}
    record(actor=actor, now=now, event="hotline.ticket.split", subject=child, changes=split, reason=reason)
    tell("tickets", pk=child.pk, div=child.div)
    _tell_organisation(now, child)
    return child


@operation("hotline.ticket.annotate", label=N_("添加备注"))
def annotate_ticket(
    *, actor: Actor, now: datetime, ticket_id: Id, text: Note,
    is_internal: Annotated[bool, Input(N_("仅内部可见"), help=N_("取消勾选则以短信发给来电人"), widget="check")] = True,
) -> TicketNote:  # fmt: skip
    """Write a note: an internal one, or a message that goes to the elder side as well."""
    row = ticket_for(actor, "annotate", ticket_id)
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
        notify(
            now=now,
            about=row,
            to=to,
            key=f"note:{note.pk}",
            title=row.code,
            template=Worded("ticket_note", {"text": text[:MESSAGE_LENGTH]}),
        )
    shown = {"is_internal": [None, is_internal], "note": [None, note.pk]}
    record(actor=actor, now=now, event="hotline.ticket.annotate", subject=row, changes=shown)
    tell("tickets", pk=row.pk, div=row.div)
    return note


def _number_of(row: Ticket) -> str:
    """Return the elder's number, else the caller's or the reporter's, as far as the actor may see them."""
    elder = Elder.objects.filter(pk=row.elder_id).first() if row.elder_id else None
    call = Call.objects.filter(pk=row.call_id).first() if row.call_id else None
    number = (elder.unseal_field("phone") if elder else "") or (call.unseal_field("number") if call else "")
    reporter = None if number else Reporter.objects.filter(ticket=row).first()
    return number or (reporter.unseal_field("phone") if reporter else "")


@operation("hotline.ticket.resolve", label=N_("办理完毕"))
def resolve_ticket(*, actor: Actor, now: datetime, ticket_id: Id, result: Result, seen: Seen = None) -> Ticket:
    """Say what was done; a seat closes after that."""
    row = ticket_for(actor, "resolve", ticket_id, seen)
    rules.check_written(result, field="result")
    return move_ticket(actor, now, row, "resolve", result=result)


@operation("hotline.ticket.close", label=N_("办结"))
def close_ticket(*, actor: Actor, now: datetime, ticket_id: Id, result: Result, seen: Seen = None) -> Ticket:
    """End a ticket; a parent ends after all its children (R-CALL-05). What a later step decides about ends with the decision."""
    row = ticket_for(actor, "close", ticket_id, seen)
    TICKET.target("close", TicketState(row.state))
    rules.check_written(result, field="result")
    rules.check_awaited(row.awaits)
    rules.check_close(open_children=_open_children(row))
    return end_ticket(actor, now, row, result)


def _open_children(row: Ticket) -> int:
    return Ticket.objects.filter(parent=row).exclude(state=TicketState.CLOSED).count()


def end_awaited(actor: Actor, now: datetime, row: Ticket, result: str) -> Ticket:
    """Give a locked ticket the decision it awaited and close it; while parts of it are with others, it is only resolved. Plain."""
    changed(row, now=now, awaits="", result=result)
    if row.state == TicketState.OPEN:
        move_ticket(actor, now, row, "take", seat_id=actor.user_id)
    if not _open_children(row):
        return end_ticket(actor, now, row, result)
    return move_ticket(actor, now, row, "resolve") if row.state == TicketState.HANDLING else row


def end_ticket(actor: Actor, now: datetime, row: Ticket, result: str) -> Ticket:
    """Close a locked ticket; whose it was is asked on the next working day how it went (X-CALL-04). Plain."""
    move_ticket(actor, now, row, "close", result=result, closed_at=now)
    elder = Elder.objects.filter(pk=row.elder_id).first() if row.elder_id else None
    is_reachable = elder.died_on is None if elder else row.call_id is not None or has_reporter(row)
    asked = row.parent_id is None and is_reachable
    if asked and row.kind in parameter("ticket.callback_kinds", row.div, local_date(now)):
        day = working_calendar().add_working_days(local_date(now), 1)
        task = open_callback(actor=actor, now=now, kind="satisfaction", due_at=day.due_at, ticket=row)
        changed(task, now=now, next_at=local_midnight(day.day))
    return row


def has_reporter(row: Ticket) -> bool:
    """Whether somebody left a number with a ticket that names neither elder nor call."""
    return Reporter.objects.filter(ticket=row, phone_enc__isnull=False).exists()


@operation("hotline.ticket.reopen", label=N_("重新办理"))
def reopen_ticket(*, actor: Actor, now: datetime, ticket_id: Id, reason: Reason, seen: Seen = None) -> Ticket:
    """Work on a ticket again, with the reason; its deadline stays. A merged one goes its own way again."""
    row = ticket_for(actor, "reopen", ticket_id, seen)
    rules.check_written(reason, field="reason")
    parent = locked(Ticket.objects.all(), row.parent_id) if row.parent_id else None
    rules.check_reopen(parent_state=parent.state if parent else None)
    return work_again(actor, now, row, reason)


def work_again(actor: Actor, now: datetime, row: Ticket, reason: str) -> Ticket:
    """Take a locked ticket up again: nobody is asked how it went as long as it goes on. Plain."""
    again = {"closed_at": None, "merged_into_id": None, "reopen_count": row.reopen_count + 1}
    move_ticket(actor, now, row, "reopen", reason=reason, **again)
    for task in Callback.objects.select_for_update(of=("self",)).filter(ticket=row, kind="satisfaction", state="open"):
        target = CALLBACK.target("give_up", CallbackState(task.state))
        changes = changed(task, now=now, state=target, done_at=now, note=str(N_("工单已重新办理")))
        record(actor=actor, now=now, event="hotline.callback.give_up", subject=task, changes=changes)
        tell("callbacks", pk=task.pk, div=task.div)
    return row


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
