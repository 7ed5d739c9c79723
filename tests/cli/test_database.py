import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from yinling.cli.database import EmbeddedPostgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    folder = tmp_path_factory.mktemp("cluster")
    let_through(folder)
    one = EmbeddedPostgres(folder / "postgres", fsync=False)
    one.start()
    yield one
    one.stop()
    assert one.pid() is None


def let_through(folder: Path) -> None:
    """The account of the database must pass through pytest's folders, which are closed to others."""
    shared = Path(tempfile.gettempdir())
    for closed in (folder, *folder.parents):
        if closed.is_relative_to(shared) and closed != shared:
            closed.chmod(0o711)


def ask(server: EmbeddedPostgres, role: str, question: str) -> object:
    with psycopg.connect(server.url(role)) as connection:
        row = connection.execute(question).fetchone()
    return row and row[0]


def test_chinese_is_seen_whatever_the_locale_of_the_caller(server: EmbeddedPostgres) -> None:
    assert ask(server, "yl_app", "SELECT show_trgm('中文') <> '{}'")


def test_no_port_is_open(server: EmbeddedPostgres) -> None:
    assert ask(server, "yl_app", "SHOW listen_addresses") == ""


def test_only_the_owner_may_make_tables(server: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(server, "yl_app", "CREATE TABLE app_table () ")


def test_the_app_writes_and_the_audit_role_reads(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url("yl_owner")) as connection:
        connection.execute("CREATE TABLE thing (id int)")
    assert ask(server, "yl_app", "INSERT INTO thing VALUES (7) RETURNING id") == 7
    assert ask(server, "yl_audit", "SELECT id FROM thing") == 7
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        ask(server, "yl_audit", "DELETE FROM thing RETURNING id")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(server, "yl_app", "TRUNCATE thing")


def test_a_second_start_keeps_the_data(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url("yl_owner")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    server.stop()
    server.start()
    assert ask(server, "yl_owner", "SELECT one FROM kept") == 1


def test_a_long_path_still_gets_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20)
    let_through(tmp_path)
    server = EmbeddedPostgres(folder, fsync=False)
    assert not server.socket.is_relative_to(server.folder)
    server.start()
    assert ask(server, "yl_app", "SELECT current_user::text") == "yl_app"
    server.stop()
    server.socket.rmdir()
