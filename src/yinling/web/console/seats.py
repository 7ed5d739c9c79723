"""Groups and seats of the line: who sits where, what they can do, and what they were taught."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from yinling.accounts.models import User
from yinling.directory.models import Grant
from yinling.directory.states import GrantState
from yinling.ground.parameters import parameter
from yinling.hotline.acd import missing_people
from yinling.hotline.models import SKILLS, Seat, SeatGroup, SeatSpan, SeatTraining
from yinling.hotline.operations.seats import BREAKS, SEAT_ROLES, TOPICS
from yinling.hotline.states import SEAT
from yinling.kernel.period import local_date, local_midnight
from yinling.kernel.words import N_
from yinling.web.actions import action_form
from yinling.web.options import Pairs, named
from yinling.web.pages import Filter, Listing, page, render
from yinling.web.show import tr


@named("line_groups")
def group_choices(request: Any) -> Pairs:
    """Groups in use."""
    rows = SeatGroup.objects.visible_to(request.actor).filter(is_active=True).order_by("name")
    return [(str(pk), name) for pk, name in rows.values_list("pk", "name")]


@named("line_people")
def people_choices(request: Any) -> Pairs:  # noqa: ARG001 - one signature for all lists
    """People with the role of a seat or of the leader who have no seat yet."""
    held = Grant.objects.filter(role__in=SEAT_ROLES, state=GrantState.ACTIVE).values("user_id")
    taken = Seat.objects.filter(left_on=None).values("user_id")
    rows = User.objects.filter(is_active=True, pk__in=held).exclude(pk__in=taken).order_by("username")
    return [
        (str(pk), f"{name} ({username})") for pk, name, username in rows.values_list("pk", "name", "username")[:500]
    ]


GROUP_FIELDS: dict[str, dict[str, Any]] = {
    "organisation_id": {"options": "organisations", "required": False}, "overflow_id": {"options": "line_groups", "required": False},
}  # fmt: skip
SEAT_FIELDS: dict[str, dict[str, Any]] = {"user_id": {"options": "line_people"}, "group_id": {"options": "line_groups"}}


@page("hotline.group.view")
def groups(request: Any) -> HttpResponse:
    """The groups of the area, with where calls go when nobody takes them."""
    rows = (
        SeatGroup.objects.visible_to(request.actor).select_related("provider", "overflow").order_by("-is_first", "name")
    )
    counted = rows.annotate(seat_count=Count("seats", filter=Q(seats__left_on=None)))
    add = action_form(request, "add_group", next="/line/groups/", fields=GROUP_FIELDS, done=N_("班组已新建"))
    return render(
        request, "console/line_groups.html", listing=Listing(request, counted), add=add, skills=dict(SKILLS), lacking=_lacking(request)
    )  # fmt: skip


def _lacking(request: Any) -> tuple[int, int]:
    """How many leaders and seats the line of the area lacks today."""
    held = Seat.objects.visible_to(request.actor).filter(left_on=None).aggregate(
        leaders=Count("pk", filter=Q(is_leader=True)), seats=Count("pk", filter=Q(is_leader=False))
    )  # fmt: skip
    div, today = request.actor.div or "", local_date(request.now)
    least = (int(parameter("line.least_leaders", div, today)), int(parameter("line.least_seats", div, today)))
    return missing_people(leaders=held["leaders"], seats=held["seats"], least=least)


@page("hotline.group.view")
def group_page(request: Any, pk: int) -> HttpResponse:
    """One group: its rules and its seats."""
    rows = SeatGroup.objects.visible_to(request.actor).select_related("provider", "overflow")
    group = rows.filter(pk=pk).first()
    if group is None:
        raise Http404
    initial = {
        "group_id": pk, "seen": group.version, "name": group.name, "organisation_id": group.provider_id, "skills": group.skills,
        "overflow_id": group.overflow_id, "duty_phone": group.unseal_field("duty"), "is_first": group.is_first, "is_active": group.is_active,
    }  # fmt: skip
    form = action_form(
        request, "update_group", initial, next=f"/line/groups/{pk}/", fields=GROUP_FIELDS, submit=N_("保存")
    )
    seats = (
        Seat.objects.visible_to(request.actor)
        .filter(group=group, left_on=None)
        .select_related("user")
        .order_by("number")
    )
    return render(
        request, "console/line_group.html", group=group, form=form, seats=list(seats), machine=SEAT, skills=dict(SKILLS)
    )


@page("hotline.seat.view")
def seats(request: Any) -> HttpResponse:
    """The seats of the area."""
    rows = (
        Seat.objects.visible_to(request.actor).select_related("user", "group", "provider").order_by("left_on", "number")
    )
    listing = Listing(
        request, rows,
        Filter("text", _("分机或姓名"), lambda found, text: found.filter(Q(number=text) | Q(user__name__contains=text))),
        Filter("group", _("班组"), lambda found, value: found.filter(group_id=value), "choice", group_choices(request)),
        Filter("state", _("状态"), lambda found, value: found.filter(state=value), "choice", SEAT.choices),
    )  # fmt: skip
    add = action_form(request, "add_seat", next="/line/seats/{id}/", fields=SEAT_FIELDS, done=N_("坐席已设置"))
    return render(
        request,
        "console/line_seats.html",
        listing=listing,
        add=add,
        machine=SEAT,
        skills=dict(SKILLS),
        breaks=dict(BREAKS),
    )


@page("hotline.seat.view")
def seat_page(request: Any, pk: int) -> HttpResponse:
    """One seat: what can be changed, what it did today, and its trainings (R-CALL-07)."""
    seat = Seat.objects.visible_to(request.actor).select_related("user", "group", "provider").filter(pk=pk).first()
    if seat is None:
        raise Http404
    here, initial = f"/line/seats/{pk}/", {"seat_id": pk, "seen": seat.version}
    on_file = initial | {
        "group_id": seat.group_id,
        "number": seat.number,
        "skills": seat.skills,
        "is_leader": seat.is_leader,
    }
    start = local_midnight(local_date(request.now))
    spans = SeatSpan.objects.filter(seat=seat, from_at__gte=start).order_by("-from_at")[:20]
    may_train = request.actor.has("hotline.training.view")
    forms = {
        "move": action_form(request, "move_seat", on_file, next=here, fields=SEAT_FIELDS, submit=N_("保存")),
        "sign_out": action_form(request, "sign_out_seat", initial, next=here, tone="", submit=N_("让其离席")),
        "end": action_form(request, "end_seat", initial, next="/line/seats/", tone="danger"),
        "train": action_form(request, "record_training", {"seat_id": pk}, next=here, hidden=("seat_id",), tone=""),
    }  # fmt: skip
    return render(
        request, "console/line_seat.html", seat=seat, forms=forms, machine=SEAT, spans=list(spans), skills=dict(SKILLS),
        breaks=dict(BREAKS), topics={value: tr(label) for value, label in TOPICS},
        trainings=list(SeatTraining.objects.filter(seat=seat).order_by("-held_on", "-pk")[:50]) if may_train else [],
    )  # fmt: skip


@page("hotline.training.view")
def trainings(request: Any) -> HttpResponse:
    """All trainings of the area, newest first: who was taught what by whom (R-CALL-07)."""
    rows = SeatTraining.objects.visible_to(request.actor).select_related("seat__user").order_by("-held_on", "-pk")
    topics = [(value, tr(label)) for value, label in TOPICS]
    listing = Listing(
        request, rows,
        Filter("topic", _("内容"), lambda found, value: found.filter(topic=value), "choice", topics),
        Filter("body", _("培训单位"), lambda found, text: found.filter(body__contains=text)),
    )  # fmt: skip
    return render(request, "console/line_trainings.html", listing=listing, topics=dict(topics))


urlpatterns = [
    path("line/groups/", groups),
    path("line/groups/<int:pk>/", group_page),
    path("line/seats/", seats),
    path("line/seats/<int:pk>/", seat_page),
    path("line/trainings/", trainings),
]
