"""What is published speaks of no machine it was made on."""

import re

from tests.shape.houses import tracked_files

from yinling.cli.paths import ROOT

# Put together, so that this file does not find itself.
WORDS = [
    "/" + "work/",
    "/" + "root/",
    "/" + "Users/",
    "/" + r"home/[a-z]",
    r"pypi\." + r"org/simple",
    "files" + r"\.pythonhosted",
    "registry" + r"\.npm",
    r"--" + r"(extra-)?index-url",
    r"--" + r"find-links",
]
PATHS = re.compile("|".join(WORDS))
BINARY = {".png", ".jpg", ".jpeg", ".ico", ".woff2", ".db", ".geojson", ".pdf", ".xlsx"}


def test_no_file_names_a_path_or_a_registry_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked_files()
        if path.suffix not in BINARY
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if PATHS.search(line)
    ]
    assert found == []
