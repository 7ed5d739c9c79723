"""Twice is once."""

import threading

import pytest
from django.db import connection

from yinling.ground.idempotency import once
from yinling.ground.models import CalendarDay, IdempotencyKey
from yinling.kernel.refusals import Refused


def add_day() -> tuple[int, dict[str, str]]:
    CalendarDay.objects.create(day="2030-01-01", kind="holiday", name="元旦", source="t")
    return 201, {"day": "2030-01-01"}


@pytest.mark.django_db
def test_the_second_time_gets_the_first_answer() -> None:
    first = once(user_id=1, key="k", route="/x", body={"a": 1}, perform=add_day)
    second = once(user_id=1, key="k", route="/x", body={"a": 1}, perform=add_day)
    assert first == (201, {"day": "2030-01-01"}, False)
    assert second == (201, {"day": "2030-01-01"}, True)
    assert CalendarDay.objects.count() == 1


@pytest.mark.django_db
def test_another_body_under_the_same_key_is_refused() -> None:
    once(user_id=1, key="k", route="/x", body={"a": 1}, perform=add_day)
    with pytest.raises(Refused, match=r"idempotency\.other_body"):
        once(user_id=1, key="k", route="/x", body={"a": 2}, perform=add_day)
    assert CalendarDay.objects.count() == 1


@pytest.mark.django_db
def test_a_refused_write_keeps_no_key() -> None:
    def refuse() -> tuple[int, None]:
        raise Refused("no", "不")

    with pytest.raises(Refused):
        once(user_id=1, key="k", route="/x", body={}, perform=refuse)
    assert IdempotencyKey.objects.count() == 0
    assert once(user_id=1, key="k", route="/x", body={}, perform=add_day)[0] == 201


@pytest.mark.django_db(transaction=True)
def test_racers_with_one_key_have_one_effect() -> None:
    answers: list[tuple[int, object, bool]] = []

    def run() -> None:
        try:
            answers.append(once(user_id=1, key="k", route="/x", body={}, perform=add_day))
        finally:
            connection.close()

    racers = [threading.Thread(target=run) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(repeated for *_, repeated in answers) == [False, True, True, True, True, True]
    assert CalendarDay.objects.count() == 1
