"""Devices by MQTT: durable before it is acknowledged, each message once, whatever dies; nobody speaks for somebody else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.devices.makers import make_device, message
from tests.devices.test_intake import platform
from tests.factories import CITY, WIDE, make_elder

from yinling.bench.broker import HOST, Broker, broker
from yinling.bench.sipline import wait_until
from yinling.devices.models import Alarm, Device, DeviceEvent
from yinling.ground.clock import business_now
from yinling.ground.scope import scope
from yinling.interop.mqtt.gateway import Gateway

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "a-device-of-a-test"


@contextmanager
def gateway(post: Broker) -> Iterator[Gateway]:
    one = Gateway(post.url(), CITY)
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        assert one.is_at_work.wait(20), "the gateway is at the broker"
        yield one
    finally:
        one.is_ending.set()
        thread.join(15)


class Handset:
    """A device at the broker: what it sent was taken when ``wait`` returns, what it was told is in ``told``."""

    def __init__(self, post: Broker, device: Device, login: str = "") -> None:
        self.device, self.told = device, []
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(login or device.serial, PASSWORD)
        self.client.on_message = lambda _client, _own, one: self.told.append(json.loads(one.payload))
        self.is_listening = threading.Event()
        self.client.on_connect = lambda client, *_given: client.subscribe(f"down/{device.serial}/ack", qos=1)
        self.client.on_subscribe = lambda *_given: self.is_listening.set()
        self.client.connect(HOST, post.port)
        self.client.loop_start()
        assert self.is_listening.wait(20)

    def send(self, kind: str, seq: int, **values: Any) -> str:
        text = message(self.device, kind, seq, business_now(), **values)
        self.say(kind, text)
        return text

    def say(self, kind: str, text: str) -> None:
        self.client.publish(f"up/{self.device.serial}/{kind}", text, qos=1).wait_for_publish(10)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def post(tmp_path: Path) -> Iterator[tuple[Broker, Callable[..., Handset]]]:
    """A broker, and a maker of devices with their logins there."""
    with scope(WIDE):
        platform()
        rows = [make_device(make_elder()) for _ in range(2)]
    made: list[Handset] = []

    def handset(number: int = 0, login: int | None = None) -> Handset:
        one = Handset(running, rows[number], rows[login].serial if login is not None else "")
        made.append(one)
        return one

    with broker(tmp_path, {row.serial: PASSWORD for row in rows}) as running:
        yield running, handset
        for one in made:
            with suppress(OSError):
                one.stop()
    connection.close()


def kept() -> list[tuple[str, int]]:
    with scope(WIDE):
        return sorted(DeviceEvent.objects.values_list("kind", "seq"))


def came(*expected: tuple[str, int]) -> None:
    wait_until(lambda: kept() == sorted(expected), 15, f"{expected} are there")


@pytest.mark.req("R-IOT-01")
def test_a_call_for_help_is_an_alarm_and_the_device_hears_of_it(post: Any) -> None:
    running, handset = post
    with gateway(running):
        phone = handset()
        phone.send("hb", 1)
        phone.say("sos", phone.send("sos", 2))
        came(("hb", 1), ("sos", 2))
        wait_until(lambda: len(phone.told) == 2, 10, "the device is told")
    assert phone.told[0] == {"msg_id": f"{phone.device.serial}-2", "outcome": "alarm"}
    assert {one["msg_id"] for one in phone.told} == {f"{phone.device.serial}-2"}
    with scope(WIDE):
        assert Alarm.objects.get().message_count == 1


def test_what_comes_while_nobody_listens_waits_for_the_next_gateway(post: Any) -> None:
    running, handset = post
    with gateway(running):
        pass  # it has joined once: from now on the broker keeps what comes
    phone = handset()
    for seq in range(1, 6):
        phone.send("sos", seq)
    assert kept() == []
    with gateway(running):
        came(*[("sos", seq) for seq in range(1, 6)])


def test_a_call_for_help_outlives_the_broker_because_the_device_repeats_it(post: Any) -> None:
    """The broker may forget what it acknowledged last; the device knows better: it repeats until it is told."""
    running, handset = post
    with gateway(running):
        pass
    phone = handset()
    sent = [phone.send("sos", seq) for seq in range(1, 6)]
    phone.is_listening.clear()
    running.stop(at_once=True)
    running.start()
    with gateway(running):
        assert phone.is_listening.wait(30), "the device is back"
        for text in sent:
            phone.say("sos", text)
        came(*[("sos", seq) for seq in range(1, 6)])
        wait_until(lambda: {one["msg_id"][-1] for one in phone.told} >= set("12345"), 10, "it is told of each")
    with scope(WIDE):
        assert Alarm.objects.get().message_count == 5


def test_forged_unreadable_and_unsigned_messages_stop_nothing(post: Any) -> None:
    running, handset = post
    with gateway(running):
        phone = handset()
        phone.send("sos", 1, key="a-key-that-nobody-gave-to-it-at-all")
        phone.say("sos", "no envelope")
        phone.say("lwt", "gone")
        phone.send("hb", 2)
        came(("hb", 2))
        time.sleep(0.3)
        assert phone.told == []


def test_nobody_speaks_for_another_device(post: Any) -> None:
    running, handset = post
    with gateway(running):
        handset(0, login=1).send("sos", 1)
        own = handset(1)
        own.send("hb", 1)
        came(("hb", 1))
        assert own.told == []


def test_a_batch_waits_for_the_database(post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError  # noqa: PLC0415 - only here

    import yinling.devices.operations as devices  # noqa: PLC0415 - as above

    running, handset = post
    known, calls = devices.report_event, []

    def stumble(**values: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("the server is gone")
        return known(**values)

    monkeypatch.setattr(devices, "report_event", stumble)
    with gateway(running):
        phone = handset()
        phone.send("sos", 1)
        came(("sos", 1))
        wait_until(lambda: bool(phone.told), 10, "the device is told")
    assert len(calls) == 2
