"""The line process: `python -m yinling.interop.telephony.line`. It stands between the SIP edge and the database and may die at any moment.

One process works for an area, others stand by: whoever holds the advisory lock is connected to the edge. Any trouble with the database or the
edge ends the connection to both, so that the edge knows at once that it is alone; then everything begins anew with a comparison.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import logging
import queue
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError, connection

LOCK_SPACE = "yinling line"
WORKERS = 3
TICK_SECONDS = 1.0
PAUSE_SECONDS = 0.3
RECORDING_SECONDS = 2.0
TROUBLE = (OSError, psycopg.Error, OperationalError, InterfaceError)
"""No database or no edge: everything begins anew."""
log = logging.getLogger("yinling.line")
Desk = queue.PriorityQueue[tuple[int, int, dict[str, Any]]]
"""What waits to be heard by one thread: rank, number, message."""


class LineProcess:
    """Threads around one connection to the edge: some follow calls, one takes steps, one keeps recordings."""

    def __init__(self, folder: Path, div: str) -> None:
        self.folder, self.div = folder, div
        self.is_ending = threading.Event()
        self.is_at_work = threading.Event()

    def run(self) -> None:
        """Work until told to end; trouble is logged and tried again."""
        while not self.is_ending.is_set():
            try:
                with self._lead() as notices:
                    self._work(notices)
            except TROUBLE as error:
                log.warning("line: %s; again in a moment", error or type(error).__name__)
                self.is_ending.wait(PAUSE_SECONDS)

    @contextmanager
    def _lead(self) -> Iterator[psycopg.Connection[Any]]:
        """Hold the lock of the area, on a connection that also hears of changes."""
        name = f"{LOCK_SPACE} {self.div}".encode()
        number = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
        values = connection.settings_dict
        names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
        parts = {name: values[key] for name, key in names.items() if values[key]}
        with psycopg.connect(**parts, autocommit=True, connect_timeout=3, application_name="yinling line") as notices:
            while not self.is_ending.is_set():
                row = notices.execute("SELECT pg_try_advisory_lock(%s)", [number]).fetchone()
                if row and row[0]:
                    break
                self.is_ending.wait(TICK_SECONDS)
            notices.execute("LISTEN yinling_live")
            yield notices

    def _work(self, notices: psycopg.Connection[Any]) -> None:
        from yinling.directory.queries import system_actor  # noqa: PLC0415 - needs Django to be set up
        from yinling.interop.telephony.sip_kamailio.events import EdgeLink  # noqa: PLC0415
        from yinling.interop.telephony.sip_kamailio.files import load  # noqa: PLC0415
        from yinling.interop.telephony.sip_kamailio.follow import Follower  # noqa: PLC0415

        if self.is_ending.is_set():
            return
        edge = load(self.folder)
        actor = system_actor(self.div)
        link = EdgeLink("127.0.0.1", edge.events_port, edge.secret)
        crew = Crew(Follower(link, actor, edge), edge.spool)
        log.info("line: at work for %s", self.div)
        self.is_at_work.set()
        try:
            crew.work(notices, self.is_ending)
        finally:
            link.close()
            crew.end()
            connection.close()


class Crew:
    """The threads of one connection. The first trouble of any of them ends them all."""

    def __init__(self, follower: Any, spool: Path) -> None:
        self.follower, self.spool = follower, spool
        self.trouble: queue.Queue[OSError] = queue.Queue()
        self.is_over = threading.Event()
        self.is_wanted = threading.Event()
        self.desks: list[Desk] = [queue.PriorityQueue() for _ in range(WORKERS)]
        self.numbers = itertools.count()
        follower.is_behind = lambda: any(not desk.empty() for desk in self.desks)
        self.threads = [
            threading.Thread(target=self._guard, args=(self._follow, desk), daemon=True) for desk in self.desks
        ]
        self.threads.append(threading.Thread(target=self._guard, args=(self._tick,), daemon=True))
        self.threads.append(threading.Thread(target=self._guard, args=(self._keep_recordings,), daemon=True))

    def work(self, notices: psycopg.Connection[Any], is_ending: threading.Event) -> None:
        """Read the edge and the notices, give out the work; returns at the end, raises what went wrong."""
        for thread in self.threads:
            thread.start()
        link = self.follower.link
        while not is_ending.is_set():
            if not self.trouble.empty():
                raise self.trouble.get()
            ready, _write, _wrong = select.select([link, notices], [], [], TICK_SECONDS / 2)
            if link in ready:
                for message in link.heard():
                    self._give(message)
            if notices in ready:
                for notice in notices.notifies(timeout=0):
                    if '"calls"' in notice.payload or '"seats"' in notice.payload or '"ring"' in notice.payload:
                        self.is_wanted.set()

    def _give(self, message: dict[str, Any]) -> None:
        """To the desk of the call: what is said of one call is heard in its order."""
        if message.get("event") == "synced":
            for desk in self.desks:
                self._put(desk, message)
            return
        name = str(message.get("call") or message.get("seat") or "")
        self._put(self.desks[hash(name) % len(self.desks)], message)

    def _put(self, desk: Desk, message: dict[str, Any]) -> None:
        """Arrivals overtake the rest, for the edge waits four seconds for them; nothing of the same call can stand before its arrival."""
        desk.put((0 if message.get("state") == "arrived" else 1, next(self.numbers), message))

    def end(self) -> None:
        """Let the threads end, each with its connection to the database."""
        self.is_over.set()
        self.is_wanted.set()
        for desk in self.desks:
            desk.put((-1, next(self.numbers), {}))
        for thread in self.threads:
            thread.join(5)

    def _guard(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except TROUBLE as error:
            self.trouble.put(OSError(str(error)))
        finally:
            connection.close()

    def _once(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do one thing; a mistake in it is logged and stops nothing else."""
        try:
            work(*arguments)
        except TROUBLE:
            raise
        except Exception:
            log.exception("line: a mistake")

    def _follow(self, desk: Desk) -> None:
        while message := desk.get()[2]:
            if message.get("event") == "synced":
                self.follower.note_synced(len(self.desks))
                self.is_wanted.set()
            else:
                self._once(self.follower.hear, message)

    def _tick(self) -> None:
        self.follower.is_synced.wait(30)
        last = 0.0
        while not self.is_over.is_set():
            self.is_wanted.wait(TICK_SECONDS)
            is_told = self.is_wanted.is_set()
            self.is_wanted.clear()
            if self.is_over.is_set():
                return
            if is_told and time.monotonic() - last < TICK_SECONDS:
                self._once(self.follower.look)
            else:
                last = time.monotonic()
                self._once(self.follower.tick)

    def _keep_recordings(self) -> None:
        from yinling.interop.telephony.sip_kamailio.spool import keep_recordings  # noqa: PLC0415 - needs Django

        self.follower.is_synced.wait(30)
        while not self.is_over.wait(RECORDING_SECONDS):
            self._once(keep_recordings, self.follower, self.spool)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m yinling.interop.telephony.line", description="the line process")
    parser.add_argument("--area", default="", help="division of the city; with one city it is found")
    options = parser.parse_args(argv)
    django.setup()
    process = LineProcess(settings.DATA / "hotline", options.area or only_city())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_given: process.is_ending.set())
    process.run()
    return 0


def only_city() -> str:
    """Return the division of the first city; wait for the database if it is not there yet."""
    from yinling.directory.queries import cities  # noqa: PLC0415 - needs Django to be set up

    while True:
        try:
            return str(cities()[0].div)
        except (*TROUBLE, ProgrammingError, IndexError) as error:
            log.warning("line: no city yet (%s)", type(error).__name__)
            time.sleep(TICK_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
