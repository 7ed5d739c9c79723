"""Contracts with assessor organisations, recognition between departments, and the confirmation of what came from memory."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.assessment import inputs
from yinling.assessment.inputs import Body, Department, Document, LastDay, LevelCodes, Purpose, Scale, ScaleIds
from yinling.assessment.models import Commission, Recognition, ScaleConfirmation
from yinling.assessment.process import process
from yinling.assessment.queries import gated_part
from yinling.assessment.rules import level_codes
from yinling.assessment.scoring import scale as scale_of
from yinling.directory.models import Area, Organisation
from yinling.directory.rules import known_choice, period_of, require, required_text
from yinling.ground.facts import curtail
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Day, Id, Input, Note, Reason
from yinling.kernel.period import ONE_DAY, local_date
from yinling.kernel.refusals import Denied, Refused
from yinling.kernel.words import N_

explain_constraint("commission_no_overlap", "commission.overlap", N_("这份合同在这段时间已登记，请先终止原有登记"))
explain_constraint(
    "recognition_no_overlap", "recognition.overlap", N_("这段时间已有同一部门、标准和用途的互认，请先终止")
)
explain_constraint("confirmation_no_overlap", "scale.confirmed", N_("这一内容已有人确认，请先撤回原有确认"))

Place = Annotated[str, Input(N_("适用区划"), max_length=12, widget="choice")]
Count = Annotated[int, Input(N_("评估员人数"), help=N_("专职和兼职合计"), least=0, most=10000, widget="number")]
Contract = Annotated[str, Input(N_("合同编号"), max_length=80)]
Care = Annotated[bool, Input(N_("同时提供照护服务"), help=N_("如实填写；有的标准要求评估与照护分开"), widget="check")]
Months = Annotated[
    int | None, Input(N_("结果最长期限（月）"), help=N_("不填则不另限"), least=1, most=120, widget="number")
]
Agreed = Annotated[bool, Input(N_("须本人同意"), widget="check")]
As = Annotated[str, Input(N_("认可为"), max_length=80)]


def _place(actor: Actor, right: str, div: str) -> str:
    require(actor, right, div=div)
    if not Area.objects.filter(div=div).exists():
        raise Refused("area.unknown", N_("请选择区划"), field="div")
    return div


@operation("assessment.commission.award", label=N_("登记委托"))
def commission_organisation(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, organisation_id: Body, div: Place, scales: ScaleIds, contract: Contract, qualification: Document,
    assessor_count: Count, delivers_care: Care = False, valid_from: Day, valid_to: LastDay = None,
) -> Commission:  # fmt: skip
    """Record the contract by which a guidance centre lets an organisation assess (R-ASM-04)."""
    place = _place(actor, "assessment.commission.award", div)
    body = Organisation.objects.filter(pk=organisation_id).first()
    if body is None:
        raise Refused("organisation.unknown", N_("没有这个机构，请从列表中选择"), field="organisation_id")
    if not scales:
        raise Refused("scale.none", N_("请至少选择一个评估标准"), field="scales")
    for one in scales:
        known_choice(one, inputs.SCALES, "scales")
        rules = process(one, place, valid_from)
        if assessor_count < rules.organisation_assessors:
            raise Refused(
                "commission.few",
                N_("该标准要求评估机构至少有%(least)s名评估员"),
                least=rules.organisation_assessors,
                field="assessor_count",
            )
        if delivers_care and rules.separation == "always":
            raise Refused("commission.delivers_care", N_("该标准要求评估机构不提供照护服务"), field="delivers_care")
    days = period_of(valid_from, valid_to)
    row = Commission.objects.create(
        div=place, provider=body, scales=sorted(set(scales)), contract=required_text(contract, "contract", most=80),
        qualification=required_text(qualification, "qualification"), assessor_count=assessor_count, delivers_care=delivers_care,
        valid_from=days.from_, valid_to=days.to, recorded_from=now, created_at=now, changed_at=now,
    )  # fmt: skip
    record(
        actor=actor, now=now, event="assessment.commission.award", subject=row, changes={"contract": [None, contract]}
    )
    return row


@operation("assessment.commission.end", label=N_("终止委托"))
def end_commission(*, actor: Actor, now: datetime, commission_id: Id, valid_to: Day, reason: Reason) -> Commission:
    """Say which day was the last of a contract."""
    row = locked(Commission.objects.filter(recorded_to=None), commission_id)
    require(actor, "assessment.commission.end", div=row.div)
    why = required_text(reason, "reason", most=500)
    changes = curtail(row, until=valid_to + ONE_DAY, now=now)
    record(actor=actor, now=now, event="assessment.commission.end", subject=row, changes=changes, reason=why)
    return row


@operation("assessment.recognition.record", label=N_("登记互认"))
def record_recognition(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, div: Place, department: Department, from_scale: Scale, from_levels: LevelCodes, purpose: Purpose,
    accepted_as: As, legal_basis: Document, max_age_months: Months = None, needs_consent: Agreed = False, valid_from: Day,
    valid_to: LastDay = None,
) -> Recognition:  # fmt: skip
    """Record that a department accepts results of a scale at some levels for a purpose, by a document. No level becomes another level."""
    place = _place(actor, "assessment.recognition.record", div)
    known_choice(department, inputs.DEPARTMENTS, "department")
    known_choice(from_scale, inputs.SCALES, "from_scale")
    known_choice(purpose, inputs.PURPOSES, "purpose")
    strange = set(from_levels) - set(level_codes(from_scale))
    if strange or not from_levels:
        raise Refused(
            "recognition.level",
            N_("请填写该标准的等级代号：%(codes)s"),
            codes="、".join(level_codes(from_scale)),
            field="from_levels",
        )
    days = period_of(valid_from, valid_to)
    row = Recognition.objects.create(
        div=place, department=department, from_scale=from_scale, from_levels=sorted(set(from_levels)), purpose=purpose,
        accepted_as=required_text(accepted_as, "accepted_as", most=80), legal_basis=required_text(legal_basis, "legal_basis"),
        max_age_months=max_age_months, needs_consent=needs_consent, valid_from=days.from_, valid_to=days.to, recorded_from=now,
        created_at=now, changed_at=now,
    )  # fmt: skip
    changes = {"legal_basis": [None, row.legal_basis], "from_levels": [None, ",".join(row.from_levels)]}
    record(actor=actor, now=now, event="assessment.recognition.record", subject=row, changes=changes)
    return row


@operation("assessment.recognition.end", label=N_("终止互认"))
def end_recognition(*, actor: Actor, now: datetime, recognition_id: Id, valid_to: Day, reason: Reason) -> Recognition:
    """Say which day was the last on which a department accepted such results."""
    row = locked(Recognition.objects.filter(recorded_to=None), recognition_id)
    require(actor, "assessment.recognition.end", div=row.div)
    why = required_text(reason, "reason", most=500)
    changes = curtail(row, until=valid_to + ONE_DAY, now=now)
    record(actor=actor, now=now, event="assessment.recognition.end", subject=row, changes=changes, reason=why)
    return row


@operation("assessment.scale.confirm", label=N_("确认待核内容"))
def confirm_scale(
    *, actor: Actor, now: datetime, scale: Scale, div: Place, document: Document, note: Note = ""
) -> ScaleConfirmation:
    """Stand by name for a part of a scale that came from memory: it was compared with the official document, cell by cell."""
    place = _place(actor, "assessment.scale.confirm", div)
    known_choice(scale, inputs.SCALES, "scale")
    part = gated_part(scale)
    if not part:
        raise Refused("scale.no_gate", N_("该标准没有需要确认的内容"), field="scale")
    if actor.user_id is None or actor.is_system:
        raise Denied("scale.person", N_("须由具名的工作人员确认"), right="assessment.scale.confirm")
    row = ScaleConfirmation.objects.create(
        div=place, scale=scale, scale_version=str(scale_of(scale)["version"]), part=part, confirmed_by_id=actor.user_id, confirmed_by_name=actor.name,
        document=required_text(document, "document"), note=note.strip(), valid_from=local_date(now), recorded_from=now, created_at=now,
        changed_at=now,
    )  # fmt: skip
    changes = {"scale": [None, scale], "document": [None, row.document]}
    record(actor=actor, now=now, event="assessment.scale.confirm", subject=row, changes=changes)
    return row


@operation("assessment.scale.withdraw", label=N_("撤回确认"))
def withdraw_confirmation(*, actor: Actor, now: datetime, confirmation_id: Id, reason: Reason) -> ScaleConfirmation:
    """Take a confirmation back: from today on the grades are provisional again."""
    row = locked(ScaleConfirmation.objects.filter(recorded_to=None), confirmation_id)
    require(actor, "assessment.scale.withdraw", div=row.div)
    why = required_text(reason, "reason", most=500)
    changes = curtail(row, until=local_date(now), now=now)
    record(actor=actor, now=now, event="assessment.scale.withdraw", subject=row, changes=changes, reason=why)
    return row
