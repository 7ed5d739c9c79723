"""`./run test`: the checks and every test; what is missing on the machine is installed or named, never skipped."""

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from yinling.cli.account import Unusable
from yinling.cli.browser_files import ensure_browser_files, wrong_files
from yinling.cli.catalogues import compile_catalogues
from yinling.cli.database import EmbeddedPostgres
from yinling.cli.paths import ROOT, TEST_REPORT, VENDOR
from yinling.interop.telephony.sip_kamailio.files import PACKAGES as EDGE_PACKAGES
from yinling.interop.telephony.sip_kamailio.files import missing_packages

PROCESSES = "2"
NICE = 10
COMPILE_PLANNER = "from yinling.dispatch.planner.search import warm_up; warm_up()"
"""Once, before every process of the tests does it for itself: it takes a minute."""


def is_on_line(package: str) -> bool:
    """Whether a package of the telephone line is there."""
    return package not in missing_packages()


# Debian package -> whether it is there.
NEEDED: dict[str, Callable[[], bool]] = {
    **{name: functools.partial(is_on_line, name) for name in EDGE_PACKAGES},
    "chromium": lambda: bool(os.environ.get("CHROMIUM") or shutil.which("chromium")),
    "espeak-ng": lambda: shutil.which("espeak-ng") is not None,
    "fonts-noto-cjk": lambda: any(Path("/usr/share/fonts").rglob("*CJK*")),
    "mosquitto": lambda: shutil.which("mosquitto") is not None,
    "git": lambda: shutil.which("git") is not None,
    "sip-tester": lambda: shutil.which("sipp") is not None,
    "npm": lambda: shutil.which("npm") is not None or not wrong_files(VENDOR),
}


def main(argv: list[str]) -> int:
    """With arguments only pytest runs, on what they name."""
    compile_catalogues()
    whole = not argv
    if whole:
        install_needed()
        ensure_browser_files()
    with tempfile.TemporaryDirectory(prefix="yinling-") as folder:
        # The database's account must pass through the temporary folder, which is closed to others.
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder) / "postgres", fsync=False)
        server.start()
        try:
            return everything(server) if whole else pytest(argv, server.environment())
        finally:
            server.stop()


def everything(server: EmbeddedPostgres) -> int:
    """The checks run beside the tests, in what time those leave, and are told after them."""
    environment = server.environment() | {"TEST_REPORT_FILE": str(TEST_REPORT)}
    with tempfile.TemporaryFile() as told:
        checks = subprocess.Popen([sys.executable, "-m", "yinling", "check"], stdout=told, stderr=subprocess.STDOUT)
        os.setpriority(os.PRIO_PROCESS, checks.pid, NICE)
        subprocess.run([sys.executable, "-c", COMPILE_PLANNER], check=False)
        tested = pytest(["-n", PROCESSES, "--dist", "worksteal"], environment)
        checked = checks.wait()
        told.seek(0)
        print(told.read().decode(), flush=True)
    return checked or tested


def pytest(argv: list[str], environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", *argv]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment | {"TZ": "UTC"}, check=False).returncode


def install_needed() -> None:
    missing = [package for package, is_there in NEEDED.items() if not is_there()]
    if not missing:
        return
    words = " ".join(missing)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unusable(f"测试需要：{words}。 The tests need: {words} (Debian: apt-get install {words}).")
    print(f"正在安装 Installing: {words} …", flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        subprocess.run(["apt-get", "-q", *command], env=quiet, check=True, stdout=subprocess.DEVNULL)  # noqa: S607 - Debian's
