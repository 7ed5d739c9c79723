"""Listening to how calls went: drawn at random, judged by points, objected to, settled by somebody else."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from yinling.accounts.operations import Recipient, notify, record, record_each
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.ground.parameters import parameter
from yinling.hotline import operating, rules
from yinling.hotline.models import Call, QualitySample
from yinling.hotline.queries.quality import candidates, criteria, drawn_of
from yinling.hotline.states import SAMPLE, SampleState
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Seen
from yinling.kernel.period import local_date, month_start
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

OBJECT_DAYS = 7

Month = Annotated[date, Input(N_("月份"), help=N_("选该月任意一天"), widget="date")]
PerSeat = Annotated[int | None, Input(N_("每席抽取数"), help=N_("留空按参数"), least=1, most=100, widget="number")]
Seed = Annotated[
    str, Input(N_("随机种子"), help=N_("同样的种子抽出同样的通话，写入日志供复核；留空按月份"), max_length=40)
]
Points = Annotated[dict, Input(N_("各项得分"), max_length=2000, widget="area")]  # type: ignore[type-arg]
Comment = Annotated[str, Input(N_("评语"), max_length=500, widget="area")]


@operation("hotline.sample.draw", label=N_("抽取质检通话"))
def draw_samples(
    *, actor: Actor, now: datetime, month: Month, per_seat: PerSeat = None, seed: Seed = ""
) -> list[QualitySample]:
    """Draw calls of a month of every seat; a second draw fills up what is missing and never replaces a call."""
    div, first = actor.div or "", month_start(month)
    require(actor, "hotline.sample.draw", div=div)
    day = local_date(now)
    if first > day:
        raise Refused("sample.month", N_("这个月还没有开始，请选择其他月份"), field="month")
    wanted = per_seat or int(parameter("quality.per_seat", div, day))
    seed = seed.strip() or f"{div}:{first:%Y-%m}"
    found = _missing(actor, first, wanted, seed)
    calls = Call.objects.visible_to(actor).in_bulk(found)
    rows = [
        QualitySample(
            call=call, div=call.div, seat_id=call.seat_id or 0, provider_id=call.provider_id, drawn_at=now, created_at=now, changed_at=now
        )
        for call in map(calls.__getitem__, found)
    ]  # fmt: skip
    if not rows:
        raise NotAllowed("sample.none", N_("这个月没有可以再抽取的通话：每个坐席都已抽够，或者没有已结束的通话"))
    QualitySample.objects.bulk_create(rows)
    why = {"seed": [None, seed], "per_seat": [None, wanted]}
    record_each(actor=actor, now=now, event="hotline.sample.draw", subjects=[(row, why) for row in rows])
    tell("samples", pk=rows[0].pk, div=div)
    return rows


def _missing(actor: Actor, month: date, wanted: int, seed: str) -> list[int]:
    """Return the calls to draw: of each seat so many that ``wanted`` are drawn in all."""
    div = actor.div or ""
    have = drawn_of(actor, month)
    pool = candidates(actor, month)
    found: list[int] = []
    for seat_id in sorted({one.seat_id for one in pool}):
        found += operating.drawn(
            [one for one in pool if one.seat_id == seat_id], per_seat=max(wanted - have.get(seat_id, 0), 0), seed=seed,
            weights=parameter("quality.weights", div, month), short_s=int(parameter("quality.short_seconds", div, month)),
            long_s=int(parameter("quality.long_seconds", div, month)),
        )  # fmt: skip
    return found


@operation("hotline.sample.score", label=N_("评分"))
def score_sample(
    *, actor: Actor, now: datetime, sample_id: Id, points: Points, comment: Comment = "", seen: Seen = None
) -> QualitySample:
    """Judge a call by the criteria of the area; the seat is told and may object."""
    row = locked(QualitySample.objects.all(), sample_id, seen)
    require(actor, "hotline.sample.score", div=row.div)
    target = SAMPLE.target("score", SampleState(row.state))
    operating.check_scorer(seat_id=row.seat_id, user_id=actor.user_id)
    total = operating.check_points(points, criteria(row.div, local_date(row.drawn_at)))
    changes = changed(
        row, now=now, state=target, points=points, total=total, comment=comment.strip(), scored_at=now, scored_by_id=actor.user_id
    )  # fmt: skip
    record(actor=actor, now=now, event="hotline.sample.score", subject=row, changes=changes)
    _tell_seat(now, row, "score", N_("质检评分"), f"您的一通来电质检得 {total} 分，可在 {OBJECT_DAYS} 天内提出异议。")
    return row


@operation("hotline.sample.object", label=N_("提出异议"))
def object_sample(
    *, actor: Actor, now: datetime, sample_id: Id,
    objection: Annotated[str, Input(N_("异议"), help=N_("写明哪一项不合理、为什么"), max_length=500, widget="area")],
    seen: Seen = None,
) -> QualitySample:  # fmt: skip
    """Say what is wrong with the points of one's own call."""
    row = locked(QualitySample.objects.all(), sample_id, seen)
    require(actor, "hotline.sample.object", div=row.div, provider_id=row.provider_id)
    target = SAMPLE.target("object", SampleState(row.state))
    operating.check_objector(
        seat_id=row.seat_id, user_id=actor.user_id, scored_at=row.scored_at, now=now, days=OBJECT_DAYS
    )
    rules.check_written(objection, field="objection")
    changes = changed(row, now=now, state=target, objection=objection.strip())
    record(actor=actor, now=now, event="hotline.sample.object", subject=row, changes=changes)
    tell("samples", pk=row.pk, div=row.div)
    return row


@operation("hotline.sample.settle", label=N_("复核异议"))
def settle_sample(
    *, actor: Actor, now: datetime, sample_id: Id, points: Points,
    answer: Annotated[str, Input(N_("复核意见"), max_length=500, widget="area")],
    seen: Seen = None,
) -> QualitySample:  # fmt: skip
    """Answer an objection, with the points that stand in the end. Not by who gave them first."""
    row = locked(QualitySample.objects.all(), sample_id, seen)
    require(actor, "hotline.sample.settle", div=row.div)
    target = SAMPLE.target("settle", SampleState(row.state))
    operating.check_settler(scored_by_id=row.scored_by_id, user_id=actor.user_id)
    operating.check_scorer(seat_id=row.seat_id, user_id=actor.user_id)
    rules.check_written(answer, field="answer")
    total = operating.check_points(points, criteria(row.div, local_date(row.drawn_at)))
    changes = changed(row, now=now, state=target, points=points, total=total, answer=answer.strip())
    record(actor=actor, now=now, event="hotline.sample.settle", subject=row, changes=changes)
    _tell_seat(now, row, "settle", N_("质检异议已复核"), f"您的质检异议已复核，最终得分 {total} 分。")
    return row


def _tell_seat(now: datetime, row: QualitySample, verb: str, title: str, text: str) -> None:
    notify(
        now=now, about=row, to=Recipient(user_id=row.seat_id), key=f"sample:{row.pk}:{verb}", title=title, text=text,
        link=f"/line/quality/{row.pk}/",
    )  # fmt: skip
    tell("samples", pk=row.pk, div=row.div)
