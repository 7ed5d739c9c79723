"""Weeks of random orders of several items at several payers, with changes at the door, against the list of a clerk with a pencil."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.factories import (
    LONG_AGO,
    NOW,
    TODAY,
    actor,
    make_area_tree,
    make_elder,
    make_entitlement,
    make_item,
    make_organisation,
    make_price,
    make_scheme,
    make_service_area,
    make_staff,
)
from tests.orders.pencil import DRESSING, DRUG, INJECTION, SHANGHAI, TIMES, VISITS, VOUCHER, WAY, Line, Pencil, Visit
from tests.settlement.test_month_model import taken_back

from yinling.catalogue.operations import draft_price_list, publish_price_list
from yinling.entitlements.models import Agreement, Quota
from yinling.ground.scope import scope
from yinling.kernel.refusals import Refusal
from yinling.orders.models import Order, OrderLine, PayerShare
from yinling.orders.operations import add_line, cancel_order, confirm_line, drop_line, mark_failed, place_order
from yinling.orders.queries import open_changes, quote
from yinling.settlement.models import Charge
from yinling.settlement.operations import reverse_order, settle_order

pytestmark = pytest.mark.usefixtures("wide")
FEE = 3_000
PICK = st.integers(0, 30)
CODES = st.sampled_from(
    [[DRESSING], [DRESSING], [DRESSING, INJECTION], [DRESSING, INJECTION, DRUG], [INJECTION], [INJECTION, DRUG]]
)
ACTS = st.one_of(
    st.tuples(st.just("place"), st.integers(0, 1), st.integers(1, 4), st.integers(0, 3), CODES),
    st.tuples(st.just("place"), st.integers(0, 1), st.integers(1, 30), st.integers(0, 3), CODES),
    st.tuples(st.just("cancel"), PICK),
    st.tuples(st.just("start"), PICK),
    st.tuples(st.just("start"), PICK),
    st.tuples(st.just("add"), PICK, st.sampled_from([DRESSING, INJECTION, DRUG])),
    st.tuples(st.just("add"), PICK, st.sampled_from([DRESSING, INJECTION, DRUG])),
    st.tuples(st.just("confirm"), PICK),
    st.tuples(st.just("drop"), PICK),
    st.tuples(st.just("fail"), PICK),
    st.tuples(st.just("serve"), PICK),
    st.tuples(st.just("settle"), PICK),
    st.tuples(st.just("settle"), PICK),
    st.tuples(st.just("reverse"), PICK),
    st.tuples(
        st.just("publish"), st.sampled_from([DRESSING, INJECTION, DRUG]), st.integers(1, 9_999), st.integers(0, 20)
    ),
    st.tuples(st.just("wait"), st.integers(1, 9)),
)


class Weeks:
    """The platform and the pencil, taken through the same acts."""

    def __init__(self) -> None:
        make_area_tree()
        self.now, self.pencil, self.numbers = NOW, Pencil(), list[int]()
        self.body = make_organisation()
        make_service_area(self.body, "nursing")
        self.lines: dict[int, Line] = {}
        for code, fen in ((DRESSING, 4501), (INJECTION, 2003), (DRUG, 3499)):
            goods = {"kind": "drug", "standard_minutes": 0, "steps": []} if code == DRUG else {"standard_minutes": 30}
            item = make_item(code=code, family="nursing", charges_callout=code == DRESSING, **goods)
            make_price(item, self.body, fen, callout_fee_fen=FEE if code == DRESSING else 0)
            self.pencil.prices.append((NOW - timedelta(days=1), LONG_AGO, code, fen))
        self.elders = [make_elder(), make_elder()]
        Agreement.objects.create(
            organisation=self.body,
            payer="ltci",
            kind="designation",
            number="定点1",
            valid_from=LONG_AGO,
            recorded_from=NOW,
        )
        self.held = [self.entitle(elder) for elder in self.elders]
        self.seat, self.finance = actor("seat"), actor("finance")
        self.carer = actor("carer", staff=make_staff(self.body, qualified=("care_worker", "induction")))
        self.keepers = [actor("provider_manager", organisation=self.body) for _ in range(2)]

    def entitle(self, elder: Any) -> dict[str, Any]:
        given = {
            "contract": {"share_bp": 10_000, "items": {DRESSING: {"funds": "item", "count": TIMES}}},
            "ltci": {"share_bp": 9_000, "limits": [{"unit": "visit", "per": "week", "most": VISITS}]},
            "voucher": {"monthly_cap_fen": VOUCHER},
        }
        return {
            payer: make_entitlement(
                elder, make_scheme(payer=payer, families=[] if payer == "contract" else ["nursing"]), **{"monthly_cap_fen": None} | terms
            )
            for payer, terms in given.items()
        }  # fmt: skip

    def play(self, acts: list[tuple[Any, ...]]) -> None:
        for name, *values in acts:
            self.now += timedelta(seconds=1)
            getattr(self, f"do_{name}")(*values)
            self.compare()

    def picked(self, number: int, *states: str) -> tuple[Visit, int] | None:
        found = [(one, pk) for one, pk in zip(self.pencil.visits, self.numbers, strict=True) if one.state in states]
        return found[number % len(found)] if found else None

    def do_place(self, elder: int, days: int, slot: int, codes: list[str]) -> None:
        day = (self.now + timedelta(days=days)).astimezone(SHANGHAI).date()
        start = datetime(day.year, day.month, day.day, 8 + 2 * slot, tzinfo=SHANGHAI)
        if any(one.elder == elder and one.start == start for one in self.pencil.visits):
            return
        one = self.pencil.place(elder, start, codes, self.now, FEE)
        asked: dict[str, Any] = {
            "elder_id": self.elders[elder].pk, "item_code": codes[0], "starts_at": start, "more_items": codes[1:]
        }  # fmt: skip
        offer = quote(actor=self.seat, now=self.now, **asked)
        assert (offer.total_fen, offer.self_fen) == (one.total, one.own)
        row = place_order(
            actor=self.seat,
            now=self.now,
            quoted_total_fen=one.total,
            quoted_self_fen=one.own,
            self_pay_consent="本人",
            **asked,
        )
        self.numbers.append(row.pk)

    def do_cancel(self, number: int) -> None:
        if found := self.picked(number, "placed"):
            cancel_order(actor=self.seat, now=self.now, order_id=found[1], reason="改期")
            found[0].state = "cancelled"

    def do_start(self, number: int) -> None:
        if found := self.picked(number, "placed"):
            for state in ("assigned", "in_service"):
                Order.objects.filter(pk=found[1]).update(state=state)
            found[0].state = "in_service"

    def do_add(self, number: int, code: str) -> None:
        found = self.picked(number, "in_service")
        if found is None or any(line.code == code for line in found[0].standing):
            return
        line = self.pencil.add(found[0], code)
        with scope(self.carer):
            row = add_line(actor=self.carer, now=self.now, order_id=found[1], item_code=code)
        self.lines[row.pk] = line

    def decided(self, number: int, rows: Any) -> OrderLine | None:
        found = list(rows.order_by("pk"))
        return found[number % len(found)] if found else None

    def do_confirm(self, number: int) -> None:
        if not (found := self.picked(number, "in_service")):
            return
        if row := self.decided(number, open_changes(found[1])):
            with scope(self.carer):
                confirm_line(actor=self.carer, now=self.now, line_id=row.pk, signed_as="self", signed_by="王秀英")
            self.lines[row.pk].is_confirmed = True

    def do_drop(self, number: int) -> None:
        if not (found := self.picked(number, "in_service")):
            return
        if row := self.decided(
            number, OrderLine.objects.filter(order=found[1], added_at__isnull=False, dropped_at=None)
        ):
            with scope(self.carer):
                drop_line(actor=self.carer, now=self.now, line_id=row.pk)
            self.lines[row.pk].is_dropped = True

    def do_fail(self, number: int) -> None:
        if found := self.picked(number, "in_service"):
            mark_failed(actor=self.carer, now=self.now, order=Order.objects.get(pk=found[1]), reason="老人不适")
            found[0].state = "failed"

    def do_serve(self, number: int) -> None:
        found = self.picked(number, "in_service")
        if found and all(line.is_confirmed for line in found[0].standing):
            Order.objects.filter(pk=found[1]).update(state="served", served_at=self.now)
            found[0].state = "served"

    def do_settle(self, number: int) -> None:
        if not (found := self.picked(number, "placed", "in_service", "served", "settled", "failed")):
            return
        one, pk = found
        if self.pencil.may_settle(one):
            settle_order(actor=self.finance, now=self.now, order_id=pk)
            one.state, one.is_live = "settled", True
        else:
            self.refused(lambda: settle_order(actor=self.finance, now=self.now, order_id=pk))

    def do_reverse(self, number: int) -> None:
        if not (found := self.picked(number, "settled", "served")):
            return
        one, pk = found
        if one.is_live:
            reverse_order(actor=self.finance, now=self.now, order_id=pk, reason="核对有误")
            one.is_live = False
        else:
            self.refused(lambda: reverse_order(actor=self.finance, now=self.now, order_id=pk, reason="再冲"))

    def do_publish(self, code: str, fen: int, days: int) -> None:
        first = self.now.astimezone(SHANGHAI).date() + timedelta(days=days)
        text = f"{code}, {fen // 100}.{fen % 100:02d}" + (f", {FEE // 100}" if code == DRESSING else "")
        row = draft_price_list(
            actor=self.keepers[0],
            now=self.now,
            organisation_id=self.body.pk,
            basis="market",
            valid_from=first,
            prices=text,
        )
        publish_price_list(actor=self.keepers[1], now=self.now, price_list_id=row.pk)
        self.pencil.prices.append((self.now, first, code, fen))

    def do_wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    def refused(self, act: Any) -> None:
        before = Charge.objects.count()
        with pytest.raises(Refusal):
            act()
        assert Charge.objects.count() == before

    def compare(self) -> None:
        """Shares, totals and every counter are what the pencil says, and no counter passes its limit."""
        for place, held in enumerate(self.held):
            found: dict[tuple[str, date | None], tuple[int, int]] = {}
            for payer, row in held.items():
                for quota in Quota.objects.filter(entitlement=row):
                    assert quota.reserved + quota.used <= {"contract": TIMES, "ltci": VISITS, "voucher": VOUCHER}[payer]
                    if quota.reserved or quota.used:
                        found[payer, None if payer == "contract" else quota.from_on] = (quota.reserved, quota.used)
            assert found == self.pencil.counters(place)
        orders = Order.objects.in_bulk(self.numbers)
        for one, pk in zip(self.pencil.visits, self.numbers, strict=True):
            assert (orders[pk].total_fen, orders[pk].self_fen) == (one.total, one.own)
            shares: dict[str, int] = {}
            for payer, fen in PayerShare.objects.filter(order=pk, line__dropped_at=None).values_list(
                "payer", "amount_fen"
            ):
                shares[payer] = shares.get(payer, 0) + fen
            assert {payer: fen for payer, fen in shares.items() if fen} == {
                payer: one.by(payer) for payer in ("contract", "ltci", "voucher", "self") if one.by(payer)
            }

    def finish(self) -> None:
        """What was charged and not taken back is exactly what the pencil says, line by line."""
        for one, pk in zip(self.pencil.visits, self.numbers, strict=True):
            assert Order.objects.get(pk=pk).state == one.state
            charged: dict[tuple[str, str], int] = {}
            for code, kind, payer, fen in Charge.objects.filter(order=pk).values_list(
                "line__item__code", "line__kind", "payer", "amount_fen"
            ):
                key = (WAY if kind == "callout" else code, payer)
                charged[key] = charged.get(key, 0) + fen
            billed: dict[tuple[str, str], int] = {}
            for line in one.standing if one.is_live else ():
                for payer, fen in line.paid.items():
                    billed[line.code, payer] = billed.get((line.code, payer), 0) + fen
            assert {key: fen for key, fen in charged.items() if fen} == {key: fen for key, fen in billed.items() if fen}


@pytest.mark.req("D-08", "D-18", "D-19", "R-PAY-04", "R-ORD-16", "X-PAY-01", "X-PAY-02", "X-LTC-04")
@settings(
    max_examples=max(8, settings().max_examples // 100), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(st.lists(ACTS, min_size=15, max_size=45))
def test_weeks_of_anything_equal_the_pencil(acts: list[tuple[Any, ...]]) -> None:
    assert TODAY.weekday() == 0
    with taken_back():
        weeks = Weeks()
        weeks.play(acts)
        weeks.finish()
