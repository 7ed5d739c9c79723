"""Pages of claims, batches, accounts and the payment list: who opens them, what they show, what a wrong file says."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.factories import DISTRICT, OTHER_COMMUNITY, actor, city, make_elder, make_organisation, system
from tests.screens.test_settlement import form_of, queries
from tests.settlement.stated import JUNE, LATER, approved, batch, claimed, drafted, exported, settled, with_account

from yinling.entitlements.models import Entitlement
from yinling.orders.operations import hold_order, release_hold
from yinling.settlement import bankfile, remitting
from yinling.settlement.models import BankAccount, Claim, ClaimLine, Invoice, Payout, Posting, Remittance, Statement
from yinling.settlement.operations import (
    approve_payout,
    draft_statement,
    reverse_order,
    review_payout,
    submit_claim,
)
from yinling.settlement.queries.cases import settlement_of

SignIn = Callable[..., Client]


def csv_file(heads: tuple[str, ...], *rows: tuple[object, ...]) -> SimpleUploadedFile:
    text = "\n".join(",".join(str(cell) for cell in row) for row in (heads, *rows))
    return SimpleUploadedFile("回盘.csv", text.encode("utf-8-sig"), content_type="text/csv")


PAGES = [
    "/settlement/purchase/", "/settlement/claims/", "/settlement/claims/refused/", "/settlement/remittances/", "/settlement/payouts/",
    "/settlement/accounts/", "/settlement/month/?month=2026-06",
]  # fmt: skip
WRITING = [
    "/settlement/drafting/", "/settlement/remittances/new/", "/settlement/payouts/new/", "/settlement/arrivals/new/", "/settlement/arrivals/new/csv/",
]  # fmt: skip


def test_the_empty_pages_say_what_to_do_next(sign_in: SignIn) -> None:
    client = sign_in("finance")
    for address in (*PAGES, *WRITING):
        answer = client.get(address)
        assert answer.status_code == 200, address
    assert "还没有拨付批次" in client.get("/settlement/payouts/").content.decode()
    assert "还没有申报" in client.get("/settlement/claims/").content.decode()


@pytest.mark.parametrize(
    ("role", "may"), [("auditor", True), ("district", True), ("city", True), ("seat", False), ("carer", False)]
)
def test_who_opens_the_pages(sign_in: SignIn, role: str, may: bool) -> None:  # noqa: FBT001
    client = sign_in(role)
    for address in PAGES:
        assert client.get(address).status_code == (200 if may else 403), address
    for address in WRITING:
        assert client.get(address).status_code == 403, address


def test_no_page_asks_more_with_more_rows(sign_in: SignIn) -> None:
    body = make_organisation()
    with_account(body)
    claim = claimed(body=body)
    row = approved(payer="government", body=body)
    made = exported([f"statement:{row.pk}"])
    client = sign_in("finance")
    addresses = [
        *PAGES, f"/settlement/claims/{claim.pk}/", f"/settlement/payouts/{made.pk}/", f"/settlement/statements/{row.pk}/", "/settlement/payouts/new/",
        "/settlement/drafting/",
    ]  # fmt: skip
    before = {address: queries(client, address) for address in addresses}
    for _ in range(2):
        more = claimed()
        with_account(more.provider)
        other = approved(payer="government", body=more.provider)
        batch([f"statement:{other.pk}"])
    after = {address: queries(client, address) for address in addresses}
    assert after == before
    assert max(after.values()) <= 8, after


@pytest.mark.req("R-PAY-12")
def test_what_is_held_after_the_approval_does_not_go_to_the_bank_and_has_a_way_out(sign_in: SignIn) -> None:
    one, other = approved(payer="government"), approved(payer="government")
    for row in (one, other):
        with_account(row.provider)
    made = batch([f"statement:{one.pk}", f"statement:{other.pk}"])
    review_payout(actor=actor("finance"), now=LATER, payout_id=made.pk)
    approve_payout(actor=actor("finance"), now=LATER, payout_id=made.pk, count=2)
    client, here = sign_in("finance"), f"/settlement/payouts/{made.pk}/"
    assert 'data-action="drop_payout_line"' not in client.get(here).content.decode()
    order = one.lines.select_related("charge__order").first().charge.order
    hold_order(actor=system(), now=LATER, order=order, cause="objection:1", reason="账单异议")
    html = client.get(here).content.decode()
    assert "现在不能送银行" in html
    refused = client.post(f"{here}bank/")
    assert refused.status_code == 422
    assert one.code in refused.content.decode()
    assert Payout.objects.get().state == "approved"
    sent = form_of(client, here, "drop_payout_line")
    assert client.post("/do/drop_payout_line/", sent | {"reason": "有异议"})["Location"] == here
    assert client.post("/do/drop_payout_line/", sent | {"reason": "再次", "_key": "b"}).status_code == 404
    made.refresh_from_db()
    assert (made.line_count, made.total_fen, made.state) == (1, 8000, "approved")
    file = client.post(f"{here}bank/")
    assert file.status_code == 200
    assert one.code not in file.content.decode("utf-8-sig")
    assert f'value="statement:{one.pk}"' not in client.get("/settlement/payouts/new/").content.decode()
    release_hold(actor=system(), now=LATER, order=order, cause="objection:1", reason="已说明")
    assert f'value="statement:{one.pk}"' in client.get("/settlement/payouts/new/").content.decode()
    last = form_line(made)
    assert client.post("/do/drop_payout_line/", {"payout_line_id": last, "reason": "x", "_key": "c"}).status_code == 409


@pytest.mark.req("R-PAY-12")
def test_an_approved_batch_with_nothing_else_in_it_goes_back(sign_in: SignIn) -> None:
    row = approved(payer="government")
    with_account(row.provider)
    made = batch([f"statement:{row.pk}"])
    review_payout(actor=actor("finance"), now=LATER, payout_id=made.pk)
    approve_payout(actor=actor("finance"), now=LATER, payout_id=made.pk, count=1)
    client, here = sign_in("finance"), f"/settlement/payouts/{made.pk}/"
    answer = client.post("/do/drop_payout_line/", {"payout_line_id": form_line(made), "reason": "x", "_key": "a"})
    assert answer.status_code == 422
    sent = form_of(client, here, "return_payout") | {"reason": "有异议"}
    assert client.post("/do/return_payout/", sent)["Location"] == here
    made.refresh_from_db()
    assert made.state == "returned"
    assert f'value="statement:{row.pk}"' in client.get("/settlement/payouts/new/").content.decode()
    assert client.post(f"{here}bank/").status_code == 409


def form_line(made: Payout) -> str:
    return str(made.lines.get().pk)


def test_a_file_with_a_wrong_line_is_shown_by_line_and_a_right_one_is_booked(sign_in: SignIn) -> None:
    claim, client = claimed(), sign_in("finance")
    address = "/settlement/remittances/new/"
    wrong = csv_file(remitting.HEADS, (claim.code, 1, "40.00", "", ""), (claim.code, 2, "40.005", "", ""))
    html = client.post(address, {"payer": "ltci", "file": wrong}).content.decode()
    assert "金额最多两位小数" in html
    assert "确认入账" not in html
    assert not Remittance.objects.exists()
    right = csv_file(remitting.HEADS, (claim.code, 1, "40.00", "", ""), (claim.code, 2, "0", "101", "无资格"))
    html = client.post(address, {"payer": "ltci", "file": right}).content.decode()
    assert "确认入账" in html
    assert not Remittance.objects.exists()
    content = html.split('name="content" value="')[1].split('"')[0]
    sent = {"payer": "ltci", "name": "回盘.csv", "content": content, "then": "load"}
    for _ in range(2):
        assert client.post(address, sent)["Location"] == "/settlement/remittances/"
    assert Remittance.objects.get().paid_fen == 4000
    assert Posting.objects.filter(kind="remittance").count() == 1
    assert "无资格" in client.get("/settlement/claims/refused/").content.decode()
    html = client.get(f"/settlement/claims/{claim.pk}/").content.decode()
    assert 'data-action="appeal_claim_line"' in html
    assert 'data-action="resubmit_claim"' in html
    assert client.post(address, {"payer": "ltci"}).status_code == 422


def test_a_claim_is_sent_from_the_page_and_exported(sign_in: SignIn) -> None:
    row, client = approved(), sign_in("finance")
    sent = form_of(client, "/settlement/claims/", "submit_claim")
    answer = client.post("/do/submit_claim/", sent)
    claim = Claim.objects.get(statement=row)
    assert answer["Location"] == f"/settlement/claims/{claim.pk}/"
    text = client.get(f"/settlement/claims/{claim.pk}/csv/").content.decode("utf-8-sig")
    assert text.split("\r\n")[1].startswith(f"{claim.code},1,")
    assert text.count("40.00") == 2
    assert client.get(f"/settlement/claims/{claim.pk}/excel/").status_code == 200


def test_a_batch_from_the_page_to_the_bank_and_back(sign_in: SignIn) -> None:
    row = approved(payer="government")
    with_account(row.provider)
    client, second, third = sign_in("finance"), sign_in("finance"), sign_in("finance")
    html = client.get("/settlement/payouts/new/").content.decode()
    assert f'value="statement:{row.pk}"' in html
    answer = client.post("/settlement/payouts/new/", {"title": "六月拨付", "keys": [f"statement:{row.pk}"]})
    made = Payout.objects.get()
    here = f"/settlement/payouts/{made.pk}/"
    assert answer["Location"] == here
    assert (
        client.post("/settlement/payouts/new/", {"title": "再次", "keys": [f"statement:{row.pk}"]}).status_code == 422
    )
    second.post("/do/review_payout/", form_of(second, here, "review_payout"))
    sent = form_of(third, here, "approve_payout")
    assert third.post("/do/approve_payout/", sent | {"count": "3"}).status_code == 422
    assert third.post("/do/approve_payout/", sent | {"count": "1", "_key": "b"}).status_code == 302
    file = client.post(f"{here}bank/")
    assert file.content == client.post(f"{here}bank/").content
    assert "6222020200012345678" in file.content.decode("utf-8-sig")
    line = made.lines.get()
    wrong = csv_file(bankfile.RETURN_HEADS, (made.code, line.pk, "80.01", "成功", ""))
    assert "金额与批次中的不相同" in client.post(f"{here}answer/", {"file": wrong}).content.decode()
    right = csv_file(bankfile.RETURN_HEADS, (made.code, line.pk, "80.00", "成功", ""))
    html = client.post(f"{here}answer/", {"file": right}).content.decode()
    content = html.split('name="content" value="')[1].split('"')[0]
    assert client.post(f"{here}answer/", {"content": content, "then": "load"})["Location"] == here
    assert "已付款" in client.get(here).content.decode()
    assert "付款回单" in client.get(f"/settlement/statements/{row.pk}/").content.decode()


def test_an_account_is_shown_by_its_last_digits(sign_in: SignIn) -> None:
    body, client, second = make_organisation(), sign_in("finance"), sign_in("finance")
    sent = form_of(client, "/settlement/accounts/", "propose_account")
    sent |= {
        "organisation_id": str(body.pk), "holder": "江城护理站", "bank": "工商银行", "number": "6222 0202 0001 2345 678", "valid_from": "2026-01-01",
    }  # fmt: skip
    assert client.post("/do/propose_account/", sent).status_code == 302
    html = client.get("/settlement/accounts/").content.decode()
    assert "****5678" in html
    assert not re.search(r"6222\s*0202", html)
    assert 'data-action="confirm_account"' not in html
    assert (
        second.post("/do/confirm_account/", form_of(second, "/settlement/accounts/", "confirm_account")).status_code
        == 302
    )
    assert BankAccount.objects.get().confirmed_by is not None
    shown = second.post(
        "/do/reveal_account/", form_of(second, "/settlement/accounts/", "reveal_account") | {"reason": "核对退汇"}
    )
    assert "6222020200012345678" in shown.content.decode()


def test_deduction_objection_and_invoice_from_the_page(sign_in: SignIn) -> None:
    row, client = drafted(payer="government"), sign_in("finance")
    here = f"/settlement/statements/{row.pk}/"
    sent = form_of(client, here, "deduct_statement") | {
        "reason": "01",
        "amount_fen": "0.50",
        "note": "少做",
        "line_id": "",
    }
    assert client.post("/do/deduct_statement/", sent).status_code == 302
    assert "79.50" in client.get(here).content.decode()
    body = sign_in(actor("provider_manager", div="", organisation=row.provider))
    html = body.get(here).content.decode()
    assert 'data-action="object_statement"' in html
    assert 'data-action="return_statement"' not in html
    approved(Statement.objects.get(pk=row.pk))
    sent = form_of(body, here, "register_invoice") | {
        "number": "24322000000012345678",
        "issued_on": "2026-06-16",
        "amount_fen": "79.50",
    }
    assert body.post("/do/register_invoice/", sent | {"amount_fen": "79.51", "_key": "a"}).status_code == 422
    assert body.post("/do/register_invoice/", sent).status_code == 302
    assert Invoice.objects.get().amount_fen == 7950


@pytest.mark.req("R-PAY-13")
def test_the_money_of_a_case_by_month(sign_in: SignIn) -> None:
    body = make_organisation()
    settled(body, "government")
    given = Entitlement.objects.get()
    who = sign_in("finance").actor  # type: ignore[attr-defined]
    assert [(one.month, one.charged_fen, one.approved_fen, one.paid_fen) for one in settlement_of(who, given.pk)] == [
        (JUNE, 4000, 0, 0)
    ]
    row = approved(drafted(payer="government", count=0, body=body))
    with_account(body)
    made = exported([f"statement:{row.pk}"])
    [one] = settlement_of(who, given.pk)
    assert (one.approved_fen, one.paid_fen) == (4000, 0)
    client = sign_in("finance")
    right = csv_file(bankfile.RETURN_HEADS, (made.code, made.lines.get().pk, "40.00", "成功", ""))
    html = client.post(f"/settlement/payouts/{made.pk}/answer/", {"file": right}).content.decode()
    content = html.split('name="content" value="')[1].split('"')[0]
    client.post(f"/settlement/payouts/{made.pk}/answer/", {"content": content, "then": "load"})
    assert settlement_of(who, given.pk)[0].paid_fen == 4000
    assert settlement_of(actor("assessor"), given.pk) == []


def test_the_payers_file_has_a_correction_as_a_number(sign_in: SignIn) -> None:
    row = approved(count=1)
    reverse_order(actor=actor("finance"), now=LATER, order_id=row.lines.get().charge.order_id, reason="误")
    for _ in range(2):
        settled(row.provider)
    july = draft_statement(
        actor=actor("finance"),
        now=LATER + timedelta(days=30),
        organisation_id=row.provider_id,
        payer="ltci",
        month=date(2026, 7, 1),
    )
    claim = submit_claim(actor=actor("finance"), now=LATER, statement_id=approved(july).pk)
    lines = sign_in("finance").get(f"/settlement/claims/{claim.pk}/csv/").content.decode("utf-8-sig").split("\r\n")
    assert sorted(line.rpartition(",")[2] for line in lines[1:-1]) == ["-40.00", "40.00", "40.00"]


def test_a_district_sees_all_lines_of_the_claim_of_its_body(sign_in: SignIn) -> None:
    city()
    body = make_organisation()
    settled(body)
    other = settled(body, elder=make_elder(OTHER_COMMUNITY))
    claim = claimed(count=0, body=body)
    client = sign_in(actor("finance", DISTRICT))
    for address in (
        f"/settlement/claims/{claim.pk}/",
        f"/settlement/claims/{claim.pk}/csv/",
        f"/settlement/statements/{claim.statement_id}/",
    ):
        assert other.code in client.get(address).content.decode(), address
    ClaimLine.objects.filter(claim=claim).update(state="refused", refusal="101")
    assert client.get("/settlement/claims/refused/").content.decode().count(f"/settlement/claims/{claim.pk}/") == 2
