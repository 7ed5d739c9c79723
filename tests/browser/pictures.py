"""``python -m tests.browser.pictures``: copy the chosen screenshots of the last run into ``docs/images``, small enough for a README."""

from __future__ import annotations

import sys

from PIL import Image
from tests.browser.looking import SHOTS

from yinling.cli.paths import ROOT

CHOSEN = {
    "pop": "pop-1366", "dispatch": "dispatch-1366", "warnings": "warnings-1366", "carer": "carer_check_in-360", "elder_home": "family_e_-360",
    "desk": "desk-1366", "ticket": "ticket-1366", "settlement": "settlement-1366", "indicators": "indicators-1366", "elder": "page_elder-1366",
    "catalogue": "page_public_catalogue-1366", "dispatch_board": "board-1366",
}  # fmt: skip
MOST_BYTES = 200_000


def main() -> int:
    """Return 1 if a picture is missing or too large."""
    folder = ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    wrong = 0
    for name, shot in CHOSEN.items():
        source, target = SHOTS / f"{shot}.png", folder / f"{name}.png"
        if not source.exists():
            print(f"{source} is missing: run pytest tests/browser first", file=sys.stderr)  # noqa: T201 - a command
            wrong = 1
            continue
        Image.open(source).convert("RGB").quantize(96).save(target, optimize=True)
        size = target.stat().st_size
        wrong |= size > MOST_BYTES
        print(f"{target.relative_to(ROOT)} {size // 1000} kB")  # noqa: T201 - a command
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
