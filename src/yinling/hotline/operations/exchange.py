"""Tickets that another line knows too (R-CALL-07): taken in, sent out, and what became of each message."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.conf import settings

from yinling.accounts.operations import record
from yinling.directory.models import Area
from yinling.directory.rules import require, required_text
from yinling.ground.clock import real_now
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, note_recorded, operation
from yinling.ground.parameters import parameter
from yinling.hotline import exchange as signed
from yinling.hotline import rules
from yinling.hotline.exchange_rows import Incoming, read_row
from yinling.hotline.models import Exchange, ExchangeMessage, Ticket
from yinling.hotline.operations.intake import keep_reporter, phone_number
from yinling.hotline.operations.tickets import end_ticket, move_ticket, work_again, write_ticket
from yinling.hotline.operations.urging import note_reminder
from yinling.hotline.states import TicketState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Moment, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.queries import elders_by_phone

OUR_SIDE = ("close", "reopen", "remind")
"""What another line may do to a ticket it gave us: taking and answering it is ours."""
MOST_ROWS = 500

Platform = Annotated[str, Input(N_("平台"), max_length=20)]
MessageKey = Annotated[str, Input(N_("消息流水号"), max_length=100)]
ForeignNumber = Annotated[str, Input(N_("对方工单号"), max_length=64)]
ForeignState = Annotated[str, Input(N_("对方状态"), max_length=40)]
ForeignKind = Annotated[str, Input(N_("对方类别"), max_length=20)]
Title = Annotated[str, Input(N_("标题"), max_length=80)]
Text = Annotated[str, Input(N_("内容"), max_length=2000, widget="area")]
Name = Annotated[str, Input(N_("来电人姓名"), max_length=40)]
Phone = Annotated[str, Input(N_("来电号码"), max_length=20)]
Div = Annotated[str, Input(N_("所在区划"), max_length=12)]
Signature = Annotated[str, Input(N_("签名"), help=N_("HMAC-SHA256，十六进制"), max_length=64)]
Rows = Annotated[list[dict], Input(N_("各行"), widget="area")]
Outcome = Annotated[str, Input(N_("结果"), max_length=40)]
Fault = Annotated[str, Input(N_("错误"), max_length=300)]

explain_constraint("exchange_ticket_once", "exchange.twice", N_("这张工单已与这个平台交换，请在“工单交换”页查看"))


@operation("hotline.exchange.import", label=N_("接收工单"))
def import_ticket(  # noqa: PLR0913 - what a message consists of
    *, actor: Actor, now: datetime, platform: Platform, key: MessageKey, foreign_number: ForeignNumber, state: ForeignState,
    happened_at: Moment, signed_at: Moment, signature: Signature, kind: ForeignKind = "", title: Title = "", text: Text = "",
    name: Name = "", phone: Phone = "", div: Div = "",
) -> Exchange:  # fmt: skip
    """Take in a ticket or a state from another line. Its key counts once; a signature that is forged or old is refused."""
    require(actor, "hotline.exchange.import", div=actor.div or "")
    message = Incoming(platform, key, foreign_number, state, happened_at, kind, title, text, name, phone, div)
    _check_platform(actor, now, platform)
    secret = settings.EXCHANGE["secret"]
    if not signed.is_signed(secret, message.values | {"signed_at": signed_at}, signature):
        raise Denied("exchange.signature", N_("签名不正确，消息未接收。请核对密钥和签名方法"))
    if not signed.is_fresh(signed_at, real_now()):
        raise Denied("exchange.old", N_("签名时间与本平台相差超过 5 分钟，消息未接收。请校准时钟后重新签名"))
    return _take_in(actor, now, message)


@operation("hotline.exchange.load", label=N_("导入工单"))
def load_tickets(*, actor: Actor, now: datetime, platform: Platform, rows: Rows) -> int:
    """Take in a table from a line without an interface, all lines or none; return how many lines were new."""
    require(actor, "hotline.exchange.load", div=actor.div or "")
    _check_platform(actor, now, platform)
    if not 1 <= len(rows) <= MOST_ROWS:
        raise Refused("exchange.rows", N_("请导入 1 到 %(most)s 行"), field="rows", most=MOST_ROWS)
    messages = [read_row(platform, row, line) for line, row in enumerate(rows, 2)]
    keys = [message.key for message in messages]
    known = set(
        ExchangeMessage.objects.filter(platform=platform, direction="in", key__in=keys).values_list("key", flat=True)
    )
    for message in messages:
        _take_in(actor, now, message)
    return len(set(keys) - known)


def _check_platform(actor: Actor, now: datetime, platform: str) -> None:
    if platform not in parameter("exchange.platforms", actor.div or "", local_date(now)):
        raise Refused("exchange.platform", N_("没有登记这个平台，请在参数 exchange.platforms 中登记"), field="platform")


def _take_in(actor: Actor, now: datetime, message: Incoming) -> Exchange:
    """Take in a message whose sender is known. The second arrival of a key is the first; another text under it is refused."""
    digest = signed.digest_of(message.values)
    before = ExchangeMessage.objects.filter(platform=message.platform, direction="in", key=message.key).first()
    if before is not None:
        if bytes(before.digest) != digest or before.exchange is None:
            raise Refused("exchange.key", N_("这个流水号已用于另一条消息，请换一个流水号"), field="key")
        note_recorded()  # the row of the first arrival stands for both
        return before.exchange
    known = Exchange.objects.select_for_update(of=("self",)).filter(
        platform=message.platform, foreign_number=message.foreign_number
    )
    row = known.select_related("ticket").first() or _new_in(actor, now, message)
    outcome = _hear(actor, now, row, message)
    ExchangeMessage.objects.create(
        div=row.div, exchange=row, platform=message.platform, key=message.key, direction="in", state=message.state, digest=digest,
        outcome=outcome, at=now,
    )  # fmt: skip
    heard = {"foreign_number": [None, row.foreign_number], "state": [None, message.state], "outcome": [None, outcome]}
    record(actor=actor, now=now, event="hotline.exchange.import", subject=row.ticket, changes=heard)
    tell("tickets", pk=row.ticket_id, div=row.div)
    return row


def _new_in(actor: Actor, now: datetime, message: Incoming) -> Exchange:
    """Open the ticket of a matter heard of for the first time: of the elder whose number it is, else of who called there."""
    number, day = phone_number(message.phone), local_date(now)
    elders = elders_by_phone(number) if number else []
    elder = elders[0] if len(elders) == 1 else None
    div = elder.div if elder else _place(actor, message.div)
    kinds = parameter("exchange.kinds_in", div, day).get(message.platform, {})
    kind = kinds.get(message.kind, "request")
    ticket = Ticket(
        div=div, elder=elder, kind=kind, level="urgent" if kind == "emergency" else "normal", channel="phone", text=message.text,
        title=required_text(message.title, "title", most=80),
    )  # fmt: skip
    write_ticket(actor, now, ticket)
    if elder is None:
        keep_reporter(now, ticket, name=message.name, phone=number)
    row = Exchange(
        div=div, ticket=ticket, platform=message.platform, direction="in", foreign_number=message.foreign_number,
        sent_state=state_out(message.platform, ticket, now), created_at=now, changed_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    return row


def _place(actor: Actor, div: str) -> str:
    """Return the division a message names if the actor covers it and it exists, else the actor's own."""
    named = bool(div) and actor.covers(div) and Area.objects.filter(pk=div).exists()
    return div if named else actor.div or ""


