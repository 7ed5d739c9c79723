"""The compiler's decorator: typed for the type checker, compiled once and kept; without the compiler the same code runs as plain Python."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def _use_writable_cache() -> None:
    """Compiled code lies beside the sources; on a read-only installation in the directory for temporary files."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    here = Path(__file__).parent
    if not os.access(here, os.W_OK):
        os.environ["NUMBA_CACHE_DIR"] = str(Path(tempfile.gettempdir()) / f"yinling-numba-{os.getuid()}")


_use_writable_cache()

import numba  # noqa: E402 - the directory must be known before


def compiled(function: F) -> F:
    """Compile for use by other compiled functions."""
    wrapped: F = numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    return wrapped


def inlined(function: F) -> F:
    """Compile a small function into every caller."""
    wrapped: F = numba.njit(cache=True, error_model="numpy", nogil=True, forceinline=True)(function)
    return wrapped
