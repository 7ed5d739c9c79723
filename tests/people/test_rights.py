"""Who may do what with a file: the whole matrix of roles, tried."""

from typing import Any

import pytest
from tests.factories import NOW, TODAY, actor, make_area_tree, make_elder

from yinling.directory.roles import ROLES
from yinling.ground.scope import scope
from yinling.kernel.refusals import Denied, Refusal
from yinling.people.operations import bury_elder, correct_death, record_circumstance, reveal_elder, update_elder

pytestmark = pytest.mark.usefixtures("wide")
KEEPERS = {"seat", "station", "community", "street", "district"}
ALL = [code for code in ROLES if code != "system"]


@pytest.mark.req("R-ROL-07")
@pytest.mark.parametrize("role", ALL)
def test_the_matrix_of_the_file(role: str) -> None:
    make_area_tree()
    elder = make_elder()
    one = actor(role, elders=(elder,) if ROLES[role].anchor == "self" else ())
    common: dict[str, Any] = {"actor": one, "now": NOW, "elder_id": elder.pk}
    attempts = {
        "update": lambda: update_elder(name="王秀莲", sex="2", born_on=elder.born_on, **common),
        "circumstance": lambda: record_circumstance(kind="dibao", valid_from=TODAY, body="民政局", **common),
        "reveal": lambda: reveal_elder(reason="核对", **common),
        "bury": lambda: bury_elder(died_on=TODAY, evidence="证明", **common),
        "correct": lambda: correct_death(reason="登记错人", **common),
    }
    done = set()
    with scope(one):
        for name, attempt in attempts.items():
            try:
                attempt()
            except Refusal as refusal:
                assert isinstance(refusal, Denied) or refusal.status == 404  # noqa: PT017 - both ways of saying no
            else:
                done.add(name)
    expected = {"update", "circumstance", "bury"} if role in KEEPERS else set()
    expected |= {"correct"} if role in {"street", "district"} else set()
    expected |= (
        {"circumstance", "bury", "correct"} if role == "city" else set()
    )  # what a sheet of the whole city writes
    assert done == expected | ({"reveal"} if role in {"seat", "line_leader"} else set())
