"""Writing what an elder agreed to. The texts are dated data: ``parameters/consents.yaml``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, require
from yinling.ground.facts import curtail
from yinling.ground.live import tell
from yinling.ground.models import in_force
from yinling.ground.operation import locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, OptionalReason
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.inputs import Capacity
from yinling.people.models import Consent, Elder, Representative
from yinling.people.operations.elders import open_file
from yinling.people.operations.representatives import end_access
from yinling.people.queries.acting import capacity_of, may_sign
from yinling.people.queries.consents import consent_text
from yinling.people.rules import check_signer

KIN = "family"
"""The purpose under which kin look at what is on file."""
Purpose = Annotated[str, Input(N_("用途"), max_length=40, widget="choice")]
Version = Annotated[str, Input(N_("文本版本"), help=N_("不填为现行文本"), max_length=20)]


def _check_own_capacity(actor: Actor, elder: Elder, given_by: str, now: datetime) -> None:
    """Somebody at the own screen signs as what the file says, nothing else."""
    if actor.covers(elder.div):
        return
    if actor.user_id is None or capacity_of(actor.user_id, elder.pk, local_date(now)) != given_by:
        raise Denied("consent.capacity", N_("您在档案中登记的身份不是这一种，请按登记的身份办理"))


@operation("people.consent.record", label=N_("登记知情同意"))
def record_consent(
    *, actor: Actor, now: datetime, elder_id: Id, purpose: Purpose, given_by: Capacity, text_version: Version = ""
) -> Consent:  # fmt: skip
    """Record a consent from today on, to the text in force; it replaces the one to an earlier text of the same purpose.

    Who signs for the elder must be on file for it. What the law orders needs no consent and is not recorded as one (X-PIP-01).
    """
    elder = open_file(elder_id)
    require(actor, "people.consent.record", div=elder.div, elder_id=elder.pk)
    known_choice(given_by, Representative.CAPACITIES, "given_by")
    today = local_date(now)
    text = consent_text(purpose, elder.div, today)
    if text is None or not text.needs_consent:
        raise Refused("consent.purpose", N_("请从需要本人同意的用途中选择"), field="purpose")
    if text_version.strip() not in ("", text.version):
        sentence = N_("这不是现行文本，现行版本是 %(version)s，请按现行文本征求同意")
        raise Refused("consent.version", sentence, field="text_version", version=text.version)
    check_signer(given_by, is_appointed=may_sign(elder.pk, given_by, today))
    _check_own_capacity(actor, elder, given_by, now)
    former = Consent.objects.filter(elder=elder, purpose=purpose, recorded_to=None).select_for_update(of=("self",))
    for row in former.exclude(valid_to__lte=today):
        curtail(row, until=today, now=now)
    consent = Consent.objects.create(
        div=elder.div, elder=elder, purpose=purpose, text_version=text.version, given_by=given_by, valid_from=today, recorded_from=now
    )  # fmt: skip
    changes = {"purpose": [None, purpose], "text_version": [None, text.version], "given_by": [None, given_by]}
    record(actor=actor, now=now, event="people.consent.record", subject=consent, changes=changes)
    tell("elders", pk=elder.pk, div=elder.div)
    return consent


@operation("people.consent.withdraw", label=N_("撤回同意"))
def withdraw_consent(*, actor: Actor, now: datetime, consent_id: Id, reason: OptionalReason = "") -> Consent:
    """Take a consent back from today on. No reason need be given: it is as easy as giving it (X-PIP-02).

    Without the consent that kin may look, their access ends at once.
    """
    row = locked(Consent.objects.filter(recorded_to=None), consent_id)
    require(actor, "people.consent.withdraw", div=row.div, elder_id=row.elder_id)
    today = local_date(now)
    if row.valid_to is not None and row.valid_to <= today:
        raise NotAllowed("consent.ended", N_("这项同意已经撤回，不需要再办理"))
    changes: dict[str, Any] = curtail(row, until=today, now=now)
    if row.purpose == KIN:
        kin = Representative.objects.filter(in_force(today), elder_id=row.elder_id, capacity="family")
        ended = [end_access(one, now) for one in kin.select_for_update(of=("self",))]
        changes |= {"representatives": [ended, []]}
    record(actor=actor, now=now, event="people.consent.withdraw", subject=row, changes=changes, reason=reason.strip())
    tell("elders", pk=row.elder_id, div=row.div)
    return row
