"""Figures on a page, each a way to its rows."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook
from tests.factories import (
    CITY,
    DISTRICT,
    NOW,
    OTHER_DISTRICT,
    TODAY,
    actor,
    make_assignment,
    make_call,
    make_elder,
    make_order,
    make_staff,
    make_ticket,
    make_value,
    system,
)

from yinling.indicators.definitions import INDICATORS
from yinling.indicators.models import Value
from yinling.indicators.operations import compute_values
from yinling.kernel.masks import mask_name

SignIn = Callable[..., Client]
SCOPE = "set_config('yinling.scope'"
WEEK = "day=2026-06-15"


def compute() -> None:
    compute_values(
        actor=system(), now=NOW + timedelta(days=6), div=CITY, period_from=TODAY, period_to=TODAY + timedelta(days=7)
    )


def form_of(client: Client, address: str, action: str) -> dict[str, str]:
    html = client.get(address).content.decode()
    start = html.index(f'data-action="{action}"')
    part = html[start : html.index("</form>", start)]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(1 for one in seen.captured_queries if SCOPE not in one["sql"] and "SAVEPOINT" not in one["sql"])


def test_each_figure_stands_with_target_and_leads_to_its_rows(sign_in: SignIn) -> None:
    client = sign_in("city")
    done, failed = make_order("served"), make_order("failed")
    compute()
    html = client.get(f"/indicators/?{WEEK}").content.decode()
    assert "上门服务完成率" in html
    assert "50.0 %" in html
    assert "未达标" in html
    assert "不适用" in html
    assert "无锡市推进“锡心医养”332计划 二(二)1" in html
    rows = f"/indicators/weekly_visit_completion/?div={CITY}&kind=week&{WEEK}"
    assert rows.replace("&", "&amp;") in html
    listed = {which: client.get(f"{rows}&which={which}").content.decode() for which in ("all", "hit", "miss")}
    assert {which: (done.code in text, failed.code in text) for which, text in listed.items()} == {
        "all": (True, True), "hit": (True, False), "miss": (False, True)
    }  # fmt: skip


def test_times_and_calls_lead_to_their_rows_too(sign_in: SignIn) -> None:
    client, elder = sign_in("city"), make_elder()
    order = make_order(
        "assigned", elder=elder, ticket=make_ticket(elder=elder, call=make_call(elder=elder, seat=actor("seat")))
    )
    make_assignment(order, make_staff(order.provider), offered_at=NOW + timedelta(minutes=25))
    compute()
    html = client.get(f"/indicators/?{WEEK}").content.decode()
    assert "25.0 分钟" in html
    assert "25 分" in client.get(f"/indicators/call_to_assignment/?{WEEK}").content.decode()
    assert mask_name("王秀英") in client.get(f"/indicators/answered_share/?{WEEK}").content.decode()


def test_a_district_is_opened_and_left_again(sign_in: SignIn) -> None:
    client = sign_in("city")
    make_order("served")
    compute()
    compute_values(actor=system(), now=NOW, div=DISTRICT, period_from=TODAY, period_to=TODAY + timedelta(days=7))
    html = client.get(f"/indicators/?div={DISTRICT}&{WEEK}").content.decode()
    assert "崇安寺街道" in html
    assert f"div={CITY}" in html
    below = sign_in(actor("district", DISTRICT)).get(f"/indicators/?div={CITY}&{WEEK}").content.decode()
    assert f"div={CITY}&" not in below
    assert "崇安寺街道" in below


def test_computing_anew_from_the_page(sign_in: SignIn) -> None:
    client = sign_in("city")
    assert 'class="empty"' in client.get(f"/indicators/?{WEEK}").content.decode()
    answer = client.post("/do/compute_values/", form_of(client, f"/indicators/?{WEEK}", "compute_values"))
    assert answer["Location"].startswith("/indicators/?div=3202")
    assert Value.objects.filter(period_from=TODAY, div=CITY).count() == len(INDICATORS)
    sent = form_of(client, f"/indicators/?{WEEK}", "compute_values") | {"period_to": "2026-06-01"}
    assert client.post("/do/compute_values/", sent).status_code == 422


def test_weeks_and_months_are_turned_and_nonsense_is_today(sign_in: SignIn) -> None:
    client = sign_in("evaluator")
    assert "2026-06-01 – 2026-06-30" in client.get(f"/indicators/?kind=month&{WEEK}").content.decode()
    html = client.get(f"/indicators/?{WEEK}").content.decode()
    assert "day=2026-06-14" in html
    assert "day=2026-06-22" in html
    assert "data-action" not in html
    assert client.get("/indicators/?day=nonsense&kind=x&div=9").status_code == 200


def test_exports_carry_numerator_and_denominator(sign_in: SignIn) -> None:
    client = sign_in("city")
    make_value("answered_share", numerator=67996, denominator=100000)
    sheet = (
        CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"/indicators/excel/?{WEEK}").content))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert sheet[2][:9] == ["来电接通率", "无锡市", CITY, "68.0", "%", 67996.0, 100000.0, "95", "未达标"]
    answer = client.get(f"/indicators/csv/?{WEEK}")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[1][:7] == ["来电接通率", "无锡市", CITY, "68.0", "%", "67996", "100000"]
    assert "attachment" in answer["Content-Disposition"]


def test_the_wrong_role_is_told_who_may_and_unknown_figures_do_not_exist(sign_in: SignIn) -> None:
    seat = sign_in("seat")
    for address in ("/indicators/", "/indicators/excel/", "/indicators/csv/", "/indicators/answered_share/"):
        assert seat.get(address).status_code == 403
    client = sign_in("city")
    assert client.get("/indicators/happiness/").status_code == 404
    assert client.get("/indicators/answered_share/?which=odd").status_code == 200


def test_another_area_is_never_counted(sign_in: SignIn) -> None:
    order = make_order("served")
    client = sign_in(actor("district", OTHER_DISTRICT))
    assert order.code not in client.get(f"/indicators/weekly_visit_completion/?div={DISTRICT}&{WEEK}").content.decode()


@pytest.mark.parametrize(
    "address", [f"/indicators/?{WEEK}", f"/indicators/weekly_visit_completion/?{WEEK}", f"/indicators/csv/?{WEEK}"]
)
def test_pages_take_as_many_queries_for_three_rows_as_for_one(sign_in: SignIn, address: str) -> None:
    client = sign_in("city")
    make_order("served")
    compute()
    one = queries(client, address)
    make_order("served"), make_order("failed")
    compute()
    assert queries(client, address) == one <= 8
