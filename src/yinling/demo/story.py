"""One service from the call to the figure, played by the demonstration's logins through the operations, each under its own scope.

The story lies in the past few hours or days, ends before now, and finds itself a free morning or afternoon: it can be played again
and again on the same data.
"""

from __future__ import annotations

import base64
import io
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from math import cos, radians
from typing import Any

from PIL import Image, ImageDraw

from yinling.demo.elders import DEMO_NAME, DEMO_PHONE
from yinling.demo.logins import actor_of
from yinling.demo.steps import Step, Stopped, Story
from yinling.directory.models import Qualification, Staff, Suspension
from yinling.dispatch.models import Assignment
from yinling.dispatch.operations import accept_assignment, assign_order
from yinling.dispatch.queries import BEST, ranking
from yinling.ground.clock import business_now
from yinling.ground.models import in_force
from yinling.ground.scope import scope
from yinling.hotline.models import Call
from yinling.hotline.operations import answer_call, close_ticket, hang_up_call, open_ticket, receive_call, take_ticket
from yinling.hotline.queries import pop
from yinling.indicators.operations import compute_values
from yinling.indicators.queries import WEEK, period_around
from yinling.kernel.actor import Actor
from yinling.kernel.geo import Datum, Position, from_wgs84
from yinling.kernel.money import yuan
from yinling.kernel.period import SHANGHAI, local_date, month_start
from yinling.kernel.refusals import Refusal
from yinling.orders.models import Order
from yinling.orders.operations import accept_order, cancel_order, place_order
from yinling.orders.queries import quote
from yinling.people.models import Elder
from yinling.settlement.models import Statement
from yinling.settlement.operations import (
    approve_statement,
    draft_statement,
    return_statement,
    review_statement,
    settle_order,
)
from yinling.supervision.jobs import live_round
from yinling.supervision.models import Finding
from yinling.supervision.operations import acknowledge_finding, release_finding
from yinling.visits.models import Visit
from yinling.visits.operations import attach_evidence, evaluate_visit, finish_visit, start_visit

LENGTH = timedelta(minutes=375)
FIRST_VISIT, SECOND_VISIT = 80, 248
SECOND_CALL = SECOND_VISIT - 60
QUARTER = timedelta(minutes=15)
FAR_METRES = 2300
CONSENT = "老人本人（电话）"
ROUNDS = 20
FIRST_HOUR, LAST_HOUR = 8, 13
LOOK_BACK = 6 * 24 * 4


def play(tell: Callable[[Step], None]) -> Story:
    """Play the whole story; the last step tells whether it came to its end."""
    story = Story(tell)
    perform(story)
    return story


def perform(story: Story) -> None:
    """Play a story chapter by chapter."""
    try:
        prepare(story)
        for chapter in CHAPTERS:
            chapter(story)
    except Stopped as stopped:
        story.note("stop", None, f"演练中断：{stopped}", code=f"walk.stopped.{stopped}")


def prepare(story: Story) -> None:
    """Find a time at which elder and nurses are free; lift what an interrupted walk left on the nurse."""
    now = business_now()
    nurse, dispatcher = actor_of("nurse", now), actor_of("dispatcher", now)
    with scope(dispatcher):
        elder = Elder.objects.select_related("household").get(
            name=DEMO_NAME, is_made_up=True, phone_last4=DEMO_PHONE[-4:]
        )
        story.rows["elder"] = elder
        holds = Suspension.objects.filter(staff__user__username="nurse", to_at=None).values_list("cause", flat=True)
        causes = [int(cause.partition(":")[2]) for cause in holds if cause.startswith("finding:")]
        story.began = next(free_times(now, nurse, elder))
    for finding_id in causes:
        story.act(
            "supervisor",
            0,
            release_finding,
            "解除上次演练留下的预警",
            finding_id=finding_id,
            reason="演练前恢复初始状态",
        )


def free_times(now: datetime, nurse: Actor, elder: Elder) -> Iterator[datetime]:
    """Yield moments, the latest first, from which the story fits: in working hours, three nurses free, the elder at home."""
    local = (now - LENGTH).astimezone(SHANGHAI).replace(second=0, microsecond=0)
    local -= timedelta(minutes=local.minute % 15)
    for number in range(LOOK_BACK):
        start = local - number * QUARTER
        if not FIRST_HOUR <= start.hour <= LAST_HOUR:
            continue
        begin, end = start, start + timedelta(minutes=SECOND_VISIT + 90)
        around = {"starts_at__lt": end, "ends_at__gt": begin}
        busy = Assignment.objects.filter(**around, state__in=["offered", "accepted", "done"]).values("staff_id")
        able = Qualification.objects.filter(in_force(start.date()), kind="nurse").values("staff_id")
        rows = Staff.objects.filter(provider_id=nurse.organisation_id, kind="nurse", pk__in=able).exclude(pk__in=busy)
        free = list(rows.filter(day_from__lte=start.time(), day_to__gte=end.time()).values_list("pk", flat=True))
        at_home = not Order.objects.filter(**around, elder=elder).exclude(state__in=["cancelled", "failed"]).exists()
        if at_home and nurse.staff_id in free and len(free) >= BEST:
            yield start
    raise Stopped("no_free_time")


