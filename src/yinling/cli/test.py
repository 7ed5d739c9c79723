"""`./run test`: the checks, then every test; what is missing on the machine is installed or named, never skipped."""

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


def is_on_line(package: str) -> bool:
    """Whether a package of the telephone line is there."""
    return package not in missing_packages()


# Debian package -> whether it is there.
NEEDED: dict[str, Callable[[], bool]] = {
    **{name: functools.partial(is_on_line, name) for name in EDGE_PACKAGES},
    "chromium": lambda: bool(os.environ.get("CHROMIUM") or shutil.which("chromium")),
    "espeak-ng": lambda: shutil.which("espeak-ng") is not None,
    "fonts-noto-cjk": lambda: any(Path("/usr/share/fonts").rglob("*CJK*")),
    "git": lambda: shutil.which("git") is not None,
    "sip-tester": lambda: shutil.which("sipp") is not None,
    "npm": lambda: shutil.which("npm") is not None or not wrong_files(VENDOR),
}


def main(argv: list[str]) -> int:
    """With arguments only pytest runs, on what they name."""
    compile_catalogues()
    whole = not argv
    checked = 0
    if whole:
        install_needed()
        ensure_browser_files()
        checked = subprocess.run([sys.executable, "-m", "yinling", "check"], check=False).returncode
    with tempfile.TemporaryDirectory(prefix="yinling-") as folder:
        # The database's account must pass through the temporary folder, which is closed to others.
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder) / "postgres", fsync=False)
        server.start()
        try:
            tested = pytest(["-n", PROCESSES] if whole else argv, server.environment(), report=whole)
        finally:
            server.stop()
    return checked or tested


def pytest(argv: list[str], databases: dict[str, str], *, report: bool) -> int:
    environment = os.environ | databases | {"TZ": "UTC"}
    if report:
        environment["TEST_REPORT_FILE"] = str(TEST_REPORT)
    command = [sys.executable, "-m", "pytest", *argv]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


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
