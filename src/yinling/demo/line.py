"""The line of the demonstration: groups and seats, a roster without a hole, knowledge, templates, call-backs, and who runs it under contract."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.contrib.auth.hashers import make_password

from yinling.accounts.models import User
from yinling.demo.bodies import EARLIEST, Bodies
from yinling.demo.rows import insert
from yinling.directory.models import Organisation
from yinling.hotline.models import (
    Article,
    Call,
    Callback,
    LineContract,
    Roster,
    Seat,
    SeatGroup,
    SeatSpan,
    SeatTraining,
    Shift,
    Ticket,
    TicketTemplate,
)
from yinling.kernel.period import ONE_DAY, SHANGHAI, local_date

SEATS = (("seat3", "闻晓春"), ("seat4", "单玉芬"), ("seat5", "裘安平"), ("seat6", "查雪梅"))
"""Colleagues of the two seats with a login; they are on the roster only."""
DAYS_BACK, DAYS_AHEAD = 14, 14
TURN = 6
DAY, EVENING, NIGHT = (time(8), 8), (time(16), 8), (time(0), 8)
DUTY_PHONE = "19900008888"
ARTICLES = (
    ("消费补贴怎么申请", "在社区服务站、手机端或打热线登记，带身份证和银行卡；5 个工作日内初审，公示 7 天后发放。", "补贴 消费券 申请", ""),
    ("能力评估需要多久", "登记后 10 个工作日内上门，约 40 分钟；结果书面告知，有异议可在 30 天内申请复评。", "评估 失能 等级", ""),
    ("助餐点地址和价格", "在“资源”页按街道查询。套餐价格由助餐点公示，符合条件的老人按档次补贴。", "吃饭 食堂 送餐", "meal"),
    ("听力不好、说方言的来电", "放慢语速，逐句确认；可转方言坐席。无法听清时由家属联系人代述，并在工单中注明。", "方言 听不清", ""),
    ("跌倒、胸痛、喘不上气", "按“紧急移交”。先问清地点和能否开门，不要让老人自己走动，保持通话到 120 接手。", "急救 120 跌倒", "rescue"),
)  # fmt: skip
TEMPLATES = (
    ("咨询补贴", "enquiry", "咨询消费补贴怎么申请", ""), ("换护理员", "request", "想更换一位护理员", "daily_care"),
    ("迟到投诉", "complaint", "服务人员迟到", ""), ("预约挂号", "request", "请协助预约医院挂号", "escort"),
    ("扶手松动", "request", "居家扶手松动，请求检查", ""),
)  # fmt: skip


def load_line(users: dict[str, User], bodies: Bodies, city: str, now: datetime) -> None:
    """Give the line its people, a published roster around today, and something on each of its pages."""
    company = bodies.of_kind("call_centre")[0]
    first, second = _groups(city, company, now)
    seats = _seats(users, first, second, city, now)
    _roster(users, first, seats, city, now)
    _spans(seats, city, now)
    _trainings(seats, city, now)
    _knowledge(users, city, now)
    _contract(company, city, now)
    _callbacks(city, now)


def _groups(city: str, company: Organisation, now: datetime) -> tuple[SeatGroup, SeatGroup]:
    made: list[SeatGroup] = []
    for name, is_first, overflow in (("二线支持组", False, None), ("热线一组", True, True)):
        group = SeatGroup(
            div=city, name=name, provider=company, skills=["dialect"] if is_first else ["medical", "policy"], is_first=is_first,
            overflow=made[0] if overflow else None, duty_last4=DUTY_PHONE[-4:], created_at=now, changed_at=now,
        )  # fmt: skip
        group.seal_field("duty", DUTY_PHONE)
        group.save(force_insert=True)
        made.append(group)
    return made[1], made[0]


def _seats(users: dict[str, User], first: SeatGroup, second: SeatGroup, city: str, now: datetime) -> list[Seat]:
    """Six seats who take turns, and the leader in the group behind them."""
    colleagues = [
        User(username=name, name=person, password=make_password(None), needs_second_factor=True)
        for name, person in SEATS
    ]
    insert(colleagues)
    people = [users["seat"], users["seat2"], *colleagues]
    seats = [
        Seat(
            div=city, user=user, group=first, provider_id=first.provider_id, number=str(8001 + place),
            skills=["dialect"] if place % 2 == 0 else ["policy"], created_at=now, changed_at=now,
        )
        for place, user in enumerate(people)
    ]  # fmt: skip
    leader = Seat(
        div=city, user=users["line_leader"], group=second, provider_id=second.provider_id, number="8000", is_leader=True,
        skills=["medical", "complaint"], created_at=now, changed_at=now,
    )  # fmt: skip
    insert([*seats, leader])
    return seats


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, SHANGHAI)


def _roster(users: dict[str, User], group: SeatGroup, seats: list[Seat], city: str, now: datetime) -> None:
    """Three shifts a day, two seats by day; each has two early ones, a late one, a free day and a night. Today's first is the login's own."""
    today = local_date(now)
    first = today - DAYS_BACK * ONE_DAY
    roster = Roster.objects.create(
        div=city, group=group, state="published", from_at=_at(first, time()), to_at=_at(today + DAYS_AHEAD * ONE_DAY, time()), least=1,
        published_at=_at(first - ONE_DAY, time(15)), published_by=users["line_leader"], created_at=EARLIEST, changed_at=now,
    )  # fmt: skip
    turns = {0: DAY, 1: DAY, 2: EVENING, 4: NIGHT}
    shifts = []
    for offset in range(-DAYS_BACK, DAYS_AHEAD):
        for place, seat in enumerate(seats):
            if (turn := turns.get((offset - place) % TURN)) is None:
                continue
            starts_at = _at(today + offset * ONE_DAY, turn[0])
            shifts.append(
                Shift(
                    div=city, roster=roster, seat=seat, from_at=starts_at, to_at=starts_at + timedelta(hours=turn[1]), is_live=True,
                    came_at=starts_at - timedelta(minutes=4) if starts_at <= now else None, created_at=EARLIEST, changed_at=now,
                )
            )  # fmt: skip
    insert(shifts)


def _spans(seats: list[Seat], city: str, now: datetime) -> None:
    """What the seats did in the shifts that are over: ready, with a break in the middle."""
    spans = []
    for shift in Shift.objects.filter(div=city, to_at__lte=now).order_by("from_at", "id"):
        middle = shift.from_at + (shift.to_at - shift.from_at) / 2
        pause_to = middle + timedelta(minutes=20)
        spans += [
            SeatSpan(div=city, seat_id=shift.seat_id, state="ready", from_at=shift.from_at, to_at=middle),
            SeatSpan(div=city, seat_id=shift.seat_id, state="paused", reason="用餐", from_at=middle, to_at=pause_to),
            SeatSpan(div=city, seat_id=shift.seat_id, state="ready", from_at=pause_to, to_at=shift.to_at),
        ]
    insert(spans)
    assert seats  # noqa: S101 - made by the step before


def _trainings(seats: list[Seat], city: str, now: datetime) -> None:
    held_on = local_date(now) - timedelta(days=40)
    insert(
        [
            SeatTraining(
                div=city, seat=seat, title="12345 热线话务规范", body="12345 政务服务便民热线", topic="service", held_on=held_on, minutes=180,
                score=82 + place * 3, is_passed=True,
            )
            for place, seat in enumerate(seats)
        ]
    )  # fmt: skip


def _knowledge(users: dict[str, User], city: str, now: datetime) -> None:
    since = local_date(now) - timedelta(days=90)
    insert(
        [
            Article(
                div=city, title=title, text=text, words=words, family=family, source="热线业务手册（虚构）", valid_from=since,
                valid_to=None, state="published", published_at=now - timedelta(days=90), published_by=users["line_leader"],
                created_at=now - timedelta(days=91), changed_at=now - timedelta(days=90),
            )
            for title, text, words, family in ARTICLES
        ]
    )  # fmt: skip
    insert(
        [
            TicketTemplate(
                div=city, name=name, kind=kind, title=title, family=family, created_at=now - timedelta(days=60),
                changed_at=now - timedelta(days=60),
            )
            for name, kind, title, family in TEMPLATES
        ]
    )  # fmt: skip


def _contract(company: Organisation, city: str, now: datetime) -> None:
    today = local_date(now)
    LineContract.objects.create(
        div=city, provider=company, number=f"RX-{today.year}-01", valid_from=today.replace(month=1, day=1),
        valid_to=date(today.year + 1, 1, 1), monthly_fen=18_000_000, per_call_fen=150, deduct_bp_per_point=100, most_deduct_bp=1000,
        created_at=EARLIEST, changed_at=EARLIEST,
    )  # fmt: skip


def _callbacks(city: str, now: datetime) -> None:
    """The calls that were given up last wait to be called back; one closed ticket waits to be asked about."""
    missed = Call.objects.filter(div__startswith=city, state="abandoned").order_by("-rang_at")[:2]
    rows = [
        Callback(
            div=call.div, kind="missed", call=call, elder_id=call.elder_id, due_at=call.rang_at + timedelta(minutes=10),
            next_at=call.rang_at, created_at=call.rang_at, changed_at=call.rang_at,
        )
        for call in missed
    ]  # fmt: skip
    closed = Ticket.objects.filter(div__startswith=city, state="closed", elder__isnull=False).order_by("-closed_at")[:2]
    rows += [
        Callback(
            div=ticket.div, kind="satisfaction", ticket=ticket, elder_id=ticket.elder_id, due_at=now + timedelta(hours=6), next_at=now,
            created_at=now - timedelta(hours=1), changed_at=now - timedelta(hours=1),
        )
        for ticket in closed
    ]  # fmt: skip
    insert(rows)