def the_call(story: Story) -> None:
    """The elder calls; the seat sees who it is and opens a ticket."""
    with scope(actor_of("seat", story.at(0))):
        is_busy = Call.objects.filter(state="answered", seat__username="seat").exists()
    seat = story.rows["seat"] = "seat2" if is_busy else "seat"
    key = f"walk-{secrets.token_hex(8)}"
    call = story.act(seat, 0, receive_call, "热线响起", key=key, number=DEMO_PHONE)
    call = story.rows["call"] = story.act(seat, 0.3, answer_call, "接听", call_id=call.pk)
    actor = actor_of(seat, story.at(1))
    with scope(actor):
        shown = pop(actor, call, now=story.at(1))
    story.note("pop", call, f"弹屏：来电人 {shown.elder.name if shown.elder else '未知'}")
    story.rows["ticket"] = story.act(
        seat, 2, open_ticket, "登记工单", call_id=call.pk, elder_id=story.rows["elder"].pk, kind="request", family="rehab_nursing",
        title="请护士上门护理压疮", text="老人来电，右侧骶尾部皮肤发红破损",
    )  # fmt: skip
    story.act(seat, 2.5, take_ticket, "受理", ticket_id=story.rows["ticket"].pk)


def the_order(story: Story) -> None:
    """The seat quotes and books a nurse; a price typed by hand is refused."""
    seat, elder = story.rows["seat"], story.rows["elder"]
    story.rows["order"] = booked(
        story, seat, 4, "RN02", FIRST_VISIT, channel="phone", ticket_id=story.rows["ticket"].pk, shows_typed_price=True
    )
    story.act(
        seat, 6, close_ticket, "办结工单", ticket_id=story.rows["ticket"].pk, result=f"已为{elder.name}预约护士上门"
    )
    story.act(seat, 6.5, hang_up_call, "挂断", call_id=story.rows["call"].pk)


def booked(
    story: Story, username: str, minutes: float, item: str, starts_in: float, *, channel: str, ticket_id: int | None = None,
    shows_typed_price: bool = False,
) -> Order:  # fmt: skip
    """Quote, tell the quote, and place the order at exactly that."""
    elder, now, starts_at = story.rows["elder"], story.at(minutes), story.at(starts_in)
    actor = actor_of(username, now)
    try:
        with scope(actor):
            offer = quote(actor=actor, elder_id=elder.pk, item_code=item, starts_at=starts_at, now=now)
    except Refusal as refusal:
        story.note("quote", None, refusal.detail, code=refusal.code)
        raise Stopped(refusal.code) from refusal
    shares = "；".join(f"{share.payer} {yuan(share.amount_fen)}元（{share.reason}）" for share in offer.shares)
    story.note("quote", None, f"{offer.item.name}，{offer.provider.short_name}，共{yuan(offer.total_fen)}元：{shares}")
    asked = {
        "elder_id": elder.pk,
        "item_code": item,
        "starts_at": starts_at,
        "channel": channel,
        "ticket_id": ticket_id,
    }
    if shows_typed_price:
        story.refused(
            username, minutes, place_order, ("quote.changed",), quoted_total_fen=offer.total_fen - 2000, **asked
        )
    return story.act(
        username,
        minutes + 0.5,
        place_order,
        "下单",
        quoted_total_fen=offer.total_fen,
        quoted_self_fen=offer.self_fen,
        self_pay_consent=CONSENT if offer.beyond_fen else "",
        **asked,
    )


def the_dispatch(story: Story) -> None:
    """The provider accepts; the dispatcher sees three nurses with reasons, one without a valid licence is refused, ours accepts."""
    order = story.rows["order"]
    story.act("provider_manager", 8, accept_order, "接单", order_id=order.pk)
    story.rows["assignment"] = assigned(story, order, 9, shows_lapsed=True)


