"""Writing the health-record part, and reading it in clear with purpose, reason and trace."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from django.db.models import Q

from yinling.accounts.models import Journal
from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, period_of, require, required_text
from yinling.ground.facts import curtail
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import NotAllowed, NotFound, Refused
from yinling.kernel.words import N_
from yinling.people.grading import Grade
from yinling.people.health import EMERGENCY, NO_ALLERGY, PURPOSES, check_consent, check_fact, readable
from yinling.people.inputs import HEALTH_KINDS, Body, Day, LastDay
from yinling.people.models import Elder, HealthFact
from yinling.people.operations.elders import open_file, require_alive
from yinling.people.queries.health import READINGS, has_health_consent, read_facts

explain_constraint("elder_health_record_once", "health.record_taken", N_("这个健康档案号已属于另一位老人，请核对"))
explain_constraint("health_grade_once", "health.grade_twice", N_("这段时间已有健康管理分级"))

Kind = Annotated[str, Input(N_("种类"), choices=HEALTH_KINDS[:-1], widget="choice")]
Item = Annotated[
    str, Input(N_("项目"), help=N_("体检种类或疫苗名称；过敏、诊断和用药请留空，写在内容里"), max_length=40)
]
Content = Annotated[str, Input(N_("内容"), help=N_("加密保存，查看要写明用途和原因"), max_length=500, widget="area")]
Provider = Annotated[str, Input(N_("登记机构"), max_length=80)]
Purpose = Annotated[str, Input(N_("用途"), choices=PURPOSES, widget="choice")]
Reference = Annotated[
    str, Input(N_("健康档案号"), help=N_("居民电子健康档案的编号，一人一号；解除关联请留空"), max_length=60)
]
LABELS = dict(HEALTH_KINDS)


@operation("people.health.record", label=N_("登记健康情况"))
def record_health_fact(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, kind: Kind, item: Item = "", content: Content = "", valid_from: Day,
    valid_to: LastDay = None, body: Body,
) -> HealthFact:  # fmt: skip
    """Record an allergy, diagnosis, long medication, check, contraindication or vaccination. What it says is sealed."""
    elder = open_file(elder_id)
    require(actor, "people.health.record", div=elder.div)
    known_choice(kind, HEALTH_KINDS, "kind")
    require_alive(elder)
    if valid_from > local_date(now):
        raise Refused("health.in_future", N_("日期晚于今天，请核对"), field="valid_from")
    row = write_health_fact(
        now=now, elder=elder, kind=kind, item=item.strip(), content=content.strip(), valid_from=valid_from, valid_to=valid_to,
        body=required_text(body, "body", most=80),
    )  # fmt: skip
    changes = {"kind": [None, kind], "valid_from": [None, valid_from.isoformat()]}
    record(actor=actor, now=now, event="people.health.record", subject=row, changes=changes)
    tell("elders", pk=elder.pk, div=elder.div)
    return row


def write_health_fact(
    *, now: datetime, elder: Elder, kind: str, item: str, content: str, valid_from: date, valid_to: date | None = None, body: str
) -> HealthFact:  # fmt: skip
    """Write a fact, as imports and surveys do inside their own operation, which journals it."""
    check_fact(kind, item, content)
    if valid_from < elder.born_on:
        raise Refused("health.before_birth", N_("日期早于出生日期，请核对"), field="valid_from")
    days = period_of(valid_from, valid_to)
    row = HealthFact(
        div=elder.div, elder=elder, kind=kind, item=item, body=body, valid_from=days.from_, valid_to=days.to, recorded_from=now
    )  # fmt: skip
    row.seal_field("content", content)
    row.save(force_insert=True)
    return row


@operation("people.health.end", label=N_("终止健康情况"))
def end_health_fact(*, actor: Actor, now: datetime, health_id: Id, valid_to: Day, reason: Reason) -> HealthFact:
    """Say which day was the last on which a fact held; what was on record before is kept."""
    row = locked(HealthFact.objects.filter(recorded_to=None), health_id)
    require(actor, "people.health.end", div=row.div)
    if row.kind == "grade":
        raise NotAllowed("health.grade", N_("健康管理分级由系统计算，不能手工终止"))
    why = required_text(reason, "reason", most=500)
    changes = curtail(row, until=valid_to + ONE_DAY, now=now)
    record(actor=actor, now=now, event="people.health.end", subject=row, changes=changes, reason=why)
    tell("elders", pk=row.elder_id, div=row.div)
    return row


@operation("people.health.link", label=N_("关联健康档案"))
def link_health_record(
    *, actor: Actor, now: datetime, elder_id: Id, reference: Reference = "", seen: Seen = None
) -> Elder:  # fmt: skip
    """Tie the file to the person's own electronic health record, one to one (R-PEO-05)."""
    elder = open_file(elder_id, seen)
    require(actor, "people.health.link", div=elder.div)
    before = bool(elder.health_record_ref)
    changed(elder, now=now, health_record_ref=reference.strip())
    kept = {"is_linked": [before, bool(elder.health_record_ref)]}
    record(actor=actor, now=now, event="people.health.link", subject=elder, changes=kept)
    tell("elders", pk=elder.pk, div=elder.div)
    return elder


