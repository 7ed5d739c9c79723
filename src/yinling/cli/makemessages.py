"""`./run makemessages`: collect new texts into the English catalogue and drop the gone; translations stay."""

import argparse

from babel.messages.pofile import write_po

from yinling.cli.catalogues import compile_catalogues
from yinling.cli.messages import ENGLISH, english, extracted, untranslated

HEADER = """# English of the texts that people read. ./run makemessages adds new ones; ./run check names those without English.
msgid ""
msgstr ""
"Language: en\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def main(argv: list[str]) -> int:
    argparse.ArgumentParser(prog="./run makemessages", description=__doc__).parse_args(argv)
    source, known = extracted(), english()
    for message in source:
        entry = known.get(message.id, message.context)
        if message.id and entry is not None:
            message.string = entry.string
    ENGLISH.parent.mkdir(parents=True, exist_ok=True)
    with ENGLISH.open("wb") as file:
        file.write(HEADER.encode())
        write_po(file, source, width=110, sort_output=True, include_lineno=False, omit_header=True)
    compile_catalogues()
    missing = list(untranslated(source, known))
    for text, places in missing:
        print(f"{text}  ({places})")
    print(f"{len(source)} 条 texts，{len(missing)} 条待译 without English: {ENGLISH}")
    return 0