def assigned(story: Story, order: Order, minutes: float, *, shows_lapsed: bool = False) -> Assignment:
    """Rank, assign the nurse whose login plays on, and let her accept."""
    now = story.at(minutes)
    actor, nurse = actor_of("dispatcher", now), actor_of("nurse", now)
    with scope(actor):
        proposals = ranking(actor=actor, order=order, now=now, limit=BEST).proposals
        lapsed = Staff.objects.filter(provider_id=order.provider_id, kind="nurse").exclude(
            pk__in=Qualification.objects.filter(in_force(local_date(order.starts_at)), kind="nurse").values("staff_id")
        ).first()  # fmt: skip
    for one in proposals:
        story.note("ranking", None, f"第{one.rank}位 {one.name}：{'；'.join(one.reasons)}")
    if shows_lapsed and lapsed is not None:
        story.refused(
            "dispatcher",
            minutes + 0.5,
            assign_order,
            ("dispatch.qualification",),
            order_id=order.pk,
            staff_id=lapsed.pk,
        )
    is_best = nurse.staff_id in [one.staff_id for one in proposals]
    reason = "" if is_best else "老人要求由熟悉的护士上门"
    row = story.act(
        "dispatcher",
        minutes + 1,
        assign_order,
        "派单",
        order_id=order.pk,
        staff_id=nurse.staff_id,
        choice_reason=reason,
    )
    return story.act("nurse", minutes + 3, accept_assignment, "接受", assignment_id=row.pk)


def the_visit(story: Story) -> None:
    """At the door: too early is refused; check-in, photo, check-out."""
    assignment, order = story.rows["assignment"], story.rows["order"]
    place = seen_at(order, 18)
    key = f"walk-{assignment.pk}"
    story.refused(
        "nurse", 13, start_visit, ("visit.too_early",), assignment_id=assignment.pk, key=f"{key}-early", **place
    )
    visit = story.act(
        "nurse", FIRST_VISIT - 4, start_visit, "签到", assignment_id=assignment.pk, key=f"{key}-in", **place
    )
    photo = picture(f"{order.code} {key}")
    story.act("nurse", FIRST_VISIT + 20, attach_evidence, "上传照片", visit_id=visit.pk, kind="photo", content=photo)
    story.rows["visit"] = finished(story, visit, order, FIRST_VISIT + 43, f"{key}-out", 25)
    story.note("serve", order, "订单待结算")


def finished(story: Story, visit: Visit, order: Order, minutes: float, key: str, metres: float) -> Visit:
    """Check out with all steps of the work standard done."""
    with scope(actor_of("dispatcher", story.at(minutes))):
        steps = [step for line in order.lines.filter(kind="item").select_related("item") for step in line.item.steps]
    return story.act(
        "nurse", minutes, finish_visit, "签退", visit_id=visit.pk, key=key, tasks=steps, findings="皮肤情况较前好转", signed_by=DEMO_NAME,
        signed_as="self", **seen_at(order, metres),
    )  # fmt: skip


def seen_at(order: Order, metres: float) -> dict[str, Any]:
    """Return what a phone sends some metres east of the home, in the datum of Chinese maps."""
    lon = (order.lon or 0) + metres / 111_320 / cos(radians(order.lat or 0))
    place = from_wgs84(Position(lon, order.lat or 0, Datum.WGS84), Datum.GCJ02)
    return {"lon": place.lon, "lat": place.lat, "datum": "gcj02", "accuracy_m": 12.0}


def picture(text: str) -> str:
    """Draw a picture of its own and return it as a phone sends it."""
    image = Image.new("RGB", (640, 400), (214, 222, 208))
    ImageDraw.Draw(image).text((30, 180), f"WALK {text}", fill=(30, 60, 40))
    out = io.BytesIO()
    image.save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()


def the_money(story: Story) -> None:
    """Settle among voucher and elder, once; then the elder says how it was."""
    order = story.rows["order"]
    settled(story, order, FIRST_VISIT + 104)
    story.refused("finance", FIRST_VISIT + 105, settle_order, ("settlement.already",), order_id=order.pk)
    story.act(
        "elder", FIRST_VISIT + 106, evaluate_visit, "评价", order_id=order.pk, score=5, comment="护士很细心", by="elder"
    )


def settled(story: Story, order: Order, minutes: float) -> None:
    """Settle an order, or find that the job was quicker."""
    with scope(actor_of("finance", story.at(minutes))):
        is_settled = Order.objects.filter(pk=order.pk, state="settled").exists()
    if is_settled:
        story.note("settle_order", order, "后台任务已结算")
    else:
        story.act("finance", minutes, settle_order, "结算", order_id=order.pk)


def the_second_visit(story: Story) -> None:
    """The station books another visit on its computer; the nurse checks in far away, which the door stores and does not judge."""
    order = story.rows["second"] = booked(story, "station", SECOND_CALL, "NU01", SECOND_VISIT, channel="console")
    story.act("provider_manager", SECOND_CALL + 2, accept_order, "接单", order_id=order.pk)
    assignment = assigned(story, order, SECOND_CALL + 3)
    key = f"walk-{assignment.pk}"
    far = seen_at(order, FAR_METRES)
    visit = story.act(
        "nurse",
        SECOND_VISIT,
        start_visit,
        f"在{FAR_METRES}米外签到",
        assignment_id=assignment.pk,
        key=f"{key}-in",
        **far,
    )
    finished(story, visit, order, SECOND_VISIT + 38, f"{key}-out", FAR_METRES)


