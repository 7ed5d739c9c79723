"""Several workers at one queue: each message goes out once, and a slow gateway holds up nobody else's."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from tests.accounts.gateway import Line, message
from tests.factories import NOW, WIDE, make_area_tree, make_elder

from yinling.accounts.jobs import send_waiting, take_back
from yinling.accounts.models import Delivery, Notice
from yinling.accounts.ports import Receipt
from yinling.ground.scope import scope
from yinling.kernel.actor import Actor

EVERYWHERE = Actor(None, "系统", "system", div="3", is_system=True)
MESSAGES, WORKERS = 60, 3


class Slow(Line):
    """Takes its time, as a network does: the first message until another worker has one too."""

    def __init__(self) -> None:
        super().__init__()
        self.workers: set[int] = set()
        self.are_two = threading.Event()

    def send(self, *, number: str, text: str, key: str) -> list[str]:
        self.workers.add(threading.get_ident())
        if len(self.workers) > 1:
            self.are_two.set()
        assert self.are_two.wait(60), "a slow gateway holds up nobody else's"
        return super().send(number=number, text=text, key=key)


def together(*acts: Any) -> list[Any]:
    found: list[Any] = [None] * len(acts)
    ready = threading.Barrier(len(acts))

    def one(place: int) -> None:
        try:
            ready.wait()
            found[place] = acts[place]()
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db(transaction=True)
def test_several_workers_share_the_queue_and_send_each_message_once() -> None:
    with scope(WIDE):
        make_area_tree()
        elder = make_elder()
        for number in range(MESSAGES):
            message(f"k{number}", f"139{number:08}", about=elder, now=NOW)
    line = Slow()
    counts = together(*[lambda: send_waiting(line, EVERYWHERE, now=NOW)] * WORKERS)
    assert (sum(counts), line.asked, len(line.sent)) == (MESSAGES, MESSAGES, MESSAGES)
    assert sum(count > 0 for count in counts) > 1
    with scope(WIDE):
        assert set(Notice.objects.values_list("state", flat=True)) == {"sent"}


@pytest.mark.django_db(transaction=True)
def test_one_receipt_told_at_the_same_moment_by_many_is_one() -> None:
    with scope(WIDE):
        make_area_tree()
        row = message("a", about=make_elder(), now=NOW)
    send_waiting(Line(), EVERYWHERE, now=NOW)
    receipts = [Receipt("id-a", "delivered"), Receipt("id-a", "failed"), Receipt("id-a", "delivered")]
    together(*[lambda one=one: take_back("sms", one, now=NOW) for one in receipts])
    with scope(WIDE):
        assert Notice.objects.get(pk=row.pk).state == "delivered"
    assert [one.outcome for one in Delivery.objects.all()] == ["delivered"]
