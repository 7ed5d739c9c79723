"""Writing visits: on the way, at the door, the work done, the proof, and how good it was."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import date, datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory.models import DATUMS
from yinling.directory.queries import system_actor
from yinling.directory.rules import require
from yinling.dispatch.models import LIVE, Assignment
from yinling.dispatch.operations import finish_assignment, tell_off, withdraw
from yinling.ground.files import clean_image, store
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, note_recorded, operation
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Key, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.orders.models import Order
from yinling.orders.operations import (
    drop_open_changes,
    hold_order,
    mark_failed,
    mark_served,
    mark_started,
    release_hold,
)
from yinling.orders.queries import open_changes
from yinling.orders.states import OrderState
from yinling.people.health import PURPOSES, readable
from yinling.people.models import Elder
from yinling.people.operations import open_facts
from yinling.visits import queries, rules
from yinling.visits.models import CheckIn, Evaluation, Evidence, Visit
from yinling.visits.states import VISIT, VisitState

LONGEST_PHOTO = 11_500_000
"""Characters of base64: 8 MB and a little."""
SIGNERS = [("self", N_("本人")), ("family", N_("家属")), ("agent", N_("代理人"))]
SCORES = [("5", N_("很满意")), ("4", N_("满意")), ("3", N_("一般")), ("2", N_("不满意")), ("1", N_("很不满意"))]

Lon = Annotated[float | None, Input(N_("经度"), least=-180, most=180, widget="position")]
Lat = Annotated[float | None, Input(N_("纬度"), least=-90, most=90, widget="hidden")]
Datum = Annotated[str, Input(N_("坐标系"), choices=DATUMS, widget="hidden")]
Accuracy = Annotated[float | None, Input(N_("定位精度（米）"), least=0, widget="hidden")]
DeviceAt = Annotated[datetime | None, Input(N_("手机时间"), widget="hidden")]
AT_DOOR = [(code, label) for code, label in PURPOSES if code in ("service", "emergency")]
HealthPurpose = Annotated[str, Input(N_("用途"), choices=AT_DOOR, widget="choice")]
DoorCode = Annotated[str, Input(N_("门牌码"), help=N_("定位不成功时，扫描或输入门上的编码"), max_length=40)]

explain_constraint("visit_one_at_a_time", "visit.another_open", N_("您还有一项服务没有签退，请先签退再开始下一项"))
explain_constraint("check_in_once", "checkin.twice", N_("这次服务已经签过到，请刷新页面"))


def _assignment(actor: Actor, right: str, assignment_id: int) -> Assignment:
    """Return an assignment of the actor, its right checked; the order is locked first, as in dispatch."""
    order_id = Assignment.objects.filter(pk=assignment_id).values_list("order_id", flat=True).first()
    order = _order(order_id or 0)
    row = locked(Assignment.objects.all(), assignment_id)
    row.order = order
    require(actor, right, div=row.div, provider_id=row.provider_id)
    rules.check_own(staff_id=row.staff_id, actor_staff_id=actor.staff_id)
    return row


def _visit_of(row: Assignment, now: datetime) -> Visit:
    """Return the visit of an assignment, locked; planned anew where the carer has not departed."""
    visit = Visit.objects.select_for_update(of=("self",)).filter(assignment=row).first()
    if visit is not None:
        return visit
    return Visit.objects.create(
        div=row.div, order_id=row.order_id, assignment=row, elder_id=row.elder_id, provider_id=row.provider_id, staff_id=row.staff_id,
        created_at=now, changed_at=now,
    )  # fmt: skip


def _move(actor: Actor, now: datetime, visit: Visit, verb: str, *, reason: str = "", **values: Any) -> Visit:
    target = VISIT.target(verb, VisitState(visit.state))
    changes = changed(visit, now=now, state=target, **values)
    record(actor=actor, now=now, event=f"visits.visit.{verb}", subject=visit, changes=changes, reason=reason)
    tell("orders", pk=visit.order_id, div=visit.div)
    return visit


@operation("visits.visit.depart", label=N_("出发"))
def depart_visit(*, actor: Actor, now: datetime, assignment_id: Id) -> Visit:
    """Note that the carer is on the way."""
    row = _assignment(actor, "visits.visit.depart", assignment_id)
    rules.check_accepted(row.state)
    return _move(actor, now, _visit_of(row, now), "depart", departed_at=now)


@operation("visits.visit.consult", label=N_("查看健康提示"))
def consult_visit(
    *, actor: Actor, now: datetime, assignment_id: Id, purpose: HealthPurpose, reason: Reason
) -> dict[str, str]:  # fmt: skip
    """Read before or at the door what the work needs: nurse and doctor everything, a carer allergies if the service asks for them.

    Who goes there may not see the elder's file, so the system reads; the reading stands on the elder's timeline.
    """
    row = _assignment(actor, "visits.visit.consult", assignment_id)
    rules.check_accepted(row.state)
    if purpose not in dict(AT_DOOR):
        raise Refused("choice.unknown", N_("请从列表中选择"), field="purpose")
    at_door = _carers_kinds(row.order, local_date(now))
    kinds = readable(actor.role, purpose, at_door=at_door)
    with scope(system_actor(row.div[:2])):
        elder = Elder.objects.get(pk=row.elder_id)
        return open_facts(actor, now, elder, purpose=purpose, kinds=kinds, reason=reason, event="visits.visit.consult")


def _carers_kinds(order: Order, on: date) -> frozenset[str]:
    families = {line.item.family for line in queries.item_lines(order.pk)}
    if not families & set(parameter("health.carer.families", order.div, on)):
        return frozenset()
    return frozenset(parameter("health.carer.kinds", order.div, on))


@operation("visits.visit.start", label=N_("签到"))
def start_visit(  # noqa: PLR0913 - what a phone says of an arrival
    *, actor: Actor, now: datetime, assignment_id: Id, key: Key, lon: Lon = None, lat: Lat = None, datum: Datum = "wgs84",
    accuracy_m: Accuracy = None, device_at: DeviceAt = None, door_code: DoorCode = "",
) -> Visit:  # fmt: skip
    """Check in at the door. Far away is stored and left to supervision; death, a lapsed certificate and a second door are refused.

    A repeated key returns the first visit.
    """
    row = _assignment(actor, "visits.visit.start", assignment_id)
    if (first := _first(key, "in", assignment_id=row.pk)) is not None:
        return first
    rules.check_accepted(row.state)
    visit = _visit_of(row, now)
    VISIT.target("start", VisitState(visit.state))
    order, today = row.order, local_date(now)
    rules.check_not_alone(order.state)
    rules.check_alive(queries.died_on(row.elder_id))
    needed = {line.item.needs_qualification for line in queries.item_lines(order.pk)} - {""}
    rules.check_qualified(needed, queries.held_qualifications(row.staff_id, today))
    rules.check_no_other(other_open=queries.open_visit(row.staff_id) is not None)
    early = int(parameter("visit.early_minutes", row.div, today))
    rules.check_not_early(now=now, starts_at=row.starts_at, early_minutes=early)
    seen = rules.seen_at(
        lon=lon, lat=lat, datum=datum, accuracy_m=accuracy_m, door_code=door_code, expected_code=order.door_code
    )
    check_in = _check_in(visit, order, seen, kind="in", key=key, now=now, device_at=device_at)
    check_in.save(force_insert=True)
    if order.state != OrderState.IN_SERVICE:  # the other of two came first
        mark_started(actor=actor, now=now, order=order)
    return _move(actor, now, visit, "start", started_at=now)


def _first(key: str, kind: str, **visit: int) -> Visit | None:
    """Return the visit that a key has already written; refuse a key of another visit."""
    known = CheckIn.objects.select_related("visit").filter(key=key).first()
    if known is None:
        return None
    if known.kind != kind or any(getattr(known.visit, name) != value for name, value in visit.items()):
        raise Refused("checkin.key", N_("这次签到的流水号已用于另一项服务，请刷新页面后重试"))
    note_recorded()  # the row of the first arrival stands for both
    return known.visit


def _check_in(
    visit: Visit, order: Order, seen: rules.Seen, *, kind: str, key: str, now: datetime, device_at: datetime | None
) -> CheckIn:
    distance = rules.distance_from_home(seen, home_lon=order.lon, home_lat=order.lat)
    return CheckIn(
        div=visit.div, visit=visit, elder_id=visit.elder_id, provider_id=visit.provider_id, kind=kind, key=key, lon=seen.lon, lat=seen.lat,
        datum=seen.datum, accuracy_m=seen.accuracy_m, distance_m=distance, by_door_code=seen.by_door_code, device_at=device_at,
        received_at=now,
    )  # fmt: skip


def _order(order_id: int) -> Order:
    return locked(Order.objects.all(), order_id)


def _own_visit(actor: Actor, right: str, visit_id: int) -> Visit:
    """Return a visit of the actor, its right checked; the order is locked first, as in dispatch."""
    order_id = Visit.objects.filter(pk=visit_id).values_list("order_id", flat=True).first()
    order = _order(order_id or 0)
    row = locked(Visit.objects.all(), visit_id)
    row.order = order
    require(actor, right, div=row.div, provider_id=row.provider_id)
    rules.check_own(staff_id=row.staff_id, actor_staff_id=actor.staff_id)
    return row


@operation("visits.visit.finish", label=N_("签退"))
def finish_visit(  # noqa: PLR0913 - what a phone says of a service and of leaving
    *, actor: Actor, now: datetime, visit_id: Id, key: Key,
    tasks: Annotated[list[str], Input(N_("完成的服务内容"), max_length=60, widget="check")],
    findings: Annotated[str, Input(N_("情况记录"), max_length=2000, widget="area")] = "",
    signed_by: Annotated[str, Input(N_("签字人"), max_length=40)],
    signed_as: Annotated[str, Input(N_("签字人身份"), choices=SIGNERS, widget="radio")],
    lon: Lon = None, lat: Lat = None, datum: Datum = "wgs84", accuracy_m: Accuracy = None, device_at: DeviceAt = None,
    door_code: DoorCode = "", seen: Seen = None,
) -> Visit:  # fmt: skip
    """Check out: the work ticked off against the standard, who signed, where. The order is served when the last carer leaves.

    A repeated key returns the visit.
    """
    visit = _own_visit(actor, "visits.visit.finish", visit_id)
    if (first := _first(key, "out", pk=visit.pk)) is not None:
        return first
    rules.check_seen(seen=seen, version=visit.version)
    VISIT.target("finish", VisitState(visit.state))
    order = visit.order
    done = rules.check_tasks(tasks, queries.standard_steps(queries.item_lines(order.pk)))
    rules.check_changes(open_changes(order.pk).values_list("name", flat=True))
    rules.check_signed(signed_by)
    rules.check_listed(signed_as, SIGNERS, field="signed_as")
    is_agent, today = signed_as == "agent", local_date(now)
    is_appointed = is_agent and any(queries.may_sign(visit.elder_id, one, today) for one in ("agent", "guardian"))
    rules.check_capacity(signed_as, is_appointed=is_appointed)
    place = rules.seen_at(
        lon=lon, lat=lat, datum=datum, accuracy_m=accuracy_m, door_code=door_code, expected_code=order.door_code, is_needed=False
    )  # fmt: skip
    check_out = _check_in(visit, order, place, kind="out", key=key, now=now, device_at=device_at)
    check_out.save(force_insert=True)
    _move(
        actor, now, visit, "finish", ended_at=now, tasks=done, findings=findings, signed_by=signed_by.strip(), signed_as=signed_as
    )  # fmt: skip
    finish_assignment(actor=actor, now=now, assignment=locked(Assignment.objects.all(), visit.assignment_id))
    _conclude(actor, now, order, "")
    return visit


def _conclude(actor: Actor, now: datetime, order: Order, reason: str) -> None:
    """Go on, serve or fail an order when one part of it is over; who has not come by then need not come any more."""
    parts = queries.parts_of(order.pk)
    found = rules.outcome(
        [part.state for part in parts], carers_needed=order.carers_needed, is_begun=order.state == OrderState.IN_SERVICE
    )
    if found == rules.Outcome.WAIT:
        return
    late = [part.assignment for part in parts if part.assignment.state in LIVE]
    if found == rules.Outcome.FAILED:
        mark_failed(actor=actor, now=now, order=order, reason=reason)
    else:
        drop_open_changes(actor=actor, now=now, order=order, reason=N_("服务结束前没有确认"))
        mark_served(actor=actor, now=now, order=order)
    for assignment in late:
        withdraw(actor=actor, now=now, assignment=assignment, reason=N_("另一位服务人员已结束这次服务"))
        tell_off(now=now, assignment=assignment)
    if found == rules.Outcome.REVIEW:
        sentence = N_("需要两人的服务只有 %(done)s 人完成，请核实后解除")
        done = sum(part.state == VisitState.DONE for part in parts)
        hold_order(actor=actor, now=now, order=order, cause=rules.ALONE, reason=sentence % {"done": done})


@operation("visits.visit.attach", label=N_("上传现场凭证"))
def attach_evidence(
    *, actor: Actor, now: datetime, visit_id: Id,
    kind: Annotated[str, Input(N_("种类"), choices=Evidence.KINDS, widget="hidden")],
    content: Annotated[str, Input(N_("照片"), max_length=LONGEST_PHOTO, widget="photo")],
    taken_at: Annotated[datetime | None, Input(N_("拍摄时间"), widget="hidden")] = None,
) -> Evidence:  # fmt: skip
    """Keep a photo or signature (base64) under the hash of the bytes sent. The same bytes sent twice for a visit are one row."""
    visit = _own_visit(actor, "visits.visit.attach", visit_id)
    rules.check_listed(kind, Evidence.KINDS, field="kind")
    sent = _decoded(content)
    digest = hashlib.sha256(sent).digest()
    known = Evidence.objects.filter(visit=visit, kind=kind, sha256=digest).first()
    if known is not None:
        note_recorded()  # the row of the first arrival stands for both
        return known
    rules.check_on_site(visit.state)
    file = store(
        clean_image(sent), kind=kind, purpose="visit", content_type="image/jpeg", owner=visit, now=now, sha256=digest
    )
    row = Evidence(
        div=visit.div, visit=visit, elder_id=visit.elder_id, provider_id=visit.provider_id, kind=kind, file=file, sha256=digest,
        taken_at=taken_at, received_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    kept = {"kind": [None, kind], "sha256": [None, digest.hex()]}
    record(actor=actor, now=now, event="visits.visit.attach", subject=visit, changes=kept)
    tell("orders", pk=visit.order_id, div=visit.div)
    return row


def _decoded(content: str) -> bytes:
    """Return the bytes of a base64 text, with or without the head of a data URL."""
    text = content.partition(",")[2] if content.startswith("data:") else content
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("file.not_base64", N_("照片没有传完整，请重新拍照上传"), field="content") from error


@operation("visits.visit.abort", label=N_("无法服务"))
def abort_visit(*, actor: Actor, now: datetime, assignment_id: Id, reason: Reason) -> Visit:
    """The service cannot be given: nobody opens, the elder is in hospital. The order fails, nothing is charged.

    Of two carers the other may still give it, which a person then reviews before it is charged.
    """
    row = _assignment(actor, "visits.visit.abort", assignment_id)
    rules.check_accepted(row.state)
    rules.check_reason(reason)
    visit = _visit_of(row, now)
    _move(actor, now, visit, "abort", reason=reason, abort_reason=reason, ended_at=now if visit.started_at else None)
    finish_assignment(actor=actor, now=now, assignment=row)
    _conclude(actor, now, row.order, reason)
    return visit


@operation("visits.visit.review", label=N_("核实单人完成"))
def review_visit(*, actor: Actor, now: datetime, order_id: Id, reason: Reason) -> Order:
    """Let an order for two that one carer served be settled, after asking how it came; any other hold stays."""
    order = _order(order_id)
    require(actor, "visits.visit.review", div=order.div)
    if not reason.strip():
        raise Refused("reason.missing", N_("请写明核实的结果"), field="reason")
    release_hold(actor=actor, now=now, order=order, cause=rules.ALONE, reason=reason.strip())
    return order


@operation("visits.visit.evaluate", label=N_("评价"))
def evaluate_visit(
    *, actor: Actor, now: datetime, order_id: Id,
    score: Annotated[int, Input(N_("评分"), least=1, most=5, choices=SCORES, widget="radio")],
    comment: Annotated[str, Input(N_("想说的话"), max_length=500, widget="area")] = "",
    by: Annotated[str, Input(N_("评价人"), choices=Evaluation.BY, widget="hidden")],
) -> Evaluation:  # fmt: skip
    """Say how good a service was: the elder, a representative, or a follow-up call; never who made the visit (R-CMP-02, D-21)."""
    order = locked(Order.objects.all(), order_id)
    require(actor, "visits.visit.evaluate", div=order.div, elder_id=order.elder_id)
    rules.check_evaluator(role=actor.role, by=by, is_own_visit=queries.made_by(order.pk, actor.user_id))
    rules.check_score(score)
    if not order.needs_visit:
        raise NotAllowed("evaluation.no_visit", N_("床日、签约费和货品没有上门服务，不用评价"))
    days = int(parameter("visit.evaluation_days", order.div, local_date(now)))
    rules.check_evaluation(
        order_state=order.state,
        served_at=order.served_at,
        now=now,
        days=days,
        is_evaluated=queries.evaluation_of(order.pk) is not None,
    )
    row = Evaluation(
        div=order.div, order=order, elder_id=order.elder_id, provider_id=order.provider_id, score=score, comment=comment, by=by,
        user_id=actor.user_id or 0, evaluated_at=now,
    )  # fmt: skip
    row.save(force_insert=True)
    record(
        actor=actor,
        now=now,
        event="visits.visit.evaluate",
        subject=row,
        changes={"score": [None, score], "by": [None, by]},
    )
    tell("orders", pk=order.pk, div=order.div)
    return row
