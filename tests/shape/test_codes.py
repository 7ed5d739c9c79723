"""Numbers that people read aloud: no two kinds of rows have numbers that look alike."""

import re
from pathlib import Path

import yinling

CODE = re.compile(r'return f"([A-Z]{1,2})-\{[^{}]+:(%y%m(?:%d)?)\}')


def test_every_kind_of_row_has_numbers_of_its_own() -> None:
    files = [path for path in Path(yinling.__file__).parent.rglob("*.py") if "models" in str(path)]
    found = [code for path in sorted(files) for code in CODE.findall(path.read_text("utf-8"))]
    assert len(found) > 10
    assert sorted(found) == sorted(set(found))
