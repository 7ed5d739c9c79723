"""Decisions at the door: who may check in, when, from where, and who may say how good it was."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from yinling.kernel.geo import Datum, Position, checkin_distance_m
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed, Refused, Stale
from yinling.kernel.words import N_

EVALUATED_BY = {"elder": "elder", "family": "family", "seat": "follow_up"}
SERVED = ("served", "settled", "closed")
ALONE = "visits.alone"
"""Cause of the hold of an order for two that one carer served."""


@dataclass(frozen=True)
class Seen:
    """Where a phone says it is; ``by_door_code`` when the code at the door stands in for the position."""

    lon: float | None
    lat: float | None
    datum: str
    accuracy_m: float | None
    by_door_code: bool = False


def check_own(*, staff_id: int, actor_staff_id: int | None) -> None:
    """A visit is made and written by the carer it was given to."""
    if actor_staff_id is None or staff_id != actor_staff_id:
        raise Denied("visit.not_own", N_("这是派给另一位护理员的任务，只能由本人办理"))


def check_accepted(state: str) -> None:
    """Only an accepted assignment leads to a visit."""
    if state != "accepted":
        raise NotAllowed("visit.not_accepted", N_("请先接受派单，再出发或签到"))


def check_alive(died_on: date | None) -> None:
    """No service after death (X-SUP-05): refused at the door."""
    if died_on is not None:
        raise Refused("visit.deceased", N_("档案登记该老人已去世，不能签到。请联系服务商核实"))


def check_qualified(needed: Collection[str], held: Collection[str]) -> None:
    """Refuse the visit without a valid qualification for every item at this hour (X-SUP-05)."""
    missing = sorted(set(needed) - set(held))
    if missing:
        raise Refused(
            "visit.not_qualified",
            N_("您没有这项服务所需的有效证书，或证书已过期，不能签到。请联系服务商改派"),
            missing=",".join(missing),
        )


def check_no_other(*, other_open: bool) -> None:
    """One carer is at one door at a time (X-SUP-05)."""
    if other_open:
        raise NotAllowed("visit.another_open", N_("您还有一项服务没有签退，请先签退再开始下一项"))


def check_not_early(*, now: datetime, starts_at: datetime, early_minutes: int) -> None:
    """Refuse a check-in long before the booked time."""
    if now < starts_at - timedelta(minutes=early_minutes):
        raise Refused(
            "visit.too_early", N_("还没到时间：最早可在预约时间前 %(minutes)s 分钟签到"), minutes=early_minutes
        )


def check_changes(names: Collection[str]) -> None:
    """Refuse the check-out while something added at the door is neither confirmed nor dropped (D-18)."""
    if names:
        sentence = N_("增加的项目“%(names)s”还没有确认。请老人或家属确认，或者取消，再签退")
        raise Refused("visit.change_lines", sentence, names="、".join(names))


class Outcome(StrEnum):
    """What becomes of an order when a carer's part is over."""

    WAIT = "wait"
    SERVED = "served"
    REVIEW = "review"
    FAILED = "failed"


def outcome(parts: Collection[str], *, carers_needed: int, is_begun: bool) -> Outcome:
    """Return what becomes of an order, from the states of the visits of all its carers (``planned`` for one not begun).

    It goes on while one is on site, or before anybody came while another may still come. With a part done it is served, for review
    if not everybody needed has done one; with none it has failed.
    """
    if "on_site" in parts:
        return Outcome.WAIT
    if done := sum(part == "done" for part in parts):
        return Outcome.SERVED if done >= carers_needed else Outcome.REVIEW
    is_coming = any(part in ("planned", "en_route") for part in parts)
    return Outcome.WAIT if is_coming and not is_begun else Outcome.FAILED


def check_not_alone(order_state: str) -> None:
    """Refuse the check-in while the second carer is missing: one alone cannot do this work."""
    if order_state in ("placed", "accepted"):
        raise NotAllowed("visit.alone", N_("这项服务需要两人同去，另一位还没有派定，请联系派单员"))


def is_late(*, now: datetime, starts_at: datetime, late_minutes: int) -> bool:
    """Whether a check-in at this moment is a late one (X-SUP-04). It is stored all the same."""
    return now > starts_at + timedelta(minutes=late_minutes)


