"""Writing who stands by an elder: contacts, representatives, consents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from django.db.models import F

from yinling.accounts.models import User
from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, period_of, require, required_text
from yinling.ground.facts import curtail
from yinling.ground.operation import explain_constraint, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, Reason
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.people.inputs import (
    Capacity,
    ContactKind,
    Day,
    LastDay,
    Name,
    Phone,
    Rank,
)
from yinling.people.models import Consent, Contact, Representative
from yinling.people.operations.elders import open_file, require_alive, set_phone

explain_constraint("representative_no_overlap", "representative.overlap", N_("此账号在这段时间已是该老年人的代理人"))


@operation("people.contact.add", label=N_("添加联系人"))
def add_contact(
    *, actor: Actor, now: datetime, elder_id: Id, kind: ContactKind, name: Name, phone: Phone, rank: Rank = 1
) -> Contact:  # fmt: skip
    """Add a person to call for an elder."""
    elder = open_file(elder_id)
    require(actor, "people.contact.add", div=elder.div)
    known_choice(kind, Contact.KINDS, "kind")
    required_text(phone, "phone")
    row = Contact(
        div=elder.div,
        elder=elder,
        kind=kind,
        name=required_text(name, "name", most=40),
        rank=rank,
        created_at=now,
        changed_at=now,
    )
    set_phone(row, phone)
    row.save(force_insert=True)
    record(
        actor=actor,
        now=now,
        event="people.contact.add",
        subject=row,
        changes={"kind": [None, kind], "rank": [None, rank]},
    )
    return row


@operation("people.contact.remove", label=N_("删除联系人"))
def remove_contact(*, actor: Actor, now: datetime, contact_id: Id, reason: Reason) -> Contact:
    """Take a contact off the file; the journal keeps that there was one."""
    row = locked(Contact.objects.all(), contact_id)
    require(actor, "people.contact.remove", div=row.div)
    why = required_text(reason, "reason", most=500)
    record(
        actor=actor, now=now, event="people.contact.remove", subject=row, changes={"kind": [row.kind, None]}, reason=why
    )
    Contact.objects.filter(pk=row.pk).delete()
    return row


@operation("people.consent.record", label=N_("登记知情同意"))
def record_consent(
    *, actor: Actor, now: datetime, elder_id: Id, purpose: Annotated[str, Input(N_("用途"), max_length=40)],
    text_version: Annotated[str, Input(N_("文本版本"), max_length=20)], given_by: Capacity,
) -> Consent:  # fmt: skip
    """Record a consent from today on; it replaces the one to an earlier text of the same purpose."""
    elder = open_file(elder_id)
    require(actor, "people.consent.record", div=elder.div)
    known_choice(given_by, Representative.CAPACITIES, "given_by")
    what, today = required_text(purpose, "purpose", most=40), local_date(now)
    version = required_text(text_version, "text_version", most=20)
    former = Consent.objects.filter(elder=elder, purpose=what, recorded_to=None).select_for_update(of=("self",))
    for row in former.exclude(valid_to__lte=today):
        curtail(row, until=today, now=now)
    consent = Consent.objects.create(
        div=elder.div,
        elder=elder,
        purpose=what,
        text_version=version,
        given_by=given_by,
        valid_from=today,
        recorded_from=now,
    )
    changes = {"purpose": [None, what], "text_version": [None, version]}
    record(actor=actor, now=now, event="people.consent.record", subject=consent, changes=changes)
    return consent


@operation("people.representative.appoint", label=N_("登记代理人"))
def appoint_representative(  # noqa: PLR0913 - the fields of the form
    *, actor: Actor, now: datetime, elder_id: Id, user_id: Annotated[int, Input(N_("账号编号"), least=1, widget="number")],
    capacity: Capacity, valid_from: Day, valid_to: LastDay = None,
    covers_health: Annotated[bool, Input(N_("可查看健康信息"), widget="check")] = False,
    proof: Annotated[str, Input(N_("证明材料"), max_length=200)] = "",
) -> Representative:  # fmt: skip
    """Let a login act for an elder, or be the elder's own. Whoever is not the elder needs a proof (R-PEO-10)."""
    elder = open_file(elder_id)
    require(actor, "people.representative.appoint", div=elder.div)
    require_alive(elder)
    known_choice(capacity, Representative.CAPACITIES, "capacity")
    if not User.objects.filter(pk=user_id, is_active=True, is_system=False).exists():
        raise Refused("user.unknown", N_("没有这个账号，请核对账号编号"), field="user_id")
    paper = proof.strip() if capacity == "self" else required_text(proof, "proof")
    days = period_of(valid_from, valid_to)
    row = Representative.objects.create(
        div=elder.div, elder=elder, user_id=user_id, capacity=capacity, covers_health=covers_health, proof=paper,
        valid_from=days.from_, valid_to=days.to, recorded_from=now,
    )  # fmt: skip
    User.objects.filter(pk=user_id).update(rights_version=F("rights_version") + 1)
    changes = {"capacity": [None, capacity], "user": [None, user_id]}
    record(actor=actor, now=now, event="people.representative.appoint", subject=row, changes=changes)
    return row


@operation("people.representative.end", label=N_("终止代理"))
def end_representative(*, actor: Actor, now: datetime, representative_id: Id, reason: Reason) -> Representative:
    """End it at once: from today the login no longer acts for the elder."""
    row = locked(Representative.objects.filter(recorded_to=None), representative_id)
    require(actor, "people.representative.end", div=row.div)
    why = required_text(reason, "reason", most=500)
    changes = curtail(row, until=min(local_date(now), row.valid_to or date.max), now=now)
    User.objects.filter(pk=row.user_id).update(rights_version=F("rights_version") + 1)
    record(actor=actor, now=now, event="people.representative.end", subject=row, changes=changes, reason=why)
    return row
