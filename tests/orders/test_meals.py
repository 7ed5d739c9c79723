"""Meals: four channels on the order, four forms, and who may order at the stations of the community (R-MEA-05, R-MEA-07)."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from tests.factories import (
    NOW,
    actor,
    make_assessment,
    make_elder,
    make_entitlement,
    make_item,
    make_organisation,
    make_price,
    make_scheme,
    make_service_area,
    make_staff,
    system,
)
from tests.refusals import refused as refusal_of

from yinling.accounts.models import Journal, Notice
from yinling.catalogue.models import MEAL_FORMS
from yinling.directory.models import Organisation
from yinling.dispatch.operations import assign_order
from yinling.entitlements.models import Entitlement, Quota
from yinling.entitlements.queries import eligibility
from yinling.ground.parameters import product_files
from yinling.kernel.actor import Actor
from yinling.kernel.parameters import load
from yinling.kernel.period import SHANGHAI, day_bounds, local_date
from yinling.kernel.refusals import Denied, NotAllowed, NotFound, Refusal, Refused
from yinling.orders import meals
from yinling.orders.jobs import sweep_city
from yinling.orders.meals import forms_of
from yinling.orders.models import MEAL_CHANNELS, Order
from yinling.orders.operations import (
    accept_order,
    cancel_order,
    deliver_order,
    deliver_orders,
    lapse_order,
    place_order,
    resume_order,
    suspend_order,
)
from yinling.orders.queries import in_dispatch_order, in_form, quote
from yinling.people.models import Circumstance, Elder
from yinling.settlement.operations import settle_order

pytestmark = pytest.mark.usefixtures("wide")
NOON = NOW + timedelta(days=1, hours=2)
AT_HOME = {"making": True, "sharing": False, "dining": False, "delivery": True}


def refused(who: Actor, kind: type[Refusal], code: str) -> Any:
    return refusal_of(who, kind, code, contents=lambda: list(Order.objects.order_by("pk").values()))


def meal(body: Organisation, form: str = "delivery", **values: Any) -> str:
    code = f"MEAL-{form}-{body.pk}"
    values = {
        "code": code,
        "family": "meal",
        "name": f"午餐 {form}",
        "units": ["lunch", form],
        "standard_minutes": 20,
        **values,
    }
    make_price(make_item(needs_visit=AT_HOME[form], needs_qualification="induction", **values), body, 1500)
    return code


def kitchen(kind: str = "home_care") -> Organisation:
    body = make_organisation(kind=kind)
    make_service_area(body, "meal")
    return body


def place(body: Organisation, code: str, elder: Elder | None = None, who: Actor | None = None, **values: Any) -> Order:
    elder = elder or make_elder()
    asked = {"elder_id": elder.pk, "item_code": code, "starts_at": NOON, "provider_id": body.pk, **values}
    return place_order(actor=who or actor("seat"), now=NOW, quoted_total_fen=1500, **asked)


@pytest.mark.req("R-MEA-05")
@pytest.mark.parametrize("channel", [code for code, _name in MEAL_CHANNELS])
def test_each_of_the_four_channels_stands_on_the_order(channel: str) -> None:
    body = kitchen()
    order = place(body, meal(body), meal_channel=channel)
    assert Order.objects.get(meal_channel=channel) == order
    assert order.get_meal_channel_display() in ("幸福食堂", "社区助餐", "养老机构配送餐", "互联网+送餐")


@pytest.mark.req("R-MEA-05")
@pytest.mark.parametrize(
    ("kind", "channel"),
    [
        ("meal_point", "canteen"),
        ("care_home", "care_home"),
        ("nursing_home", "care_home"),
        ("care_centre", "community"),
    ],
)
def test_without_a_choice_the_kind_of_body_says_the_channel(kind: str, channel: str) -> None:
    body = kitchen(kind)
    assert place(body, meal(body)).meal_channel == channel


@pytest.mark.req("R-MEA-05")
def test_what_is_no_meal_has_no_channel_and_another_word_is_none() -> None:
    body = kitchen()
    price = make_price(make_item(), body, 1500)
    seat, elder, code = actor("seat"), make_elder(), meal(body)
    with refused(seat, Refused, "order.meal_channel"):
        place(body, price.item.code, elder, seat, meal_channel="canteen")
    with refused(seat, Refused, "choice.unknown"):
        place(body, code, elder, seat, meal_channel="drone")
    assert place(body, price.item.code).meal_channel == ""


@pytest.fixture
def shanwei(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What Shanwei says about meals, said for the whole country."""
    said = yaml.safe_load((settings.CITIES / "shanwei-jujia/parameters/meals.yaml").read_text(encoding="utf-8"))
    said.pop("area")
    files = [path for path in product_files() if path.name != "meals.yaml"]
    own = yaml.safe_load(
        next(path for path in product_files() if path.name == "meals.yaml").read_text(encoding="utf-8")
    )
    own["parameters"] |= said["parameters"]
    (tmp_path / "meals.yaml").write_text(yaml.safe_dump(own, allow_unicode=True), encoding="utf-8")
    known = load([*files, tmp_path / "meals.yaml"])
    monkeypatch.setattr(meals, "parameter", known.value)
    monkeypatch.setattr(eligibility, "parameters", lambda: known)


