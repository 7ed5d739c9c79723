"""Carers who take open orders themselves where the city allows it, and give them back in time; and the provider's switch."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import record
from yinling.directory.models import Organisation, Staff
from yinling.directory.rules import require
from yinling.dispatch.models import Assignment, ClaimStop
from yinling.dispatch.offers import check_claim, check_is_carer, check_release, check_releases
from yinling.dispatch.operations.assignments import (
    check_may_go,
    give_back_order,
    missing_places,
    move_assignment,
    note_accepted,
    offer,
    with_order,
)
from yinling.dispatch.queries import claim_terms, claims_of, exclusions_of, is_claimable, releases_of
from yinling.dispatch.rules import check_own
from yinling.dispatch.states import ASSIGNMENT
from yinling.ground.operation import locked, note_recorded, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason, Seen
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.queries import WAITING_STATES


@operation("dispatch.order.claim", label=N_("抢单"))
def claim_order(*, actor: Actor, now: datetime, order_id: Id, seen: Seen = None) -> Assignment:
    """Take an open order of the own organisation: who is first has it, accepted at once."""
    order = locked(Order.objects.all(), order_id, seen)
    require(actor, "dispatch.order.claim", div=order.div, provider_id=order.provider_id)
    number = check_is_carer(actor.staff_id)
    if order.state not in WAITING_STATES:
        raise NotAllowed("claim.taken", N_("这张订单已被别人接走或已取消，请选择其他订单"))
    # The carer's own row is locked, so that two orders taken at once do not both pass below the limit.
    staff = Staff.objects.select_for_update(of=("self",), no_key=True).get(pk=number)
    terms = claim_terms(order.div, order.provider_id, now)
    check_claim(
        terms, is_open=is_claimable(order, terms), open_claims=claims_of(staff).count(), releases=releases_of(staff, terms, now)
    )  # fmt: skip
    check_may_go(now, [order])
    if against := exclusions_of(order, staff):
        raise Refused("claim.not_suitable", N_("这张订单不适合您：%(why)s"), why=against[0].reason)
    slot = missing_places(actor, now, order)[0][0]
    row = offer(actor=actor, now=now, order=order, staff=staff, slot=slot, event="dispatch.order.claim")
    move_assignment(actor, now, row, "accept", accepted_at=now, is_claimed=True)
    note_accepted(actor, now, order)
    return row


@operation("dispatch.assignment.release", label=N_("退单"))
def release_assignment(
    *, actor: Actor, now: datetime, assignment_id: Id, reason: Reason, seen: Seen = None
) -> Assignment:
    """Give back an order one took, in time for the desk to send another; who does so too often takes none for a while."""
    row, order = with_order(assignment_id, seen)
    require(actor, "dispatch.assignment.release", div=row.div, provider_id=row.provider_id)
    check_own(actor_staff_id=actor.staff_id, staff_id=row.staff_id, is_dispatcher=False)
    ASSIGNMENT.target("release", row.state)
    terms = claim_terms(row.div, row.provider_id, now)
    check_release(terms, is_claimed=row.is_claimed, starts_at=row.starts_at, now=now, reason=reason)
    check_releases(terms, releases=releases_of(row.staff, terms, now))
    reason = reason.strip()
    give_back_order(actor, now, order, N_("服务人员退单：%(reason)s") % {"reason": reason})
    return move_assignment(actor, now, row, "release", reason=reason, ended_at=now, end_reason=reason)


@operation("dispatch.claim.stop", label=N_("关闭抢单"))
def stop_claims(*, actor: Actor, now: datetime, provider_id: Id, reason: Reason) -> ClaimStop:
    """Let only the desk of an organisation name its carers, although the area allows them to take orders."""
    body = _body(actor, "dispatch.claim.stop", provider_id)
    if not (reason := reason.strip()):
        raise Refused("reason.missing", N_("请写明关闭的原因"), field="reason")
    if (known := ClaimStop.objects.filter(provider=body).first()) is not None:
        note_recorded()  # closed already: the first row says why
        return known
    row = ClaimStop.objects.create(
        div=body.div, provider=body, reason=reason, stopped_by_id=actor.user_id or 0, stopped_at=now
    )
    record(actor=actor, now=now, event="dispatch.claim.stop", subject=body, reason=reason)
    return row


@operation("dispatch.claim.allow", label=N_("开放抢单"))
def allow_claims(*, actor: Actor, now: datetime, provider_id: Id) -> Organisation:
    """Let the carers of an organisation take open orders again, as far as the area allows it."""
    body = _body(actor, "dispatch.claim.allow", provider_id)
    if not ClaimStop.objects.filter(provider=body).delete()[0]:
        raise NotAllowed("claim.not_stopped", N_("这家机构没有关闭抢单"))
    record(actor=actor, now=now, event="dispatch.claim.allow", subject=body)
    return body


def _body(actor: Actor, right: str, provider_id: int) -> Organisation:
    body = Organisation.objects.select_for_update(of=("self",)).filter(pk=provider_id, is_provider=True).first()
    if body is None:
        raise NotFound("organisation.not_found", N_("没有这家服务机构，或不在您的权限范围内"), field="provider_id")
    require(actor, right, div=body.div, provider_id=body.pk)
    return body
