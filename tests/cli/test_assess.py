"""`./run assess` scores a file of worked examples."""

import json
from pathlib import Path

import pytest

from yinling.cli.account import Unusable
from yinling.cli.assess import main

ONE = "cases:\n- {id: a, scale: cq6, input: {achieved: [true, true, true, true, true, true]}, expect: {level: full}}\n"
WRONG = "- {id: b, scale: cq6, input: {achieved: [true]}, expect: {level: full}}\n"


def test_rows_are_printed_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(ONE)
    assert main([str(file), "--json"]) == 0
    assert [(row["id"], row["ok"]) for row in json.loads(capsys.readouterr().out)] == [("a", True)]


def test_a_difference_fails_and_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(ONE + WRONG)
    assert main([str(file)]) == 1
    assert "✗ b" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "cases: 3", "cases:\n- {id: a}\n", "{"])
def test_a_file_of_another_form_is_explained(tmp_path: Path, content: str) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(content)
    with pytest.raises(Unusable, match=r"Cannot read|lacks"):
        main([str(file)])
