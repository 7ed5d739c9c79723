"""Which scheme an area has under a code, and how it is applied for on a day."""

from __future__ import annotations

from datetime import date

from yinling.directory.queries import ancestors
from yinling.entitlements.models import Scheme
from yinling.entitlements.procedure import Procedure
from yinling.ground.parameters import parameters
from yinling.kernel.refusals import Refused


def scheme_at(code: str, div: str) -> Scheme | None:
    """Return the active scheme of a code that is nearest to an area, up the tree."""
    rows = Scheme.objects.filter(code=code, is_active=True, div__in=[*ancestors(div), ""])
    return max(rows, key=lambda row: len(row.div), default=None)


def procedure_of(code: str, div: str, on: date) -> Procedure | None:
    """Return the procedure of a scheme in an area on a day; none if another department recognises it."""
    key = f"scheme.{code}.procedure"
    if key not in parameters().keys():  # noqa: SIM118 - a method, not a mapping
        return None
    try:
        value = parameters().value(key, div, on)
    except Refused:
        return None
    return None if value is None else Procedure.read(value)


def source_of(code: str, div: str, on: date) -> tuple[str, str]:
    """Return document and clause of a scheme's procedure, for what is kept with a decision."""
    entry = parameters().entry(f"scheme.{code}.procedure", div, on)
    return entry.document, entry.clause
