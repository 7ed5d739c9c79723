"""Sharing the net income of home medical care with the staff who visited: drafted by one person, booked by another (R-PAY-06, R-STF-19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory.models import Organisation, Staff
from yinling.directory.rules import person_of, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.parameters import parameter
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date, month_start, next_month
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.queries.names import reader
from yinling.settlement.distributing import (
    Grading,
    Points,
    Pool,
    Score,
    Weights,
    brought,
    check_ratio,
    parts_of,
    points_of,
    pool_of,
    ratio_of,
)
from yinling.settlement.models import Distribution, StaffShare
from yinling.settlement.operations.ledger import post, sides_of, wait_for
from yinling.settlement.queries.distributions import lacking_before, medical_income, open_differences, successor
from yinling.settlement.queries.scorecards import medical_visitors, scores_of
from yinling.settlement.rules import STAFF_PAYABLE, STAFF_POOL, Side, opposite
from yinling.settlement.states import DISTRIBUTION, DistributionState

explain_constraint("distribution_once", "distribution.overlap", N_("这段时间已经编制过分配，请先退回原来的再重新编制"))
explain_constraint(
    "distribution_corrected_once", "distribution.correcting", N_("这段时间的更正正在等待复核，请先复核或退回")
)
explain_constraint(
    "distribution_two_persons", "distribution.two_persons", N_("编制人不能复核，请由另一位有权限的人员办理")
)
explain_constraint(
    "distribution_ratio", "distribution.ratio", N_("发放给上门服务人员的比例不得低于70%%，也不得高于100%%")
)

OUTSIDE_BASE = "outside_base"
"""The fund of what is paid beside the total of performance pay (R-STF-20)."""
BodyId = Annotated[int, Input(N_("医疗机构"), least=1, widget="choice")]
FirstMonth = Annotated[date, Input(N_("起始月份"), widget="month")]
LastMonth = Annotated[date | None, Input(N_("截止月份"), help=N_("只分配一个月可不填"), widget="month")]
Cost = Annotated[int, Input(N_("成本（元）"), least=0, widget="yuan")]
CostPaper = Annotated[str, Input(N_("成本依据"), help=N_("成本核算表等材料的名称和编号"), max_length=200)]
Drawn = Annotated[int, Input(N_("按规定提取的各项基金（元）"), least=0, widget="yuan")]
DrawnPaper = Annotated[str, Input(N_("提取依据"), help=N_("文件名称、条款或凭证编号"), max_length=200)]
Ratio = Annotated[str, Input(N_("发放比例（%）"), help=N_("不低于70；不填则按本地规定的比例"), max_length=8)]


@dataclass(frozen=True)
class Shared:
    """How a period is shared: the pool, and of each person score, points and part."""

    pool: Pool
    people: tuple[Staff, ...]
    scores: tuple[Score, ...]
    points: tuple[Points, ...]
    parts: tuple[int, ...]


@operation("settlement.distribution.draft", label=N_("编制分配"))
def draft_distribution(  # noqa: PLR0913 - what the finance of a body hands in
    *, actor: Actor, now: datetime, organisation_id: BodyId, from_month: FirstMonth, to_month: LastMonth = None, cost_fen: Cost,
    cost_document: CostPaper = "", drawn_fen: Drawn, drawn_document: DrawnPaper = "", ratio: Ratio = "",
) -> Distribution:  # fmt: skip
    """Reckon what the staff of a medical body get of whole months that are over: at least 70 % of income - cost - funds drawn.

    Income comes from the ledger, points from the scorecards; what earlier months lacked is cost of these. Refused for a month shared
    before, a month still running, a ratio below the law, and cost or funds without a document.
    """
    wait_for(f"distribution:{organisation_id}")  # first, as whoever books one: what is booked names the body
    body = locked(Organisation.objects.all(), organisation_id)
    require(actor, "settlement.distribution.draft", div=body.div, provider_id=body.pk)
    from_on, to_on = month_start(from_month), next_month(to_month or from_month)
    _check_period(body, from_on, to_on, local_date(now))
    row = Distribution(
        div=body.div, provider=body, from_on=from_on, to_on=to_on, cost_fen=cost_fen, drawn_fen=drawn_fen,
        inputs=_papers(cost_fen, cost_document, drawn_fen, drawn_document),
    )  # fmt: skip
    shared = _reckoned(row, ratio)
    return _drafted(actor, now, row, shared, open_differences(body.pk))


@operation("settlement.distribution.correct", label=N_("更正分配"))
def correct_distribution(  # noqa: PLR0913 - what the finance of a body hands in
    *, actor: Actor, now: datetime, distribution_id: Id, cost_fen: Cost, cost_document: CostPaper = "", drawn_fen: Drawn,
    drawn_document: DrawnPaper = "", ratio: Ratio = "", reason: Reason, seen: Seen = None,
) -> Distribution:  # fmt: skip
    """Reckon the months of a booked distribution anew, with the income and the visits as they stand now. Another person books it.

    What it changes for a person is paid with that person's next share, or set off against it.
    """
    old = locked(Distribution.objects.select_related("provider"), distribution_id, seen)
    require(actor, "settlement.distribution.correct", div=old.div, provider_id=old.provider_id)
    DISTRIBUTION.target("correct", DistributionState(old.state))
    if successor(old) is not None:
        raise NotAllowed("distribution.correcting", N_("这段时间的更正正在等待复核，请先复核或退回"))
    why = required_text(reason, "reason", most=500)
    row = Distribution(
        div=old.div, provider=old.provider, from_on=old.from_on, to_on=old.to_on, cost_fen=cost_fen, drawn_fen=drawn_fen, corrects=old,
        inputs=_papers(cost_fen, cost_document, drawn_fen, drawn_document) | {"correct_reason": why},
    )  # fmt: skip
    return _drafted(actor, now, row, _reckoned(row, ratio), {}, why=why)


def _papers(cost_fen: int, cost_document: str, drawn_fen: int, drawn_document: str) -> dict[str, Any]:
    return {
        "cost_document": _paper(cost_fen, cost_document, "cost_document"),
        "drawn_document": _paper(drawn_fen, drawn_document, "drawn_document"),
    }


def _reckoned(row: Distribution, ratio: str) -> Shared:
    """Reckon pool and parts of the months of a distribution by what stands in the books now."""
    body = row.provider
    usual = int(parameter("distribution.ratio_bp", body.div, row.from_on))
    ratio_bp = ratio_of(ratio) if ratio.strip() else check_ratio(usual)
    weights = parameter("distribution.weights", body.div, row.from_on)
    row.inputs = row.inputs | {"weights": weights}
    with scope(reader(body.div)):  # all that it earned is shared, wherever its patients live
        pool = pool_of(
            income_fen=medical_income(body.pk, row.from_on, row.to_on), cost_fen=row.cost_fen, drawn_fen=row.drawn_fen, ratio_bp=ratio_bp,
            carried_fen=lacking_before(body.pk, row.from_on),
        )  # fmt: skip
        return share(body, row.from_on, row.to_on, pool, Weights.of(weights))


def _drafted(
    actor: Actor, now: datetime, row: Distribution, shared: Shared, differences: Mapping[int, int], *, why: str = ""
) -> Distribution:  # fmt: skip
    """Write a distribution that was reckoned, with its parts."""
    for name, value in asdict(shared.pool).items():
        setattr(row, name, value)
    row.drafted_by_id, row.created_at, row.changed_at = person_of(actor), now, now
    row.save(force_insert=True)
    _write_parts(row, shared, differences)
    changes: dict[str, Any] = {name: [None, value] for name, value in asdict(shared.pool).items()}
    changes |= {"parts": [None, len(shared.parts)]} | ({"corrects": [None, row.corrects_id]} if row.corrects_id else {})
    verb = "correct" if row.corrects_id else "draft"
    record(actor=actor, now=now, event=f"settlement.distribution.{verb}", subject=row, changes=changes, reason=why)
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _check_period(body: Organisation, from_on: date, to_on: date, today: date) -> None:
    if not body.does_home_medical and body.kind != "health_centre":
        raise Refused(
            "distribution.not_medical",
            N_("只有开展居家医疗服务的医疗机构可以编制分配，请核对机构"),
            field="organisation_id",
        )
    if to_on <= from_on:
        raise Refused("period.empty", N_("结束日期不能早于开始日期，请检查。"), field="to_month")
    if to_on > today:
        raise Refused(
            "distribution.not_over", N_("这段时间还没有结束，收入还会变化，请在月末以后编制"), field="from_month"
        )
    live = Distribution.objects.filter(provider=body, from_on__lt=to_on, to_on__gt=from_on, corrects=None)
    if live.exclude(state=DistributionState.RETURNED).exists():
        raise Refused(
            "distribution.overlap", N_("这段时间已经编制过分配，请先退回原来的再重新编制"), field="from_month"
        )


def _paper(fen: int, text: str, field: str) -> str:
    """Return the document of an amount; an amount without one is refused."""
    return required_text(text, field) if fen else text.strip()[:200]


def share(body: Organisation, from_on: date, to_on: date, pool: Pool, weights: Weights) -> Shared:
    """Return how a pool is shared among the people who did medical visits in a period, in ascending staff number."""
    kinds: Sequence[str] = parameter("distribution.kinds", body.div, from_on)
    people = medical_visitors(body.pk, from_on, to_on, kinds)
    found = scores_of([one.pk for one in people], from_on, to_on, area=body.div, provider_id=body.pk, medical_only=True)
    scores = [found[one.pk] for one in people]
    points = points_of(scores, weights, Grading.of(parameter("scorecard.grades", body.div, from_on)))
    parts = parts_of(pool.share_fen, points, [one.pk for one in people])
    return Shared(pool, tuple(people), tuple(scores), tuple(points), tuple(parts))


def _write_parts(row: Distribution, shared: Shared, differences: Mapping[int, int]) -> None:
    """Write everybody's part with what earlier corrections left open. Who is owed something, or got a part before, and did not visit, too."""
    parts = [
        StaffShare(
            div=row.div, distribution=row, staff=person, provider_id=row.provider_id, points=points.points, score=points.as_json(score),
            amount_fen=fen, brought_fen=brought(differences.get(person.pk, 0), fen),
        )
        for person, score, points, fen in zip(shared.people, shared.scores, shared.points, shared.parts, strict=True)
    ]  # fmt: skip
    known = {part.staff_id for part in parts}
    before = (
        StaffShare.objects.filter(distribution=row.corrects_id).values_list("staff_id", flat=True)
        if row.corrects_id
        else ()
    )
    owed = dict.fromkeys(before, 0) | {staff: fen for staff, fen in differences.items() if fen > 0}
    grading = Grading.of(parameter("scorecard.grades", row.div, row.from_on))
    for staff, fen in sorted((staff, fen) for staff, fen in owed.items() if staff not in known):
        nothing = Score(staff, 0, 0)
        (points,) = points_of([nothing], Weights.of(row.inputs["weights"]), grading)
        parts.append(
            StaffShare(
                div=row.div, distribution=row, staff_id=staff, provider_id=row.provider_id, points=0, score=points.as_json(nothing),
                amount_fen=0, brought_fen=fen,
            )
        )  # fmt: skip
    StaffShare.objects.bulk_create(parts)


