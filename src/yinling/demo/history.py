"""Two weeks in which everything happened that a page can show, laid around the clock."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from django.db import connection
from PIL import Image, ImageDraw

from yinling.accounts.models import User
from yinling.accounts.operations import Recipient, notify
from yinling.demo.agenda import Agenda, Plan
from yinling.demo.bodies import Bodies
from yinling.demo.desk import Desk
from yinling.demo.elders import People
from yinling.demo.money import Money
from yinling.demo.profile import Profile
from yinling.demo.visiting import Visiting
from yinling.demo.world import World
from yinling.directory.queries import active_grants, actor_from, system_actor
from yinling.dispatch.models import Assignment
from yinling.ground.files import store
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.hotline.models import Ticket
from yinling.hotline.operations import close_ticket, take_ticket
from yinling.indicators.operations import compute_values
from yinling.indicators.queries import MONTH, WEEK, period_around
from yinling.kernel.period import SHANGHAI, local_midnight
from yinling.orders.models import Order
from yinling.orders.rules import Acceptance
from yinling.supervision.engine import Hit, run
from yinling.supervision.models import Finding
from yinling.supervision.operations import acknowledge_finding, release_finding, uphold_finding, write_finding
from yinling.supervision.rows import photos, services
from yinling.visits.models import Evidence, Visit

CHANNELS = {"phone": 50, "app": 28, "console": 14, "visitor": 8}
PHOTOS = 48
ODDITIES = {
    "distant": ((5.5, 9), (0.3, 2.0)), "same_photo": ((3, 5),), "far": ((6, 8), (3, 4), (0.3, 2.5)), "too_short": ((7, 9), (1, 3)),
    "late_acceptance": ((5, 6), (2, 3), (8, 10)), "no_check_in": ((4, 5), (0.3, 2.5)),
}  # fmt: skip
"""What goes wrong, and between how many days ago each time."""
CALLED_BACK = (
    "已回访，老人表示服务正常",
    "已回访，家属说明了当天情况",
    "已回访，老人希望护理员多留一会儿，已转告服务站",
)
REASON = "已核实：手机定位漂移，老人和家属确认护理员按时到家"


def load_history(
    profile: Profile, bodies: Bodies, people: People, users: dict[str, User], random: Random, now: datetime, *, days: int, visits_a_day: int
) -> None:  # fmt: skip
    """Write calls, tickets, orders, visits, money and findings, with their journal."""
    world = World(profile, bodies, people, users, random, now)
    money, desk = Money(world), Desk(world)
    visiting = Visiting(world, money, acceptance(profile, world))
    agenda = Agenda(world)
    plans = mark_oddities(
        sorted(agenda.fill(days, visits_a_day), key=lambda plan: (plan.starts_at, plan.staff.pk)), now
    )
    for plan in plans:
        write_order(world, desk, visiting, plan)
    blocked = {plan for plan in plans if plan.oddity in ("distant", "same_photo")}
    released = next((plan for plan in plans if plan.oddity == "distant"), None)
    for plan, order, _visit in visiting.served:
        if plan not in blocked:
            visiting.settle(plan, order)
            visiting.evaluate(plan, order)
        elif plan is released:
            visiting.settle(plan, order, not_before=(order.served_at or now) + timedelta(hours=26))
    desk.ordinary_days(days)
    money.state_accounts()
    world.batch.write()
    leave_notices(world)
    take_photos(world, visiting.served)
    supervise(world)
    count_figures(world)


def acceptance(profile: Profile, world: World) -> Acceptance:
    """Return the times within which orders are accepted in this city today."""
    names = ("accept_minutes", "accept_urgent_minutes", "accept_from_hour", "accept_to_hour")
    return Acceptance(*(parameter(f"order.{name}", profile.area, world.today) for name in names))


def mark_oddities(plans: list[Plan], now: datetime) -> list[Plan]:
    """Let a few visits of the past go wrong, each of a carer without a login and of whom little follows."""
    spent: set[int] = set()
    for oddity, spans in ODDITIES.items():
        for most_recent, oldest in spans:
            start, end = now - timedelta(days=oldest), now - timedelta(days=most_recent)
            fitting = [
                place
                for place, plan in enumerate(plans)
                if start < plan.starts_at < end and plan.outcome == "served" and not plan.oddity and not plan.staff.user_id and not plan.second
                and plan.staff.pk not in spent and plan.starts_at.astimezone(SHANGHAI).hour < 16  # noqa: PLR2004 - in office hours
            ]  # fmt: skip
            if not fitting:
                continue
            last = fitting[len(fitting) // 2]
            plans[last] = replace(plans[last], oddity=oddity)
            spent.add(plans[last].staff.pk)
    return spare_the_stopped(plans, now)


def spare_the_stopped(plans: list[Plan], now: datetime) -> list[Plan]:
    """A carer whom an open block stops has no orders ahead."""
    stopped = {plan.staff.pk for plan in plans if plan.oddity == "same_photo"}
    stopped |= {plan.staff.pk for plan in [plan for plan in plans if plan.oddity == "distant"][1:]}
    return [plan for plan in plans if plan.starts_at < now or not {one.pk for one in plan.people} & stopped]


def write_order(world: World, desk: Desk, visiting: Visiting, plan: Plan) -> None:
    """Write an order with the call and ticket it came from, if it came by phone."""
    channel = world.random.choices(list(CHANNELS), list(CHANNELS.values()))[0]
    placed = placing_moment(world, plan)
    ticket = (
        desk.for_order(plan.elder, f"预约{plan.item.name}", plan.item.family, placed) if channel == "phone" else None
    )
    visiting.write(plan, ticket, placed, channel)


def placing_moment(world: World, plan: Plan) -> datetime:
    """Return when an order was placed: a day or two before, in the hours of the desk; what still waits came in just now."""
    if plan.outcome in ("placed", "accepted", "offered"):
        return world.now - world.minutes(6, 24)
    placed = plan.starts_at - world.minutes(20 * 60, 60 * 60)
    placed = min(placed, world.now - timedelta(hours=3))
    local = placed.astimezone(SHANGHAI)
    if local.hour < 8:  # noqa: PLR2004 - before the desk orders in the app are rare
        local = local.replace(hour=15) - timedelta(days=1)
    elif local.hour >= 19:  # noqa: PLR2004 - an order placed later is accepted the next morning
        local = local.replace(hour=14 + local.hour % 4)
    return local


def leave_notices(world: World) -> None:
    """Tell carers with a login of the visits ahead, and the demonstration's own provider of the ticket it got."""
    ahead = (
        Assignment.objects.filter(staff__user__isnull=False, starts_at__gt=world.now)
        .select_related("staff")
        .order_by("starts_at")
    )
    for row in ahead:
        start = row.starts_at.astimezone(SHANGHAI)
        text, to = f"{start:%m-%d %H:%M} 上门", Recipient(user_id=row.staff.user_id)
        notify(now=row.offered_at, about=row, to=to, key=f"assignment:{row.pk}", title="新派单", text=text, link="/m/")
    manager = Recipient(user_id=world.users["provider_manager"].pk)
    for ticket in Ticket.objects.filter(provider=world.bodies.demo).order_by("id"):
        key, text = f"ticket:{ticket.pk}:user:{manager.user_id}", f"{ticket.code} {ticket.title}"
        notify(
            now=ticket.opened_at,
            about=ticket,
            to=manager,
            key=key,
            title="新转来的工单",
            text=text,
            link=f"/tickets/{ticket.pk}/",
        )


