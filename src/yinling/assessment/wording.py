"""The wording in use: the label packs of the folder ``YINLING_LABELS``, read once; a pack that does not fit stops the start."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from yinling.assessment.forms import Section, sections
from yinling.assessment.labels import LabelError, Pack, load_packs
from yinling.assessment.scoring import scale


@cache
def packs() -> dict[str, Pack]:
    """Return the packs by scale. Raises LabelError."""
    return load_packs(settings.LABELS)


def worded(scale_id: str) -> tuple[Section, ...]:
    """Return a scale as a form, in the words of its pack if there is one."""
    pack = packs().get(scale_id)
    return sections(scale(scale_id), pack.items if pack else None)


def source_of(scale_id: str) -> str:
    """Return whose words are shown: the source of the pack, or nothing for the paraphrases shipped."""
    pack = packs().get(scale_id)
    return pack.source if pack else ""


def check_packs(**_given: Any) -> Sequence[CheckMessage]:
    """Tell at start what is wrong with a pack."""
    try:
        load_packs(settings.LABELS)
    except LabelError as error:
        return [Error(str(error), id="assessment.labels")]
    return []
