"""The generated reference tells the truth, and links between pages lead somewhere."""

import re

from tests.shape.houses import tracked_files

from yinling.cli.docs import check
from yinling.cli.paths import ROOT

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def test_generated_pages_equal_the_code() -> None:
    assert check() == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in tracked_files()
        if path.suffix == ".md"
        for target in LINK.findall(path.read_text("utf-8"))
        if not (path.parent / target).exists()
    ]
    assert broken == []
