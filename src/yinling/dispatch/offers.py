"""Who goes together, until when an offer holds, and which open orders carers may take themselves. Pure, as ``rules``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from yinling.kernel.period import ONE_DAY, SHANGHAI
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_


def missing_slots(carers_needed: int, taken: Collection[int]) -> list[int]:
    """Return the places of an order for which nobody is named: 1, and 2 where one alone cannot do the work."""
    return [slot for slot in range(1, carers_needed + 1) if slot not in taken]


def check_people(*, carers_needed: int, missing: Collection[int], staff_id: int, second_id: int | None) -> None:
    """Refuse another number of people than the order lacks: of two who are missing both are named, or none."""
    if second_id is None:
        if len(missing) > 1:
            sentence = N_("这项服务需要两位服务人员同去，请同时选择第二位")
            raise Refused("dispatch.second_missing", sentence, field="second_id")
        return
    if carers_needed == 1:
        raise Refused("dispatch.one_only", N_("这项服务只需要一位服务人员，请不要填写第二位"), field="second_id")
    if second_id == staff_id:
        raise Refused("dispatch.same_person", N_("两位服务人员不能是同一人，请另选第二位"), field="second_id")
    if len(missing) == 1:
        raise Refused("dispatch.one_missing", N_("这张订单只差一人，请只选一位"), field="second_id")


def check_slot(*, carers_needed: int, taken: Collection[int], slot: int) -> None:
    """Refuse a place that the order has not, or that somebody has."""
    if not 1 <= slot <= carers_needed:
        raise Refused("dispatch.slot_unknown", N_("这张订单没有第 %(slot)s 位服务人员"), field="slot", slot=slot)
    if slot in taken:
        raise Refused("dispatch.slot_taken", N_("这张订单已派人，请刷新页面；如需换人请用“改派”"), slot=slot)


def slot_to_change(*, carers_needed: int, taken: Collection[int], slot: int | None) -> int:
    """Return the place of the person to be replaced; of two, the dispatcher says which."""
    if not taken:
        raise Refused("dispatch.nobody", N_("这张订单还没有派人，请直接派单"))
    if slot is None:
        if carers_needed > 1:
            raise Refused("dispatch.slot_missing", N_("这张订单派了两位服务人员，请选择换下哪一位"), field="slot")
        return next(iter(taken))
    if slot not in taken:
        raise Refused("dispatch.slot_empty", N_("这个位置还没有派人，请直接派单"), field="slot", slot=slot)
    return slot


def check_same_time(*, starts_at: datetime, others: Collection[datetime]) -> None:
    """Refuse another time for one of two who go together: the other was told a time."""
    if told := next((one for one in others if one != starts_at), None):
        at = f"{told.astimezone(SHANGHAI):%H:%M}"
        sentence = N_("另一位服务人员已约定 %(at)s 上门，请用同一时间，或先换下另一位")
        raise Refused("dispatch.time_fixed", sentence, field="starts_at", at=at)


def plan_offer_due(now: datetime, starts_at: datetime, *, minutes: int, evening_hour: int) -> datetime:
    """Return until when a visit of a published plan may be declined: the evening before, at least so many minutes, never past its start."""
    evening = starts_at.astimezone(SHANGHAI).replace(hour=evening_hour, minute=0, second=0, microsecond=0) - ONE_DAY
    due = max(evening.astimezone(now.tzinfo), now + timedelta(minutes=minutes))
    return min(due, starts_at) if starts_at > now else due


@dataclass(frozen=True)
class ClaimTerms:
    """What an area allows: for which families carers may take open orders themselves, how many at once, and giving back."""

    is_allowed: bool
    families: Collection[str]
    urgent_too: bool
    most_open: int
    release_hours: int
    most_releases: int
    release_days: int


def may_claim(terms: ClaimTerms, *, families: Collection[str], is_urgent: bool, carers_needed: int, taken: int) -> bool:
    """Whether an order is open to be taken: allowed for all its families, and lacking one person only after the desk named the other."""
    if not terms.is_allowed or (is_urgent and not terms.urgent_too):
        return False
    return set(families) <= set(terms.families) and carers_needed - taken == 1


def check_claim(terms: ClaimTerms, *, is_open: bool, open_claims: int, releases: int) -> None:
    """Refuse where the area does not allow it, and a carer who holds or gave back too many."""
    if not terms.is_allowed:
        raise NotAllowed("claim.not_allowed", N_("本地区没有开放自行接单，请等派单员派单"))
    if not is_open:
        raise Refused("claim.not_open", N_("这张订单不开放自行接单，请选择其他订单"))
    if open_claims >= terms.most_open:
        sentence = N_("您自行接的订单还有 %(count)s 张没有完成，最多 %(most)s 张，完成后再接")
        raise Refused("claim.too_many", sentence, count=open_claims, most=terms.most_open)
    check_releases(terms, releases=releases)


def check_releases(terms: ClaimTerms, *, releases: int) -> None:
    """Refuse who gave orders back too often of late."""
    if releases >= terms.most_releases:
        sentence = N_("您最近 %(days)s 天已退单 %(count)s 次，暂时不能自行接单或退单，请联系派单员")
        raise Refused("claim.released_often", sentence, days=terms.release_days, count=releases)


def check_release(terms: ClaimTerms, *, is_claimed: bool, starts_at: datetime, now: datetime, reason: str) -> None:
    """Refuse to give back what the desk assigned, what starts soon, and without a reason."""
    if not is_claimed:
        raise Refused("release.assigned", N_("这是派单员派的订单，不能自行退单，请联系派单员"))
    if now > starts_at - timedelta(hours=terms.release_hours):
        sentence = N_("离上门不到 %(hours)s 小时，不能再退单，请联系派单员")
        raise Refused("release.late", sentence, hours=terms.release_hours)
    if not reason.strip():
        raise Refused("reason.missing", N_("请写明退单的原因"), field="reason")


def check_is_carer(staff_id: int | None) -> int:
    """Only who visits takes orders."""
    if staff_id is None:
        raise Denied("claim.not_carer", N_("只有上门服务人员可以自行接单"))
    return staff_id
