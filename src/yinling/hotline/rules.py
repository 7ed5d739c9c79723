"""Decisions of the hotline: when a ticket is due, and what may be done with a call and a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from yinling.kernel.period import ONE_DAY, local_date, local_midnight
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.kernel.workdays import WorkingCalendar

STEPS = ("accepted", "contacts_told", "arrived", "ended")
UNFINISHED = ("open", "handling", "resolved")
WORKED_ON = ("open", "handling")
TOP = 3
"""The city: the leader of the line is 1, the district 2."""
MOST_AT_ONCE = 100


MINUTES = 60


def due(calendar: WorkingCalendar, received_at: datetime, days: int) -> tuple[datetime, bool]:
    """Return by when, and whether that is provisional (X-CALL-05, X-CAL-03). No days means the same day, never provisional."""
    day = local_date(received_at)
    if days == 0:
        return local_midnight(day + ONE_DAY), False
    deadline = calendar.add_working_days(day, days)
    return deadline.due_at, deadline.is_provisional


def rings_in_minute(minute: int, calls_an_hour: int) -> int:
    """Return how many calls of an even stream fall into a minute (counted from any fixed start)."""
    return (minute + 1) * calls_an_hour // MINUTES - minute * calls_an_hour // MINUTES


def check_answer(*, state: str, seat_is_talking: bool) -> None:
    """Refuse a call that another seat has taken, and a second call in one seat's ear."""
    if state == "answered":
        raise NotAllowed("call.taken", N_("这通来电已由另一位坐席接听，请接听下一通"))
    if seat_is_talking:
        raise NotAllowed("call.busy", N_("您正在通话中，请先挂断当前来电"))


def check_seat(*, seat_id: int | None, user_id: int | None) -> None:
    """Only the seat that answered ends the call."""
    if seat_id != user_id:
        raise Denied("call.other_seat", N_("这通来电由另一位坐席接听，只能由接听的坐席挂断"))


def check_talking(state: str) -> None:
    """Refuse what only a conversation allows."""
    if state != "answered":
        raise NotAllowed("call.not_talking", N_("只有通话中的来电可以这样操作"))


def check_waiting(state: str) -> None:
    """Refuse to send on a call that waits no longer."""
    if state != "ringing":
        raise NotAllowed("call.not_waiting", N_("这通来电已不在等待"))


def check_hand_over(*, state: str, is_open_already: bool, is_of_device: bool = False) -> None:
    """Refuse to hand over a call nobody has answered, or twice to the same service. Nothing else stands in the way (R-CALL-02).

    A device's call may have left the queue unanswered because its alarm was taken up.
    """
    if state not in ("answered", "ended") and not (is_of_device and state != "ringing"):
        raise NotAllowed("call.not_answered", N_("请先接听来电，再做紧急移交"))
    if is_open_already:
        raise NotAllowed("emergency.twice", N_("这通来电已移交给同一部门，请在下方登记处置步骤"))


def check_step(step: str, *, done: dict[str, bool]) -> None:
    """Each step of an emergency is noted once, and none after the end."""
    if step not in STEPS:
        raise Refused("emergency.step", N_("没有这个步骤，请从列表中选择"), field="step")
    if done["ended"]:
        raise NotAllowed("emergency.ended", N_("这次紧急处置已结束，不能再登记步骤"))
    if done[step]:
        raise NotAllowed("emergency.step_twice", N_("这个步骤已登记过，请刷新页面查看时间"))


def check_in_business(*, valid_to: date | None, today: date) -> None:
    """A body that has closed gets no tickets."""
    if valid_to is not None and valid_to <= today:
        raise Refused("transfer.organisation", N_("这家机构已停业，请选择其他机构"), field="organisation_id")


def check_transfer(*, current_id: int | None, target_id: int) -> None:
    """Refuse a transfer to nobody new."""
    if current_id == target_id:
        raise Refused("transfer.same", N_("工单已在这家机构，请选择其他机构"), field="organisation_id")


def check_split(state: str) -> None:
    """Only a ticket being worked on is split."""
    if state not in WORKED_ON:
        raise NotAllowed("ticket.finished", N_("工单已办理完毕，不能再分流；如需继续，请先重新办理"))


def check_close(*, open_children: int) -> None:
    """A parent closes only after all its children (R-CALL-05)."""
    if open_children:
        raise NotAllowed(
            "ticket.children_open", N_("还有 %(count)s 张分流的工单未办结，请先办结它们"), count=open_children
        )


AWAITS = N_("这张工单在等账单异议的结论。请财务人员在“结算 → 账单异议”里写结论，工单会随结论一起办结")


