"""The generated reference tells the truth, and links between pages lead somewhere."""

import re
import tomllib

from tests.shape.houses import tracked_files

from yinling.cli.docs import check
from yinling.cli.paths import ROOT

NAME = re.compile(r"[a-z0-9-]+")
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


def test_every_dependency_has_its_line_in_a_decision() -> None:
    names = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    said = "\n".join(path.read_text("utf-8").lower() for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [name for name in names if NAME.findall(name.lower())[0] not in said] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text("utf-8")))
    assert listed == {path.name for path in folder.glob("0*.md")}
