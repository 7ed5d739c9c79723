"""Markdown of generated pages."""

from collections.abc import Iterable, Sequence


def note(source: str) -> str:
    return f"Generated from `{source}` by `./run docs`; do not edit.\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = [f"| {' | '.join(word.replace('|', '&#124;').replace(chr(10), ' ') for word in row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *body]) + "\n"