def check_awaited(awaits: str) -> None:
    """A ticket about which a later step decides ends with that decision."""
    if awaits:
        raise NotAllowed("ticket.awaits", AWAITS, awaits=awaits)


def check_reopen(*, parent_state: str | None) -> None:
    """A child is worked on again only while its parent is not closed."""
    if parent_state == "closed":
        raise NotAllowed("ticket.parent_closed", N_("主工单已办结，请先重新办理主工单"))


def check_listed(value: str, choices: Sequence[tuple[str, str]], *, field: str) -> None:
    """Refuse a value that no list offers."""
    if value not in dict(choices):
        raise Refused("choice.unknown", N_("没有这个选项，请从列表中选择"), field=field)


def check_written(text: str, *, field: str) -> None:
    """Refuse an empty text."""
    if not text.strip():
        raise Refused("text.empty", N_("请填写内容"), field=field)


def check_reachable(*, has_address: bool) -> None:
    """A message to the citizen needs somebody to reach."""
    if not has_address:
        raise Refused(
            "note.nobody", N_("没有可联系的老人电话或来电号码，请改为内部备注，由坐席转告"), field="is_internal"
        )


def check_provisional(*, is_provisional: bool) -> None:
    """Only a provisional deadline is counted again."""
    if not is_provisional:
        raise NotAllowed("ticket.due_final", N_("办理时限已确定，不需要重算"))


def working_days_overdue(calendar: WorkingCalendar, due_on: date, today: date) -> int:
    """Return how many working days have begun since the last day in time."""
    days = (today - due_on).days
    return sum(calendar.is_working(due_on + place * ONE_DAY) for place in range(1, days + 1))


def escalation_of(days_overdue: int, thresholds: Sequence[int]) -> int:
    """Return how far up a ticket belongs: one step for each threshold reached."""
    return sum(days_overdue >= days for days in thresholds)


def working_days_before(calendar: WorkingCalendar, due_on: date, days: int) -> date:
    """Return the day from which a ticket due then is reminded of."""
    day = due_on
    while days:
        day -= ONE_DAY
        days -= calendar.is_working(day)
    return day


def check_urged(state: str) -> None:
    """Nobody is reminded of what is done."""
    if state not in WORKED_ON:
        raise NotAllowed("ticket.finished", N_("工单已办理完毕，不需要催办；如不满意，请重新办理"))


def check_escalation(*, present: int, wanted: int) -> None:
    """A ticket goes up, one of three steps, never down."""
    if wanted > TOP:
        raise NotAllowed("ticket.at_top", N_("工单已升级到市级，不能再升级"))
    if wanted <= present:
        raise NotAllowed("ticket.escalated", N_("工单已升级到这一级，请刷新页面"))


def check_order_day(*, due_on: date, today: date) -> None:
    """A day for the answer lies ahead."""
    if due_on < today:
        raise Refused("supervision.day", N_("督办期限不能早于今天，请重新选择"), field="due_on")


def check_unanswered(*, answered: bool) -> None:
    """An order is answered once."""
    if answered:
        raise NotAllowed("supervision.answered", N_("这次督办已答复，请刷新页面查看"))


def check_merge(*, same_row: bool, target_state: str, is_child: bool, open_children: int, same_person: bool) -> None:
    """Two tickets become one if they are of one person; the one that goes on is open, the one that ends stands alone."""
    if same_row:
        raise Refused("merge.same", N_("不能与自己并案，请填写另一张工单的编号"), field="into_id")
    if target_state not in WORKED_ON:
        raise Refused(
            "merge.closed", N_("那张工单已办理完毕，不能并入；如需继续，请先重新办理那张工单"), field="into_id"
        )
    if is_child:
        raise NotAllowed("merge.child", N_("分流的工单随主工单办理，不能并案"))
    if open_children:
        raise NotAllowed(
            "ticket.children_open", N_("还有 %(count)s 张分流的工单未办结，请先办结它们"), count=open_children
        )
    if not same_person:
        raise Refused("merge.other", N_("两张工单不是同一位老人或同一来电号码，不能并案"), field="into_id")


def check_count(*, given: int, found: int) -> None:
    """Many tickets at once are moved only by somebody who knows how many."""
    if not found:
        raise Refused("bulk.none", N_("请先在列表中勾选工单"), field="ticket_ids")
    if found > MOST_AT_ONCE:
        raise Refused(
            "bulk.many", N_("一次最多处理 %(most)s 张工单，请分批勾选"), field="ticket_ids", most=MOST_AT_ONCE
        )
    if given != found:
        raise Refused("bulk.count", N_("勾选了 %(count)s 张工单，请填写这个数目确认"), field="count", count=found)
