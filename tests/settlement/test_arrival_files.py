"""Receipts from a bank's file: laid on what is owed line by line, all of them or none, known ones left out, doubtful ones shown."""

from __future__ import annotations

import base64
from datetime import date, timedelta
from typing import Any

import pytest
from tests.factories import CITY, OTHER_DISTRICT, actor, city, make_organisation
from tests.settlement.stated import LATER, approved, drafted, refused, sent
from tests.settlement.test_arrivals import came, owed

from yinling.accounts.models import Journal
from yinling.kernel.actor import Actor
from yinling.kernel.period import local_date
from yinling.kernel.refusals import Denied, NotAllowed
from yinling.settlement.arriving import HEADS, read
from yinling.settlement.models import Posting, Statement, Transfer
from yinling.settlement.operations import load_transfers, reverse_transfer
from yinling.settlement.queries import balance
from yinling.settlement.queries.files import open_file
from yinling.settlement.queries.receipts import MOST_LINES, Preview, preview_arrivals

pytestmark = pytest.mark.usefixtures("wide")
TODAY = local_date(LATER)
DAY = TODAY.isoformat()


@pytest.fixture
def finance() -> Actor:
    city()
    return actor("finance")


def stated(count: int = 2) -> Statement:
    return approved(drafted(payer="government", count=count, body=make_organisation()))


def line(
    paper: str, yuan: object, payer: str = "政府购买", fund: str = "一般公共预算", on: str = DAY, **values: str
) -> tuple[object, ...]:
    return (on, paper, payer, fund, yuan, values.get("area", ""), values.get("codes", ""))


def content(*rows: tuple[object, ...], heads: tuple[str, ...] = HEADS) -> str:
    return sent(*rows, heads=heads)


def load(who: Actor, *rows: tuple[object, ...]) -> list[Transfer]:
    return load_transfers(actor=who, now=LATER, content=content(*rows))


def preview(who: Actor, *rows: tuple[object, ...]) -> Preview:
    return preview_arrivals(who, open_file(who, "arrival", base64.b64decode(content(*rows)), TODAY), TODAY)


@pytest.mark.req("R-PAY-12")
def test_a_file_pays_as_its_lines_would_one_after_the_other(finance: Actor) -> None:
    first, second = stated(), stated()
    rows = (line("A1", "50.00"), line("A2", "60.00"), line("A3", "70.00"))
    shown = preview(finance, *rows)
    assert [(one.statements, one.kept_fen, one.is_doubtful) for one in shown.lines] == [
        ({first.code: 5000}, 0, False), ({first.code: 3000, second.code: 3000}, 0, False), ({second.code: 5000}, 2000, True),
    ]  # fmt: skip
    assert (shown.new_fen, shown.doubtful_count, shown.problems) == (18000, 1, [])
    assert not Transfer.objects.exists()
    assert [one.note for one in load(finance, *rows)] == ["A1", "A2", "A3"]
    assert owed(finance) == {}
    assert (balance("bank", TODAY), balance("receivable.government", TODAY)) == (18000, -2000)
    assert Journal.objects.filter(event="settlement.transfer.load", is_refused=False).count() == 3
    # What is kept pays with the next line, exactly as with the next receipt.
    third = stated()
    assert [(one.statements, one.kept_fen) for one in preview(finance, line("A4", "60.00")).lines] == [
        ({third.code: 8000}, -2000)
    ]


def test_named_statements_are_paid_and_the_fund_of_the_payer_is_meant_where_none_is_written(finance: Actor) -> None:
    first, second = stated(), stated()
    load(
        finance,
        line("A1", "80", fund="", codes=f"{second.code.lower()}、"),
        ("20260615", "A2", "government", "general", "¥30.00", CITY),
    )
    assert owed(finance) == {first.code: 5000}
    assert Transfer.objects.get(note="A2").proposed_at.date() < TODAY
    with refused("arrival.wrong") as refusal:
        load(finance, line("A3", "50", codes=first.code), line("A4", "0.01", codes=first.code))
    assert (refusal.value.values["lines"], refusal.value.values["codes"]) == ("3", ["arrival.too_much"])
    assert Transfer.objects.count() == 2


