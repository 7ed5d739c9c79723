"""The bench of the register: what it asks for and how it holds it against its goals."""

import pytest

from yinling.bench import pages, registry
from yinling.bench.catalogue import BENCHES
from yinling.bench.command import main
from yinling.bench.pages import PAGES, Taken, growth


def taken(middle: float) -> Taken:
    return Taken(wall=[middle] * 3, statements=[("SELECT 1", None)], database=1.0)


def test_lists_must_stay_flat_and_other_pages_are_only_told() -> None:
    lists = [page for page in PAGES if page.is_list]
    found = {figure.name: figure for page in lists for figure in growth(page, taken(10), taken(16), 1_000_000)}
    assert [name for name, figure in found.items() if not figure.holds] == [
        f"pages.{page.name}.growth" for page in lists
    ]
    assert all(figure.holds for page in lists for figure in growth(page, taken(10), taken(15), 1_000_000))
    others = [page for page in PAGES if not page.is_list]
    assert all(figure.holds for page in others for figure in growth(page, taken(10), taken(99), 1_000_000))


def test_the_bench_is_of_the_size_the_plan_asks_for() -> None:
    assert BENCHES["registry"].quick_minutes < 3
    assert (registry.FULL, registry.LOAD_RATIO, registry.LOOKUP_RATIO) == (1_900_000, 4, 3)
    assert (registry.ELDERS_A_SECOND, registry.SAMPLE, pages.FLAT) == (20_000, 2000, 1.5)


def test_only_pages_are_measured_at_another_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["loop", "--elders", "1000000"]) == 2
    assert "pages" in capsys.readouterr().err
