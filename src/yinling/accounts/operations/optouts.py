"""What people do not want to get: by an answer to a message, at the desk, or in one's own pages. Calls for help always go out."""

from __future__ import annotations

from datetime import datetime

from yinling.accounts.models import Notice, OptOut
from yinling.accounts.operations.journal import record
from yinling.accounts.ports import Reply
from yinling.accounts.queries import number_index
from yinling.accounts.rules import bare_number, wish_of
from yinling.ground.operation import explain_constraint
from yinling.kernel.actor import Actor
from yinling.kernel.words import N_

CITY = 4
"""Characters of a city's division."""
explain_constraint("opt_out_once_number", "opt_out.twice", N_("这个号码已经退订这类消息"))
explain_constraint("opt_out_once_elder", "opt_out.twice", N_("这位老人已经不接收这类消息"))


def opt_out(
    *, actor: Actor, now: datetime, div: str, kind: str = "", source: str, number: str = "", elder_id: int | None = None
) -> OptOut:
    """Note that a number, or an elder, wants no messages of a kind, or (empty) of any."""
    index = number_index(number) if number else None
    row = OptOut(div=div, elder_id=elder_id, address_index=index, kind=kind, source=source, from_at=now)
    row.seal_field("address", bare_number(number) if number else "")
    row.save(force_insert=True)
    said = {"kind": [None, kind], "source": [None, source]}
    record(actor=actor, now=now, event="people.optout.record", subject=row, changes=said)
    return row


def opt_in(*, actor: Actor, now: datetime, row: OptOut, reason: str = "") -> OptOut:
    """End such a wish."""
    row.to_at = now
    row.save(update_fields=["to_at"])
    record(
        actor=actor, now=now, event="people.optout.end", subject=row, changes={"to_at": [None, str(now)]}, reason=reason
    )
    return row


def take_reply(actor: Actor, reply: Reply, *, now: datetime) -> int:
    """Follow TD or 退订 (and DY or 恢复) from a number in the cities of the actor's area that wrote to it; return how many it concerned."""
    wish, index = wish_of(reply.text), number_index(reply.number)
    if not wish:
        return 0
    if wish == "back":
        rows = OptOut.objects.within(actor.div or "").filter(address_index=index, to_at=None)
        return len([opt_in(actor=actor, now=now, row=row) for row in rows.select_for_update(of=("self",))])
    written = Notice.objects.within(actor.div or "").filter(address_index=index)
    known = OptOut.objects.within(actor.div or "").filter(address_index=index, kind="", to_at=None)
    cities = sorted(
        {div[:CITY] for div in written.values_list("div", flat=True).distinct()}
        - set(known.values_list("div", flat=True))
    )
    return len([opt_out(actor=actor, now=now, div=div, source="reply", number=reply.number) for div in cities])
