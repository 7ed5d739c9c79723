import json

import pytest

from yinling.bench.catalogue import BENCHES, SEED
from yinling.bench.command import main
from yinling.bench.figures import Figure, circumstances, quantile, report, table
from yinling.demo import load


@pytest.mark.parametrize(
    ("figure", "holds", "goal"),
    [
        (Figure("a", 8, "次", most=8), True, "<= 8"),
        (Figure("a", 9, "次", most=8), False, "<= 8"),
        (Figure("a", 1.9, "/s", least=2), False, ">= 2"),
        (Figure("a", 2, "/s", least=2), True, ">= 2"),
        (Figure("a", 5, "ms"), True, ""),
    ],
)
def test_a_figure_is_held_against_its_goal(figure: Figure, *, holds: bool, goal: str) -> None:
    assert (figure.holds, figure.goal) == (holds, goal)


def test_the_report_is_a_list_of_figures_with_what_they_were_taken_under() -> None:
    rows = json.loads(json.dumps(report([Figure("a", 1, "ms", "y", most=2)], circumstances(seed=7, quick=True))))
    assert {name: rows[0][name] for name in ("name", "value", "unit", "yardstick", "goal", "holds", "seed", "quick")} == {
        "name": "a", "value": 1, "unit": "ms", "yardstick": "y", "goal": "<= 2", "holds": True, "seed": 7, "quick": True,
    }  # fmt: skip
    assert set(rows[0]) - {"machine", "versions"} == {
        "name",
        "value",
        "unit",
        "yardstick",
        "goal",
        "holds",
        "seed",
        "quick",
    }
    assert "cores" in rows[0]["machine"]
    assert "django" in rows[0]["versions"]


def test_the_table_marks_a_missed_goal() -> None:
    lines = table(
        [Figure("快", 1, "ms", most=2), Figure("slow", 3, "ms", most=2), Figure("free", 3, "ms")]
    ).splitlines()
    assert [line[0] for line in lines[1:]] == ["✓", "✗", "·"]


def test_quantiles() -> None:
    assert quantile([3], 0.95) == 3
    assert quantile(list(range(1, 102)), 0.5) == 51
    assert quantile(list(range(1, 102)), 0.95) == 96


def test_without_a_name_all_benches_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert [name for name in BENCHES if f"  {name} " not in printed] == []


def test_an_unknown_bench_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    assert "nothing" in capsys.readouterr().err


def test_the_seed_is_that_of_the_demo_city() -> None:
    assert load.SEED == SEED
