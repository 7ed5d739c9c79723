"""The sheet of one assessment: the scale in its words, what is stored so far, who signs, what they declare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from yinling.assessment.forms import picked_of
from yinling.assessment.inputs import DECLARED
from yinling.assessment.models import Assessor, Request
from yinling.assessment.process import process
from yinling.assessment.queries import RequestFile, content_of
from yinling.kernel.words import N_
from yinling.people.models import Elder
from yinling.web.queries.wordings import ScaleWords

OF_NOBODY: dict[str, Any] = {"answers": {}, "facts": {}, "declared": {}, "informant": ""}


@dataclass(frozen=True)
class Sheet(ScaleWords):
    """One assessment as a form."""

    file: RequestFile

    @property
    def scale_id(self) -> str:
        """Which scale is used."""
        return self.file.request.scale

    @property
    def name(self) -> str:
        """The scale's Chinese name."""
        return str(self.form["zh"])

    @property
    def wordless(self) -> bool:
        """Whether the questions have numbers only, because their words belong to somebody else."""
        return not any(question.text for section in self.sections for question in section.questions)

    @property
    def beside(self) -> str:
        """What stands beside the items is called."""
        return N_("诊断、风险事件和备注") if self.facts or self.kinds else N_("备注")

    @property
    def ends(self) -> dict[str, Any] | None:
        """The answer that ends the form early, where the scale has one."""
        return {"code": self.form["coma_item"], "value": self.form["coma_score"]} if "coma_score" in self.form else None

    @cached_property
    def content(self) -> dict[str, Any]:
        """What is stored: answers, facts, declarations, informant."""
        return content_of(self.file.form) if self.file.form else dict(OF_NOBODY)

    @property
    def picked(self) -> dict[str, int]:
        """Which option was taken, by item."""
        return picked_of(self.form, self.content["answers"])

    def assessed_on(self, today: date) -> date:
        """The day of the assessment: as signed, else as arranged, never later than today."""
        form, planned = self.file.form, self.file.request.visit_on
        return (form and form.assessed_on) or min(planned or today, today)

    def stored(self, today: date) -> dict[str, Any]:
        """What the page starts from."""
        row = self.file.form
        content = {key: self.content[key] for key in ("answers", "facts", "declared", "informant")}
        return content | {
            "id": self.file.request.pk, "version": row.version if row else 0, "picked": self.picked, "dirty": False, "queued": None,
            "assessed_on": self.assessed_on(today).isoformat(),
        }  # fmt: skip

    def declarations(self, on: date) -> dict[str, str]:
        """What those who sign must declare for this scale."""
        wanted = process(self.scale_id, self.file.request.div, on).declarations
        return {key: text for key, text in DECLARED.items() if key in wanted}

    @property
    def signers(self) -> list[Assessor]:
        """Those who assess, in the order they were named."""
        return self.file.on_site


def sex_of(row: Request) -> str:
    """Return the word for the copied sex of an application."""
    return dict(Elder.SEXES).get(row.elder_sex, "")
