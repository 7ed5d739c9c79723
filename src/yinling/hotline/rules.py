"""Decisions of the hotline: when a ticket is due, and what may be done with a call and a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from yinling.kernel.period import ONE_DAY, local_date, local_midnight
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.kernel.workdays import WorkingCalendar

STEPS = ("contacts_told", "arrived", "ended")
UNFINISHED = ("open", "handling", "resolved")
WORKED_ON = ("open", "handling")


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


def check_hand_over(*, state: str, is_open_already: bool) -> None:
    """Refuse to hand over a call nobody has answered, or twice to the same service. Nothing else stands in the way (R-CALL-02)."""
    if state not in ("answered", "ended"):
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