def the_finding(story: Story) -> None:
    """Live supervision finds it: the order is frozen, the nurse gets no new orders, and only a supervisor can release that."""
    order = story.rows["second"]
    finding = story.rows["finding"] = found(story, order)
    story.note(
        "live_round",
        finding,
        f"实时监管：{finding.title}（{finding.get_severity_display()}），冻结订单 {order.code}，暂停派单",
    )
    story.refused("finance", SECOND_VISIT + 100, settle_order, ("order.held",), order_id=order.pk)
    third = story.rows["third"] = booked(
        story, "family", SECOND_VISIT + 101, "RN02", 24 * 60 + FIRST_VISIT, channel="app"
    )
    nurse = actor_of("nurse", story.at(0))
    story.refused(
        "dispatcher", SECOND_VISIT + 102, assign_order, ("dispatch.suspended",), order_id=third.pk, staff_id=nurse.staff_id,
        choice_reason="老人点名",
    )  # fmt: skip
    story.refused(
        "provider_manager",
        SECOND_VISIT + 103,
        release_finding,
        ("right.missing",),
        finding_id=finding.pk,
        reason="请解除",
    )
    story.act(
        "family",
        SECOND_VISIT + 104,
        cancel_order,
        "取消手机端的订单，额度退回",
        order_id=third.pk,
        reason="改由家属照料",
    )


def found(story: Story, order: Order) -> Finding:
    """Run live supervision until it has read the visit; the worker may have been first."""
    actor = actor_of("supervisor", story.at(0))
    for _ in range(ROUNDS):
        live_round()
        with scope(actor):
            finding = Finding.objects.filter(order=order, rule="distant_check_in").first()
        if finding is not None:
            return finding
        time.sleep(0.5)
    story.note("live_round", None, "实时监管没有发现远距离签到", code="walk.no_finding")
    raise Stopped("no_finding")


def the_release(story: Story) -> None:
    """The supervisor looks into it and releases it with a reason; the order can be settled."""
    finding, order = story.rows["finding"], story.rows["second"]
    story.act("supervisor", SECOND_VISIT + 106, acknowledge_finding, "开始核查", finding_id=finding.pk)
    story.act(
        "supervisor",
        SECOND_VISIT + 110,
        release_finding,
        "解除",
        finding_id=finding.pk,
        reason="电话核实老人和家属：护士按时到家，手机定位漂移",
    )
    settled(story, order, SECOND_VISIT + 112)


def the_statement(story: Story) -> None:
    """The voucher's statement for the provider: drawn up, reviewed by one and approved by another person."""
    order, minutes = story.rows["order"], SECOND_VISIT + 114
    day = month_start(local_date(order.starts_at))
    actor = actor_of("finance", story.at(minutes))
    with scope(actor):
        known = (
            Statement.objects.filter(provider_id=order.provider_id, payer="voucher", month=day)
            .exclude(state="returned")
            .first()
        )
    asked = {"organisation_id": order.provider_id, "payer": "voucher", "month": day}
    if known is not None and known.state == "approved":
        story.refused("finance", minutes, draft_statement, ("statement.twice", "statement.empty"), **asked)
        story.note("statement", known, f"{known.code} 本月对账单已审定，新的费用列入下月")
        return
    if known is not None:
        story.act(
            "finance", minutes, return_statement, "退回未审定的对账单", statement_id=known.pk, reason="补入新结算的订单"
        )
    statement = story.act("finance", minutes, draft_statement, "生成对账单", **asked)
    story.act("finance", minutes + 1, review_statement, "初审", statement_id=statement.pk)
    story.refused("finance", minutes + 2, approve_statement, ("statement.two_persons",), statement_id=statement.pk)
    story.rows["statement"] = story.act("finance2", minutes + 3, approve_statement, "复核", statement_id=statement.pk)


def the_figures(story: Story) -> None:
    """The figures of the week, computed from these rows."""
    first, end = period_around(local_date(story.at(0)), WEEK)
    area = actor_of("city", story.at(0)).div
    story.act("city", SECOND_VISIT + 120, compute_values, "计算本周指标", div=area, period_from=first, period_to=end)


CHAPTERS = (
    the_call, the_order, the_dispatch, the_visit, the_money, the_second_visit, the_finding, the_release, the_statement, the_figures,
)  # fmt: skip
