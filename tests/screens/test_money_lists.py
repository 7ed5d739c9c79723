"""What a finance person does with the lists of money: finding, going on to the next, taking away, and choosing the elder a form is about."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from tests.factories import NOW, actor, make_elder, make_organisation, make_price
from tests.screens.test_ledger import advance, came, sheet, text
from tests.screens.test_settlement import form_of
from tests.settlement.stated import JUNE, approved, batch, claimed, drafted, exported, refused, sent, with_account

from yinling.catalogue.models import PriceList
from yinling.ground.clock import business_now
from yinling.kernel.period import local_date
from yinling.people.rules import elder_code
from yinling.settlement import bankfile
from yinling.settlement.models import BankAccount, PayoutLine, Transfer
from yinling.settlement.operations import (
    answer_payout,
    approve_payout,
    deduct_statement,
    review_payout,
    review_statement,
)
from yinling.web.pages import Filter

SignIn = Callable[..., Client]


@pytest.mark.req("R-PAY-16")
def test_a_top_up_is_taken_for_an_elder_who_was_found_not_for_a_number_typed(sign_in: SignIn) -> None:
    elder, client = make_elder(name="张桂兰"), sign_in("finance")
    here = "/settlement/transfers/"
    assert 'data-action="take_transfer"' not in text(client, here)
    assert "没有找到" in text(client, f"{here}?q=王小二")
    found = text(client, f"{here}?q={elder_code(elder.pk)}")
    assert f'href="{here}?elder={elder.pk}"' in found
    assert "张桂兰" not in found, "a role without the file sees the name masked"
    values = form_of(client, f"{here}?elder={elder.pk}", "take_transfer")
    assert values["elder_id"] == str(elder.pk)
    values |= {"kind": "top_up", "amount_fen": "100.00", "method": "cash", "note": "SJ1"}
    assert client.post("/do/take_transfer/", values).status_code == 302
    assert Transfer.objects.get().elder_id == elder.pk


def test_an_elders_account_is_registered_from_what_is_owed(sign_in: SignIn) -> None:
    elder, client = make_elder(name="张桂兰"), sign_in("finance")
    values = form_of(client, f"/settlement/accounts/?elder={elder.pk}", "propose_account")
    assert values["elder_id"] == str(elder.pk)
    values |= {"holder": "张桂兰", "bank": "工商银行", "number": "6222020200012345678", "valid_from": "2026-01-01"}
    assert client.post("/do/propose_account/", values).status_code == 302
    row = BankAccount.objects.get()
    assert (row.elder_id, row.organisation_id) == (elder.pk, None)
    body = make_organisation()
    assert f'<option value="{body.pk}" selected' in text(client, f"/settlement/accounts/?organisation={body.pk}")


def test_an_amount_without_account_leads_to_the_form_for_its_payee(sign_in: SignIn) -> None:
    row = approved(payer="government")
    html = text(sign_in("finance"), "/settlement/payouts/new/")
    assert f'href="/settlement/accounts/?organisation={row.provider_id}"' in html


def test_statements_are_found_by_month_provider_and_number_and_taken_away(sign_in: SignIn) -> None:
    row = drafted(payer="government", body=make_organisation(short_name="江城站", name="江城护理站"))
    client = sign_in("finance")
    for asked in ("month=2026-06", "q=江城", f"q={row.code}", f"q={row.pk}"):
        assert row.code in text(client, f"/settlement/?{asked}"), asked
    for asked in ("month=2026-07", "q=别处", "q=S-2606-99999999"):
        assert row.code not in text(client, f"/settlement/?{asked}"), asked
    lines = sheet(client, "/settlement/excel/?month=2026-06")
    assert [row.code, "江城护理站", "政府购买", "2026-06"] == lines[2][:4]
    assert (lines[2][6], lines[2][9]) == (80, 80)
    assert len(sheet(client, "/settlement/excel/?month=2026-07")) == 2


def test_claims_arrivals_and_transfers_are_taken_away_as_the_list_shows_them(sign_in: SignIn) -> None:
    claim, client = claimed(), sign_in("finance")
    lines = sheet(client, "/settlement/claims/excel/?month=2026-06")
    assert (lines[2][0], lines[2][6], lines[2][8]) == (claim.code, 80, 80)
    assert len(sheet(client, "/settlement/claims/excel/?month=2026-05")) == 2
    came(1_234, "回单 7")
    assert sheet(client, "/settlement/arrivals/excel/?q=回单")[2][4] == 12.34
    assert "回单 7" not in text(client, "/settlement/arrivals/?until=2026-06-14")
    advance()
    assert sheet(client, "/settlement/transfers/excel/?note=凭证")[2][5] == 1234.56


def test_lists_of_money_are_ordered_by_amount(sign_in: SignIn) -> None:
    small, great = drafted(payer="government", count=1), drafted(payer="voucher", count=2)
    client = sign_in("finance")
    for way, first, second in (("most", great, small), ("least", small, great)):
        html = text(client, f"/settlement/?by={way}")
        assert 0 < html.index(first.code) < html.index(second.code), way
    assert [line[0] for line in sheet(client, "/settlement/excel/?by=least")[2:4]] == [small.code, great.code]
    assert client.get("/settlement/claims/?by=most").status_code == 200
    assert client.get("/settlement/payouts/?by=nonsense").status_code == 200


def test_one_goes_from_a_statement_to_the_next_that_waits_for_oneself(sign_in: SignIn) -> None:
    first, second, third = (drafted(payer=payer, count=1) for payer in ("government", "voucher", "disability"))
    client = sign_in("finance")
    reviewer = client.actor  # type: ignore[attr-defined]
    review_statement(actor=reviewer, now=NOW, statement_id=second.pk)
    going = client.get(f"/settlement/statements/{third.pk}/next/")
    assert going["Location"] == f"/settlement/statements/{first.pk}/", "what one reviewed oneself another approves"
    other = sign_in("finance")
    assert other.get(f"/settlement/statements/{third.pk}/next/")["Location"].endswith(f"/{second.pk}/")
    for row in (first, third):
        review_statement(actor=reviewer, now=NOW, statement_id=row.pk)
    assert client.get(f"/settlement/statements/{first.pk}/next/")["Location"] == "/settlement/?month=2026-06"
    assert "/next/" not in text(sign_in("auditor"), f"/settlement/statements/{first.pk}/")


def test_too_large_a_deduction_says_what_is_left(sign_in: SignIn) -> None:
    row = drafted(payer="government")
    with refused("deduction.too_much") as told:
        deduct_statement(
            actor=actor("finance"),
            now=NOW,
            statement_id=row.pk,
            reason="01",
            amount_fen=8001,
            note="漏签",
            line_id=None,
        )
    assert "80.00 元" in told.value.detail


def test_after_the_bank_file_the_page_goes_on_and_what_the_bank_sent_back_has_a_way_on(sign_in: SignIn) -> None:
    row, client = approved(payer="government"), sign_in("finance")
    with_account(row.provider)
    paying = batch([f"statement:{row.pk}"])
    here = f"/settlement/payouts/{paying.pk}/"
    review_payout(actor=actor("finance"), now=NOW, payout_id=paying.pk)
    approve_payout(actor=actor("finance"), now=NOW, payout_id=paying.pk, count=1)
    live = re.compile(r'id="payout-state" hx-get="[^"]+" hx-trigger="live:settlement')
    assert live.search(text(client, here)), "a download leaves the page where it was"
    assert client.post(f"{here}bank/").status_code == 200
    part = client.get(here, headers={"HX-Request": "true", "HX-Target": "payout-state"}).content.decode()
    assert "导入银行回单" in part
    assert "<html" not in part
    line = PayoutLine.objects.get()
    answer = sent([paying.code, line.pk, "80.00", "失败", "户名不符"], heads=bankfile.RETURN_HEADS)
    answer_payout(actor=actor("finance"), now=NOW, payout_id=paying.pk, content=answer)
    html = text(client, here)
    assert "仍是应付款" in html
    assert [paying.code, paying.title] == sheet(client, "/settlement/payouts/excel/?by=most")[2][:2]
    assert sheet(client, "/settlement/payouts/excel/")[2][4:7] == [80, 0, 80]
    assert 'href="/settlement/payouts/new/"' in html


def test_the_page_of_answers_lists_the_codes_a_payer_may_use(sign_in: SignIn) -> None:
    html = text(sign_in("finance"), "/settlement/remittances/new/")
    assert "拒付代码" in html
    assert "<dt>106</dt>" in html


def test_a_month_is_chosen_as_a_month() -> None:
    month = Filter("month", "月份", lambda rows, _value: rows, "month")
    assert month.value("2026-06") == JUNE
    assert month.value("2026-06-17") == date(2026, 6, 1)
    assert month.value("June") is None


def test_a_body_is_not_led_to_pages_that_are_not_its_own(sign_in: SignIn) -> None:
    body = make_organisation()
    exported_row = approved(payer="government", body=body)
    with_account(body)
    exported([f"statement:{exported_row.pk}"])
    html = text(sign_in(actor("provider_manager", organisation=body)), f"/settlement/statements/{exported_row.pk}/")
    assert "/settlement/payouts/" not in html


def test_the_second_person_sees_what_a_draft_replaces_and_a_list_begins_a_new_one(sign_in: SignIn) -> None:
    price = make_price(amount_fen=9_000)
    body, item = price.organisation, price.item
    one, two = (sign_in(actor("provider_manager", organisation=body)) for _ in range(2))
    like = text(one, f"/price-lists/new/?like={price.price_list_id}")
    assert f"{item.code}, 90.00, " in like
    drafting = form_of(one, "/price-lists/new/", "draft_price_list") | {
        "organisation_id": str(body.pk), "basis": "market", "valid_from": local_date(business_now()).isoformat(),
        "prices": f"{item.code}, 1095.50",
    }  # fmt: skip
    assert one.post("/do/draft_price_list/", drafting).status_code == 302
    row = PriceList.objects.latest("pk")
    html = text(two, f"/price-lists/{row.pk}/")
    assert "现行价格" in html
    assert html.index("90.00 元") < html.index("1,095.50 元")
    assert f"{item.code}, 1095.50, 0.00" in text(one, f"/price-lists/new/?like={row.pk}")
    assert "现行价格" not in text(two, f"/price-lists/{price.price_list_id}/")
    stranger = sign_in(actor("provider_manager"))
    assert "1095.50" not in text(stranger, f"/price-lists/new/?like={row.pk}")


def test_who_watches_opens_every_tab_and_no_link_leads_where_he_may_not_go(sign_in: SignIn) -> None:
    row, watcher = approved(payer="government"), sign_in("supervisor")
    assert "已审定、未付清的对账单" not in text(watcher, "/settlement/arrivals/")
    order = row.lines.first().charge.order_id
    html = text(watcher, f"/settlement/orders/{order}/")
    assert row.code in html
    assert f"/settlement/statements/{row.pk}/" not in html
    assert "/settlement/settled/" not in html
