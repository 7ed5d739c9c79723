"""pytest plugin: tells the settings where the test server is, before pytest-django reads them.

Tests connect as the owner without a pool; tests/conftest.py then changes to the role that serves.
YINLING_TEST_DB (read by the settings) keeps the databases of people who share a server apart.
"""

import os
from pathlib import Path

from yinling.cli.paths import TEST_DATABASE


def find_urls() -> None:
    default = TEST_DATABASE / "urls.env"
    path = Path(os.environ.get("YINLING_TEST_URLS", default))
    if "DATABASE_OWNER_URL" not in os.environ and path.exists():
        for line in path.read_text().splitlines():
            name, _, url = line.partition("=")
            os.environ[name] = url
    if "DATABASE_OWNER_URL" in os.environ:
        os.environ["DATABASE_URL"] = os.environ["DATABASE_OWNER_URL"]


find_urls()
