"""An order for two in the live round: each absence is found alone, and what concerns the order once."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from tests.factories import (
    NOW,
    WIDE,
    city,
    fund_order,
    make_assignment,
    make_entitlement,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    make_staff,
    make_visit,
    system,
)

from yinling.accounts.operations import record
from yinling.ground.scope import scope
from yinling.supervision.jobs import run_round
from yinling.supervision.models import Finding

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_visits_of_one_order_are_judged_each_and_the_order_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DATA", tmp_path)
    with scope(WIDE):
        city()
        system()
    run_round(NOW)
    start = NOW + timedelta(days=1)
    with scope(WIDE):
        body = make_organisation()
        price = make_price(make_item(carers_needed=2), body)
        order = make_order("in_service", price=price, starts_at=start)
        scheme = make_scheme(code="ended")
        fund_order(order, make_entitlement(order.elder, scheme, valid_to=start.date()), 4000)
        due = {"accept_due_at": start + timedelta(days=9)}
        first, second = (
            make_assignment(order, make_staff(body), slot=slot, state="accepted", **due) for slot in (1, 2)
        )
        visit = make_visit(first)
        record(actor=system(), now=NOW, event="visits.visit.start", subject=visit)
    run_round(start + timedelta(minutes=20))
    with scope(WIDE):
        assert sorted(Finding.objects.values_list("rule", "staff_id")) == [("no_entitlement", first.staff_id)]
    run_round(start + timedelta(minutes=31))
    with scope(WIDE):
        found = Finding.objects.filter(rule="no_check_in")
        assert [(row.order_id, row.staff_id, row.key) for row in found] == [
            (order.pk, second.staff_id, f"no_check_in:-{order.pk}")
        ]
        late = make_visit(second, state="planned")
        late.state, late.started_at = "on_site", start + timedelta(minutes=40)
        late.save()
        record(actor=system(), now=NOW, event="visits.visit.start", subject=late)
    run_round(start + timedelta(minutes=41))
    with scope(WIDE):
        assert sorted(Finding.objects.values_list("rule", flat=True)) == ["no_check_in", "no_entitlement"]
