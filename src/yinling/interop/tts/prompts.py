"""The prompts of the line as sound files: `python -m yinling.interop.tts.prompts FOLDER DIVISION`. Run again after a text has changed."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import django

NAMES = ("recording", "busy", "after_hours")


def write_prompts(folder: Path, area: str, on: date) -> list[Path]:
    """Speak every prompt of an area into ``<name>.wav`` with the voice of the settings; each file is there whole or as it was."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup
    from django.utils.module_loading import import_string  # noqa: PLC0415 - as above

    from yinling.accounts.ports import Tts  # noqa: PLC0415 - as above
    from yinling.ground.parameters import parameter  # noqa: PLC0415 - as above

    voice: Tts = import_string(settings.PORTS["tts"])()
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name in NAMES:
        part, whole = folder / f"{name}.part", folder / f"{name}.wav"
        part.write_bytes(voice.prompt_wav(str(parameter(f"line.prompt.{name}", area, on))))
        part.replace(whole)
        made.append(whole)
    return made


def main() -> None:
    """Write the files of today's texts."""
    if len(sys.argv) != 3:  # noqa: PLR2004 - folder and division
        sys.exit(__doc__)
    django.setup()
    from yinling.ground.clock import real_now  # noqa: PLC0415 - after django.setup
    from yinling.kernel.period import local_date  # noqa: PLC0415 - as above

    for path in write_prompts(Path(sys.argv[1]), sys.argv[2], local_date(real_now())):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