@pytest.mark.req("R-MEA-07")
@pytest.mark.usefixtures("shanwei")
@pytest.mark.parametrize(
    ("kinds", "born_on", "may"),
    [
        (["childless"], date(1950, 1, 1), True), (["lives_alone"], date(1950, 1, 1), True), (["empty_nest"], date(1950, 1, 1), True),
        (["special_family"], date(1966, 6, 16), True), ([], date(1950, 1, 1), False), (["chronic"], date(1930, 1, 1), False),
        (["empty_nest"], date(1966, 6, 17), False),
    ],
)  # fmt: skip
def test_the_stations_of_the_community_serve_only_the_groups_of_the_plan(
    kinds: list[str], born_on: date, *, may: bool
) -> None:
    body, elder = kitchen("care_centre"), make_elder(born_on=born_on)
    code = meal(body)
    for kind in kinds:
        Circumstance.objects.create(
            div=elder.div, elder=elder, kind=kind, body="社区", valid_from=date(2024, 1, 1), recorded_from=NOW
        )
    if may:
        assert place(body, code, elder).meal_channel == "community"
        return
    seat = actor("seat")
    with refused(seat, Refused, "order.meal_group"):
        place(body, code, elder, seat)
    assert not Order.objects.exists()
    assert place(body, code, elder, meal_channel="canteen").meal_channel == "canteen", "the canteen is open to all"


@pytest.mark.req("R-MEA-07")
@pytest.mark.usefixtures("shanwei")
def test_who_is_assessed_as_disabled_may_order_and_the_quote_says_why_another_may_not() -> None:
    body, elder = kitchen("care_centre"), make_elder()
    ask: dict[str, Any] = {"elder_id": elder.pk, "item_code": meal(body), "starts_at": NOON, "provider_id": body.pk}
    with pytest.raises(Refused) as caught:
        quote(actor=actor("seat"), now=NOW, **ask)
    assert (caught.value.code, caught.value.field) == ("order.meal_group", "meal_channel")
    assert "孤寡或独居、空巢、失能、计划生育特殊家庭" in str(caught.value.values["why"])
    make_assessment(elder, level="severe", points=10)
    assert quote(actor=actor("seat"), now=NOW, **ask).meal_channel == "community"


@pytest.mark.req("R-MEA-07")
@pytest.mark.parametrize("form", [code for code, _name in MEAL_FORMS])
def test_each_of_the_four_forms_can_be_ordered_and_found(form: str) -> None:
    body = kitchen()
    order, other = (
        place(body, meal(body, form)),
        place(body, meal(body, "delivery" if form != "delivery" else "making")),
    )
    assert list(in_form(Order.objects.all(), form)) == [order]
    assert (order.needs_visit, other.needs_visit) == (AT_HOME[form], True)
    assert forms_of([line.item for line in order.lines.select_related("item")]) == [form]


