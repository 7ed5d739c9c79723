"""Calling people back: who gave up, was cut off, left a message, asked for it, or is asked how a ticket went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from yinling.accounts.operations import Recipient, notify, record
from yinling.directory.rules import require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.hotline import acd
from yinling.hotline.models import Call, Callback, Seat, Ticket, TicketNote
from yinling.hotline.states import CALLBACK, CallbackState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, OptionalReason, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.models import Elder

HOLD = timedelta(minutes=15)
"""How long a task belongs to the seat that took it."""
SAME_CALLER = ("missed", "cut", "message")
"""Kinds that one conversation settles: somebody who called three times in vain is called once."""

What = Annotated[str, Input(N_("回拨结果"), max_length=500, widget="area")]
Score = Annotated[
    int | None, Input(N_("满意度"), help=N_("1 分很不满意，5 分很满意"), least=1, most=5, widget="number")
]

explain_constraint("callback_once_of_call", "callback.twice", N_("这通来电已有同类回拨任务"))
explain_constraint("callback_score", "callback.score", N_("满意度为 1 到 5 分"))


def open_callback(
    *, actor: Actor, now: datetime, kind: str, due_at: datetime, call: Call | None = None, ticket: Ticket | None = None,
    elder: Elder | None = None, rank: int = acd.ORDINARY,
) -> Callback:  # fmt: skip
    """Note that somebody is to be called, not before now and not later than ``due_at``. Plain: the caller has checked its right.

    Of the same caller (elder, else number) there is one open task of the line: the more urgent of the two stays.
    """
    about = call or ticket
    elder_id = elder.pk if elder else (about.elder_id if about else None)
    same = _open_of(kind, call, elder_id)
    if same is not None:
        more_urgent = {"rank": min(same.rank, rank), "due_at": min(same.due_at, due_at), "next_at": now}
        changes = changed(same, now=now, **more_urgent)
        record(actor=actor, now=now, event="hotline.callback.open", subject=same, changes=changes)
        tell("callbacks", pk=same.pk, div=same.div)
        return same
    div = elder.div if elder else (about.div if about else actor.div or "")
    row = Callback(
        div=div, kind=kind, call=call, ticket=ticket, elder_id=elder_id, rank=rank, due_at=due_at, next_at=now,
        created_at=now, changed_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    record(actor=actor, now=now, event="hotline.callback.open", subject=row, changes={"kind": [None, kind]})
    tell("callbacks", pk=row.pk, div=row.div)
    return row


def _open_of(kind: str, call: Call | None, elder_id: int | None) -> Callback | None:
    """Return the open task of the same caller, locked."""
    if call is None or kind not in SAME_CALLER:
        return None
    rows = Callback.objects.select_for_update(of=("self",)).filter(state=CallbackState.OPEN, kind__in=SAME_CALLER)
    if elder_id is not None:
        return rows.filter(elder_id=elder_id).order_by("pk").first()
    if call.number_index is None:
        return None
    return rows.filter(elder=None, call__number_index=call.number_index).order_by("pk").first()


@operation("hotline.callback.arrange", label=N_("约定回拨"))
def arrange_callback(
    *, actor: Actor, now: datetime, call_id: Annotated[int, Input(N_("来电"), least=1, widget="hidden")],
    at: Annotated[datetime, Input(N_("什么时候"), widget="moment")],
    note: Annotated[str, Input(N_("为了什么事"), max_length=500, widget="area")],
) -> Callback:  # fmt: skip
    """Promise a caller to call at a time; the task comes up then, and is late a quarter of an hour after it."""
    call = locked(Call.objects.all(), call_id)
    require(actor, "hotline.callback.arrange", div=call.div)
    text = required_text(note, "note", most=500)
    acd.check_promise(at=at, now=now, is_reachable=call.elder_id is not None or call.number_index is not None)
    row = open_callback(actor=actor, now=now, kind="asked", call=call, due_at=at + HOLD)
    changed(row, now=now, next_at=at, note=text)
    return row


def settle_callbacks(*, actor: Actor, now: datetime, call: Call) -> None:
    """End the open tasks of a caller who has called again and is talking now. A message left is still to be heard."""
    if row := _open_of("missed", call, call.elder_id):
        if row.kind == "message":
            return
        changes = changed(
            row, now=now, state=CALLBACK.target("finish", CallbackState(row.state)), done_at=now, made_id=call.pk
        )
        record(actor=actor, now=now, event="hotline.callback.finish", subject=row, changes=changes)
        tell("callbacks", pk=row.pk, div=row.div)


def _callback(actor: Actor, now: datetime, verb: str, callback_id: int, seen: int | None) -> Callback:
    row = locked(Callback.objects.all(), callback_id, seen)
    require(actor, f"hotline.callback.{verb}", div=row.div)
    if not actor.is_system and row.changed_at + HOLD > now:
        acd.check_callback_free(seat_id=row.seat_id, actor_id=actor.user_id)
    return row


def _end(actor: Actor, now: datetime, row: Callback, verb: str, *, reason: str = "", **values: Any) -> Callback:
    target = CALLBACK.target(verb, CallbackState(row.state))
    changes = changed(row, now=now, state=target, done_at=now, **values)
    record(actor=actor, now=now, event=f"hotline.callback.{verb}", subject=row, changes=changes, reason=reason)
    tell("callbacks", pk=row.pk, div=row.div)
    return row


@operation("hotline.callback.take", label=N_("领取"))
def take_callback(*, actor: Actor, now: datetime, callback_id: Id, seen: Seen = None) -> Callback:
    """Say that one is going to call; for a quarter of an hour nobody else does."""
    row = _callback(actor, now, "take", callback_id, seen)
    acd.check_open(state=row.state)
    changes = changed(row, now=now, seat_id=actor.user_id)
    record(actor=actor, now=now, event="hotline.callback.take", subject=row, changes=changes)
    tell("callbacks", pk=row.pk, div=row.div)
    return row


@operation("hotline.callback.finish", label=N_("完成回拨"))
def finish_callback(
    *, actor: Actor, now: datetime, callback_id: Id, note: What, score: Score = None, seen: Seen = None
) -> Callback:
    """Note what the person said; a call about satisfaction asks for one to five points."""
    row = _callback(actor, now, "finish", callback_id, seen)
    text = required_text(note, "note", most=500)
    acd.check_score(kind=row.kind, score=score)
    seat_id = row.seat_id or actor.user_id
    return _end(actor, now, row, "finish", note=text, score=score, seat_id=seat_id, made_id=_made(row, actor))


def _made(row: Callback, actor: Actor) -> int | None:
    """Return the seat's latest outbound call to the same person."""
    if row.made_id is not None or actor.user_id is None:
        return row.made_id
    calls = Call.objects.filter(is_outbound=True, seat_id=actor.user_id, rang_at__gte=row.created_at)
    if row.elder_id is not None:
        calls = calls.filter(elder_id=row.elder_id)
    elif row.call is not None and row.call.number_index is not None:
        calls = calls.filter(number_index=row.call.number_index)
    else:
        return None
    return calls.order_by("-rang_at").values_list("pk", flat=True).first()


