"""The process between an MQTT broker and the platform: `python -m yinling.interop.mqtt.gateway`.

A message is acknowledged to the broker after it is committed, never before: whatever dies, the broker sends it again, and the second arrival is
the first (``report_event``). The device hears of it on ``down/<dev>/ack``, and repeats a call for help until it does. Messages that come while
a batch is being written are the next batch, so the batches grow with the load by themselves.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import django
import psycopg
from django.db import InterfaceError, OperationalError, connection
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from yinling.interop.telephony.line import only_city

UP, MOST, QOS = "up/+/+", 500, 1
KEPT = ("taken", "repeated", "alarm")
TROUBLE = (psycopg.Error, OperationalError, InterfaceError)
PAUSE_SECONDS = 1.0
log = logging.getLogger("yinling.mqtt")


@dataclass(frozen=True)
class Came:
    """A message of the broker that waits to be written."""

    number: int
    device: str
    kind: str
    text: str


class Gateway:
    """One connection to the broker, and one writer. A second gateway of the same area takes the first one's place at the broker."""

    def __init__(self, url: str, area: str, *, ca: str = "") -> None:
        self.area, self.waiting = area, queue.SimpleQueue[Came]()
        self.is_ending, self.is_at_work = threading.Event(), threading.Event()
        parts = urlsplit(url)
        is_sealed = parts.scheme == "mqtts"
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or (8883 if is_sealed else 1883)
        # The broker keeps the session: what comes while no gateway is there waits for the next one.
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"yinling-{area}", clean_session=False, manual_ack=True
        )
        if parts.username:
            self.client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if is_sealed:
            self.client.tls_set(ca_certs=ca or None)
        self.client.on_connect = self._join
        self.client.on_subscribe = self._note_work
        self.client.on_message = self._hear

    def _join(self, client: Client, *_given: Any) -> None:
        client.subscribe(UP, qos=QOS)

    def _note_work(self, *_given: Any) -> None:
        self.is_at_work.set()
        log.info("mqtt: at work for %s", self.area)

    def _hear(self, client: Client, _own: Any, message: MQTTMessage) -> None:
        _up, device, kind = message.topic.split("/")
        if kind == "lwt":  # not signed, so it proves nothing; silence is noticed by the interval
            client.ack(message.mid, message.qos)
        else:
            self.waiting.put(Came(message.mid, device, kind, message.payload.decode("ascii", "replace")))

    def run(self) -> None:
        """Work until told to end."""
        self.client.connect_async(self.host, self.port)
        self.client.loop_start()
        try:
            while not self.is_ending.is_set():
                if batch := self._batch():
                    self._answer(batch, self._written(batch))
        finally:
            self.client.disconnect()
            self.client.loop_stop()
            connection.close()

    def _batch(self) -> list[Came]:
        """Wait for a message; return it with what else is there."""
        found: list[Came] = []
        with suppress(queue.Empty):
            found.append(self.waiting.get(timeout=PAUSE_SECONDS))
            while len(found) < MOST:
                found.append(self.waiting.get_nowait())
        return found

    def _written(self, batch: Sequence[Came]) -> list[dict[str, Any]]:
        """Write a batch, again and again while there is no database; return what became of each message."""
        from yinling.devices.operations import report_event  # noqa: PLC0415 - needs Django to be set up
        from yinling.directory.queries import system_actor  # noqa: PLC0415 - as above
        from yinling.ground.clock import business_now  # noqa: PLC0415 - as above
        from yinling.ground.scope import scope  # noqa: PLC0415 - as above
        from yinling.kernel.refusals import Refusal  # noqa: PLC0415 - as above

        actor = system_actor(self.area)
        while not self.is_ending.is_set():
            try:
                with scope(actor):
                    row = report_event(actor=actor, now=business_now(), messages=[one.text for one in batch])
            except Refusal as refusal:  # it is on record; the broker need not keep it
                log.warning("mqtt: %s", refusal.code)
                return [{"outcome": refusal.code} for _one in batch]
            except TROUBLE as error:
                log.warning("mqtt: %s; again in a moment", type(error).__name__)
                connection.close()
                self.is_ending.wait(PAUSE_SECONDS)
            else:
                return list(row.outcomes)
        return []

    def _answer(self, batch: Sequence[Came], outcomes: Sequence[dict[str, Any]]) -> None:
        """Let the broker forget what is committed, and tell the devices; a heartbeat needs no answer."""
        from yinling.devices.rules import HEARTBEATS  # noqa: PLC0415 - needs Django to be set up

        for one, told in zip(batch, outcomes, strict=False):
            self.client.ack(one.number, QOS)
            if told["outcome"] in KEPT and told["dev"] == one.device and one.kind not in HEARTBEATS:
                words = {"msg_id": told["msg_id"], "outcome": told["outcome"]}
                self.client.publish(f"down/{one.device}/ack", json.dumps(words), qos=QOS)


def main(argv: list[str]) -> int:
    """Run until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m yinling.interop.mqtt.gateway", description="MQTT devices")
    parser.add_argument("--area", default="", help="division of the city; with one city it is found")
    options = parser.parse_args(argv)
    django.setup()
    value = os.environ.get
    gateway = Gateway(value("MQTT_URL", "mqtt://127.0.0.1:1883"), options.area or only_city(), ca=value("MQTT_CA", ""))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_given: gateway.is_ending.set())
    gateway.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
