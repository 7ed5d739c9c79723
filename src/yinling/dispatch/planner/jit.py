"""The compiler's decorators: typed for the type checker, and compiled code kept between runs. Without the compiler all runs as plain Python."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

HERE = Path(__file__).parent
SOURCES = ("arrays.py", "distance.py", "jit.py", "kernel*.py", "roster.py", "scan.py")


def cache_directory() -> Path:
    """Return where compiled code lies: beside the sources, or on a read-only installation among the temporary files.

    Its name holds a fingerprint of all sources, because the compiler looks for changes only in the file of the function it loads, not in
    those copied into it.
    """
    found = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in HERE.glob(pattern)):
        found.update(path.read_bytes())
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        base = Path(chosen)
    elif os.access(HERE, os.W_OK):
        base = HERE / "__pycache__"
    else:
        base = Path(tempfile.gettempdir()) / f"yinling-planner-{os.getuid()}"
    return base / f"planner-{found.hexdigest()[:16]}"


CACHE = cache_directory()
compiler: Any = numba
"""Its stubs do not know all options."""


def _compile(function: F, **options: bool) -> F:
    config = compiler.config
    before, config.CACHE_DIR = config.CACHE_DIR, str(CACHE)
    try:
        wrapped: F = compiler.njit(cache=True, error_model="numpy", nogil=True, **options)(function)
    finally:
        config.CACHE_DIR = before
    return wrapped


def compiled(function: F) -> F:
    """Compile for use by other compiled functions.

    References are not counted: the arrays of a board outlive every call, and the counting would take half of the time.
    """
    return _compile(function, _nrt=False)


def inlined(function: F) -> F:
    """As ``compiled``, for a small function: a copy goes into every caller."""
    return _compile(function, _nrt=False, forceinline=True)


def allocating(function: F) -> F:
    """Compile a function that makes arrays, which are counted and freed."""
    return _compile(function, _nrt=True)
