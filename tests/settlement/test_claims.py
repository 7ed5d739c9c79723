"""Claims to insurers: sending, files of answers, refusals and what becomes of them."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum
from tests.factories import (
    NOW,
    OTHER_DISTRICT,
    actor,
    fund_order,
    make_entitlement,
    make_item,
    make_order,
    make_organisation,
    make_price,
    make_scheme,
    system,
)
from tests.settlement.stated import JUNE, LATER, agree, approved, claimed, drafted, refused, sent, settled

from yinling.accounts.models import Journal
from yinling.entitlements.models import Agreement
from yinling.entitlements.operations import end_agreement, sign_agreement
from yinling.kernel.money import yuan
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed
from yinling.settlement.models import Claim, ClaimLine, LedgerEntry, Posting, Remittance, Statement
from yinling.settlement.operations import (
    abandon_claim_line,
    answer_claim_line,
    appeal_claim_line,
    deduct_statement,
    draft_statement,
    load_remittance,
    resubmit_claim,
    reverse_order,
    settle_order,
    submit_claim,
    withdraw_claim,
)
from yinling.settlement.queries.claims import ageing, claim_totals, claimable, claims, preview_remittance
from yinling.settlement.queries.files import open_file
from yinling.settlement.remitting import HEADS

pytestmark = pytest.mark.usefixtures("wide")


def load(*rows: tuple[object, ...], payer: str = "ltci", who: Any = None, name: str = "回盘.csv") -> Remittance:
    return load_remittance(
        actor=who or actor("finance"), now=LATER, payer=payer, name=name, content=sent(*rows, heads=HEADS)
    )


def states(row: Claim) -> list[str]:
    return [str(line.state) for line in row.lines.order_by("number")]


def received(payer: str = "ltci") -> int:
    rows = LedgerEntry.objects.filter(posting__kind="remittance", account=f"receivable.{payer}")
    return -(rows.aggregate(fen=Sum("amount"))["fen"] or 0)


def test_a_claim_holds_what_is_left_after_deductions() -> None:
    row = drafted()
    line = row.lines.order_by("pk").first()
    deduct_statement(
        actor=actor("finance"),
        now=LATER,
        statement_id=row.pk,
        reason="01",
        amount_fen=1000,
        note="少做",
        line_id=line.pk,
    )
    deduct_statement(
        actor=actor("finance"), now=LATER, statement_id=row.pk, reason="05", amount_fen=701, note="认定违规"
    )
    approved(row)
    assert list(claimable(actor("finance"))) == [row]
    claim = submit_claim(actor=actor("finance"), now=LATER, statement_id=row.pk)
    assert (claim.claimed_fen, claim.attempt, claim.state) == (6299, 1, "submitted")
    assert [one.claimed_fen for one in claim.lines.order_by("number")] == [2700, 3599]
    assert list(claimable(actor("finance"))) == []


@pytest.mark.req("R-PAY-05")
def test_what_is_taken_off_the_whole_is_claimed_off_the_lines_it_was_booked_off() -> None:
    """One fen off a medical and two elder-care services of one price: it is booked off elder care, and the payer owes nothing of either after."""
    body, scheme = make_organisation(), make_scheme(payer="ltci", fund="insurance")
    agree(body, "ltci")
    for is_medical in (True, False, False):
        order = make_order("served", price=make_price(make_item(is_medical=is_medical), body))
        fund_order(order, make_entitlement(order.elder, scheme), 1000)
        settle_order(actor=system(), now=LATER, order_id=order.pk)
    row = drafted(count=0, body=body)
    deduct_statement(actor=actor("finance"), now=LATER, statement_id=row.pk, reason="05", amount_fen=1, note="认定违规")
    claim = submit_claim(actor=actor("finance"), now=LATER, statement_id=approved(row).pk)
    amounts = list(claim.lines.order_by("number").values_list("number", "claimed_fen"))
    assert [fen for _number, fen in amounts] == [1000, 999, 1000]
    load(*((claim.code, number, yuan(fen), "", "") for number, fen in amounts))
    owed = LedgerEntry.objects.filter(account="receivable.ltci").values_list("business")
    assert dict(owed.annotate(fen=Sum("amount"))) == {"medical": 0, "eldercare": 0}


def test_what_cannot_be_claimed() -> None:
    with refused("claim.not_approved", NotAllowed):
        submit_claim(actor=actor("finance"), now=LATER, statement_id=drafted().pk)
    with refused("claim.payer"):
        submit_claim(actor=actor("finance"), now=LATER, statement_id=approved(payer="government").pk)
    claim = claimed()
    with refused("claim.already", NotAllowed):
        submit_claim(actor=actor("finance"), now=LATER, statement_id=claim.statement_id)
    with refused("right.outside", Denied):
        submit_claim(actor=actor("finance", OTHER_DISTRICT), now=LATER, statement_id=claim.statement_id)
    assert Claim.objects.count() == 1


def test_a_file_of_answers_pays_and_refuses() -> None:
    claim = claimed()
    row = load((claim.code, 2, "40.00", "", ""), (claim.code, 1, "15.50", "103", "超限额"))
    assert (row.paid_fen, row.refused_count, row.line_count) == (5550, 1, 2)
    assert states(claim) == ["refused", "paid"]
    claim.refresh_from_db()
    assert (claim.state, claim.answered_at) == ("answered", LATER)
    assert received() == 5550
    assert set(LedgerEntry.objects.filter(posting__kind="remittance").values_list("account", "fund", "business")) == {
        ("bank", "insurance", "eldercare"), ("receivable.ltci", "insurance", "eldercare"),
    }  # fmt: skip


def test_nothing_counts_while_one_line_is_wrong() -> None:
    claim = claimed()
    with refused("remittance.wrong") as refusal:
        load((claim.code, 1, "40.00", "", ""), (claim.code, 2, "40.01", "", ""), ("C-1-1-1", 1, "0", "101", ""))
    assert refusal.value.values["count"] == 2
    assert refusal.value.values["lines"] == "3、4"
    assert refusal.value.values["codes"] == ["remittance.too_much", "remittance.unknown"]
    assert states(claim) == ["submitted", "submitted"]
    assert not Remittance.objects.exists()
    assert not Posting.objects.filter(kind="remittance").exists()
    shown = preview_remittance(
        actor("finance"), "ltci",
        open_file(actor("finance"), "remittance", _bytes((claim.code, 1, "40.00", "", ""), (claim.code, 2, "40.01", "", "")), JUNE), JUNE,
    )  # fmt: skip
    assert [(one.place, one.code) for one in shown.problems] == [(3, "remittance.too_much")]
    assert shown.paid_fen == 8001


def _bytes(*rows: tuple[object, ...]) -> bytes:
    return "\n".join(",".join(str(cell) for cell in row) for row in (HEADS, *rows)).encode()


def test_the_same_file_and_the_same_answers_twice_count_once() -> None:
    claim = claimed()
    rows = ((claim.code, 1, "40.00", "", ""), (claim.code, 2, "0", "101", "无资格"))
    first = load(*rows)
    assert load(*rows, name="另一个名字.csv").pk == first.pk
    again = load(*reversed(rows))
    assert (again.pk != first.pk, again.paid_fen) == (True, 0)
    assert received() == 4000
    assert Posting.objects.filter(kind="remittance").count() == 1
    assert states(claim) == ["paid", "refused"]
    assert Journal.objects.filter(event="settlement.remittance.load").count() == 3


def test_answers_in_parts_and_out_of_order() -> None:
    claim, other = claimed(), claimed()
    load((other.code, 2, "40.00", "", ""), (claim.code, 2, "40.00", "", ""))
    assert Claim.objects.get(pk=claim.pk).state == "submitted"
    load((claim.code, 1, "40.00", "", ""), (claim.code, 2, "40.00", "", ""))
    assert Claim.objects.get(pk=claim.pk).state == "answered"
    assert received() == 12000
    with refused("remittance.wrong"):
        load((claim.code, 1, "39.00", "103", ""))


def test_two_payers_answers_cross_without_touching_each_other() -> None:
    body = make_organisation()
    ltci, commercial = claimed(body=body), claimed(body=body, payer="commercial")
    with refused("remittance.wrong") as refusal:
        load((ltci.code, 1, "40.00", "", ""), (commercial.code, 1, "40.00", "", ""))
    assert refusal.value.values["codes"] == ["remittance.payer"]
    load((commercial.code, 1, "40.00", "", ""), payer="commercial")
    load((ltci.code, 1, "0", "102", "已停"), (ltci.code, 2, "40.00", "", ""))
    load((commercial.code, 2, "40.00", "", ""), payer="commercial")
    assert (received("ltci"), received("commercial")) == (4000, 8000)
    assert (states(ltci), states(commercial)) == (["refused", "paid"], ["paid", "paid"])


def test_another_district_does_not_know_the_claim() -> None:
    claim = claimed()
    from yinling.ground.scope import scope  # noqa: PLC0415

    who = actor("finance", OTHER_DISTRICT)
    with scope(who), refused("remittance.wrong") as refusal:
        load((claim.code, 1, "40.00", "", ""), who=who)
    assert refusal.value.values["codes"] == ["remittance.unknown"]
    with refused("right.missing", Denied):
        load((claim.code, 1, "40.00", "", ""), who=actor("city"))


@pytest.mark.req("R-LTC-05")
def test_what_lies_outside_the_agreement_is_refused_and_not_sent_to_the_insurer() -> None:
    """The agreement was ended on record after the services: what was served after its end is not claimed."""
    body = make_organisation()
    inside = settled(body, starts_at=NOW - timedelta(days=2))
    outside = settled(body, starts_at=NOW - timedelta(days=1))
    row = approved(
        draft_statement(actor=actor("finance"), now=LATER, organisation_id=body.pk, payer="ltci", month=JUNE)
    )
    agreement = Agreement.objects.get(organisation=body)
    end_agreement(
        actor=actor("finance"),
        now=LATER,
        agreement_id=agreement.pk,
        valid_to=local_date(inside.starts_at),
        reason="违规",
    )
    claim = submit_claim(actor=actor("finance"), now=LATER, statement_id=row.pk)
    found = {line.line.charge.order_id: (str(line.state), line.refusal) for line in claim.lines.all()}
    assert found == {inside.pk: ("submitted", ""), outside.pk: ("refused", "108")}
    with refused("claim.outside_agreement"):
        resubmit_claim(actor=actor("finance"), now=LATER, claim_id=claim.pk, reason="再报一次")
    assert Claim.objects.count() == 1
    sign_agreement(
        actor=actor("finance"), now=LATER, organisation_id=body.pk, kind="designation", payer="ltci", number="定点2",
        valid_from=local_date(outside.starts_at),
    )  # fmt: skip
    again = resubmit_claim(actor=actor("finance"), now=LATER, claim_id=claim.pk, reason="协议已补登记")
    assert [(one.line.charge.order_id, str(one.state)) for one in again.lines.all()] == [(outside.pk, "submitted")]


@pytest.mark.req("R-LTC-05")
@pytest.mark.parametrize("values", [{"items": ["NONE"]}, {"payer": "medical_insurance"}, {"kind": "cooperation"}])
def test_a_claim_wholly_outside_the_agreement_is_refused(values: dict[str, Any]) -> None:
    row = approved()
    Agreement.objects.filter(organisation=row.provider).update(**values)
    with refused("claim.outside_agreement"):
        submit_claim(actor=actor("finance"), now=LATER, statement_id=row.pk)
    assert not Claim.objects.exists()


def test_a_refused_line_is_sent_again_with_the_rest() -> None:
    claim = claimed()
    load((claim.code, 1, "15.00", "106", ""), (claim.code, 2, "0", "101", ""))
    with refused("claim.not_refused"):
        resubmit_claim(actor=actor("finance"), now=LATER, claim_id=claim.pk, numbers=[3], reason="补材料")
    with refused("claim.reason"):
        resubmit_claim(actor=actor("finance"), now=LATER, claim_id=claim.pk, reason=" ")
    again = resubmit_claim(actor=actor("finance"), now=LATER, claim_id=claim.pk, numbers=[1], reason="补材料")
    assert (again.attempt, again.claimed_fen, again.statement_id) == (2, 2500, claim.statement_id)
    assert states(claim) == ["resubmitted", "refused"]
    with refused("remittance.wrong"):
        load((claim.code, 1, "40.00", "", ""))
    load((again.code, 1, "25.00", "", ""))
    assert received() == 4000
    assert claim_totals(claims(actor("finance"))) == {
        "count": 2, "claimed_fen": 8000, "paid_fen": 4000, "again_fen": 2500, "open_fen": 0, "refused_fen": 4000, "abandoned_fen": 0,
    }  # fmt: skip


def test_what_was_sent_again_is_not_withdrawn_into_nowhere() -> None:
    claim = claimed()
    load((claim.code, 1, "0", "106", ""), (claim.code, 2, "40.00", "", ""))
    again = resubmit_claim(actor=actor("finance"), now=LATER, claim_id=claim.pk, reason="补材料")
    with refused("claim.sent_again", NotAllowed):
        withdraw_claim(actor=actor("finance"), now=LATER, claim_id=again.pk, reason="误")
    assert (states(claim), states(again)) == (["resubmitted", "paid"], ["submitted"])


def test_a_refusal_larger_than_a_month_is_taken_off_over_several() -> None:
    claim = claimed(count=1)
    load((claim.code, 1, "0", "101", "无资格"))
    abandon_claim_line(actor=actor("finance"), now=LATER, claim_line_id=claim.lines.get().pk, reason="确无资格")
    found = []
    for month, fen in ((7, 1500), (8, 1000), (9, 4000)):
        settled(claim.provider, fen=fen)
        row = draft_statement(
            actor=actor("finance"), now=LATER + timedelta(days=31 * (month - 6)), organisation_id=claim.provider_id, payer="ltci",
            month=date(2026, month, 1),
        )  # fmt: skip
        approved(row)
        found.append((row.total_fen, row.deducted_fen))
    assert found == [(1500, 1500), (1000, 1000), (4000, 1500)]


def test_an_appeal_is_answered_in_writing() -> None:
    claim = claimed()
    load((claim.code, 1, "0", "106", ""), (claim.code, 2, "40.00", "", ""))
    line = claim.lines.get(number=1)
    with refused("claim_line.no_appeal", NotAllowed):
        answer_claim_line(actor=actor("finance"), now=LATER, claim_line_id=line.pk, paid_fen=4000, text="同意")
    appeal_claim_line(actor=actor("finance"), now=LATER, claim_line_id=line.pk, text="签字齐全")
    with refused("remittance.too_much"):
        answer_claim_line(actor=actor("finance"), now=LATER, claim_line_id=line.pk, paid_fen=4001, text="同意")
    done = answer_claim_line(actor=actor("finance"), now=LATER, claim_line_id=line.pk, paid_fen=4000, text="同意支付")
    assert (done.state, done.paid_fen, done.appeal) == ("paid", 4000, "签字齐全")
    assert received() == 8000


def test_what_is_given_up_is_taken_off_the_next_statement_once() -> None:
    claim = claimed()
    load((claim.code, 1, "0", "101", "无资格"), (claim.code, 2, "40.00", "", ""))
    line = claim.lines.get(number=1)
    abandon_claim_line(actor=actor("finance"), now=LATER, claim_line_id=line.pk, reason="确无资格")
    with refused("state.not_allowed", NotAllowed):
        appeal_claim_line(actor=actor("finance"), now=LATER, claim_line_id=line.pk, text="再议")
    body = claim.provider
    for _ in range(2):
        settled(body)
    july = LATER + timedelta(days=30)
    row = draft_statement(
        actor=actor("finance"), now=july, organisation_id=body.pk, payer="ltci", month=date(2026, 7, 1)
    )
    assert (row.total_fen, row.deducted_fen, row.payable_fen) == (8000, 4000, 4000)
    assert row.deductions.get().reason == "06"
    approved(row)
    # The payer is asked for the new lines in full: it has refused the old one already.
    assert submit_claim(actor=actor("finance"), now=july, statement_id=row.pk).claimed_fen == 8000
    settled(body)
    august = july + timedelta(days=31)
    later = draft_statement(
        actor=actor("finance"), now=august, organisation_id=body.pk, payer="ltci", month=date(2026, 8, 1)
    )
    assert later.deducted_fen == 0


def test_what_was_given_up_and_reversed_at_the_same_moment_is_not_taken_off_twice() -> None:
    """The reversal did not see the deduction yet: its own line takes all of it from the provider."""
    claim = claimed()
    load((claim.code, 1, "0", "101", "无资格"))
    line = claim.lines.get(number=1)
    abandon_claim_line(actor=actor("finance"), now=LATER, claim_line_id=line.pk, reason="确无资格")
    settled(claim.provider)
    july = LATER + timedelta(days=30)
    row = draft_statement(
        actor=actor("finance"), now=july, organisation_id=claim.provider_id, payer="ltci", month=date(2026, 7, 1)
    )
    assert row.deducted_fen == 4000
    charge = line.line.charge
    Posting.objects.create(
        div=charge.div, key="reversal:0", kind="reversal", order=charge.order, reverses=charge.posting, text="同时冲正", posted_at=LATER
    )  # fmt: skip
    with refused("statement.reversed"):
        approved(row)


def test_a_claim_without_answers_is_withdrawn_and_sent_again() -> None:
    claim = claimed()
    withdraw_claim(actor=actor("finance"), now=LATER, claim_id=claim.pk, reason="月份有误")
    assert states(claim) == ["abandoned", "abandoned"]
    again = submit_claim(actor=actor("finance"), now=LATER, statement_id=claim.statement_id)
    assert again.attempt == 2
    load((again.code, 1, "40.00", "", ""))
    with refused("claim.answered", NotAllowed):
        withdraw_claim(actor=actor("finance"), now=LATER, claim_id=again.pk, reason="误")
    with refused("remittance.wrong"):
        load((claim.code, 1, "40.00", "", ""))


def test_ageing_by_payer() -> None:
    claimed()
    old = claimed(payer="commercial")
    load((old.code, 1, "40.00", "", ""), payer="commercial")
    found = {age.payer: age.fen for age in ageing(actor("finance"), LATER + timedelta(days=61))}
    assert found == {"ltci": (0, 0, 8000, 0), "commercial": (0, 0, 4000, 0)}
    assert ageing(actor("finance"), LATER)[0].total == 4000


@pytest.mark.parametrize(("content", "code"), [("%%%", "file.broken"), ("", "file.missing")])
def test_a_broken_upload_is_refused(content: str, code: str) -> None:
    with refused(code):
        load_remittance(actor=actor("finance"), now=NOW, payer="ltci", name="x.csv", content=content)
    assert not ClaimLine.objects.exists()


@pytest.mark.req("R-LTC-05")
def test_a_line_that_was_not_sent_is_not_deducted_when_its_claim_is_withdrawn() -> None:
    """The platform itself refused it; after the withdrawal the statement may be claimed again."""
    body = make_organisation()
    settled(body, starts_at=NOW - timedelta(days=2))
    settled(body, starts_at=NOW - timedelta(days=1))
    row = approved(drafted(count=0, body=body))
    Agreement.objects.filter(organisation=body).update(valid_to=local_date(NOW - timedelta(days=1)))
    claim = submit_claim(actor=actor("finance"), now=LATER, statement_id=row.pk)
    assert states(claim) == ["submitted", "refused"]
    withdraw_claim(actor=actor("finance"), now=LATER, claim_id=claim.pk, reason="误报")
    Agreement.objects.filter(organisation=body).update(valid_to=None)
    settled(body)
    july = draft_statement(
        actor=actor("finance"), now=LATER + timedelta(days=30), organisation_id=body.pk, payer="ltci", month=date(2026, 7, 1)
    )  # fmt: skip
    assert (july.total_fen, july.deducted_fen) == (4000, 0)


@pytest.mark.parametrize(("paid", "back"), [("0", []), ("15.00", [-1500])])
def test_a_payer_gives_back_of_a_reversed_service_only_what_it_paid(paid: str, back: list[int]) -> None:
    claim = claimed(count=1)
    load((claim.code, 1, paid, "101", "无资格"))
    line = claim.lines.get()
    abandon_claim_line(actor=actor("finance"), now=LATER, claim_line_id=line.pk, reason="确无资格")
    reverse_order(actor=actor("finance"), now=LATER, order_id=line.line.charge.order_id, reason="登记重复")
    for _ in range(2):
        settled(claim.provider)
    july = LATER + timedelta(days=30)
    row = draft_statement(
        actor=actor("finance"), now=july, organisation_id=claim.provider_id, payer="ltci", month=date(2026, 7, 1)
    )
    assert (row.total_fen, row.deducted_fen) == (4000, 0)
    again = submit_claim(actor=actor("finance"), now=july, statement_id=approved(row).pk)
    assert sorted(again.lines.values_list("claimed_fen", flat=True)) == [*back, 4000, 4000]
    load(*((again.code, one.number, yuan(one.claimed_fen).replace(",", ""), "", "") for one in again.lines.all()))
    owed = LedgerEntry.objects.filter(account="receivable.ltci").aggregate(fen=Sum("amount"))["fen"]
    assert owed == 0


def test_of_a_reversed_service_that_is_refused_and_not_given_up_yet_nothing_goes_back_either() -> None:
    """Else the payer keeps what it never paid: the line can only be given up afterwards."""
    claim = claimed(count=2)
    load((claim.code, 1, "0", "101", "无资格"), (claim.code, 2, "40.00", "", ""))
    line = claim.lines.get(number=1)
    reverse_order(actor=actor("finance"), now=LATER, order_id=line.line.charge.order_id, reason="登记重复")
    who, july = actor("finance"), LATER + timedelta(days=30)
    with refused("claim.reversed"):
        resubmit_claim(actor=who, now=july, claim_id=claim.pk, reason="再报")
    with refused("claim.reversed"):
        appeal_claim_line(actor=who, now=july, claim_line_id=line.pk, text="签字齐全")
    for _ in range(2):
        settled(claim.provider)
    row = draft_statement(actor=who, now=july, organisation_id=claim.provider_id, payer="ltci", month=date(2026, 7, 1))
    again = submit_claim(actor=who, now=july, statement_id=approved(row).pk)
    assert list(again.lines.values_list("claimed_fen", flat=True)) == [4000, 4000]
    load(*((again.code, one.number, "40.00", "", "") for one in again.lines.all()))
    abandon_claim_line(actor=who, now=july, claim_line_id=line.pk, reason="已冲正")
    owed = LedgerEntry.objects.filter(account="receivable.ltci").aggregate(fen=Sum("amount"))["fen"]
    assert owed == 0


@pytest.mark.parametrize("paid", [4_001, -1])
def test_the_database_keeps_what_is_paid_within_what_was_claimed(paid: int) -> None:
    claimed()
    with pytest.raises(IntegrityError, match="claim_line_paid"), transaction.atomic():
        ClaimLine.objects.update(paid_fen=paid)


@pytest.mark.parametrize(
    "values", [{"deducted_fen": 8_001}, {"offset_fen": -1}, {"deducted_fen": 4_000, "offset_fen": 4_001}]
)
def test_the_database_keeps_what_is_taken_off_within_the_statement(values: dict[str, int]) -> None:
    drafted()
    with pytest.raises(IntegrityError, match="statement_left"), transaction.atomic():
        Statement.objects.update(**values)