@operation("people.health.reveal", label=N_("查看健康内容"))
def reveal_health(
    *, actor: Actor, now: datetime, elder_id: Id, purpose: Purpose, reason: Reason
) -> dict[str, str]:  # fmt: skip
    """Return what the role may read for the purpose, in clear; who looked, for what and why is on the elder's timeline.

    Without consent only in an emergency: then everything, to be told to the elder and reviewed afterwards (X-PIP-06).
    """
    elder = locked(Elder.objects.all(), elder_id)
    require(actor, "people.health.reveal", div=elder.div, elder_id=elder.pk)
    if elder.pk in actor.elder_ids and not actor.acts_for(elder.pk, "people.health.view"):
        raise NotAllowed("health.not_covered", N_("您的代理权限不包括健康信息，请由本人或监护人办理"))
    known_choice(purpose, PURPOSES, "purpose")
    kinds = readable(actor.role, purpose)
    return open_facts(actor, now, elder, purpose=purpose, kinds=kinds, reason=reason, event="people.health.reveal")


def open_facts(
    actor: Actor, now: datetime, elder: Any, *, purpose: str, kinds: frozenset[str], reason: str, event: str
) -> dict[str, str]:  # fmt: skip
    """Unseal the facts of some kinds and journal the reading. Called inside an operation that has checked the right."""
    why = required_text(reason, "reason", most=500)
    today = local_date(now)
    check_consent(role=actor.role, purpose=purpose, has_consent=has_health_consent(elder.pk, today))
    found: dict[str, list[str]] = {}
    for row in read_facts(elder.pk, kinds, today):
        item = "" if row.item == NO_ALLERGY else row.item
        text = " ".join(part for part in (item, row.unseal_field("content")) if part)
        found.setdefault(LABELS[row.kind], []).append(text or N_("已询问，没有"))
    changes = {"purpose": purpose, "kinds": sorted(kinds), "is_emergency": purpose == EMERGENCY}
    record(actor=actor, now=now, event=event, subject=elder, changes=changes, reason=why)
    return {label: "；".join(texts) for label, texts in found.items()} or {N_("健康内容"): N_("没有记录")}


@operation("people.health.review", label=N_("复核紧急查看"))
def review_reading(
    *, actor: Actor, now: datetime, reading_id: Annotated[int, Input(N_("查看记录"), least=1, widget="hidden")],
    told_on: Annotated[date, Input(N_("告知本人或家属的日期"), widget="date")], finding: Reason,
) -> Elder:  # fmt: skip
    """Say afterwards whether an emergency was one, and when the elder was told (X-PIP-06). Not by who looked."""
    reading = Journal.objects.filter(
        pk=reading_id, event__in=READINGS, is_refused=False, changes__is_emergency=True
    ).first()
    if reading is None or reading.elder_id is None:
        raise NotFound("reading.not_found", N_("没有这次紧急查看的记录"))
    elder = locked(Elder.objects.all(), reading.elder_id)
    require(actor, "people.health.review", div=elder.div)
    if reading.user_id == actor.user_id:
        raise Refused("reading.own", N_("不能复核自己的查看，请由另一个人办理"))
    if Journal.objects.filter(event="people.health.review", elder_id=elder.pk, changes__reading=reading.pk).exists():
        raise NotAllowed("reading.reviewed", N_("这次查看已经复核过"))
    if told_on > local_date(now):
        raise Refused("reading.told_in_future", N_("告知日期晚于今天，请核对"), field="told_on")
    why = required_text(finding, "finding", most=500)
    changes = {"reading": reading.pk, "told_on": told_on.isoformat()}
    record(actor=actor, now=now, event="people.health.review", subject=elder, changes=changes, reason=why)
    return elder


def write_grade(actor: Actor, now: datetime, elder: Elder, grade: Grade) -> HealthFact:
    """Put a grade on record from today on, also one that is the same as before: it was reckoned anew. The reasons are sealed."""
    today = local_date(now)
    rows = HealthFact.objects.select_for_update(of=("self",)).filter(elder=elder, kind="grade", recorded_to=None)
    for former in rows.filter(Q(valid_to=None) | Q(valid_to__gt=today)):
        curtail(former, until=today, now=now)
    row = HealthFact(
        div=elder.div, elder=elder, kind="grade", item=grade.code, rule=grade.rule, body=actor.name[:80], valid_from=today,
        recorded_from=now,
    )  # fmt: skip
    row.seal_field("content", "；".join(grade.reasons))
    row.save(force_insert=True)
    return row
