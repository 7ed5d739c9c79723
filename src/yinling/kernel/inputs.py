"""What an operation asks for. Annotated on its arguments once; the screen's form, the API's schema and the limits come from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from yinling.kernel.words import N_


@dataclass(frozen=True)
class Input:
    """One field: Chinese label and help, limits, choices as (value, label), and how a screen shows it.

    ``widget`` is one of text, area, number, yuan, date, moment, choice, radio, check, hidden, password, photo, position.
    """

    label: str
    help: str = ""
    max_length: int = 200
    least: int | None = None
    most: int | None = None
    choices: Sequence[tuple[str, str]] = ()
    widget: str = "text"


EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
"""Days that can be meant; everything typed beyond them is a slip."""

Id = Annotated[int, Input(N_("编号"), least=1, widget="hidden")]
Seen = Annotated[int | None, Input(N_("页面版本"), least=0, widget="hidden")]
Reason = Annotated[str, Input(N_("原因"), help=N_("写明原因，审计人员会看到"), max_length=500, widget="area")]
OptionalReason = Annotated[str, Input(N_("备注"), max_length=500, widget="area")]
Note = Annotated[str, Input(N_("备注"), max_length=2000, widget="area")]
Day = Annotated[date, Input(N_("日期"), widget="date")]
Moment = Annotated[datetime, Input(N_("时间"), widget="moment")]
Key = Annotated[str, Input(N_("外部流水号"), max_length=64, widget="hidden")]


def meant_day(text: str) -> date | None:
    """Return the day that a text of an address names, or nothing where it names none that can be meant."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None
