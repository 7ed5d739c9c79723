"""The PostgreSQL that comes with the platform: no set-up, no port, its own data folder."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from yinling.cli.account import Unusable, database_account, postgres_binaries, private_folder

OWNER, APP, AUDIT, SUPERUSER = "yl_owner", "yl_app", "yl_audit", "postgres"
DATABASE = "yinling"
SOCKET_NAME = "/.s.PGSQL.5432"
SOCKET_PATH_LIMIT = 107
ROLES = Path(__file__).with_name("roles.sql")
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.defpath}
INITDB = [
    *("-U", SUPERUSER, "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    *("--data-checksums", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-instructions"),
]
SETTINGS = {
    "listen_addresses": "",
    "timezone": "UTC",
    "log_line_prefix": "",
    "log_min_messages": "fatal",  # what a statement did wrong is told to who sent it, who says so where it matters
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "shared_preload_libraries": "pg_stat_statements",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One server on one data folder. `fsync=False` is for tests only: a crash may lose its data."""

    def __init__(self, data_dir: Path, *, fsync: bool = True) -> None:
        self.account = database_account()
        self.folder = private_folder(data_dir.resolve(), self.account)
        self.binaries = postgres_binaries(self.account)
        self.cluster = self.folder / "cluster"
        self.socket = self._socket_folder()
        self.settings = SETTINGS if fsync else SETTINGS | NOT_DURABLE
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def argv(self) -> list[str]:
        settings = [f"--{name}={value}" for name, value in self.settings.items()]
        return [str(self.binaries / "postgres"), "-D", str(self.cluster), "-k", str(self.socket), *settings]

    def url(self, role: str, dbname: str = DATABASE) -> str:
        return f"postgresql://{role}@/{dbname}?host={quote(str(self.socket), safe='')}"

    def environment(self, dbname: str = DATABASE) -> dict[str, str]:
        return {
            "DATABASE_URL": self.url(APP, dbname),
            "DATABASE_OWNER_URL": self.url(OWNER, dbname),
            "DATABASE_AUDIT_URL": self.url(AUDIT, dbname),
        }

    def start(self, *, dbname: str = DATABASE) -> None:
        """Start without supervision and leave the database ready for migrations."""
        self.prepare()
        log = self.folder / "postgres.log"
        with log.open("wb") as stderr:
            self._server = subprocess.Popen(
                self.argv,
                env=ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=None if self.account.uid is None else [],
            )
        deadline = time.monotonic() + 60
        while not self.is_ready():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise Unusable(f"PostgreSQL 未能启动。 PostgreSQL did not start:\n{_tail(log)}")
            time.sleep(0.02)
        self.provision(dbname)

    def stop(self) -> None:
        """SIGINT cuts clients and ends cleanly; SIGTERM would wait for them."""
        pid = self.pid()
        # A number left by a crash may by now be somebody else's process.
        if pid is None or (self._server is None and not self.is_ready()):
            return
        os.kill(pid, signal.SIGINT)
        if self._server is not None:
            self._server.wait(timeout=60)
            self._server = None
        while self.pid() is not None:
            time.sleep(0.02)

    def pid(self) -> int | None:
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError):
            return None
        return pid

    def prepare(self) -> None:
        """Make the cluster once; half-made ones are not taken for whole."""
        if (self.cluster / "PG_VERSION").exists():
            self._refuse_other_version()
            return
        new = self.folder / "cluster.new"
        shutil.rmtree(new, ignore_errors=True)
        result = self.account.run([str(self.binaries / "initdb"), "-D", str(new), *INITDB], env=ENVIRONMENT)
        if result.returncode != 0:
            raise Unusable(f"无法建立数据库。 The database could not be made:\n{result.stderr}")
        new.rename(self.cluster)

    def is_ready(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def provision(self, dbname: str = DATABASE) -> None:
        with self._connect("template1") as connection:
            connection.execute(ROLES.read_bytes())
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            refuse_blind_trigrams(connection)
        self.ensure_database(dbname)

    def ensure_database(self, name: str) -> None:
        with self._connect("postgres") as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(statement.format(sql.Identifier(name), sql.Identifier(OWNER)))

    def _connect(self, dbname: str) -> psycopg.Connection:
        return psycopg.connect(self.url(SUPERUSER, dbname), autocommit=True)

    def _socket_folder(self) -> Path:
        inside = self.folder / "socket"
        if len(bytes(inside)) + len(SOCKET_NAME) > SOCKET_PATH_LIMIT:
            inside = Path(tempfile.gettempdir()) / f"yl-{hashlib.sha256(bytes(self.folder)).hexdigest()[:12]}"
        inside.mkdir(mode=0o700, exist_ok=True)
        # A folder in the shared place may have been put there by somebody else.
        if inside.is_symlink() or inside.stat().st_uid not in {os.geteuid(), self.account.uid}:
            raise Unusable(f"目录属于他人：{inside}。 The folder belongs to somebody else: {inside}.")
        inside.chmod(0o700)
        self.account.give(inside)
        return inside

    def _refuse_other_version(self) -> None:
        made_by = (self.cluster / "PG_VERSION").read_text().strip()
        ours = self.account.run([str(self.binaries / "postgres"), "--version"], env=ENVIRONMENT).stdout
        if re.search(r"\d+", ours).group() != made_by:  # type: ignore[union-attr]
            raise Unusable(
                f"数据由 PostgreSQL {made_by} 建立。 The data was made by PostgreSQL {made_by}, here is {ours}"
            )


def refuse_blind_trigrams(connection: psycopg.Connection) -> None:
    """Under a C locale trigrams see no Chinese letters; nothing else shows the fault."""
    row = connection.execute("SELECT show_trgm('中文')").fetchone()
    if not row or not row[0]:
        raise Unusable(
            "数据库区域设置不支持中文，请用 LC_CTYPE C.UTF-8 建库。 The database's locale knows no Chinese letters: "
            "create it from template0 with LC_CTYPE C.UTF-8.",
        )


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