@operation("settlement.distribution.approve", label=N_("复核入账"))
def approve_distribution(*, actor: Actor, now: datetime, distribution_id: Id, seen: Seen = None) -> Distribution:
    """Book a drafted distribution, by another person: into what is owed to staff, outside the total of performance pay (R-STF-20).

    A correction takes the place of what it corrects, which is reversed.
    """
    row = locked(Distribution.objects.select_related("provider"), distribution_id, seen)
    require(actor, "settlement.distribution.approve", div=row.div, provider_id=row.provider_id)
    target = DISTRIBUTION.target("approve", DistributionState(row.state))
    if actor.user_id == row.drafted_by_id:
        raise Refused("distribution.two_persons", N_("编制人不能复核，请由另一位有权限的人员办理"))
    wait_for(f"distribution:{row.provider_id}")
    with scope(reader(row.div)):
        income = medical_income(row.provider_id, row.from_on, row.to_on)
    if income != row.income_fen:
        raise Refused("distribution.income_changed", N_("编制以后账上的收入有变化，请退回后重新编制"))
    if lacking_before(row.provider_id, row.from_on) != row.carried_fen:
        raise Refused("distribution.carried_changed", N_("编制以后以前月份的亏损有变化，请退回后重新编制"))
    if row.corrects_id is not None:
        _replace(actor, now, row.corrects_id)
    posting = None
    if row.share_fen:
        sides = [
            Side(STAFF_POOL, row.share_fen, "medical", OUTSIDE_BASE, plan_year=row.from_on.year),
            Side(STAFF_PAYABLE, -row.share_fen, "medical", OUTSIDE_BASE, plan_year=row.from_on.year),
        ]
        posting = post(
            actor, now, key=f"distribution:{row.pk}", kind="distribution", text=N_("上门服务收入分配"), div=row.div,
            provider=row.provider, sides=sides,
        )  # fmt: skip
    changes = changed(row, now=now, state=target, approved_by_id=actor.user_id, approved_at=now, posting=posting)
    record(actor=actor, now=now, event="settlement.distribution.approve", subject=row, changes=changes)
    tell("settlement", pk=row.pk, div=row.div)
    return row


