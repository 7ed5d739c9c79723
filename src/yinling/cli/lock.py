"""One running platform per data folder; a second one learns where the first is."""

import fcntl
from pathlib import Path
from typing import IO

from yinling.cli.account import Unusable


def hold(folder: Path, address: str) -> IO[str]:
    """Keep the returned file open for as long as the folder is in use."""
    file = (folder / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        first = file.read().strip()
        file.close()
        raise Unusable(f"已在运行：{first} Already running on this data: {first}") from error
    file.truncate(0)
    file.write(address + "\n")
    file.flush()
    return file