@operation("hotline.callback.try_again", label=N_("未拨通"))
def try_again_callback(
    *, actor: Actor, now: datetime, callback_id: Id, note: OptionalReason = "", seen: Seen = None
) -> Callback:
    """Note a try in vain: the task waits for a while; after the last try it is given up by itself."""
    row = _callback(actor, now, "try_again", callback_id, seen)
    acd.check_open(state=row.state)
    note_try(actor, now, row, note=note)
    return row


def note_try(actor: Actor, now: datetime, row: Callback, *, note: str = "") -> None:
    """Count a try in vain of a locked task. Plain: the caller has checked the right."""
    day = local_date(now)
    pause = timedelta(minutes=int(parameter("callback.pause_minutes", row.div, day)))
    values: dict[str, Any] = {"try_count": row.try_count + 1, "next_at": now + pause, "seat_id": None}
    changes = changed(row, now=now, **values, **({"note": note} if note else {}))
    record(actor=actor, now=now, event="hotline.callback.try_again", subject=row, changes=changes)
    tell("callbacks", pk=row.pk, div=row.div)
    if row.try_count >= int(parameter("callback.most_tries", row.div, day)):
        _give_up(actor, now, row, note or str(N_("多次拨打未通")))


@operation("hotline.callback.give_up", label=N_("放弃回拨"))
def give_up_callback(*, actor: Actor, now: datetime, callback_id: Id, reason: Reason, seen: Seen = None) -> Callback:
    """End a task without having reached anybody, with the reason; its ticket and the leaders hear of it."""
    row = _callback(actor, now, "give_up", callback_id, seen)
    return _give_up(actor, now, row, required_text(reason, "reason", most=500))


def _give_up(actor: Actor, now: datetime, row: Callback, reason: str) -> Callback:
    _end(actor, now, row, "give_up", reason=reason, note=reason)
    text = f"{row.get_kind_display()}：拨打 {row.try_count} 次未能接通。{reason}"
    if row.ticket_id is not None:
        TicketNote.objects.create(
            div=row.div, ticket_id=row.ticket_id, is_internal=True, text=text, written_at=now, written_by_id=actor.user_id,
            written_as=actor.name,
        )  # fmt: skip
    tell_leaders(now, row, key=f"callback:{row.pk}:given_up", title=N_("回拨未能接通"), text=text)
    return row


@operation("hotline.callback.remind", label=N_("提醒回拨"))
def remind_callback(*, actor: Actor, now: datetime, callback_id: Id) -> Callback:
    """Tell the leaders, once, that somebody should have been called by now; for the loop that looks for such tasks."""
    row = locked(Callback.objects.all(), callback_id)
    require(actor, "hotline.callback.remind", div=row.div)
    acd.check_open(state=row.state)
    text = f"{row.get_kind_display()}已超过时限，请尽快安排坐席回拨。"
    tell_leaders(now, row, key=f"callback:{row.pk}:overdue", title=N_("回拨已超时"), text=text)
    record(actor=actor, now=now, event="hotline.callback.remind", subject=row)
    tell("callbacks", pk=row.pk, div=row.div)
    return row


def tell_leaders(now: datetime, row: Callback, *, key: str, title: str, text: str) -> None:
    """Leave a notice to the leaders' seats of the area, and to the seat that has the task."""
    leaders = Seat.objects.filter(is_leader=True, left_on=None)
    users = {seat.user_id for seat in leaders if row.div.startswith(seat.div)} | {row.seat_id}
    for user_id in sorted(one for one in users if one is not None):
        to = Recipient(user_id=user_id)
        notify(now=now, about=row, to=to, key=f"{key}:{user_id}", title=title, text=text, link="/callbacks/")
