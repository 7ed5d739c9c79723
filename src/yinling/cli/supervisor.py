"""Keeps the platform's processes running and ends them together."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from yinling.cli.account import Account

TRAMPOLINE = Path(__file__).with_name("trampoline.py")
POLL_SECONDS = 0.1
FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS, STOP_SECONDS = 0.5, 10.0, 30.0, 15.0


@dataclass
class Child:
    """A program to keep running; lines that start with `hush` are not shown."""

    name: str
    argv: list[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account = field(default_factory=Account)
    is_ready: Callable[[], bool] | None = None
    hush: str = ""
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    restart_at: float | None = None


class Supervisor:
    """Children start in order and stop in reverse; they die with the thread that made them, so use the main one."""

    def __init__(self, out: IO[str] = sys.stdout) -> None:
        self.out = out
        self.children: list[Child] = []
        self.ending = False

    def start(self, child: Child, *, within: float = 30) -> None:
        self.children.append(child)
        self._spawn(child)
        deadline = time.monotonic() + within
        while child.is_ready and not child.is_ready():
            self._tend()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{child.name} 未能就绪 did not get ready")
            time.sleep(POLL_SECONDS / 2)

    def watch(self) -> None:
        """Return after SIGINT, SIGTERM or SIGHUP."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        while not self.ending:
            self._tend()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        for child in reversed(self.children):
            if child.process and child.process.poll() is None:
                child.process.send_signal(child.stop_signal)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(STOP_SECONDS)
            _kill_group(child)
        self.children.clear()

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self.ending = True

    def _tend(self) -> None:
        for child in self.children:
            if child.restart_at is not None:
                if time.monotonic() >= child.restart_at:
                    self._spawn(child)
            elif child.process and child.process.poll() is not None:
                self._plan_restart(child, child.process.returncode)

    def _plan_restart(self, child: Child, code: int) -> None:
        # A server's helper may outlive its parent, keep the port and serve old code.
        _kill_group(child)
        if time.monotonic() - child.started > STEADY_SECONDS:
            child.pause = FIRST_PAUSE
        self._print(child.name, f"已退出 ended ({code}); {child.pause:g} 秒后重启 again in {child.pause:g} s")
        child.restart_at = time.monotonic() + child.pause
        child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def _spawn(self, child: Child) -> None:
        child.restart_at, child.started = None, time.monotonic()
        uid, gid = (-1, -1) if child.account.uid is None else (child.account.uid, child.account.gid)
        trampoline = [sys.executable, "-I", "-S", str(TRAMPOLINE), str(uid), str(gid), str(int(child.stop_signal))]
        child.process = subprocess.Popen(
            [*trampoline, *child.argv],
            env=child.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Of its own, or the terminal's Ctrl-C would stop the database first.
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(child, child.process.stdout), daemon=True).start()

    def _read(self, child: Child, lines: IO[str]) -> None:
        for line in lines:
            if not (child.hush and line.startswith(child.hush)):
                self._print(child.name, line.rstrip())

    def _print(self, name: str, line: str) -> None:
        print(f"{name:9}| {line}", file=self.out, flush=True)


def _kill_group(child: Child) -> None:
    if child.process:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
