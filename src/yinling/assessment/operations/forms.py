"""The form: kept as a draft on the tablet, signed by those who were there, scored once."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from yinling.accounts.operations import record
from yinling.assessment.forms import check_beside, to_score
from yinling.assessment.inputs import AnotherDay, Answers, Declared, Facts, Informant, Signed
from yinling.assessment.models import Assessor, Form, Request
from yinling.assessment.operations.arranging import check_body
from yinling.assessment.process import scoring_settings, setting
from yinling.assessment.queries import confirmation_of, content_of, died_on, person_of
from yinling.assessment.rules import (
    Process,
    check_declared,
    check_people,
    level_code,
    needed_families,
    scores_of,
)
from yinling.assessment.scoring import Outcome, score
from yinling.assessment.scoring import scale as scale_of
from yinling.assessment.states import FORM, REQUEST
from yinling.catalogue.models import FAMILIES
from yinling.directory.rules import at_field, require, required_text
from yinling.ground.live import tell
from yinling.ground.operation import changed, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Seen
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed, Refused, Stale
from yinling.kernel.words import N_

MOST_TEXT = 400_000
"""Characters of a sealed form, pictures of the signatures included."""


@operation("assessment.form.save", label=N_("保存草稿"))
def save_form(
    *, actor: Actor, now: datetime, request_id: Id, answers: Answers, facts: Facts, seen: Seen = None
) -> Form:
    """Keep what is written so far. ``seen`` is the version of the form, 0 or nothing before it exists; nothing is scored."""
    row = _open(actor, "assessment.form.save", request_id)
    form = _form(row, now, seen)
    kept = content_of(form) | {"answers": answers, "facts": facts}
    changes = changed(form, now=now, state=FORM.target("save", form.state), **_sealed(form, kept))
    record(actor=actor, now=now, event="assessment.form.save", subject=form, changes=changes)
    return form


@operation("assessment.form.submit", label=N_("提交评估"))
def submit_form(  # noqa: PLR0913 - what a signed form consists of
    *, actor: Actor, now: datetime, request_id: Id, answers: Answers, facts: Facts, informant: Informant = "", signed: Signed,
    declared: Declared, assessed_on: AnotherDay = None, seen: Seen = None,
) -> Form:  # fmt: skip
    """Score a signed form. Who signed must have been there, be qualified on that day and be enough; an incomplete form gives no level.

    ``declared`` says what the assessors declare (``no_interest``, ``guardian_present``, ``video``) and may hold their own
    ``needed_families`` in place of the proposal.
    """
    row = _open(actor, "assessment.form.submit", request_id)
    form = _form(row, now, seen)
    today = local_date(now)
    day = assessed_on or min(row.visit_on or today, today)
    rules = _check_day(row, day, today)
    signers = _check_signers(row, signed, day, rules)
    check_declared(declared, informant, rules)
    outcome = _score(row, answers, facts, day)
    families = _families(row, answers, declared, day)
    content = {"answers": answers, "facts": facts, "declared": declared, "informant": _informant(informant)}
    changes = changed(
        form, now=now, state=FORM.target("submit", form.state), outcome=_kept(row, outcome, day), level=level_code(outcome), needed_families=families,
        assessed_on=day, submitted_at=now, **_sealed(form, content),
    )  # fmt: skip
    Assessor.objects.filter(pk__in=[one.pk for one in signers]).update(signed_at=now)
    record(actor=actor, now=now, event="assessment.form.submit", subject=form, changes=changes)
    moved = changed(row, now=now, state=REQUEST.target("submit", row.state), submitted_at=now)
    record(actor=actor, now=now, event="assessment.request.submit", subject=row, changes=moved)
    tell("assessments", pk=row.pk, div=row.div)
    return form


def _open(actor: Actor, right: str, request_id: int) -> Request:
    """Return the locked application whose form is written: only those named on it write, in their own name."""
    row = locked(Request.objects.select_related("provider", "former"), request_id)
    require(actor, right, div=row.div, provider_id=row.provider_id)
    REQUEST.target("submit", row.state)
    named = Assessor.objects.filter(request=row, capacity__in=("assessor", "expert"), staff_id=actor.staff_id or 0)
    if not named.exists():
        raise Denied("form.not_named", N_("只有这次评估指派的评估人员可以填写评估表"), right=right)
    return row


def _form(row: Request, now: datetime, seen: int | None) -> Form:
    """Return the form of an application, made when first opened."""
    form = Form.objects.select_for_update(of=("self",)).filter(request=row).first()
    if form is None:
        version = str(scale_of(row.scale)["version"])
        return Form.objects.create(
            div=row.div, request=row, elder_id=row.elder_id, provider_id=row.body_id, scale=row.scale, scale_version=version,
            created_at=now, changed_at=now,
        )  # fmt: skip
    if seen is not None and seen != form.version:
        raise Stale(
            "row.stale", N_("这条记录刚被别人修改过。您填写的内容还在，请刷新后再提交"), seen=seen, version=form.version
        )
    return form


def _sealed(form: Form, content: dict[str, Any]) -> dict[str, Any]:
    check_beside(content["facts"])
    check_beside(content["facts"])
    text = json.dumps(content, ensure_ascii=False)
    if len(text) > MOST_TEXT or "\\u0000" in text:
        raise Refused("form.too_long", N_("评估表内容过长或含有无法保存的字符，请删减"), field="answers")
    form.seal_field("answers", text)
    return {"answers_enc": form.answers_enc, "enc_suite": form.enc_suite, "enc_kid": form.enc_kid}


def _informant(text: str) -> str:
    return required_text(text, "informant", most=80) if text.strip() else ""


def _check_day(row: Request, day: date, today: date) -> Process:
    if day > today:
        raise Refused("form.in_future", N_("评估日期晚于今天，请核对"), field="assessed_on")
    died = died_on(row.elder_id)
    if died is not None and died < day:
        raise NotAllowed("elder.dead", N_("此人已登记去世，不能登记此后的评估"))
    if row.provider is None:
        raise NotAllowed("request.not_arranged", N_("申请尚未安排评估机构"))
    return check_body(row, row.provider, day)


def _check_signers(row: Request, signed: list[int], day: date, rules: Process) -> list[Assessor]:
    """Return who signed. Certificates are read again for the day of the assessment (R-ASM-05, R-ASM-06)."""
    named = {
        one.staff_id: one
        for one in Assessor.objects.filter(request=row, capacity__in=("assessor", "expert")).select_related("staff")
    }
    if set(signed) - set(named):
        raise Refused("form.stranger", N_("签名人不在这次评估的指派名单中"), field="signed")
    signers = [named[pk] for pk in dict.fromkeys(signed)]
    check_people([person_of(one.staff, one.capacity, day) for one in signers], rules, row.mode)
    return signers


def _score(row: Request, answers: dict[str, Any], facts: dict[str, Any], day: date) -> Outcome:
    form = scale_of(row.scale)
    confirmed = confirmation_of(row.scale, str(form["version"]), row.div, day)
    settings = scoring_settings(row.scale, row.div, day, confirmed_by=confirmed.confirmed_by_name if confirmed else "")
    with at_field("answers"):
        return score(row.scale, to_score(form, answers, facts, day), settings)


def _kept(row: Request, outcome: Outcome, day: date) -> dict[str, Any]:
    """Return the outcome with the settings that were used, so that it can be computed again."""
    used = {name: setting(row.scale, name, row.div, day) for name in ("stacking", "cut_offs")}
    return outcome.as_dict() | {"settings": used}


def _families(row: Request, answers: dict[str, Any], declared: dict[str, Any], day: date) -> list[str]:
    chosen = declared.get("needed_families")
    if chosen is None:
        return needed_families(scores_of(row.scale, answers), setting(row.scale, "needs", row.div, day))
    known = [code for code, _name in FAMILIES]
    if not isinstance(chosen, list) or set(map(str, chosen)) - set(known):
        raise Refused("form.family", N_("服务需求请从服务类别中选择"), field="declared")
    return [code for code in known if code in chosen]
