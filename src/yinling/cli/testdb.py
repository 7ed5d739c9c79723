"""One test server shared by all who run pytest in this checkout; idempotent."""

import argparse

from yinling.cli.database import EmbeddedPostgres
from yinling.cli.paths import TEST_DATABASE


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run testdb", description=__doc__)
    parser.add_argument("--stop", action="store_true")
    stop = parser.parse_args(argv).stop
    TEST_DATABASE.mkdir(parents=True, exist_ok=True)
    server = EmbeddedPostgres(TEST_DATABASE / "postgres", fsync=False)
    urls = TEST_DATABASE / "urls.env"
    if stop:
        urls.unlink(missing_ok=True)
        server.stop()
        return 0
    if not server.is_ready():
        server.start()
    urls.write_text("".join(f"{name}={url}\n" for name, url in server.environment().items()))
    for line in urls.read_text().splitlines():
        print(f"export {line}")
    return 0
