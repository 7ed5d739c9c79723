"""The English of every text for people: what is marked in code and templates against what the catalogue translates."""

import re
from collections.abc import Iterator
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po
from jinja2 import TemplateSyntaxError

from yinling.cli.paths import ROOT, SOURCE

ENGLISH = SOURCE / "web" / "locale" / "en" / "LC_MESSAGES" / "django.po"
KEYWORDS = ("_", "N_", "gettext", "ngettext:1,2", "pgettext:1c,2", "npgettext:1c,2,3")
LAZY = ("gettext_lazy", "ngettext_lazy:1,2", "pgettext_lazy:1c,2")
CHINESE_ONLY = ("src/yinling/web/jinja2/elder/", "src/yinling/web/jinja2/mobile/")
PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
LEFT_OUT = {"migrations", "node_modules", "__pycache__"}


def check() -> list[str]:
    """Say which text has no English, or an English that lost a value."""
    known = english()
    return [
        *(f"没有英译 no English: {text!r} ({places})" for text, places in untranslated(extracted(), known)),
        *(f"占位不符 values differ: {text!r}" for text in wrong_places(known)),
    ]


def extracted() -> Catalog:
    """Every marked text of the source, in the order of its files."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    catalogue = Catalog(locale="en", fuzzy=False)
    keywords = parse_keywords((*KEYWORDS, *LAZY))
    begun: list[str] = []
    found = extract_from_dir(
        ROOT / "src",
        prefixed(methods),
        prefixed_options(options),
        keywords,
        callback=lambda name, _method, _options: begun.append(name),
        directory_filter=is_source,
    )
    try:
        for name, line, message, comments, context in found:
            catalogue.add(message, None, [(f"src/{name}", line)], auto_comments=comments, context=context)
    except (TemplateSyntaxError, SyntaxError) as error:
        raise ValueError(f"src/{begun[-1]}:{error.lineno}: {error}") from error
    return catalogue


def english() -> Catalog:
    if not ENGLISH.exists():
        return Catalog(locale="en")
    with ENGLISH.open("rb") as file:
        return read_po(file, locale="en")


def untranslated(source: Catalog, known: Catalog) -> Iterator[tuple[str, str]]:
    for message in source:
        if not message.id or is_chinese_only(message):
            continue
        entry = known.get(message.id, message.context)
        if entry is None or not all(both(entry.string)):
            yield both(message.id)[0], ", ".join(sorted({str(name) for name, _ in message.locations}))


def wrong_places(known: Catalog) -> list[str]:
    return [both(one.id)[0] for one in known if one.id and all(both(one.string)) and loses_values(one)]


def loses_values(message: Message) -> bool:
    """The singular may leave the number out."""
    wanted = set(PLACES.findall(both(message.id)[-1]))
    singular, plural = (set(PLACES.findall(both(message.string)[end])) for end in (0, -1))
    return plural != wanted or not singular <= wanted


def is_chinese_only(message: Message) -> bool:
    """The pages of elders, families and carers speak Chinese only."""
    places = [str(name) for name, _ in message.locations]
    return bool(places) and all(name.startswith(CHINESE_ONLY) for name in places)


def both(text: Any) -> tuple[str, ...]:
    """Singular and plural, or the one text."""
    return tuple(text) if isinstance(text, (list, tuple)) else (text or "",)


def is_source(folder: Any) -> bool:
    return not LEFT_OUT & set(str(folder).split("/"))


def prefixed(methods: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The patterns of babel.cfg start at the root of the repository, the walk in src."""
    return [(pattern.removeprefix("src/"), method) for pattern, method in methods]


def prefixed_options(options: dict[str, Any]) -> dict[str, Any]:
    return {pattern.removeprefix("src/"): one for pattern, one in options.items()}
