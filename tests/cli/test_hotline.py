"""`./run --hotline`: what is missing is named, what is taken gives way."""

import socket
from pathlib import Path

import pytest

from yinling.cli import hotline
from yinling.cli.account import Unusable
from yinling.interop.telephony.sip_kamailio import files


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hotline, "missing_packages", lambda: ["kamailio", "rtpengine-daemon"])
    with pytest.raises(Unusable, match="apt-get install kamailio rtpengine-daemon"):
        hotline.plan(tmp_path)
    assert not (tmp_path / "hotline").exists()


def test_a_taken_port_gives_way_and_the_plan_can_be_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setenv("LINE_PORT", str(port))
        monkeypatch.setenv("LINE_TRUNK", "127.0.0.1, 10.1.2.0/28")
        edge = hotline.plan(tmp_path)
    assert edge.trunk_port > port
    assert files.load(tmp_path / "hotline") == edge
    assert (tmp_path / "hotline" / "trusted.list").read_text() == "1 127.0.0.1\n1 10.1.2.0 28\n"
    assert f"sip:12349@127.0.0.1:{edge.trunk_port}" in hotline.how_to_call(edge)


def test_secrets_are_for_the_owner_only(tmp_path: Path) -> None:
    edge = hotline.plan(tmp_path)
    for name in ("secret", "kamailio.cfg"):
        assert (edge.folder / name).stat().st_mode & 0o077 == 0
    assert edge.secret in (edge.folder / "kamailio.cfg").read_text()