def state_out(platform: str, ticket: Ticket, now: datetime) -> str:
    """Return a ticket's state in the words of another line."""
    words = parameter("exchange.states_out", ticket.div, local_date(now)).get(platform, {})
    return str(words.get(str(ticket.state), ""))


def _hear(actor: Actor, now: datetime, row: Exchange, message: Incoming) -> str:
    """Let a message change what it may; return what became of it."""
    states = signed.read_states(parameter("exchange.states_in", row.div, local_date(now)).get(message.platform, {}))
    said_at = message.happened_at
    outcome = signed.judge(states, known=row.foreign_state, known_at=row.heard_at, said=message.state, said_at=said_at)
    if outcome == signed.UNKNOWN:
        changed(row, now=now, error=str(N_("对方状态没有对应关系，请在参数中补上：")) + message.state)
        return outcome
    if outcome != signed.APPLIED:
        return outcome
    meant = states[message.state]
    acts = meant.act and (row.direction == "out" or meant.act in OUR_SIDE)
    problem = _act(actor, now, row, meant.act, message) if acts else ""
    values: dict[str, Any] = {"heard_at": said_at, "error": problem}
    if not meant.is_aside:
        values["foreign_state"] = message.state
    if state_out(row.platform, row.ticket, now) == message.state:
        values["sent_state"] = message.state
    changed(row, now=now, **values)
    return "blocked" if problem else outcome


