"""The environment variables that settings.py reads, for every process the command starts."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import django

from yinling.cli.account import Unusable
from yinling.cli.database import AUDIT, EmbeddedPostgres
from yinling.cli.keys import ensure_key_file
from yinling.cli.paths import VAR

LOCAL_HOSTS = "127.0.0.1,localhost,[::1]"
ANY_HOST = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound


def data_folder(option: str | None) -> Path:
    folder = Path(option or os.environ.get("YINLING_DATA") or VAR / "data").resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unusable(
            f"无法写入 {folder}，请用 --data 指定。 Cannot write {folder}; choose another by --data."
        ) from error
    return folder


def outside_database() -> dict[str, str] | None:
    """Return the addresses of a database somebody else runs, or None for our own."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        return None
    owner = os.environ.get("DATABASE_OWNER_URL")
    if not owner:
        raise Unusable("请同时设置 DATABASE_OWNER_URL。 Set DATABASE_OWNER_URL too: the role that owns and migrates.")
    return {
        "DATABASE_URL": url,
        "DATABASE_OWNER_URL": owner,
        "DATABASE_AUDIT_URL": os.environ.get("DATABASE_AUDIT_URL") or as_audit(url),
    }


def as_audit(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{AUDIT}@{parts.netloc.rpartition('@')[2]}").geturl()


def platform_environment(
    data: Path, databases: dict[str, str], *, demo: bool, city: str | None = None
) -> dict[str, str]:
    environment = dict(os.environ) | databases
    environment |= {
        "DJANGO_SETTINGS_MODULE": "yinling.settings",
        "YINLING_DATA": str(data),
        "YINLING_KEY_FILE": str(ensure_key_file(data / "keys.json")),
        "YINLING_DEMO": "1" if demo else "0",
    }
    if city:
        environment["YINLING_CITY"] = city
    return environment


def address_environment(host: str, port: int) -> dict[str, str]:
    """What pages must know of the address; set by hand behind a reverse proxy."""
    hosts = LOCAL_HOSTS + ("," + (socket.gethostname() if host in ANY_HOST else host) if host != "127.0.0.1" else "")
    found = {"YINLING_PORT": str(port), "YINLING_HOSTS": os.environ.get("YINLING_HOSTS", hosts)}
    stream = os.environ.get("STREAM_URL") or ("" if host in ANY_HOST else f"http://{host}:{port + 1}")
    return found | ({"STREAM_URL": stream} if stream else {})


def set_up_django(environment: dict[str, str], *, as_owner: bool) -> None:
    os.environ.update(environment)
    os.environ["YINLING_POOL"] = "0"
    if as_owner:
        os.environ["DATABASE_URL"] = environment["DATABASE_OWNER_URL"]
    django.setup()


@contextmanager
def connected(*, as_owner: bool, data: str | None = None, demo: bool = True) -> Iterator[None]:
    """For commands beside `start`: use the running database, or run it for as long as the command takes."""
    folder = data_folder(data)
    databases, server = outside_database(), None
    if databases is None:
        server = EmbeddedPostgres(folder / "database")
        databases = server.environment()
        if server.is_ready():
            server = None
        else:
            server.start()
    try:
        set_up_django(platform_environment(folder, databases, demo=demo), as_owner=as_owner)
        yield
    finally:
        if server is not None:
            server.stop()
