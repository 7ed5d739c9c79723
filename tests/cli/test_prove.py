import ast

import pytest

from yinling.cli import prove

SAMPLE = """
@given(st.integers())
def test_sum_is_kept(number): ...
@pytest.mark.slow
def test_every_pair(): ...
def test_plain(): ...
"""


def test_properties_and_long_proofs_are_found() -> None:
    assert prove.counted(ast.parse(SAMPLE)) == (1, 1)
    assert prove.counted(ast.parse("pytestmark = pytest.mark.slow\n" + SAMPLE)) == (1, 3)


def test_a_proof_is_named_by_its_file() -> None:
    assert "kernel.money" in {one.name for one in prove.proofs()}


def test_without_a_name_the_proofs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert prove.main([]) == 0
    assert "kernel.money" in capsys.readouterr().out


def test_an_unknown_proof_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert prove.main(["kernel.nothing"]) == 2
    assert "kernel.nothing" in capsys.readouterr().out