def take_photos(world: World, served: Sequence[tuple[Plan, Order, Visit]]) -> None:
    """Attach a drawn picture to some visits and to all of last month's of our own; one carer uses the picture of another visit."""
    chosen = [row for row in served if row[0].oddity == "same_photo"]
    others = [row for row in served if row not in chosen]
    picked = [others[place] for place in range(0, len(others), max(len(others) // PHOTOS, 1))][:PHOTOS]
    first = local_midnight(world.today.replace(day=1))
    before = [
        row
        for row in others
        if row[0].starts_at < first and row[0].item.is_medical and row[0].staff.user_id and row not in picked
    ]
    for plan, order, visit in [*picked, *before, *chosen]:
        shown = picked[0][1] if plan.oddity == "same_photo" and picked else order
        attach(visit, picture(shown), (visit.ended_at or world.now) - timedelta(minutes=2))


def picture(order: Order) -> bytes:
    """Draw a picture that is different for every order."""
    image = Image.new("RGB", (480, 320), (200 - order.pk % 90, 205, 190 + order.pk % 60))
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 120, 420, 290), fill=(150 + order.pk % 70, 120, 90))
    draw.ellipse((150 + order.pk % 120, 60, 230 + order.pk % 120, 140), fill=(235, 200, 170))
    draw.text((20, 20), f"DEMO {order.code}", fill=(40, 40, 40))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def attach(visit: Visit, content: bytes, at: datetime) -> None:
    """Keep a picture as evidence of a visit."""
    file = store(content, kind="photo", purpose="visit", content_type="image/jpeg", owner=visit, now=at)
    Evidence.objects.create(
        div=visit.div, visit=visit, elder_id=visit.elder_id, provider_id=visit.provider_id, kind="photo", file=file, sha256=file.sha256,
        taken_at=at, received_at=at,
    )  # fmt: skip


class Rows:
    """The connection of the load as the rules read it: rows are mappings, and what is not committed yet is seen."""

    def execute(self, query: str, params: Any = None) -> list[dict[str, Any]]:
        """Run a query."""
        with connection.cursor() as cursor:
            cursor.execute(query, params)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def supervise(world: World) -> None:
    """Let the rules find what went wrong, as they would have at the time, and let a supervisor decide on some of it."""
    reader = Rows()
    ids = list(Order.objects.order_by("id").values_list("pk", flat=True))
    hits = run(services(reader, ids, now=world.now), photos(reader, ids))
    system = system_actor(world.profile.area)
    written = [write(system, hit, world.now) for hit in hits]
    decide(world, written)
    call_back(world, written)


def write(system: Any, hit: Hit, now: datetime) -> Finding:
    """Write a finding half a minute after what it is about."""
    happened = datetime.fromtimestamp(hit.happened_at, UTC)
    with scope(system):
        finding: Finding = write_finding(
            actor=system, now=min(happened + timedelta(seconds=30), now), order_id=hit.order_id, rule=hit.rule.code, key=hit.key,
            visit_id=hit.visit_id, staff_id=hit.staff_id, happened_at=happened, facts=hit.facts,
        )  # fmt: skip
    return finding


def decide(world: World, findings: Iterable[Finding]) -> None:
    """Release the first distant check-in and a far one, uphold the repeated photo, take up another; the rest stays open."""
    user = world.users["supervisor"]
    actor = actor_from(user, active_grants(user.pk, world.now).first())
    first: dict[str, list[Finding]] = {}
    for finding in findings:
        first.setdefault(finding.rule, []).append(finding)

    def at(finding: Finding, hours: int) -> datetime:
        return min(finding.found_at + timedelta(hours=hours), world.now)

    with scope(actor):
        for finding in [*first.get("distant_check_in", [])[:1], *first.get("far_check_in", [])[:1]]:
            acknowledge_finding(actor=actor, now=at(finding, 20), finding_id=finding.pk)
            release_finding(actor=actor, now=at(finding, 25), finding_id=finding.pk, reason=REASON)
        for finding in first.get("same_photo", [])[:1]:
            uphold_finding(
                actor=actor,
                now=at(finding, 30),
                finding_id=finding.pk,
                reason="两次上门使用同一张照片，护理员承认未到现场",
            )
        for finding in first.get("far_check_in", [])[1:2]:
            acknowledge_finding(actor=actor, now=at(finding, 5), finding_id=finding.pk)


def call_back(world: World, findings: Iterable[Finding]) -> None:
    """Let a seat call the elders of the warnings of the days before; the last ones still wait in the queue."""
    user = world.users["seat"]
    actor = actor_from(user, active_grants(user.pk, world.now).first())
    answers = itertools.cycle(CALLED_BACK)
    with scope(actor):
        for finding in findings:
            called = finding.found_at + timedelta(hours=3)
            if finding.follow_up_id is None or called > world.now - timedelta(days=1):
                continue
            take_ticket(actor=actor, now=called, ticket_id=finding.follow_up_id)
            done = called + timedelta(minutes=6)
            close_ticket(actor=actor, now=done, ticket_id=finding.follow_up_id, result=next(answers))


def count_figures(world: World) -> None:
    """Compute the figures of this and the last week and month, for the city and its districts."""
    actor = system_actor(world.profile.area)
    days = (world.today, world.today - timedelta(days=7))
    periods = {period_around(day, WEEK) for day in days} | {period_around(world.today, MONTH)}
    periods.add(period_around(world.today.replace(day=1) - timedelta(days=1), MONTH))
    with scope(actor):
        for first, end in sorted(periods):
            compute_values(actor=actor, now=world.now, div=world.profile.area, period_from=first, period_to=end)
