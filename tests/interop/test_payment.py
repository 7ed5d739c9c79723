"""The signed interface of an aggregator of ways to pay, against a server on this machine, and notices at our door."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.factories import NOW, actor, make_area_tree, make_order, system
from tests.interop.server import Reply, Server

from yinling.accounts.models import Journal
from yinling.ground.clock import real_now
from yinling.interop.payment.http import HttpPayment
from yinling.interop.payment.none import NoPayment
from yinling.interop.payment.notices import write_notice
from yinling.interop.signed import signature, signed_headers
from yinling.settlement.models import LedgerEntry, Payment, Posting
from yinling.settlement.operations import ask_payment
from yinling.settlement.ports import BillRow, Notice, NoticeRefused, RefundRefused

SECRET = "s3cret"
UNTIL = datetime(2026, 6, 16, 10, tzinfo=UTC)
HOOK = "/hooks/payment/union/"


@pytest.fixture(autouse=True)
def channel(settings: Any, server: Server) -> HttpPayment:
    settings.PAYMENT = {"name": "union", "url": server.address, "key": "city", "secret": SECRET, "timeout": "30"}
    settings.PORTS = {**settings.PORTS, "payment": "yinling.interop.payment.http.HttpPayment"}
    return HttpPayment()


def test_a_payment_is_asked_for_once_signed_without_a_name_or_number_of_the_elder(
    channel: HttpPayment, server: Server
) -> None:
    server.reply = lambda _asked: Reply({"link": "https://pay.example/abc", "number": "U1"})
    found = channel.order(key="3202-k", amount_fen=4000, title="养老服务 W-1", expires_at=UNTIL)
    assert (found.link, found.number) == ("https://pay.example/abc", "U1")
    sent = server.asked[0]
    body = json.loads(sent.raw)
    assert body == {
        "key": "3202-k", "amount": 4000, "title": "养老服务 W-1", "expires_at": UNTIL.isoformat(), "notify": HOOK,
    }  # fmt: skip
    heads = {name.lower(): value for name, value in sent.headers.items()}
    assert heads["x-signature"] == signature(
        SECRET, "POST", sent.path, heads["x-timestamp"], heads["x-nonce"], sent.raw
    )
    assert heads["idempotency-key"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply({}, status=500), Reply({"link": ""}), Reply({"link": "http://pay.example/"}), Reply({"link": "javascript:alert(1)"}),
        Reply(raw=b"<html>"), Reply([]), Reply({"link": "https://" + "x" * 300}), Reply({"link": "https://a/", "number": "9" * 65}),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_link_means_later(channel: HttpPayment, server: Server, reply: Reply) -> None:
    server.reply = lambda _asked: reply
    with pytest.raises(OSError, match=r"."):
        channel.order(key="k", amount_fen=1, title="t", expires_at=UNTIL)


@pytest.mark.parametrize(
    ("status", "kind"), [(422, RefundRefused), (409, RefundRefused), (500, OSError), (401, OSError)]
)
def test_a_refund_is_made_refused_or_tried_again(
    channel: HttpPayment, server: Server, status: int, kind: type[Exception]
) -> None:
    values = {"key": "k-R1", "payment_key": "k", "number": "U1", "amount_fen": 100, "reason": "退"}
    channel.refund(**values)
    server.reply = lambda _asked: Reply({"message": "超过期限"}, status=status)
    with pytest.raises(kind):
        channel.refund(**values)
    keys = {one.headers.get("Idempotency-Key") or one.headers.get("Idempotency-key") for one in server.asked}
    assert len(keys) == 1


def test_a_bill_is_read_whole_or_not_at_all(channel: HttpPayment, server: Server) -> None:
    good = {"kind": "pay", "key": "k", "number": "U1", "amount": 4000}
    server.reply = lambda _asked: Reply({"rows": [good]})
    assert channel.daily_bill(date(2026, 6, 15)) == [BillRow("pay", "k", "U1", 4000)]
    for wrong in (good | {"amount": "4000"}, good | {"amount": -1}, good | {"kind": "fee"}, {"kind": "pay"}, 7):
        server.reply = lambda _asked, row=wrong: Reply({"rows": [good, row]})
        with pytest.raises(OSError, match="row"):
            channel.daily_bill(date(2026, 6, 15))
    server.reply = lambda _asked: Reply({})
    with pytest.raises(OSError, match="rows"):
        channel.daily_bill(date(2026, 6, 15))


def test_where_no_channel_is_set_nobody_pays_and_nobody_says_so() -> None:
    none = NoPayment()
    with pytest.raises(OSError, match="channel"):
        none.order(key="k", amount_fen=1, title="t", expires_at=UNTIL)
    with pytest.raises(NoticeRefused):
        none.parse_notice(headers={}, body=b"")
    with pytest.raises(RefundRefused):
        none.refund(key="k", payment_key="k", number="", amount_fen=1, reason="")
    assert none.daily_bill(date(2026, 6, 15)) == ()


# --- notices


def payment() -> Payment:
    make_area_tree()
    system()
    order = make_order()
    return ask_payment(actor=actor("elder", elders=(order.elder,)), now=NOW, order_id=order.pk)


def post(
    row: Payment,
    *,
    secret: str = SECRET,
    skew: timedelta = timedelta(),
    path: str = HOOK,
    change: Any = None,
    **values: Any,
) -> Any:
    said = Notice(**{"key": row.key, "number": "U1", "amount_fen": row.amount_fen, "paid_at": NOW, **values})
    headers, body = write_notice(channel="union", secret=secret, notice=said, at=real_now() + skew)
    if change is not None:
        body = change(body)
    sent = {
        f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items() if name != "Content-Type"
    }
    return Client(enforce_csrf_checks=True).post(path, body, content_type="application/json", **sent)


def unchanged(row: Payment) -> bool:
    return Payment.objects.get(pk=row.pk).state == "asked" and not Posting.objects.exists()


@pytest.mark.usefixtures("wide")
def test_a_signed_notice_is_booked_and_its_repetition_is_the_first() -> None:
    row = payment()
    for _ in range(2):
        answer = post(row)
        assert (answer.status_code, answer.json()) == (200, {"taken": row.key, "state": "paid"})
    assert list(LedgerEntry.objects.filter(account="bank").values_list("amount", flat=True)) == [row.amount_fen]


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "other"}, {"secret": ""}, {"skew": timedelta(minutes=-6)}, {"skew": timedelta(minutes=6)},
        {"change": lambda body: body.replace(b"8000", b"1")}, {"change": lambda _body: b"{}"}, {"change": lambda body: body + b" "},
    ],
)  # fmt: skip
def test_a_forged_notice_changes_nothing_and_leaves_a_row_in_the_journal(forged: dict[str, Any], wide: Any) -> None:
    row = payment()
    before = len(wide.afterwards)
    assert post(row, **forged).status_code == 403
    assert unchanged(row)
    assert len(wide.afterwards) == before + 1
    wide.afterwards.pop()()
    entry = Journal.objects.latest("pk")
    assert (entry.event, entry.code, entry.is_refused) == ("settlement.payment.take", "notice.forged", True)
    assert row.key not in json.dumps(entry.changes)


SIGNED_NONSENSE = [
    b"[]",
    b"7",
    b"{",
    b"\xff",
    b"{}",
    b'{"key":"k","number":"n","amount":1.5,"status":"paid","paid_at":"2026-06-15T10:00:00+08:00"}',
    b'{"key":"k","number":"n","amount":true,"status":"paid","paid_at":"2026-06-15T10:00:00+08:00"}',
    b'{"key":"k","number":"n","amount":-5,"status":"paid","paid_at":"2026-06-15T10:00:00+08:00"}',
    b'{"key":"k","number":"n","amount":5,"status":"failed","paid_at":"2026-06-15T10:00:00+08:00"}',
    b'{"key":"k","number":"n","amount":5,"status":"paid","paid_at":"2026-06-15T10:00:00"}',
    b'{"key":"k","number":"n","amount":99999999999999999999,"status":"paid","paid_at":"2026-06-15T10:00:00+08:00"}',
    b'{"key":"k\\u0000","number":"n","amount":5,"status":"paid","paid_at":"2026-06-15T10:00:00+08:00"}',
    b'{"key":"k","number":"n","amount":5,"currency":"USD","status":"paid","paid_at":"2026-06-15T10:00:00+08:00"}',
    b'{"key":["k"],"number":"n","amount":5,"status":"paid","paid_at":"2026-06-15T10:00:00+08:00"}',
    b'{"key":"k","number":"","amount":5,"status":"paid","paid_at":"2026-06-15T10:00:00+08:00"}',
]


@pytest.mark.parametrize("body", SIGNED_NONSENSE)
def test_what_is_signed_but_no_notice_is_refused(channel: HttpPayment, body: bytes) -> None:
    headers = signed_headers(key="union", secret=SECRET, path=HOOK, body=body)
    with pytest.raises(NoticeRefused):
        channel.parse_notice(headers=headers, body=body)


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"amount_fen": 1}, 422, "payment.amount"), ({"key": "3202-0"}, 404, "payment.unknown"), ({"key": "x"}, 404, "payment.unknown"),
        ({"path": "/hooks/payment/demo/"}, 404, "channel.unknown"),
    ],
)  # fmt: skip
def test_a_notice_of_something_else_changes_nothing(values: dict[str, Any], status: int, code: str) -> None:
    row = payment()
    answer = post(row, **values)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert unchanged(row)


@pytest.mark.usefixtures("wide")
def test_a_notice_is_small_and_posted() -> None:
    client = Client()
    assert client.get(HOOK).status_code == 405
    assert client.post(HOOK, b"x" * 70_000, content_type="application/json").status_code == 413
