"""`./run migrate`: bring the database up to date, as its owner."""

import argparse

from django.core.management import call_command
from django.db import connection, connections

from yinling.cli.database import refuse_blind_trigrams
from yinling.cli.environment import connected


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run migrate", description=__doc__)
    parser.add_argument("--data", metavar="DIR")
    with connected(as_owner=True, data=parser.parse_args(argv).data):
        migrate(verbosity=1)
    return 0


def migrate(*, verbosity: int = 0) -> None:
    call_command("migrate", interactive=False, verbosity=verbosity)
    connection.ensure_connection()
    refuse_blind_trigrams(connection.connection)
    connections.close_all()
