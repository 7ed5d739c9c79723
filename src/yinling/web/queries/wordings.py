"""What screen and paper share of a scale: its questions, facts and risk events, in the words in use."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from yinling.assessment.forms import EVENTS, Fact, Section, event_kinds, facts_of
from yinling.assessment.scoring import scale
from yinling.assessment.wording import source_of, worded


class ScaleWords:
    """Mixed into what has a ``scale_id``."""

    scale_id: Any

    @cached_property
    def form(self) -> dict[str, Any]:
        """The scale as data."""
        return scale(self.scale_id)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The questions in the words in use."""
        return worded(self.scale_id)

    @property
    def source(self) -> str:
        """Whose words they are."""
        return source_of(self.scale_id)

    @property
    def facts(self) -> list[Fact]:
        """The yes/no facts beside the items."""
        return facts_of(self.form)

    @property
    def kinds(self) -> dict[str, str]:
        """The risk events that count."""
        return event_kinds(self.form)

    @property
    def events_label(self) -> str:
        """What they are called on this form."""
        return str(self.form["facts"][EVENTS]["zh"]) if self.kinds else ""
