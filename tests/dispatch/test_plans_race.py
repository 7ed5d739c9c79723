"""Many hands at one plan: it is computed by one worker and published once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from tests.dispatch.test_plans import DAY, DISTRICT, Street, few_moves
from tests.factories import NOW, WIDE, system

from yinling.accounts.models import Notice
from yinling.dispatch.jobs import solve_plan
from yinling.dispatch.models import Assignment, DayPlan, PlannedVisit
from yinling.dispatch.operations import publish_plan, request_plan
from yinling.ground.scope import scope
from yinling.kernel.refusals import Refusal


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinling.dispatch.operations.solving.solve", few_moves)
    monkeypatch.setattr("yinling.dispatch.jobs.business_now", lambda: NOW)


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do things at the same moment, each in a thread of its own; return what came of each."""
    ready = threading.Barrier(len(acts))
    found: list[Any] = [None] * len(acts)

    def one(place: int, act: Callable[[], Any]) -> None:
        try:
            ready.wait()
            found[place] = act()
        except Refusal as refusal:
            found[place] = refusal.code
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db(transaction=True)
def test_one_of_two_workers_computes_and_one_of_two_versions_is_published() -> None:
    with scope(WIDE):
        at = Street(carers=3, visits=4)
        system()
        at.dispatcher  # noqa: B018 - made in this scope
    plans = []
    for _ in range(2):
        with scope(at.dispatcher):
            row = request_plan(actor=at.dispatcher, now=NOW, provider_id=at.body.pk, div=DISTRICT, day=DAY)
        done = together(lambda pk=row.pk: solve_plan("3202", pk), lambda pk=row.pk: solve_plan("3202", pk))  # type: ignore[misc]
        assert sorted(done) == [False, True]
        plans.append(row.pk)
    with scope(at.dispatcher):
        DayPlan.objects.filter(pk=plans[1]).update(base=None)
        assert PlannedVisit.objects.filter(plan_id__in=plans).count() == 8

    def publish(pk: int) -> str:
        with scope(at.dispatcher):
            return str(publish_plan(actor=at.dispatcher, now=NOW, plan_id=pk).state)

    first, second = plans
    done = together(lambda: publish(first), lambda: publish(second), lambda: publish(first))
    assert done.count("published") == 1
    with scope(at.dispatcher):
        assert DayPlan.objects.filter(state="published").count() == 1
        assert Assignment.objects.filter(state="offered").count() == 4
        assert len({row.order_id for row in Assignment.objects.all()}) == 4
        assert Notice.objects.filter(key__startswith="plan:").count() <= 3


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_get_one_plan() -> None:
    with scope(WIDE):
        at = Street(carers=1, visits=1)

    def ask() -> str:
        with scope(at.dispatcher):
            return str(request_plan(actor=at.dispatcher, now=NOW, provider_id=at.body.pk, div=DISTRICT, day=DAY).state)

    assert sorted(together(ask, ask)) == ["plan.running", "queued"]
