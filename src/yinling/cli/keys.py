"""The keys of one installation; they stay beside the data and outside the database."""

import json
import os
import secrets
from pathlib import Path

KEY_BYTES = 32


def ensure_key_file(path: Path) -> Path:
    """Make the file once; whoever loses it can read no phone and no ID number again."""
    if not path.exists():
        keys = {
            "secret_key": secrets.token_urlsafe(50),
            "index_key": secrets.token_hex(KEY_BYTES),
            "keys": {"1": secrets.token_hex(KEY_BYTES)},
            "current": "1",
        }
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(keys, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
    return path
