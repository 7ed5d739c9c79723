"""Becomes another program that ends when its parent does: `trampoline.py UID GID SIGNAL PROGRAM ARGUMENTS...`.

UID -1 keeps the user. Run by path in isolated mode: it may import nothing of ours.
"""

import ctypes
import os
import resource
import sys

PR_SET_PDEATHSIG = 1


def main(uid: int, gid: int, death_signal: int, argv: list[str]) -> None:
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After setuid, which would clear it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    # What was in memory (names, keys, sound) is not left lying about when a program crashes.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.execvp(argv[0], argv)  # noqa: S606 - becoming that program is the purpose


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
