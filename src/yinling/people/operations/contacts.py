"""Writing whom to call for an elder."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, require, required_text
from yinling.ground.operation import changed, locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Reason, Seen
from yinling.kernel.words import N_
from yinling.people.inputs import ContactKind, Name, Phone, Rank
from yinling.people.models import Contact
from yinling.people.operations.elders import open_file, set_phone


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


@operation("people.contact.update", label=N_("修改联系人"))
def update_contact(
    *, actor: Actor, now: datetime, contact_id: Id, kind: ContactKind, name: Name, phone: Phone = "", rank: Rank = 1, seen: Seen = None
) -> Contact:  # fmt: skip
    """Correct a contact. An empty phone keeps the one on file."""
    row = locked(Contact.objects.all(), contact_id, seen)
    require(actor, "people.contact.update", div=row.div)
    known_choice(kind, Contact.KINDS, "kind")
    values = {"kind": kind, "name": required_text(name, "name", most=40), "rank": rank}
    sealed = set_phone(row, phone) if phone.strip() else {}
    changes = changed(row, now=now, **values, **sealed) | ({"phone": ["*", "*"]} if sealed else {})
    record(actor=actor, now=now, event="people.contact.update", subject=row, changes=changes)
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