@pytest.mark.req("R-MEA-07")
def test_a_meal_the_elder_comes_for_is_delivered_by_the_body_and_settled_and_nobody_is_sent() -> None:
    body = kitchen("meal_point")
    order = place(body, meal(body, "dining"))
    manager, seat = actor("provider_manager", organisation=body), actor("seat")
    dispatcher, carer = actor("dispatcher"), make_staff(body)
    assert (order.state, order.accept_due_at, order.needs_visit) == ("placed", None, False)
    assert not in_dispatch_order(Order.objects.all()).exists()
    with refused(manager, NotAllowed, "order.no_visit"):
        accept_order(actor=manager, now=NOW, order_id=order.pk)
    with refused(dispatcher, Refused, "order.no_visit"):
        assign_order(actor=dispatcher, now=NOW, order_id=order.pk, staff_id=carer.pk)
    with refused(manager, Refused, "order.not_yet"):
        deliver_order(actor=manager, now=NOW, order_id=order.pk)
    stranger = actor("provider_manager", organisation=make_organisation())
    with refused(stranger, NotFound, "row.not_found"):
        deliver_order(actor=stranger, now=NOON, order_id=order.pk)
    with refused(seat, Denied, "right.missing"):
        deliver_order(actor=seat, now=NOON, order_id=order.pk)
    served = deliver_order(actor=manager, now=NOON, order_id=order.pk)
    assert (served.state, served.served_at) == ("served", NOON)
    assert settle_order(actor=system(), now=NOON + timedelta(hours=2), order_id=order.pk).state == "settled"
    visit = place(body, meal(body), starts_at=NOON + timedelta(hours=4))
    with refused(manager, NotAllowed, "order.needs_visit"):
        deliver_order(actor=manager, now=NOON, order_id=visit.pk)


def test_after_the_time_of_a_meal_the_elder_cannot_cancel_it_and_the_line_can() -> None:
    body, elder = kitchen("meal_point"), make_elder()
    order, family = place(body, meal(body, "dining"), elder), actor("family", elders=(elder,))
    with refused(family, NotAllowed, "order.meal_time"):
        cancel_order(actor=family, now=order.starts_at, order_id=order.pk, reason="改天再吃")
    assert cancel_order(actor=actor("seat"), now=NOON, order_id=order.pk, reason="老人没有来").state == "cancelled"


@pytest.mark.req("R-MEA-07")
def test_a_meal_the_elder_comes_for_and_one_that_is_brought_are_two_orders() -> None:
    body = kitchen()
    seat, elder, brought, eaten_there = actor("seat"), make_elder(), meal(body), meal(body, "dining")
    with refused(seat, Refused, "order.more_items"):
        place(body, brought, elder, seat, more_items=[eaten_there])


@pytest.mark.req("R-MEA-07")
def test_a_meal_to_be_fetched_takes_no_time_and_is_not_ordered_twice() -> None:
    body = kitchen("meal_point")
    elder, seat, code = make_elder(), actor("seat"), meal(body, "dining", standard_minutes=0)
    order = place(body, code, elder, seat)
    assert order.ends_at > order.starts_at
    with refused(seat, Refused, "order.same"):
        place(body, code, elder, seat)


def test_a_meal_that_waited_for_the_elder_to_come_home_is_still_accepted_by_nobody() -> None:
    body, elder = kitchen("meal_point"), make_elder()
    order = place(body, meal(body, "dining"), elder)
    away = Circumstance.objects.create(
        div=elder.div, elder=elder, kind="in_hospital", body="医院", valid_from=NOON.date(), recorded_from=NOW
    )
    suspend_order(actor=system(), now=NOW, order_id=order.pk)
    Circumstance.objects.filter(pk=away.pk).update(recorded_to=NOW)
    assert resume_order(actor=system(), now=NOW, order_id=order.pk).accept_due_at is None


