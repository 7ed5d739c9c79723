"""Compiled translations are made where they are used and never committed."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from yinling.cli.paths import SOURCE


def compile_catalogues(folder: Path = SOURCE) -> None:
    for source in folder.glob("**/locale/*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text:
            catalogue = read_po(text)
        with compiled.open("wb") as file:
            write_mo(file, catalogue)
