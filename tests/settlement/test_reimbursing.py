"""What of an invoice is paid back: the table of cases, and what always holds."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from yinling.settlement.reimbursing import DONE, NOT_APPLICABLE, OUTCOMES, PRESENT, Line, reckon

TABLE = yaml.safe_load((Path(__file__).parents[1] / "cases" / "reimbursements.yaml").read_text("utf-8"))
BASE = TABLE["base"]


def lines_of(rows: list[Any]) -> list[Line]:
    named = {row[0] for row in rows if row != "ALL"}
    found = [
        Line(code, "x", code in BASE, outcome, fen) for code, outcome, fen in (row for row in rows if row != "ALL")
    ]
    return found + (
        [Line(code, "x", is_base=True, outcome=PRESENT) for code in BASE if code not in named] if "ALL" in rows else []
    )


@pytest.mark.req("R-MOD-03", "R-MOD-05", "D-10")
@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_subsidy_and_own_part(case: dict[str, Any]) -> None:
    found = reckon(
        lines_of(case["lines"]), BASE, TABLE["cap"], strict=case.get("strict", False), borne_fen=case.get("borne", 0)
    )
    assert (found.actual_fen, found.subsidy_fen, found.self_fen) == (case["actual"], case["subsidy"], case["self"])
    assert list(found.open_base) == case.get("open", [])


@pytest.mark.req("R-MOD-02")
def test_the_kind_of_an_item_decides_who_may_pay_it() -> None:
    rows = [*lines_of([["1", DONE, 500], "ALL"]), Line("3", "x", is_base=False, amount_fen=300)]
    with_all = {one.item: one.is_eligible for one in reckon(rows, BASE, 200000, strict=False).lines}
    assert (with_all["1"], with_all["3"]) == (True, True)
    without = reckon([one for one in rows if one.item in ("1", "3")], BASE, 200000, strict=False)
    assert {one.item: (one.is_eligible, bool(one.why)) for one in without.lines} == {
        "1": (True, False),
        "3": (False, True),
    }


ITEM = st.integers(1, 30).map(str)
LINE = st.builds(
    lambda item, outcome, fen: Line(item, "x", item in BASE, outcome if item in BASE else DONE, fen if outcome == DONE else 0),
    ITEM, st.sampled_from([code for code, _ in OUTCOMES]), st.integers(0, 500_000),
)  # fmt: skip


@pytest.mark.req("R-MOD-05")
@given(
    rows=st.lists(LINE, max_size=30, unique_by=lambda one: one.item), cap=st.integers(0, 400_000), strict=st.booleans(),
    borne=st.integers(0, 400_000),
)  # fmt: skip
def test_subsidy_and_own_part_add_up_and_never_pass_the_cap(
    rows: list[Line], cap: int, *, strict: bool, borne: int
) -> None:
    found = reckon(rows, BASE, cap, strict=strict, borne_fen=borne)
    assert found.subsidy_fen + found.self_fen == found.actual_fen
    assert 0 <= found.subsidy_fen <= min(cap, found.eligible_fen)
    assert found.eligible_fen <= found.actual_fen <= found.invoice_fen
    assert found.self_fen >= 0
    assert found.subsidy_fen + min(borne, found.invoice_fen) <= found.invoice_fen
    if found.open_base:
        assert not any(one.is_eligible for one in found.lines if not one.is_base)
    again = reckon(found.lines, BASE, cap, strict=strict, borne_fen=borne)
    assert again == found


def test_strict_leaves_not_applicable_open() -> None:
    rows = [Line(code, "x", is_base=True, outcome=NOT_APPLICABLE) for code in BASE]
    assert reckon(rows, BASE, 1, strict=True).open_base == tuple(BASE)
    assert reckon(rows, BASE, 1, strict=False).open_base == ()
