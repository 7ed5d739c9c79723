"""`./run bench NAME [--quick] [--json]`: measure one promise; without a name, list them."""

import importlib


def main(argv: list[str]) -> int:
    """Hand over: the benches stand above the command line, which they start as others do."""
    return int(importlib.import_module("yinling.bench.command").main(argv))
