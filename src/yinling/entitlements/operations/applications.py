"""Applying for a scheme: signature, papers, completion, withdrawal."""

from __future__ import annotations

import base64
import binascii
from datetime import date, datetime
from typing import Annotated, Any

from django.db.models import QuerySet

from yinling.accounts.operations import record
from yinling.assessment.models import Assessment
from yinling.assessment.queries import current_level
from yinling.directory import deciding
from yinling.directory.queries import working_calendar
from yinling.directory.rules import known_choice, person_of, require, required_text
from yinling.entitlements.models import Application, Entitlement, Paper, PublicNotice, Scheme
from yinling.entitlements.operations.grants import SchemeCode, as_json, known_scheme, terms, verdict
from yinling.entitlements.operations.pushes import tell_elder_side
from yinling.entitlements.procedure import Procedure, act_within, check_signature
from yinling.entitlements.queries.applications import running_of
from yinling.entitlements.queries.procedures import procedure_of
from yinling.entitlements.states import APPLICATION, OPEN, ApplicationState
from yinling.ground.files import clean_image, store
from yinling.ground.live import tell
from yinling.ground.models import in_force
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.kernel.workdays import WorkingDeadline
from yinling.people.inputs import CAPACITIES
from yinling.people.models import Elder, Household, Representative
from yinling.people.operations.elders import open_file
from yinling.people.queries import circumstances_on
from yinling.people.queries.names import reader

explain_constraint("application_open_once", "application.open", N_("此人对这项待遇的申请正在办理，请不要重复登记"))

AppliedAs = Annotated[str, Input(N_("由谁申请"), choices=CAPACITIES, widget="radio")]
SignedBy = Annotated[str, Input(N_("签字人姓名"), help=N_("本人签字可不填"), max_length=40)]
Proof = Annotated[str, Input(N_("委托书或监护证明"), help=N_("签字人已登记为监护人或代理人的可不填"), max_length=200)]
Declared = Annotated[
    str,
    Input(
        N_("另有证明的说明"),
        help=N_("系统判断不符合而申请人另有证明时填写；批准前须先把证明登记到档案"),
        max_length=500,
        widget="area",
    ),
]
Title = Annotated[str, Input(N_("材料名称"), max_length=80)]
Content = Annotated[
    str, Input(N_("照片"), help=N_("拍照或选择图片，不超过 8 MB"), max_length=12_000_000, widget="photo")
]
RENEWABLE_DAYS = 60
"""So long before the end of an entitlement the next one may be applied for."""


def procedure_for(application: Application, on: date) -> Procedure:
    """Return the procedure in force for an application; one that was abolished lets no step be made."""
    found = procedure_of(application.scheme.code, application.div, on)
    if found is None:
        raise Refused("application.no_procedure", N_("这项待遇已不在本地受理申请，请退件并说明原因"))
    return found


def version_of(row: Assessment) -> str:
    """Return scale and version of a result; results of before the versions name the scale alone."""
    return f"{row.scale} {row.scale_version}".strip()


def assessed(elder: Elder, day: date) -> dict[str, Any]:
    """Return the result a decision of this day rests on, with the version of its scale (R-ASM-03)."""
    row = current_level(elder.pk, day)
    return {"assessment": row, "scale_version": version_of(row) if row else ""}


@operation("entitlements.application.apply", label=N_("登记申请"))
def apply_for(
    *, actor: Actor, now: datetime, elder_id: Id, scheme_code: SchemeCode, applied_as: AppliedAs, signed_by: SignedBy = "",
    proof: Proof = "", declared: Declared = "",
) -> Application:  # fmt: skip
    """Apply for a scheme. Who does not meet the conditions as on file may apply only with a word on other evidence."""
    elder = open_file(elder_id)
    require(actor, "entitlements.application.apply", div=elder.div, elder_id=elder.pk)
    today = local_date(now)
    if elder.died_on is not None or "moved_away" in circumstances_on(elder.pk, today):
        raise Refused("application.left", N_("此人已去世或已迁出，不能申请"))
    scheme = known_scheme(scheme_code, elder.div)
    procedure = procedure_of(scheme_code, elder.div, today)
    if procedure is None:
        raise Refused("application.no_procedure", N_("这项待遇不在本平台申请，由认定部门登记结果"), field="scheme_code")
    signature = _signature(actor, elder, today, applied_as, signed_by, proof)
    _check_not_held(elder, scheme, procedure, today)
    answer = verdict(elder, scheme, today)
    if not answer.is_eligible and not declared.strip():
        raise Refused(f"application.{answer.code}", answer.reason, field="declared", **answer.values)
    given = terms(elder, scheme, today) if answer.is_eligible else None
    due = act_within(working_calendar(), today, procedure.review_days)
    row = Application.objects.create(
        div=elder.div, elder=elder, household_id=elder.household_id, scheme=scheme, applied_at=now, applied_by_id=person_of(actor),
        declared=declared.strip(), verdict=as_json(answer, today, given), stage_on=today, due_on=due.day, is_due_provisional=due.is_provisional,
        grade=given.grade if given else "", share_bp=given.share_bp if given else None,
        monthly_cap_fen=given.monthly_cap_fen if given else None, once_fen=given.once_fen if given else None,
        created_at=now, changed_at=now, **signature, **assessed(elder, today),
    )  # fmt: skip
    changes = {
        "state": [None, str(row.state)],
        "scheme": [None, scheme.code],
        "applied_as": [None, applied_as],
        "verdict": [None, answer.code],
    }
    record(actor=actor, now=now, event="entitlements.application.apply", subject=row, changes=changes)
    push(
        now, row, "applied", N_("您的“%(scheme)s”申请已登记，编号%(number)s，预计%(day)s前完成初审。"), day=str(due.day)
    )
    tell("applications", pk=row.pk, div=row.div)
    return row


