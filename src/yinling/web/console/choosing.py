"""Whom a form is about, on pages of roles that have no files of elders to come from: found by a search, named in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from yinling.kernel.refusals import Refused
from yinling.people.models import Elder
from yinling.people.queries import find_elders
from yinling.people.rules import elder_code
from yinling.web.console.tickets import row_of
from yinling.web.show import refusal_text

FOUND = 10


@dataclass(frozen=True)
class Choice:
    """The elder who was chosen, or who fits what was typed. Names are shown masked: two of them tell people apart by area and phone."""

    elder: Elder | None
    text: str = ""
    found: Sequence[Elder] = ()
    problem: str = ""

    @staticmethod
    def code(elder: Elder) -> str:
        """The number of an elder as people read it aloud."""
        return elder_code(elder.pk)


def elder_choice(request: Any) -> Choice:
    """Read ``?elder=`` and ``?q=`` of the address."""
    elder = row_of(Elder.objects.visible_to(request.actor), request.GET.get("elder"))
    text = request.GET.get("q", "").strip()[:60]
    if elder is not None or not text:
        return Choice(elder)
    try:
        return Choice(None, text, find_elders(request.actor, text, limit=FOUND))
    except Refused as refusal:
        return Choice(None, text, problem=refusal_text(refusal))