def _act(actor: Actor, now: datetime, row: Exchange, act: str, message: Incoming) -> str:
    """Do to our ticket what the other line's state asks, as far as its own state lets; return why not, if something stands in the way."""
    ticket = row.ticket = locked(Ticket.objects.all(), row.ticket_id)
    state = TicketState(ticket.state)
    words = message.text.strip()[:500] or message.state
    if act == "remind" and state in rules.WORKED_ON:
        note_reminder(actor, now, ticket, by="caller", text=words)
    elif act == "reopen" and state in (TicketState.RESOLVED, TicketState.CLOSED):
        work_again(actor, now, ticket, words)
    elif act in ("take", "resolve", "close") and state == TicketState.OPEN:
        move_ticket(actor, now, ticket, "take")
    if act == "resolve" and ticket.state == TicketState.HANDLING:
        move_ticket(actor, now, ticket, "resolve", result=words)
    if act == "close" and ticket.state != TicketState.CLOSED:
        if Ticket.objects.filter(parent=ticket).exclude(state=TicketState.CLOSED).exists():
            return str(N_("对方已办结，但分流的工单还没有办结"))
        if ticket.awaits:
            return str(rules.AWAITS)
        end_ticket(actor, now, ticket, ticket.result or words)
    return ""


@operation("hotline.exchange.export", label=N_("转出"))
def export_ticket(*, actor: Actor, now: datetime, ticket_id: Id, platform: Platform, reason: Reason) -> Exchange:
    """Give a ticket to another line as well; it is sent within the minute, then every change of its state."""
    ticket = locked(Ticket.objects.all(), ticket_id)
    require(actor, "hotline.exchange.export", div=ticket.div)
    _check_platform(actor, now, platform)
    rules.check_split(ticket.state)
    text = required_text(reason, "reason", most=500)
    row = Exchange(div=ticket.div, ticket=ticket, platform=platform, direction="out", created_at=now, changed_at=now)
    row.save(force_insert=True)
    record(
        actor=actor,
        now=now,
        event="hotline.exchange.export",
        subject=ticket,
        changes={"platform": [None, platform]},
        reason=text,
    )
    tell("tickets", pk=ticket.pk, div=ticket.div)
    return row


@operation("hotline.exchange.note", label=N_("登记交换结果"))
def note_exchange(
    *, actor: Actor, now: datetime, exchange_id: Id, key: MessageKey, state: ForeignState, outcome: Outcome,
    foreign_number: ForeignNumber = "", error: Fault = "",
) -> Exchange:  # fmt: skip
    """Note what became of a message that was sent: accepted with the number there, refused, or not delivered."""
    row = locked(Exchange.objects.select_related("ticket"), exchange_id)
    require(actor, "hotline.exchange.note", div=row.div)
    if outcome not in (signed.SENT, signed.FAILED, signed.REFUSED):
        raise Refused("choice.unknown", N_("没有这个选项，请从列表中选择"), field="outcome")
    values: dict[str, Any] = {"error": error[:300]}
    if outcome == signed.SENT:
        values = {
            "error": "",
            "sent_state": state,
            "sent_at": now,
            "foreign_number": row.foreign_number or foreign_number,
        }
    digest = signed.digest_of({"key": key, "state": state})
    ExchangeMessage.objects.create(
        div=row.div, exchange=row, platform=row.platform, key=key, direction="out", state=state, digest=digest, outcome=outcome, at=now
    )  # fmt: skip
    changes = changed(row, now=now, **values) | {"outcome": [None, outcome], "state": [None, state]}
    record(actor=actor, now=now, event="hotline.exchange.note", subject=row.ticket, changes=changes)
    tell("tickets", pk=row.ticket_id, div=row.div)
    return row


@operation("hotline.exchange.retry", label=N_("重新发送"))
def retry_exchange(*, actor: Actor, now: datetime, exchange_id: Id, seen: Seen = None) -> Exchange:
    """Try again at once what was refused or given up, after its cause was removed."""
    row = locked(Exchange.objects.select_related("ticket"), exchange_id, seen)
    require(actor, "hotline.exchange.retry", div=row.div)
    if not row.error:
        raise NotAllowed("exchange.fine", N_("这张工单的交换没有错误，不需要重新发送"))
    changes = changed(row, now=now, error="")
    record(actor=actor, now=now, event="hotline.exchange.retry", subject=row.ticket, changes=changes)
    tell("tickets", pk=row.ticket_id, div=row.div)
    return row
