"""Remembering how the files of a bank or payer are read, for the next one with the same headings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from yinling.accounts.operations import record
from yinling.directory.rules import known_choice, require
from yinling.ground.operation import changed, operation
from yinling.kernel.actor import Actor
from yinling.kernel.inputs import Input
from yinling.kernel.refusals import Refused
from yinling.kernel.words import N_
from yinling.settlement.models import FileLayout
from yinling.settlement.operations.ledger import wait_for
from yinling.settlement.queries.files import FIELDS
from yinling.settlement.tables import Layout, check, mark_of

LayoutSaid = Annotated[
    dict[str, Any] | None, Input(N_("对应关系"), help=N_("不填则按这种表头上次保存的对应关系读取"), max_length=60_000)
]


@operation("settlement.file_layout.save", label=N_("保存对应关系"))
def save_file_layout(
    *, actor: Actor, now: datetime, kind: Annotated[str, Input(N_("文件种类"), choices=FileLayout.KINDS, widget="choice")],
    layout: Annotated[dict[str, Any], Input(N_("对应关系"), max_length=60_000)],
) -> FileLayout:  # fmt: skip
    """Remember how files of a kind with these headings are read in the actor's area. Books nothing."""
    if not actor.div:
        raise Refused("remittance.nobody", N_("请用管辖一个区划的财务角色导入"))
    require(actor, "settlement.file_layout.save", div=actor.div)
    known_choice(kind, FileLayout.KINDS, "kind")
    said = Layout.from_json(layout, FIELDS[kind])
    check(said, FIELDS[kind])
    mark = mark_of([*said.columns])
    wait_for(f"layout:{actor.div}:{kind}:{mark}")
    row = FileLayout.objects.select_for_update().filter(div=actor.div, kind=kind, heads=mark).first()
    before = Layout.from_json({"words": row.words}, FIELDS[kind]).words if row else {}
    words = {name: {**before.get(name, {}), **said.words.get(name, {})} for name in {*before, *said.words}}
    values: dict[str, Any] = {"columns": dict(said.columns), "words": words}
    if row is None:
        row = FileLayout.objects.create(div=actor.div, kind=kind, heads=mark, created_at=now, changed_at=now, **values)
        old: dict[str, Any] = {}
    else:
        old = changed(row, now=now, **values)
    # Words may be names of persons: the journal says only how many there are.
    count = sum(len(one) for one in words.values())
    changes = {
        "columns": old.get("columns", [None, values["columns"]]),
        "words": [sum(len(one) for one in before.values()), count],
    }
    record(actor=actor, now=now, event="settlement.file_layout.save", subject=row, changes=changes)
    return row