def test_nothing_counts_while_one_line_is_wrong(finance: Actor) -> None:
    stated()
    came(finance, 100, "旧1")
    wrong = [
        (line("B1", "1", on="6月1日"), "arrival.unreadable_day"), (line("B2", "1", on=(TODAY + timedelta(days=1)).isoformat()), "arrival.day"),
        (line("B3", "1", payer="财政局"), "arrival.unknown_name"), (line("B4", "1", fund="小金库"), "arrival.unknown_name"),
        (line("B5", "1", payer="财政拨款（用于补助和报销）", fund=""), "arrival.unknown_name"),
        (line("B6", "1", payer="长期护理保险", fund="长期护理保险基金"), "arrival.by_claim"), (line("B7", "一元"), "money.format"),
        (line("B8", "0.001"), "money.decimals"), (line("B9", "0"), "arrival.amount"), (line("B10", "-5"), "arrival.amount"),
        (line("B11", "100000000.01"), "arrival.amount"), (line("", "1"), "text.missing"), (line("长" * 61, "1"), "text.too_long"),
        (line("1.23457E+15", "1"), "arrival.rounded"), (line("B12", "1", area="310101"), "arrival.area"),
        (line("B13", "1", codes="S-1"), "arrival.statement"),
        (line("A0", "2"), "arrival.twice"), (line("旧1", "2"), "arrival.known"),
    ]  # fmt: skip
    rows = [line("A0", "1"), *(row for row, _code in wrong)]
    shown = preview(finance, *rows)
    assert [(one.place, one.code) for one in shown.problems] == [
        (place, code) for place, (_row, code) in enumerate(wrong, 3)
    ]
    assert all(one.column for one in shown.problems)
    with refused("arrival.wrong") as refusal:
        load(finance, *rows)
    assert refusal.value.values["count"] == len(wrong)
    assert (Transfer.objects.count(), Posting.objects.filter(kind="arrival").count()) == (1, 1)


def test_what_is_registered_already_is_left_out_and_a_file_without_anything_new_is_refused(finance: Actor) -> None:
    row = stated()
    load(finance, line("A1", "30.00"))
    later = (line("A1", "30.00"), line("A2", "20.00"))
    assert [one.is_known for one in preview(finance, *later).lines] == [True, False]
    assert [one.note for one in load(finance, *later)] == ["A2"]
    with refused("arrival.nothing_new", NotAllowed):
        load(finance, *later)
    assert owed(finance) == {row.code: 3000}
    # A slip taken back may come again; the same money under another number is shown before it is booked.
    reverse_transfer(actor=finance, now=LATER, transfer_id=Transfer.objects.get(note="A2").pk, reason="登错")
    shown = preview(finance, line("A2", "20.00"), line("A3", "20.00"), line("A4", "30.00"))
    assert [(one.is_known, one.twin) for one in shown.lines] == [(False, ""), (False, "A2"), (False, "A1")]
    assert shown.doubtful_count == 2
    with refused("arrival.known"):
        came(finance, 1, "A1")


def test_what_a_file_may_look_like(finance: Actor) -> None:
    row = stated(count=1)
    text = "\n".join(
        [",".join(HEADS), "", f'{TODAY:%Y/%-m/%-d},A1,政府购买,一般公共预算,"1,0.00"'.replace("1,0", "10"), ""]
    )
    for data in (text.encode("gb18030"), text.encode("utf-8-sig"), text.replace("\n", "\r\n").encode()):
        [one] = preview_arrivals(finance, open_file(finance, "arrival", data, TODAY), TODAY).lines
        assert (one.receipt.fen, one.receipt.on, one.statements) == (1000, TODAY, {row.code: 1000})
    for data, code in (
        (b"", "file.missing"), (",".join(HEADS).encode(), "file.empty"), ("日期,金额\n1,2".encode(), "file.heads"),
        (b"\x00\xff\x00", "sheet.encoding"),
        ("\n".join([",".join(HEADS), *(f"{DAY},N{number},政府购买,,1" for number in range(MOST_LINES + 1))]).encode(), "arrival.too_many"),
    ):  # fmt: skip
        with refused(code):
            load_transfers(actor=finance, now=LATER, content=base64.b64encode(data).decode())
    with refused("file.broken"):
        load_transfers(actor=finance, now=LATER, content="%%%")
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("role", ["auditor", "city", "seat"])
def test_only_whoever_answers_for_money_reads_receipts(finance: Actor, role: str) -> None:
    stated()
    with pytest.raises(Denied):
        load(actor(role), line("A1", "1"))
    with pytest.raises(Denied):
        preview(actor(role), line("A1", "1"))
    with refused("arrival.wrong"):
        load(actor("finance", OTHER_DISTRICT), line("A1", "1", area=CITY))
    assert finance.div == CITY
    assert not Transfer.objects.exists()


def test_every_day_that_banks_write_is_read(finance: Actor) -> None:
    def days(*texts: str) -> list[Any]:
        rows = "\n".join([",".join(HEADS), *(f"{text},N,government,general,1" for text in texts)])
        table = open_file(finance, "arrival", rows.encode(), TODAY).table()
        return [one.on for one in read(table, {"government": "政府购买"}, {"general": "一般公共预算"}, CITY)[0]]

    assert (
        days("2026-06-05", "2026/6/5", "20260605", "2026.6.5", "2026年6月5日", "20260605 102233", "2026-06-05 10:22:33")
        == [date(2026, 6, 5)] * 7
    )
    assert days("2026-02-30", "0001-01-01", "05/06/2026", "6月5日") == []