def funded(elder: Elder) -> Entitlement:
    return make_entitlement(elder, make_scheme(families=["meal"]), share_bp=5000, monthly_cap_fen=80000)


@pytest.mark.req("R-MEA-05", "R-MEA-07")
def test_a_canteen_confirms_many_meals_at_once_and_all_or_none() -> None:
    body = kitchen("meal_point")
    code = meal(body, "dining")
    orders = [place(body, code) for _ in range(3)]
    later = place(body, code, starts_at=NOON + timedelta(days=1))
    manager, stranger = (
        actor("provider_manager", organisation=body),
        actor("provider_manager", organisation=make_organisation()),
    )
    numbers = [one.pk for one in orders]
    with refused(stranger, NotFound, "row.not_found"):
        deliver_orders(actor=stranger, now=NOON, order_ids=numbers)
    with refused(manager, Refused, "order.not_yet"):
        deliver_orders(actor=manager, now=NOON, order_ids=[*numbers, later.pk])
    with refused(manager, Refused, "meals.count"):
        deliver_orders(actor=manager, now=NOON, order_ids=[])
    deliver_orders(actor=manager, now=NOON, order_ids=[*numbers, numbers[0]])
    assert set(Order.objects.values_list("pk", "state", "served_at")) == {
        *((pk, "served", NOON) for pk in numbers), (later.pk, "placed", None)
    }  # fmt: skip
    with refused(manager, NotAllowed, "state.not_allowed"):
        deliver_orders(actor=manager, now=NOON, order_ids=numbers)


@pytest.mark.req("R-MEA-05", "D-19")
def test_a_meal_nobody_confirms_ends_after_some_days_costs_nothing_and_the_elder_is_told() -> None:
    body, elder = kitchen("meal_point"), make_elder()
    held, family = funded(elder), actor("family", elders=(elder,))
    order = place(body, meal(body, "dining"), elder)
    assert Quota.objects.get(entitlement=held).reserved == 750
    last = day_bounds(local_date(NOON) + timedelta(days=4))[0]
    with refused(system(), Refused, "order.not_lapsed"):
        lapse_order(actor=system(), now=last - timedelta(seconds=1), order_id=order.pk)
    assert sweep_city("3202", last) == 1
    order.refresh_from_db()
    assert (order.state, order.served_at, "不收费" in order.cancel_reason) == ("cancelled", None, True)
    assert Quota.objects.get(entitlement=held).reserved == 0
    written = Journal.objects.filter(subject_type="order", subject_id=order.pk, event="orders.order.cancel").get()
    assert (written.role, written.reason) == ("system", order.cancel_reason)
    told = Notice.objects.filter(key__startswith=f"lapsed:{order.pk}:")
    assert {(one.user_id, one.channel) for one in told} == {(family.user_id, "screen"), (None, "sms")}
    assert all("不收费" in one.text for one in told)
    assert sweep_city("3202", last) == 0
    manager = actor("provider_manager", organisation=body)
    with refused(manager, NotAllowed, "state.not_allowed"):
        deliver_order(actor=manager, now=last, order_id=order.pk)


@pytest.mark.req("R-MEA-05")
def test_a_body_is_reminded_once_a_day_of_meals_that_wait_for_its_word() -> None:
    body = kitchen("meal_point")
    manager = actor("provider_manager", organisation=body).user_id
    order, evening = place(body, meal(body, "dining")), datetime.combine(local_date(NOON), time(19), SHANGHAI)
    assert sweep_city("3202", evening - timedelta(minutes=1)) == 0
    assert (sweep_city("3202", evening), sweep_city("3202", evening + timedelta(minutes=9))) == (1, 0)
    assert list(Notice.objects.filter(user_id=manager).values_list("link", "text")) == [("/meals/", "1 份")]
    assert sweep_city("3202", evening + timedelta(days=1)) == 1
    deliver_order(actor=actor("provider_manager", organisation=body), now=evening, order_id=order.pk)
    assert sweep_city("3202", evening + timedelta(days=2)) == 0