def _signature(actor: Actor, elder: Elder, today: date, capacity: str, signed_by: str, proof: str) -> dict[str, Any]:
    """Return who signs in which capacity; a login of the elder side signs for itself, as it is registered."""
    known_choice(capacity, CAPACITIES, "applied_as")
    known = Representative.objects.filter(in_force(today), elder_id=elder.pk)
    if elder.pk in actor.elder_ids and not actor.covers(elder.div):
        own = known.filter(user_id=person_of(actor)).first()
        if own is None or own.capacity != capacity:
            raise Refused("application.capacity", N_("请按登记的身份申请"), field="applied_as")
        return {"applied_as": capacity, "signed_by": actor.name[:40], "representative": own, "proof": own.proof}
    name = signed_by.strip() or (elder.name if capacity == "self" else "")
    registered = known.filter(capacity=capacity, user__name=name).first() if capacity != "self" else None
    check_signature(capacity=capacity, signed_by=name, proof=proof, has_representative=registered is not None)
    paper = proof.strip() or (registered.proof if registered else "")
    return {"applied_as": capacity, "signed_by": name, "representative": registered, "proof": paper}


def _check_not_held(elder: Elder, scheme: Scheme, procedure: Procedure, today: date) -> None:
    """Refuse what is held already, and a second application of a household where the scheme is given once to each."""
    held = running_of(elder.pk, scheme.pk, today)
    if held is not None and (held.valid_to is None or (held.valid_to - today).days > RENEWABLE_DAYS):
        raise Refused(
            "application.held",
            N_("此人正在享受这项待遇，到期前%(days)s天内才可续办"),
            field="scheme_code",
            days=RENEWABLE_DAYS,
        )
    if procedure.once_per == "household":
        with scope(reader(elder.div), savepoint=False):
            _check_home(elder, scheme)


def _check_home(elder: Elder, scheme: Scheme) -> None:
    """Refuse what the home has or asks for; who applies from home does not see what another of the home has, so the province looks.

    Two of a home who apply at the same moment come one after the other.
    """
    Household.objects.select_for_update(of=("self",)).get(pk=elder.household_id)
    live = [*map(str, OPEN), str(ApplicationState.APPROVED)]
    others = Application.objects.filter(household_id=elder.household_id, scheme=scheme, state__in=live)
    had = Entitlement.objects.filter(elder__household_id=elder.household_id, scheme=scheme, recorded_to=None)
    if others.exists() or had.exists():
        raise Refused("application.household", N_("这户已申请或享受过这项待遇，每户只办一次"), field="scheme_code")


def push(now: datetime, row: Application, step: str, template: str, **values: str) -> None:
    """Tell the elder side about a step, once."""
    text = template % {"scheme": row.scheme.name, "number": row.code, **values}
    key = f"application:{row.pk}:{step}:{row.version}"
    tell_elder_side(now=now, elder=row.elder, key=key, title=N_("待遇申请"), text=text)


def move(
    actor: Actor, now: datetime, row: Application, verb: str, *, procedure: Procedure | None = None, **values: Any
) -> Application:  # fmt: skip
    """Make one step of a locked application, and set the last day for the step that comes next."""
    target, today = APPLICATION.target(verb, row.state), local_date(now)
    due = next_due(target, values.get("notice", row.notice), procedure, today) if procedure else None
    values |= {"due_on": due.day if due else None, "is_due_provisional": due.is_provisional if due else False}
    return deciding.move(actor, now, row, verb, stage_on=today, **values)


def cases() -> QuerySet[Application]:
    """What a step needs of an application."""
    return Application.objects.select_related("elder", "scheme", "notice")


def open_application(application_id: int, seen: int | None = None) -> Application:
    """Return an application, locked."""
    return locked(cases(), application_id, seen)


