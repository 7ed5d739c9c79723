"""`./run migrate`: bring the database up to date, as its owner."""

import argparse

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from yinling.cli.account import Unusable
from yinling.cli.database import refuse_blind_trigrams
from yinling.cli.environment import connected


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run migrate", description=__doc__)
    parser.add_argument("--data", metavar="DIR")
    with connected(as_owner=True, data=parser.parse_args(argv).data):
        migrate(verbosity=1)
    return 0


def migrate(*, verbosity: int = 0) -> None:
    refuse_other_version()
    call_command("migrate", interactive=False, verbosity=verbosity)
    connection.ensure_connection()
    refuse_blind_trigrams(connection.connection)
    connections.close_all()


def refuse_other_version() -> None:
    """Refuse a database with migrations of ours that this version does not have: a newer one, or one from before they were merged."""
    loader = MigrationLoader(connection)
    ours = {name.rpartition(".")[2] for name in settings.CONTEXTS}
    unknown = sorted(
        f"{app}.{name}" for app, name in set(loader.applied_migrations) - set(loader.disk_migrations) if app in ours
    )
    if unknown:
        raise Unusable(
            f"数据库由另一版本建立（{unknown[0]}），本版本不能使用。演示数据请加 --fresh 重建，正式数据请用原来的版本或恢复备份。 "
            "The database was made by another version: start the demo anew with --fresh, or use that version or a back-up."
        )
