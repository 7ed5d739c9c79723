"""An assessment on paper: parts A (basic data), B (items with their answers) and C (report), filled or blank, masked or in clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from yinling.assessment.forms import EVENTS, counted_events
from yinling.assessment.inputs import MODES, REASONS
from yinling.assessment.models import Request
from yinling.assessment.report import Report, report
from yinling.kernel.masks import mask_address, mask_name
from yinling.web.queries.sheet import Sheet, sex_of
from yinling.web.queries.wordings import ScaleWords
from yinling.web.show import tr

Signature = tuple[str, str, str, datetime | None]
MANY = 3
"""The last box of the form: three times and more."""


@dataclass(frozen=True)
class Paper(ScaleWords):
    """What is printed of one scale; a blank one has no row."""

    scale_id: str
    row: Request | None = None
    shows_answers: bool = True
    is_clear: bool = False
    is_concluded: bool = False
    picked: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, Any] = field(default_factory=dict)
    informant: str = ""
    assessed_on: date | None = None
    outcome: Mapping[str, Any] = field(default_factory=dict)
    signatures: tuple[Signature, ...] = ()
    modes = MODES
    reasons = REASONS

    @property
    def results(self) -> list[str]:
        """The boxes of the conclusion: the levels of the scale, or what it may say instead."""
        return [level["zh"] for level in self.form.get("levels", [])] or list(self.form.get("results", {}).values())

    @property
    def event_answers(self) -> list[str]:
        """The boxes of each kind of event."""
        return list(self.form["facts"][EVENTS]["answers"])

    @cached_property
    def events(self) -> Mapping[str, int]:
        """How often each kind happened in the days that count."""
        if "events" in self.held and self.assessed_on:
            return counted_events(self.form, self.held["events"], self.assessed_on)
        found: Mapping[str, int] = self.held.get(EVENTS, {})
        return found

    def event_mark(self, kind: str) -> int:
        """Return which box is ticked."""
        return min(MANY, self.events.get(kind, 0))

    @property
    def is_filled(self) -> bool:
        """Whether part A is known: nobody's boxes are ticked on a blank sheet."""
        return self.row is not None and self.shows_answers

    @property
    def report(self) -> Report | None:
        """Part C, once there is an outcome."""
        return report(self.form, self.outcome) if self.outcome else None

    @property
    def notes(self) -> str:
        """What the assessors added."""
        return str(self.held.get("notes", ""))

    @property
    def name(self) -> str:
        """The elder's name, masked unless printed with a reason."""
        if self.row is None:
            return ""
        return self.row.elder_name if self.is_clear else mask_name(self.row.elder_name)

    @property
    def address(self) -> str:
        """The address, masked likewise."""
        if self.row is None:
            return ""
        return self.row.address if self.is_clear else mask_address(self.row.address)

    @property
    def born(self) -> str:
        """The day of birth; only the year while masked."""
        if self.row is None:
            return ""
        return self.row.born_on.isoformat() if self.is_clear else f"{self.row.born_on:%Y}"

    @property
    def sex(self) -> str:
        """The word for the sex."""
        return sex_of(self.row) if self.row else ""

    @property
    def body(self) -> str:
        """The assessing organisation."""
        return self.row.provider.name if self.row and self.row.provider else ""


def blank(scale_id: str) -> Paper:
    """Return an empty sheet with places for two assessors, a reviewer and the informant."""
    places = (_("评估员"), _("评估员"), _("复核人"), _("信息提供者"))
    return Paper(scale_id, signatures=tuple((label, "", "", None) for label in places))


def paper_of(sheet: Sheet, *, is_clear: bool) -> Paper:
    """Return a sheet as filled. Not in clear: name and address masked, no answers, no diagnoses, no notes, no pictures."""
    row, form = sheet.file.request, sheet.file.form
    content: dict[str, Any] = sheet.content if is_clear else {"answers": {}, "facts": {}, "informant": ""}
    pictures = content["facts"].get("signatures", {})
    people = [
        (tr(one.get_capacity_display()), one.staff_name, pictures.get(str(one.staff_id), ""), one.signed_at)
        for one in sheet.file.people
    ]
    return Paper(
        row.scale, row=row, shows_answers=is_clear, is_clear=is_clear, is_concluded=row.state == "done",
        picked=sheet.picked if is_clear else {}, held=content["facts"], informant=content["informant"],
        assessed_on=form.assessed_on if form else None, outcome=form.outcome if form else {},
        signatures=(*people, (_("信息提供者"), content["informant"], pictures.get("informant", ""), None)),
    )  # fmt: skip