def _replace(actor: Actor, now: datetime, distribution_id: int) -> None:
    """Take what a correction corrects out of the books."""
    old = locked(Distribution.objects.select_related("provider", "posting"), distribution_id)
    if old.posting is not None:
        post(
            actor, now, key=f"distribution:{old.pk}:back", kind="distribution", text=N_("更正上门服务收入分配"), div=old.div,
            provider=old.provider, sides=opposite(sides_of(old.posting)), reverses=old.posting,
        )  # fmt: skip
    changed(old, now=now, state=DISTRIBUTION.target("correct", DistributionState(old.state)))


@operation("settlement.distribution.return", label=N_("退回"))
def return_distribution(
    *, actor: Actor, now: datetime, distribution_id: Id, reason: Reason, seen: Seen = None
) -> Distribution:  # fmt: skip
    """Give a drafted distribution back; the months may be drafted anew."""
    row = locked(Distribution.objects.all(), distribution_id, seen)
    require(actor, "settlement.distribution.return", div=row.div, provider_id=row.provider_id)
    target = DISTRIBUTION.target("return", DistributionState(row.state))
    why = required_text(reason, "reason", most=500)
    changes = changed(row, now=now, state=target, inputs=row.inputs | {"return_reason": why})
    record(actor=actor, now=now, event="settlement.distribution.return", subject=row, changes=changes, reason=why)
    tell("settlement", pk=row.pk, div=row.div)
    return row
