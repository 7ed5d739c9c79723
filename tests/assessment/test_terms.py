"""By when an application is answered and its result is there: working days of the insurance, and nothing for the others."""

from datetime import date, timedelta

import pytest
from tests.factories import COMMUNITY

from yinling.assessment.process import Term, terms
from yinling.assessment.states import RequestState
from yinling.kernel.workdays import WorkingCalendar

CALENDAR = WorkingCalendar.from_rows([(date(2026, 6, 19), "holiday"), (date(2026, 6, 20), "makeup_workday")])
MONDAY = date(2026, 6, 15)


def found(state: str, scale: str = "ltc_2021_37", verified_on: date | None = None) -> list[Term]:
    return terms(scale, COMMUNITY, state, applied_on=MONDAY, verified_on=verified_on, calendar=CALENDAR)


def test_an_application_for_the_insurance_is_answered_within_5_working_days() -> None:
    (answer,) = found(RequestState.APPLIED)
    assert (answer.label, answer.last_day, answer.is_open) == ("受理期限", date(2026, 6, 22), True)
    assert not answer.is_over(date(2026, 6, 22))
    assert answer.is_over(date(2026, 6, 23))


@pytest.mark.parametrize("state", [RequestState.VERIFIED, RequestState.ARRANGED, RequestState.SUBMITTED])
def test_its_result_is_there_within_30_working_days_of_acceptance(state: str) -> None:
    answer, result = found(state, verified_on=MONDAY)
    assert not answer.is_over(date(2027, 1, 1))
    assert (result.label, result.last_day, result.is_open) == ("出结果期限", date(2026, 7, 27), True)
    assert result.is_over(result.last_day + timedelta(days=1))


def test_what_is_done_is_never_over() -> None:
    assert [one.is_over(date(2030, 1, 1)) for one in found(RequestState.DONE, verified_on=MONDAY)] == [False, False]


def test_other_scales_have_no_term() -> None:
    assert found(RequestState.APPLIED, "gbt42195_2022") == found(RequestState.VERIFIED, "cq6", MONDAY) == []
