"""Surveys of the elders of an area: health and vaccination, or who is disabled (R-PEO-07)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, person_of, require, required_text
from yinling.ground.facts import curtail
from yinling.ground.live import tell
from yinling.ground.operation import operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input
from yinling.kernel.period import age_on, local_date
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.inputs import CAMPAIGN_KINDS, SURVEY_OUTCOMES, Div
from yinling.people.models import Campaign, Elder, HealthFact, SurveyAnswer
from yinling.people.operations.elders import open_file, require_alive
from yinling.people.operations.health import write_health_fact

OUTCOMES_OF = {
    "vaccination": ("done", "willing", "contraindicated", "declined", "not_reached"),
    "disability": ("disabled", "able", "not_reached"),
}
FACT_OF = {"contraindicated": "contraindication", "done": "vaccination"}
"""What an answer leaves in the health-record part."""

Title = Annotated[str, Input(N_("名称"), help=N_("如 2026年秋季流感疫苗接种摸底"), max_length=80)]
Kind = Annotated[str, Input(N_("种类"), choices=CAMPAIGN_KINDS, widget="radio")]
Item = Annotated[str, Input(N_("疫苗"), help=N_("接种摸底必须填写，如 流感疫苗；失能摸底不填"), max_length=40)]
LeastAge = Annotated[int, Input(N_("年满几周岁"), least=60, most=120, widget="number")]
FirstDay = Annotated[date, Input(N_("开始日期"), widget="date")]
FinalDay = Annotated[date, Input(N_("结束日期"), widget="date")]
Outcome = Annotated[str, Input(N_("结果"), choices=SURVEY_OUTCOMES, widget="radio")]
Told = Annotated[str, Input(N_("说明"), help=N_("有接种禁忌的必须写明，内容加密保存"), max_length=300, widget="area")]


@operation("people.campaign.make", label=N_("新建摸底"))
def make_campaign(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, name: Title, kind: Kind, item: Item = "", least_age: LeastAge = 60, starts_on: FirstDay,
    ends_on: FinalDay, div: Div,
) -> Campaign:  # fmt: skip
    """Open a survey of all living elders of an age in an area."""
    require(actor, "people.campaign.make", div=div)
    known_choice(kind, CAMPAIGN_KINDS, "kind")
    if (kind == "vaccination") != bool(item.strip()):
        raise Refused("campaign.item", N_("接种摸底请填写疫苗，失能摸底请把疫苗留空"), field="item")
    if ends_on < starts_on:
        raise Refused("campaign.dates", N_("结束日期不能早于开始日期"), field="ends_on")
    row = Campaign.objects.create(
        div=div, name=required_text(name, "name", most=80), kind=kind, item=item.strip(), least_age=least_age, starts_on=starts_on,
        ends_on=ends_on, created_at=now, changed_at=now,
    )  # fmt: skip
    changes = {"kind": [None, kind], "starts_on": [None, starts_on.isoformat()], "ends_on": [None, ends_on.isoformat()]}
    record(actor=actor, now=now, event="people.campaign.make", subject=row, changes=changes)
    return row


@operation("people.campaign.answer", label=N_("登记摸底结果"))
def answer_campaign(
    *, actor: Actor, now: datetime, campaign_id: Id, elder_id: Id, outcome: Outcome, note: Told = ""
) -> SurveyAnswer:  # fmt: skip
    """Record what an elder answered; asked again, the newer answer counts. A contraindication goes into the health-record part."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        raise Refused("campaign.unknown", N_("没有这次摸底，请从列表中选择"), field="campaign_id")
    elder = open_file(elder_id)
    require(actor, "people.campaign.answer", div=elder.div)
    _check_asked(campaign, elder, outcome, note.strip(), local_date(now))
    row = SurveyAnswer.objects.select_for_update(of=("self",)).filter(campaign=campaign, elder=elder).first()
    before = row.outcome if row else None
    row = row or SurveyAnswer(campaign=campaign, elder=elder)
    row.div, row.outcome, row.asked_by_id, row.asked_at = elder.div, outcome, person_of(actor), now
    row.seal_field("note", note.strip())
    row.save()
    _keep_fact(now, campaign, elder, before=before, outcome=outcome, note=note.strip(), body=actor.name[:80])
    changes = {"outcome": [before, outcome], "campaign": campaign.pk}
    record(actor=actor, now=now, event="people.campaign.answer", subject=row, changes=changes)
    tell("campaigns", pk=campaign.pk, div=elder.div)
    return row


def _check_asked(campaign: Campaign, elder: Elder, outcome: str, note: str, today: date) -> None:
    require_alive(elder)
    if not campaign.starts_on <= today <= campaign.ends_on:
        raise NotAllowed("campaign.closed", N_("这次摸底不在进行中，请核对起止日期"))
    if not elder.div.startswith(campaign.div) or age_on(elder.born_on, today) < campaign.least_age:
        raise Refused("campaign.not_asked", N_("此人不在这次摸底的范围内"), field="elder_id")
    known_choice(outcome, [(code, "") for code in OUTCOMES_OF[campaign.kind]], "outcome")
    if outcome == "contraindicated" and not note:
        raise Refused("campaign.note", N_("请写明是什么接种禁忌"), field="note")


def _keep_fact(
    now: datetime, campaign: Campaign, elder: Elder, *, before: str | None, outcome: str, note: str, body: str
) -> None:
    """Leave in the health-record part what the answer says, and end what an earlier answer had left there."""
    today = local_date(now)
    if before in FACT_OF:
        rows = HealthFact.objects.select_for_update(of=("self",)).filter(
            elder=elder, kind=FACT_OF[before], item=campaign.item, recorded_to=None, valid_to=None
        )
        for fact in rows.filter(valid_from__gte=campaign.starts_on):
            curtail(fact, until=today, now=now)
    if outcome in FACT_OF:
        write_health_fact(
            now=now, elder=elder, kind=FACT_OF[outcome], item=campaign.item, content=note, valid_from=today, body=body
        )
