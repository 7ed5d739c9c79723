"""Files that are read first without anything counting, then booked with one button: answers of payers and banks, receipts."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from yinling.kernel.refusals import Refusal, Refused
from yinling.kernel.words import N_
from yinling.settlement.files import MOST_BYTES
from yinling.web.show import refusal_text

MOST_FAULTS = 100


@dataclass
class Upload:
    """What the page shows of a file: its preview or why there is none, and the file itself for the button that books it."""

    shown: Any = None
    problem: str = ""
    status: int = 200
    content: str = ""
    name: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    """Further fields that the button sends."""

    @property
    def problems(self) -> list[Any]:
        """The first faults of the file."""
        return list(self.shown.problems[:MOST_FAULTS]) if self.shown else []


def upload(
    request: Any, preview: Callable[[bytes], Any], load: Callable[[str, str], object], **kept: str
) -> Upload | None:
    """Read the file of a form, or book it; nothing is returned when it is booked. ``load`` takes its content as base64 and its name."""
    answer = Upload(kept=kept)
    if request.method != "POST":
        return answer
    try:
        data, answer.name = _uploaded(request)
        answer.content = base64.b64encode(data).decode()
        if request.POST.get("then") == "load":
            load(answer.content, answer.name)
            return None
        answer.shown = preview(data)
    except Refusal as refusal:
        answer.problem, answer.status = refusal_text(refusal), refusal.status
    return answer


def _uploaded(request: Any) -> tuple[bytes, str]:
    """Return the file of a form, as sent or as shown before."""
    file = request.FILES.get("file")
    if file is None:
        kept = request.POST.get("content", "")
        if not kept:
            raise Refused("file.missing", N_("请选择文件"), field="content")
        try:
            return base64.b64decode(kept, validate=True), request.POST.get("name", "")[:200]
        except ValueError as error:
            raise Refused("file.broken", N_("文件没有传完整，请重新上传"), field="content") from error
    if file.size > MOST_BYTES:
        raise Refused("file.too_large", N_("文件超过 8 MB，请拆成几个文件"), field="content")
    return file.read(), file.name[:200]
