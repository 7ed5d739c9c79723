"""What visits say about times: proposed by the weekly job, used only after a dispatcher has confirmed it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory.rules import require
from yinling.dispatch.models import Correction
from yinling.dispatch.samples import ALL_DAY
from yinling.dispatch.states import CORRECTION, CorrectionState
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_

explain_constraint("correction_value", "correction.value", N_("学到的数值必须大于零"))
explain_constraint("correction_kind", "correction.kind", N_("路上时间按街道，服务时长按机构和项目，请检查"))

Kind = Annotated[str, Input(N_("种类"), choices=Correction.KINDS, widget="hidden")]
Div = Annotated[str, Input(N_("区划"), max_length=12, widget="hidden")]
Provider = Annotated[int | None, Input(N_("机构"), least=1, widget="hidden")]
Mode = Annotated[str, Input(N_("出行方式"), max_length=10, widget="hidden")]
Engine = Annotated[str, Input(N_("路线引擎"), max_length=20, widget="hidden")]
Hour = Annotated[int, Input(N_("钟点"), least=0, most=24, widget="hidden")]
Item = Annotated[int | None, Input(N_("服务项目"), least=1, widget="hidden")]
Level = Annotated[str, Input(N_("能力等级"), max_length=20, widget="hidden")]
Value = Annotated[float, Input(N_("数值"), least=0, widget="hidden")]
Measured = Annotated[dict[str, Any], Input(N_("样本"), widget="hidden")]
From = Annotated[date, Input(N_("样本自"), widget="hidden")]


@operation("dispatch.correction.propose")
def propose_correction(  # noqa: PLR0913 - what was measured, of what, and what held before
    *, actor: Actor, now: datetime, kind: Kind, div: Div, provider_id: Provider = None, mode: Mode = "", engine: Engine = "",
    hour_from: Hour = ALL_DAY[0], hour_to: Hour = ALL_DAY[1], item_id: Item = None, level: Level = "", before: Value,
    measured: Measured, measured_from: From,
) -> Correction:  # fmt: skip
    """Put a result before the dispatchers; it takes the place of an older proposal of the same thing. ``measured`` is a Summary as JSON."""
    require(actor, "dispatch.correction.propose", div=div)
    key = {
        "kind": kind, "div": div, "provider_id": provider_id, "mode": mode, "engine": engine, "hour_from": hour_from, "hour_to": hour_to,
        "item_id": item_id, "level": level,
    }  # fmt: skip
    _replace(actor, now, key, CorrectionState.PROPOSED)
    row = Correction.objects.create(
        **key, before=before, value=measured["value"], low=measured["low"], high=measured["high"], sample_count=measured["count"],
        distribution=measured["bars"], measured_from=measured_from, computed_on=local_date(now), created_at=now, changed_at=now,
    )  # fmt: skip
    return _told(actor, now, row, "propose", {"value": [before, row.value], "samples": [None, row.sample_count]})


@operation("dispatch.correction.replace")
def replace_correction(*, actor: Actor, now: datetime, correction_id: Id) -> Correction:
    """Withdraw a proposal that newer visits no longer support."""
    row = locked(Correction.objects.all(), correction_id)
    require(actor, "dispatch.correction.replace", div=row.div)
    if row.state != CorrectionState.PROPOSED:
        raise Refused("correction.decided", N_("这条结果已有人处理过，请刷新页面"))
    return _moved(actor, now, row, "replace")


@operation("dispatch.correction.confirm", label=N_("采用"))
def confirm_correction(*, actor: Actor, now: datetime, correction_id: Id, seen: Seen = None) -> Correction:
    """From now on plans and rankings use the result, in place of the one used so far. Booked times and prices stay as they are."""
    row = locked(Correction.objects.all(), correction_id, seen)
    require(actor, "dispatch.correction.confirm", div=row.div, provider_id=row.provider_id)
    CORRECTION.target("confirm", row.state)
    _replace(actor, now, {name: getattr(row, name) for name in _KEY}, CorrectionState.USED)
    return _moved(actor, now, row, "confirm", decided_by_id=actor.user_id, decided_at=now)


@operation("dispatch.correction.reject", label=N_("不采用"))
def reject_correction(
    *, actor: Actor, now: datetime, correction_id: Id, reason: Reason, seen: Seen = None
) -> Correction:
    """The result is not used, and a similar one is not proposed again."""
    return _decided(actor, now, "reject", correction_id, reason, seen, "dispatch.correction.reject")


@operation("dispatch.correction.end", label=N_("停用"))
def end_correction(*, actor: Actor, now: datetime, correction_id: Id, reason: Reason, seen: Seen = None) -> Correction:
    """Plans go back to the estimate, or the booked time, without the result."""
    return _decided(actor, now, "end", correction_id, reason, seen, "dispatch.correction.end")


_KEY = tuple({"provider": "provider_id", "item": "item_id"}.get(name, name) for name in Correction.KEY)


def _decided(
    actor: Actor, now: datetime, verb: str, correction_id: int, reason: str, seen: int | None, right: str
) -> Correction:
    row = locked(Correction.objects.all(), correction_id, seen)
    require(actor, right, div=row.div, provider_id=row.provider_id)
    CORRECTION.target(verb, row.state)
    if not reason.strip():
        raise Refused("reason.missing", N_("请写明原因"), field="reason")
    return _moved(actor, now, row, verb, decided_by_id=actor.user_id, decided_at=now, reason=reason.strip())


def _replace(actor: Actor, now: datetime, key: dict[str, Any], state: CorrectionState) -> None:
    """End the row of the same thing that stands in a state, for the one that takes its place."""
    values = {name: value for name, value in key.items() if value is not None}
    nulls = {f"{name}__isnull": True for name, value in key.items() if value is None}
    for row in Correction.objects.select_for_update(of=("self",)).filter(**values, **nulls, state=state):
        _moved(actor, now, row, "replace")


def _moved(actor: Actor, now: datetime, row: Correction, verb: str, **values: Any) -> Correction:
    changes = changed(row, now=now, state=CORRECTION.target(verb, row.state), **values)
    return _told(actor, now, row, verb, changes)


def _told(actor: Actor, now: datetime, row: Correction, verb: str, changes: dict[str, Any]) -> Correction:
    record(
        actor=actor, now=now, event=f"dispatch.correction.{verb}", subject=row, changes=changes, reason=row.reason
    )  # fmt: skip
    tell("corrections", pk=row.pk, div=row.div)
    return row
