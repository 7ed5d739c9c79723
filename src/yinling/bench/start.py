"""First and later start of ``./run``: from the command to the address on the screen, packages cached."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from yinling.bench.figures import Figure
from yinling.cli.paths import ROOT

FIRST_SECONDS, LATER_SECONDS, STOP_SECONDS = 60, 10, 5
RUNNING = "Yinling is running"
LONGEST = 300


def measure(home: Path, *, quick: bool) -> list[Figure]:
    """Start on an empty data folder, then again on what it left."""
    data = home / "start"
    shutil.rmtree(data, ignore_errors=True)
    port = free_port()
    first, stop = start(data, port, "--fresh")
    later = sorted(start(data, port)[0] for _ in range(1 if quick else 5))
    shutil.rmtree(data, ignore_errors=True)
    return [
        Figure("start.first", round(first, 1), "s", "database, migrations, 5,000 elders, servers", most=FIRST_SECONDS),
        Figure("start.later", round(later[len(later) // 2], 1), "s", f"median of {len(later)}", most=LATER_SECONDS),
        Figure("start.stop", round(stop, 1), "s", "Ctrl-C to the end of all processes", most=STOP_SECONDS),
    ]


def start(data: Path, port: int, *options: str) -> tuple[float, float]:
    """Start once, wait for the address, stop by Ctrl-C; return both times."""
    command = [str(ROOT / "run"), "start", "--data", str(data), "--port", str(port), *options]
    began = time.monotonic()
    running = subprocess.Popen(
        command,
        env=plain_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        seconds = wait(running, began)
    finally:
        asked = time.monotonic()
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    return seconds, time.monotonic() - asked


def wait(running: subprocess.Popen[str], began: float) -> float:
    """Read on until the address is printed."""
    said = []
    for line in running.stdout or ():
        said.append(line)
        if RUNNING in line:
            return time.monotonic() - began
        if time.monotonic() - began > LONGEST:
            break
    sys.stderr.writelines(said)
    message = "the platform did not start"
    raise RuntimeError(message)


def plain_environment() -> dict[str, str]:
    """Return the environment of somebody who has set nothing."""
    ours = ("YINLING_", "DATABASE_", "DJANGO_", "STREAM_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def free_port() -> int:
    """Return a port that is free together with the next one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
