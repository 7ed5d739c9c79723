"""What an elder, or a number, does not want to be told by message. Calls for help go out whatever was wished."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from yinling.accounts.models import WANTED, OptOut
from yinling.accounts.operations import opt_in, opt_out
from yinling.accounts.rules import bare_number
from yinling.directory.rules import known_choice, require
from yinling.ground.operation import locked, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Id, Input, OptionalReason
from yinling.kernel.refusals import NotAllowed, Refused
from yinling.kernel.words import N_
from yinling.people.operations.elders import open_file

LEAST_DIGITS, MOST_DIGITS = 5, 15
ALL = [("", N_("全部（紧急求助除外）")), *WANTED]
Kind = Annotated[str, Input(N_("消息种类"), choices=ALL, widget="choice")]


@operation("people.optout.record", label=N_("不再接收"))
def record_optout(
    *, actor: Actor, now: datetime, kind: Kind = "",
    elder_id: Annotated[int | None, Input(N_("老人编号"), least=1, widget="hidden")] = None,
    number: Annotated[str, Input(N_("手机号码"), max_length=20)] = "",
) -> OptOut:  # fmt: skip
    """Note that messages of a kind (or all) about an elder, or to a number, are not wanted."""
    known_choice(kind, ALL, "kind")
    digits = bare_number(number)
    if elder_id is None:
        require(actor, "people.optout.record", div=actor.div or "")
        if not LEAST_DIGITS <= len(digits) <= MOST_DIGITS:
            raise Refused("opt_out.number", N_("请填写完整的电话号码"), field="number")
        div, digits_kept = actor.div or "", digits
    else:
        elder = open_file(elder_id)
        require(actor, "people.optout.record", div=elder.div, elder_id=elder.pk)
        div, digits_kept = elder.div, ""
    source = "desk" if actor.covers(div) else "own"
    same = OptOut.objects.filter(elder_id=elder_id, kind=kind, to_at=None)
    if elder_id is not None and same.exists():
        raise Refused("opt_out.twice", N_("已经不接收这类消息"), field="kind")
    return opt_out(actor=actor, now=now, div=div, kind=kind, source=source, number=digits_kept, elder_id=elder_id)


@operation("people.optout.end", label=N_("恢复接收"))
def end_optout(*, actor: Actor, now: datetime, optout_id: Id, reason: OptionalReason = "") -> OptOut:
    """Have the messages sent again."""
    row = locked(OptOut.objects.all(), optout_id)
    require(actor, "people.optout.end", div=row.div, elder_id=row.elder_id)
    if row.to_at is not None:
        raise NotAllowed("opt_out.ended", N_("已经恢复接收，不需要再办理"))
    return opt_in(actor=actor, now=now, row=row, reason=reason.strip())