def seen_at(
    *, lon: float | None, lat: float | None, datum: str, accuracy_m: float | None, door_code: str, expected_code: str,
    is_needed: bool = True,
) -> Seen:  # fmt: skip
    """Return the position as sent; without one the code at the door must be right. Raises Refused.

    At check-out (not ``is_needed``) a phone without position does not keep the carer in the house.
    """
    has_position = lon is not None and lat is not None
    if door_code and door_code != expected_code:
        raise Refused("checkin.door_code", N_("门牌码不对，请重新扫码或照门牌输入"), field="door_code")
    if is_needed and not has_position and not door_code:
        raise Refused("checkin.position", N_("没有收到位置。请允许定位后重试，或扫描门牌码"), field="door_code")
    if datum not in list(Datum):
        raise Refused("checkin.datum", N_("不认识这种坐标系，请升级手机程序"), field="datum")
    return Seen(lon if has_position else None, lat if has_position else None, datum, accuracy_m, bool(door_code))


def distance_from_home(seen: Seen, *, home_lon: float | None, home_lat: float | None) -> int | None:
    """Metres from the home less the accuracy (X-SUP-01); None where either place is unknown."""
    if seen.lon is None or seen.lat is None:
        return None
    place = Position(seen.lon, seen.lat, Datum(seen.datum), seen.accuracy_m)
    if home_lon is None or home_lat is None:
        return None
    return checkin_distance_m(Position(home_lon, home_lat, Datum.WGS84), place)


def check_tasks(tasks: Sequence[str], standard: Collection[str]) -> list[str]:
    """Return the ticked work without repeats, in the order ticked; it must be of the work standard (R-ORD-08)."""
    done = list(dict.fromkeys(tasks))
    if not done:
        raise Refused("visit.no_tasks", N_("请勾选完成的服务内容"), field="tasks")
    if unknown := [task for task in done if task not in standard]:
        raise Refused(
            "visit.unknown_task", N_("服务内容不在标准步骤中，请刷新页面后重新勾选"), field="tasks", count=len(unknown)
        )
    return done


def check_signed(signed_by: str) -> None:
    """Somebody at the door confirms the service with a name."""
    if not signed_by.strip():
        raise Refused("visit.not_signed", N_("请填写签字人姓名"), field="signed_by")


def check_capacity(signed_as: str, *, is_appointed: bool) -> None:
    """Who signs as agent is on file as guardian or agent, in force today, for signing; kin sign as kin, under their own name (R-PEO-10)."""
    if signed_as == "agent" and not is_appointed:
        sentence = N_("档案中没有在有效期内、可以代为签字的监护人或代理人。请由本人或家属签字")
        raise Refused("visit.signer", sentence, field="signed_as")


def check_evaluator(*, role: str, by: str, is_own_visit: bool) -> None:
    """Only the elder side evaluates, each in its own name; who made the visit never does (R-CMP-02)."""
    if is_own_visit:
        raise Denied("evaluation.own_visit", N_("不能评价自己提供的服务"))
    if EVALUATED_BY.get(role) != by:
        raise Refused("evaluation.by", N_("评价人与您的身份不符，请重新选择"), field="by")


def check_evaluation(
    *, order_state: str, served_at: datetime | None, now: datetime, days: int, is_evaluated: bool
) -> None:
    """A served order is evaluated once, within so many days (D-21)."""
    if order_state not in SERVED or served_at is None:
        raise NotAllowed("evaluation.not_served", N_("服务完成后才能评价"))
    if is_evaluated:
        raise NotAllowed("evaluation.twice", N_("这次服务已经评价过，谢谢"))
    if local_date(now) > local_date(served_at) + timedelta(days=days):
        raise Refused("evaluation.late", N_("服务结束已超过 %(days)s 天，不能再评价"), days=days)


def check_score(score: int) -> None:
    """One to five."""
    if not 1 <= score <= 5:  # noqa: PLR2004 - the scale of marks
        raise Refused("evaluation.score", N_("请选择 1 到 5 分"), field="score")


def check_listed(value: str, choices: Sequence[tuple[str, str]], *, field: str) -> None:
    """Refuse a value that no list offers."""
    if value not in dict(choices):
        raise Refused("choice.unknown", N_("没有这个选项，请从列表中选择"), field=field)


def check_on_site(state: str) -> None:
    """Evidence is made between check-in and check-out."""
    if state != "on_site":
        raise NotAllowed("visit.not_on_site", N_("签到之后、签退之前才能上传现场凭证"))


def check_reason(reason: str) -> None:
    """Why there was no service."""
    if not reason.strip():
        raise Refused("visit.no_reason", N_("请写明无法服务的原因"), field="reason")


def check_seen(*, seen: int | None, version: int) -> None:
    """Refuse a page that is out of date."""
    if seen is not None and seen != version:
        raise Stale(
            "row.stale", N_("这条记录刚被别人修改过。您填写的内容还在，请刷新后再提交"), seen=seen, version=version
        )
