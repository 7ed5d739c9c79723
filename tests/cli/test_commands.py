import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from yinling.cli.account import Unusable
from yinling.cli.browser_files import FILES, wrong_files
from yinling.cli.commands import COMMANDS, main
from yinling.cli.environment import address_environment, as_audit
from yinling.cli.keys import ensure_key_file
from yinling.cli.lock import hold
from yinling.cli.paths import ROOT

LOCKS = ["requirements.lock", "requirements-dev.lock", "tools.lock", "package-lock.json"]


@pytest.mark.parametrize("name", LOCKS)
def test_locks_pin_by_hash_and_name_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"https?:|file:|resolved|index-url|find-links", text)
    assert ("integrity" if name.endswith("json") else "--hash=sha256:") in text


def test_run_script_is_posix_and_small() -> None:
    assert subprocess.run(["sh", "-n", str(ROOT / "run")], check=False).returncode == 0
    assert (ROOT / "run").stat().st_mode & stat.S_IXUSR
    assert len((ROOT / "run").read_text().splitlines()) < 110


def test_usage_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help"]) == 0
    printed = capsys.readouterr().out
    assert [name for name in COMMANDS if f"\n  {name} " not in printed] == []


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frobnicate"]) == 2
    assert "frobnicate" in capsys.readouterr().err


def test_a_second_start_learns_the_address_of_the_first(tmp_path: Path) -> None:
    with hold(tmp_path, "http://127.0.0.1:8000/"), pytest.raises(Unusable, match=r"127\.0\.0\.1:8000"):
        hold(tmp_path, "http://127.0.0.1:9000/")
    hold(tmp_path, "http://127.0.0.1:9000/").close()


def test_keys_are_private_and_stay(tmp_path: Path) -> None:
    path = ensure_key_file(tmp_path / "keys.json")
    before = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(json.loads(before)) == {"secret_key", "index_key", "keys", "current"}
    assert ensure_key_file(path).read_text() == before


def test_the_audit_role_is_asked_on_the_same_server() -> None:
    assert as_audit("postgresql://yl_app:secret@db:5433/city?x=1") == "postgresql://yl_audit@db:5433/city?x=1"


def test_a_wildcard_host_gets_no_stream_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STREAM_URL", raising=False)
    assert "STREAM_URL" not in address_environment("0.0.0.0", 8000)
    assert address_environment("127.0.0.1", 8000)["STREAM_URL"] == "http://127.0.0.1:8001"


def test_a_changed_browser_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "vendor" / "leaflet" / "leaflet.js"
    path.parent.mkdir(parents=True)
    path.write_text("changed")
    assert wrong_files(tmp_path) == list(FILES)
