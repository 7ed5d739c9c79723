"""`./run reset`: delete the data of the demo city, the keys included."""

import argparse
import contextlib
import shutil
from pathlib import Path

from yinling.cli.account import Unusable
from yinling.cli.database import EmbeddedPostgres
from yinling.cli.environment import data_folder, outside_database
from yinling.cli.lock import hold


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run reset", description=__doc__)
    parser.add_argument("--data", metavar="DIR")
    parser.add_argument("--yes", action="store_true", help="不再询问 do not ask")
    options = parser.parse_args(argv)
    data = data_folder(options.data)
    if not options.yes and input(f"删除 {data} 中的全部数据？Delete all data in {data}? (yes/no) ").strip() != "yes":
        return 1
    with contextlib.closing(hold(data, "./run reset")):
        delete_data(data)
    print("已删除。 Deleted.")
    return 0


def delete_data(data: Path) -> None:
    """Only what the platform made there; refused for a database that somebody else runs."""
    if outside_database() is not None:
        raise Unusable("不删除外部数据库。 An outside database is not deleted by this command; do it there.")
    server = EmbeddedPostgres(data / "database")
    server.stop()
    for folder in (server.folder, server.socket, data / "database", data / "files", data / "static"):
        shutil.rmtree(folder, ignore_errors=True)
    (data / "keys.json").unlink(missing_ok=True)
