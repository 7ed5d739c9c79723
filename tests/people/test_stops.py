"""What becomes of an order after a death, a move or a stay away: every case that an official can read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
import yaml

from yinling.cli.paths import ROOT
from yinling.kernel.period import ONE_DAY, SHANGHAI
from yinling.kernel.refusals import Refused
from yinling.people.rules import hour_of_death
from yinling.people.stops import DEATH, Stop, cause_of, end_of_life, fate_of, stop_of

CASES: list[dict[str, Any]] = yaml.safe_load((ROOT / "tests/cases/stops.yaml").read_text("utf-8"))["cases"]


def moment(value: Any) -> datetime:
    return datetime.fromisoformat(str(value)).replace(tzinfo=SHANGHAI)


def stops_in(case: dict[str, Any]) -> list[Stop]:
    found = []
    if "died_on" in case:
        died_on: date = case["died_on"]
        died_at = moment(f"{died_on} {case['died_at']}") if "died_at" in case else None
        found.append(Stop(DEATH, cause_of(1), end_of_life(died_on, died_at)))
    for kind in ("moved_away", "in_hospital", "in_institution"):
        if kind in case:
            last = case[kind].get("last")
            found.append(stop_of(kind, cause_of(2), (case[kind]["from"], last and last + ONE_DAY)))
    return found


@pytest.mark.req("R-PEO-03")
@pytest.mark.parametrize("case", CASES, ids=[case["title"] for case in CASES])
def test_every_case_of_the_table_comes_out_as_written(case: dict[str, Any]) -> None:
    order = case["order"]
    fate = fate_of(
        state=order["state"], starts_at=moment(order["starts_at"]), now=moment(case["now"]), stops=stops_in(case)
    )
    assert fate.verb == case["expect"]
    assert bool(fate.cause) == (fate.stop is not None)


def test_providers_read_that_nobody_is_at_home_and_never_that_somebody_is_ill() -> None:
    stop = stop_of("in_hospital", cause_of(3), (date(2026, 6, 15), None))
    fate = fate_of(state="placed", starts_at=moment("2026-06-16 10:00"), now=moment("2026-06-15 10:00"), stops=[stop])
    assert (fate.reason, fate.cause) == ("老人暂时不在家", "people.circumstance:3")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", None), (" ", None), ("14:30", moment("2026-06-15 14:30")), ("00:00", moment("2026-06-15 00:00"))],
)
def test_the_hour_of_death_is_read_as_it_is_written(text: str, expected: datetime | None) -> None:
    assert hour_of_death(date(2026, 6, 15), text, moment("2026-06-15 15:00")) == expected


@pytest.mark.parametrize(
    ("text", "code"), [("15:01", "elder.died_in_future"), ("25:00", "time.format"), ("下午", "time.format")]
)
def test_a_wrong_hour_of_death_is_refused_at_its_field(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        hour_of_death(date(2026, 6, 15), text, moment("2026-06-15 15:00"))
    assert (refused.value.code, refused.value.field) == (code, "died_at")
