"""The table of cases that officials can read: who may go, and which organisation may take an order."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from yinling.directory.models import Qualification
from yinling.directory.rules import against_body
from yinling.dispatch.rules import Away, Booked, Carer, Job, Licence, compatibility
from yinling.kernel.period import ONE_DAY, SHANGHAI, local_date

TABLE = yaml.safe_load((Path(__file__).parents[1] / "cases" / "who_may_go.yaml").read_text("utf-8"))["cases"]
ALWAYS = [{"kind": "liability"}, {"kind": "personal_injury"}, {"kind": "medical_accident"}]
NAMES = dict(Qualification.KINDS)
LONG_AGO = date(2020, 1, 1)


def moment(text: Any) -> datetime:
    stated = text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
    return stated.replace(tzinfo=SHANGHAI)


def last_day(row: dict[str, Any], name: str = "to") -> date | None:
    return row[name] + ONE_DAY if name in row else None


def job_of(case: dict[str, Any]) -> Job:
    asked = case["job"]
    start = moment(asked["at"])
    end = start + timedelta(hours=1)
    is_medical = asked.get("is_medical", False)
    held = [(row["kind"], row.get("from", LONG_AGO), last_day(row)) for row in case.get("policies", ALWAYS)]
    against = against_body(
        policies=held, listed_from=case.get("listed"), days={local_date(start), local_date(end)}, is_medical=is_medical
    )
    needs = ("induction", *asked["needs"])
    return Job(
        1, 2, 3, start, end, needs=tuple((kind, NAMES[kind]) for kind in needs), div=asked.get("div", ""), against_body=against
    )  # fmt: skip


def carer_of(case: dict[str, Any]) -> Carer:
    licences = tuple(
        Licence(
            row["kind"], row.get("from", LONG_AGO), last_day(row), row.get("place", ""), last_day(row, "credits_to"),
            row.get("is_retired_practice", False),
        )
        for row in case.get("licences", [{"kind": "induction"}])
    )  # fmt: skip
    away = case.get("away")
    rest = case.get("rest", {})
    return Carer(
        7, "张护士", 3, "2", time(8), time(18), 480, LONG_AGO, licences=licences, kind=case.get("staff", ""), duty_div=case.get("duty", ""),
        away=(Away(moment(away["from"]), moment(away["to"]) if "to" in away else None, "病假"),) if away else (),
        avoided=case.get("avoided", ""), break_minutes=rest.get("minutes", 0),
        break_from=time.fromisoformat(rest["from"]) if rest else None, break_to=time.fromisoformat(rest["to"]) if rest else None,
    )  # fmt: skip


def parameters() -> list[Any]:
    return [pytest.param(case, id=case["title"], marks=[pytest.mark.req(*case.get("rows", []))]) for case in TABLE]


@pytest.mark.parametrize("case", parameters())
def test_the_table_of_cases(case: dict[str, Any]) -> None:
    found = compatibility(job_of(case), carer_of(case))
    assert [one.code for one in found] == case["expect"]
    assert all(one.reason for one in found)
    assert all(one.is_hard is not case.get("soft", False) for one in found)


def test_a_break_is_kept_beside_other_orders() -> None:
    rest = {"from": "11:00", "to": "13:00", "minutes": 60}
    case = {"job": {"at": "2026-06-15 11:00", "needs": []}, "rest": rest}
    job, carer = job_of(case), carer_of(case)
    assert compatibility(job, carer) == []
    noon = moment("2026-06-15 12:30")
    busy = Carer(**{**carer.__dict__, "booked": (Booked(9, noon, noon + timedelta(minutes=30)),)})
    assert [one.code for one in compatibility(job, busy)] == ["break"]
