"""The chain of an alarm: its steps are rows with a deadline; each tells people, or is needless by then. Plain functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from yinling.accounts.operations import Recipient, notify
from yinling.devices.models import Alarm, AlarmStep
from yinling.devices.queries import chain, nearest_volunteers, people_for
from yinling.devices.rules import CHAINS, is_needless
from yinling.ground.models import in_force
from yinling.ground.operation import changed
from yinling.kernel.period import local_date
from yinling.kernel.words import N_
from yinling.people.models import Contact, Representative

NEIGHBOURLY = ("neighbour", "other")
COMMUNITY_ROLES = ("station", "community", "grid_worker")


def lay_steps(alarm: Alarm, now: datetime) -> None:
    """Write the deadlines of a new alarm, as the chain of its level and area has them."""
    links = chain(CHAINS[alarm.level], alarm.div, local_date(now))
    AlarmStep.objects.bulk_create(
        AlarmStep(
            div=alarm.div, alarm=alarm, elder_id=alarm.elder_id, provider_id=alarm.provider_id, number=number, tell=list(link.tell),
            until=link.until, due_at=alarm.received_at + timedelta(seconds=link.after_s),
        )
        for number, link in enumerate(links)
    )  # fmt: skip


def run_steps(alarm: Alarm, now: datetime) -> list[AlarmStep]:
    """Take the steps of a locked alarm that are due, in their order; return them."""
    due = list(alarm.steps.select_for_update(of=("self",)).filter(done_at=None, due_at__lte=now).order_by("number"))
    for step in due:
        needless = is_needless(
            step.until,
            is_acknowledged=alarm.acknowledged_at is not None,
            is_contacted=alarm.contacted_at is not None,
            is_ended=not alarm.is_open,
        )
        count = 0 if needless else sum(TELL[name](alarm, step, now) for name in step.tell)
        step.done_at, step.told_count = now, count
        step.outcome = "needless" if needless else "told" if count else "nobody"
        step.save(update_fields=["done_at", "told_count", "outcome"])
    return due


def hasten_rescue(alarm: Alarm, now: datetime) -> None:
    """Let the step that asks for the emergency services be due now."""
    for step in alarm.steps.filter(done_at=None, due_at__gt=now):
        if "rescue" in step.tell:
            step.due_at = now
            step.save(update_fields=["due_at"])


def end_steps(alarm: Alarm, now: datetime) -> None:
    """Leave no deadline of an alarm that is over."""
    alarm.steps.filter(done_at=None).update(done_at=now, outcome="needless")


def told_of(alarm: Alarm) -> str:
    """Say in one sentence what happened, to whom, where and when."""
    who = f"{alarm.elder.name}老人" if alarm.elder else (alarm.provider.short_name if alarm.provider else "")
    at = timezone.localtime(alarm.raised_at)
    where = f"，地址：{alarm.address}" if alarm.address else ""
    late = "（迟到的消息）" if alarm.is_late else ""
    return f"{who}的{alarm.device.get_kind_display()}在{at:%H:%M}报警：{alarm.get_kind_display()}{late}{where}。"


def _screens(alarm: Alarm, step: AlarmStep, now: datetime, users: Iterable[int], *, what: str, link: str) -> int:
    wanted = sorted(set(users))
    for user_id in wanted:
        notify(
            now=now, about=alarm, to=Recipient(user_id=user_id, is_urgent=True), key=f"alarm:{alarm.pk}:{step.number}:user:{user_id}",
            title=N_("设备报警"), text=f"{told_of(alarm)}{what}", link=link,
        )  # fmt: skip
    return len(wanted)


def _contacts(alarm: Alarm, now: datetime, *, near: bool) -> int:
    """Send a short message to the elder's people, or to neighbours."""
    count = 0
    if alarm.elder_id is None:
        return 0
    for contact in Contact.objects.filter(elder_id=alarm.elder_id).order_by("rank", "id"):
        number = contact.unseal_field("phone")
        if number and (contact.kind in NEIGHBOURLY) == near:
            to, key = Recipient(channel="sms", address=number, is_urgent=True), f"alarm:{alarm.pk}:contact:{contact.pk}"
            notify(
                now=now,
                about=alarm,
                to=to,
                key=key,
                title=N_("设备报警"),
                text=f"{told_of(alarm)}请立即与老人联系，坐席正在处理。",
            )
            count += 1
    return count


def _seat(alarm: Alarm, step: AlarmStep, now: datetime) -> int:
    """At once the alarm stands in the queue and on every seat's page; later each seat gets a notice as well."""
    if step.number == 0:
        return 1
    users = [user for user, _area in people_for(("seat",), alarm.div, now)]
    return _screens(alarm, step, now, users, what="请立即受理。", link=f"/alarms/{alarm.pk}/")


def _family(alarm: Alarm, step: AlarmStep, now: datetime) -> int:
    if alarm.elder_id is None:
        return 0
    count = _contacts(alarm, now, near=False)
    kin = Representative.objects.filter(in_force(local_date(now)), elder_id=alarm.elder_id).exclude(capacity="self")
    return count + _screens(
        alarm, step, now, kin.values_list("user_id", flat=True), what="请立即与老人联系，坐席正在处理。", link="/e/"
    )


def _leader(alarm: Alarm, step: AlarmStep, now: datetime) -> int:
    users = [user for user, _area in people_for(("line_leader",), alarm.div, now)]
    return _screens(alarm, step, now, users, what="坐席尚未处理完，请跟进。", link=f"/alarms/{alarm.pk}/")


def _community(alarm: Alarm, step: AlarmStep, now: datetime) -> int:
    local = [user for user, area in people_for(COMMUNITY_ROLES, alarm.div, now) if len(area) > len("320213")]
    return _screens(alarm, step, now, local, what="请派人上门查看。", link=f"/alarms/{alarm.pk}/")


def _volunteer(alarm: Alarm, step: AlarmStep, now: datetime) -> int:
    count = _contacts(alarm, now, near=True)
    return count + _screens(
        alarm, step, now, nearest_volunteers(alarm.div, now), what="您离得最近，请上门查看。", link="/notices/"
    )


def _rescue(alarm: Alarm, step: AlarmStep, now: datetime) -> int:
    """Ask a person to call the emergency services: no machine calls them."""
    changed(alarm, now=now, rescue_at=now)
    users = [user for user, _area in people_for(("seat", "line_leader"), alarm.div, now)]
    return _screens(
        alarm, step, now, users, what="至今没有联系上，请立即拨打120并登记紧急移交。", link=f"/alarms/{alarm.pk}/"
    )


TELL: dict[str, Callable[[Alarm, AlarmStep, datetime], int]] = {
    "seat": _seat, "family": _family, "leader": _leader, "community": _community, "volunteer": _volunteer, "rescue": _rescue,
}  # fmt: skip
