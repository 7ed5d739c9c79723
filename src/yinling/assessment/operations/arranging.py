"""Who goes: the organisation by contract, its people by their certificates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from yinling.accounts.operations import record
from yinling.assessment.inputs import Body, Expert, People, Place, VisitOn
from yinling.assessment.models import Assessor, Form, Request
from yinling.assessment.process import process
from yinling.assessment.queries import commission_of, people_of, serves_area
from yinling.assessment.rules import Person, Process, check_independence, qualified_by
from yinling.assessment.states import REQUEST, RequestState
from yinling.directory.models import Organisation, Site
from yinling.directory.rules import require
from yinling.ground.live import tell
from yinling.ground.operation import changed, explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_

explain_constraint("assessor_once", "assessor.twice", N_("同一人在一次评估中只能承担一项职责"))
CAPABLE = "assessment"


@operation("assessment.request.arrange", label=N_("安排评估"))
def arrange_request(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, request_id: Id, organisation_id: Body, visit_on: VisitOn, assessors: People, expert_id: Expert = None,
    site_id: Place = None, seen: Seen = None,
) -> Request:  # fmt: skip
    """Give a verified application to an organisation for a day; its people may be named now or by the organisation."""
    row = locked(Request.objects.select_related("former"), request_id, seen)
    require(actor, "assessment.request.arrange", div=row.div)
    target = REQUEST.target("arrange", row.state)
    if visit_on < local_date(now):
        raise Refused("request.in_past", N_("评估日期已过，请另选日期"), field="visit_on")
    body = Organisation.objects.filter(pk=organisation_id).first()
    if body is None:
        raise Refused("organisation.unknown", N_("没有这个机构，请从列表中选择"), field="organisation_id")
    check_body(row, body, visit_on)
    site = _site(row, site_id)
    drop_people(row, keep_form=row.provider_id == body.pk)
    values = {"state": target, "provider": body, "site": site, "visit_on": visit_on, "arranged_at": now}
    changes = changed(row, now=now, **values)
    named = name_people(row, assessors, expert_id, now)
    changes["assessors"] = [None, named]
    record(actor=actor, now=now, event="assessment.request.arrange", subject=row, changes=changes)
    tell("assessments", pk=row.pk, div=row.div)
    return row


@operation("assessment.request.assign", label=N_("指派评估员"))
def assign_assessors(
    *, actor: Actor, now: datetime, request_id: Id, assessors: People, expert_id: Expert = None, seen: Seen = None
) -> Request:
    """Name who goes; the organisation does this itself where the centre did not."""
    row = locked(Request.objects.select_related("former"), request_id, seen)
    require(actor, "assessment.request.assign", div=row.div, provider_id=row.provider_id)
    if row.state != RequestState.ARRANGED:
        raise NotAllowed("request.not_arranged", N_("申请尚未安排或已评估，不能再指派评估员"))
    drop_people(row, keep_form=True)
    changes = changed(row, now=now) | {"assessors": [None, name_people(row, assessors, expert_id, now)]}
    record(actor=actor, now=now, event="assessment.request.assign", subject=row, changes=changes)
    tell("assessments", pk=row.pk, div=row.div)
    return row


def check_body(row: Request, body: Organisation, on: date) -> Process:
    """Refuse an organisation that is not commissioned on a day, serves those it would judge, or judged this before (R-ASM-04)."""
    rules = process(row.scale, row.div, on)
    contract = commission_of(body.pk, row.scale, row.div, on)
    if rules.commission and contract is None:
        raise Refused(
            "commission.missing", N_("该机构在 %(day)s 没有有效的评估委托和资质，请先登记委托或另选机构"), day=on.isoformat(),
            field="organisation_id",
        )  # fmt: skip
    serves = serves_area(body, row.home_div, on)
    check_independence(
        rules, row.mode, serves_area=serves, delivers_care=contract is not None and contract.delivers_care
    )
    if row.reason == "appeal" and row.former is not None and row.former.provider_id == body.pk:
        raise Refused("request.first_body", N_("复评须由原机构以外的机构进行，请另选机构"), field="organisation_id")
    return rules


def first_people(row: Request) -> set[int]:
    """Return who took part in the assessment that is appealed."""
    if row.reason != "appeal" or row.former is None or row.former.request_id is None:
        return set()
    return set(Assessor.objects.filter(request_id=row.former.request_id).values_list("staff_id", flat=True))


def _site(row: Request, site_id: int | None) -> Site | None:
    """Return the fixed point; it must be able to assess (R-ASM-13)."""
    if row.mode != "fixed":
        return None
    site = Site.objects.filter(pk=site_id or 0).first()
    if site is None:
        raise Refused("request.no_site", N_("定点评估请选择评估地点"), field="site_id")
    if CAPABLE not in site.capabilities:
        raise Refused("site.not_capable", N_("该站点没有能力评估功能，请另选地点"), field="site_id")
    return site


def drop_people(row: Request, *, keep_form: bool) -> None:
    """Take back who was named; what another organisation had written in the form goes with it."""
    Assessor.objects.filter(request=row).delete()
    if not keep_form:
        Form.objects.filter(request=row).delete()


def name_people(row: Request, assessors: list[int], expert_id: int | None, now: datetime) -> list[int]:
    """Name people of the organisation for the day, each once, with the certificate that lets them assess (R-ASM-05)."""
    wanted = dict.fromkeys(assessors, "assessor") | ({expert_id: "expert"} if expert_id else {})
    day = row.visit_on or local_date(now)
    known = {one.staff_id: one for one in people_of(row.body_id, row.div, day)}
    rules, excluded = process(row.scale, row.div, day), first_people(row)
    for pk, capacity in wanted.items():
        if pk not in known:
            raise Refused("assessor.unknown", N_("所选人员不在该机构，请从列表中选择"), field="assessors")
        person = replace(known[pk], capacity=capacity)
        if pk in excluded:
            raise Refused(
                "request.first_people", N_("%(name)s 参加过原评估，复评须回避"), name=person.name, field="assessors"
            )
        held = qualified_by(person, rules)
        Assessor.objects.create(
            div=row.div, request=row, elder_id=row.elder_id, provider_id=row.body_id, staff_id=pk, capacity=capacity,
            staff_name=person.name, qualification=qualification_text(person, held), assigned_at=now,
        )  # fmt: skip
    return sorted(wanted)


def qualification_text(person: Person, kind: str) -> str:
    """Return the certificate as the result shows it: its kind, and the level of skill of a care worker."""
    return f"{kind}:{person.skill_level}" if kind == "care_worker" else kind
