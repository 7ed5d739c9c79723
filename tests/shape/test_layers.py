"""The contexts stand in the order of the service loop, and a new one is known to the linter."""

import subprocess

from django.conf import settings
from tests.shape.houses import BIN, layer_numbers

from yinling.cli.paths import ROOT, SOURCE


def test_imports_follow_the_layers() -> None:
    result = subprocess.run([BIN / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_contexts_of_the_settings_stand_in_the_order_of_the_layers() -> None:
    numbers = [layer_numbers()[name.rpartition(".")[2]] for name in settings.CONTEXTS]
    assert numbers == sorted(numbers)


def test_every_context_has_a_page_that_explains_it() -> None:
    names = [*settings.CONTEXTS, "kernel", "interop", "web"]
    assert [name for name in names if not (SOURCE / name.replace(".", "/") / "README.md").exists()] == []