@operation("entitlements.application.attach", label=N_("上传材料"))
def attach_paper(*, actor: Actor, now: datetime, application_id: Id, title: Title, content: Content) -> Paper:
    """Keep the picture of a paper with an application that is not decided yet."""
    row = open_application(application_id)
    require(actor, "entitlements.application.attach", div=row.div, elder_id=row.elder_id)
    if row.state not in OPEN:
        raise Refused("application.decided", N_("申请已办结，不能再上传材料"))
    name = required_text(title, "title", most=80)
    file = store(
        clean_image(_decoded(content)),
        kind="photo",
        purpose="application",
        content_type="image/jpeg",
        owner=row,
        now=now,
    )
    paper = Paper.objects.create(
        div=row.div,
        application=row,
        elder_id=row.elder_id,
        title=name,
        file=file,
        added_by_id=person_of(actor),
        added_at=now,
    )
    record(
        actor=actor,
        now=now,
        event="entitlements.application.attach",
        subject=row,
        changes={"paper": [None, paper.pk], "title": [None, name]},
    )
    tell("applications", pk=row.pk, div=row.div)
    return paper


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise Refused("file.not_image", N_("这不是照片文件，请重新拍照"), field="content") from None


@operation("entitlements.application.complete", label=N_("已补正"))
def complete_application(
    *, actor: Actor, now: datetime, application_id: Id, declared: Declared = "", seen: Seen = None
) -> Application:  # fmt: skip
    """Say that what was missing is there; the time to review starts anew."""
    row = open_application(application_id, seen)
    require(actor, "entitlements.application.complete", div=row.div, elder_id=row.elder_id)
    today = local_date(now)
    procedure = procedure_for(row, today)
    answer = verdict(row.elder, row.scheme, today)
    more = declared.strip() or row.declared
    if not answer.is_eligible and not more:
        raise Refused(f"application.{answer.code}", answer.reason, field="declared", **answer.values)
    given = terms(row.elder, row.scheme, today) if answer.is_eligible else None
    kept = as_json(answer, today, given)
    return move(
        actor, now, row, "complete", procedure=procedure, declared=more, verdict=kept, **assessed(row.elder, today), **amounts_of(kept)
    )  # fmt: skip


def amounts_of(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of what is to be given, from a verdict as kept."""
    return {
        "grade": kept.get("grade", ""),
        **{name: kept.get(name) for name in ("share_bp", "monthly_cap_fen", "once_fen")},
    }


@operation("entitlements.application.withdraw", label=N_("撤回申请"))
def withdraw_application(
    *, actor: Actor, now: datetime, application_id: Id, reason: Reason, seen: Seen = None
) -> Application:
    """Take an application back before it is decided."""
    row = open_application(application_id, seen)
    require(actor, "entitlements.application.withdraw", div=row.div, elder_id=row.elder_id)
    return move(actor, now, row, "withdraw", reason=reason)


def stop_application(actor: Actor, now: datetime, row: Application) -> Application:
    """Withdraw the application of an elder who died or moved away (R-PEO-03)."""
    return withdraw_application(actor=actor, now=now, application_id=row.pk, reason=N_("去世或迁出"))


@operation("entitlements.application.recount", label=N_("重算申请时限"))
def recount_application(*, actor: Actor, now: datetime, application_id: Id) -> Application:
    """Count a provisional last day again with the calendar loaded since (X-CAL-03)."""
    row = open_application(application_id)
    require(actor, "entitlements.application.recount", div=row.div)
    if not row.is_due_provisional:
        raise Refused("application.not_provisional", N_("办理时限不是暂定的，不需要重算"))
    due = next_due(ApplicationState(row.state), row.notice, procedure_for(row, row.stage_on), row.stage_on)
    changes = changed(
        row, now=now, due_on=due.day if due else None, is_due_provisional=due.is_provisional if due else False
    )
    record(actor=actor, now=now, event="entitlements.application.recount", subject=row, changes=changes)
    return row


def next_due(
    state: ApplicationState, notice: PublicNotice | None, procedure: Procedure, since: date
) -> WorkingDeadline | None:
    """Return the last day for the step that comes next, counted from the day the state began; who waits in line has none."""
    calendar = working_calendar()
    if state == ApplicationState.NOTICED and notice is not None:
        after = act_within(calendar, notice.last_day, procedure.decide_days)
        return WorkingDeadline(after.day, after.is_provisional or calendar.is_provisional(notice.last_day))
    days = {
        ApplicationState.APPLIED: procedure.review_days,
        ApplicationState.RETURNED: procedure.complete_days,
        ApplicationState.REVIEWED: procedure.publish_days if procedure.notice_days else procedure.decide_days,
    }
    return act_within(calendar, since, days[state]) if state in days else None
