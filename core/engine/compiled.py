"""How the engine's inner loop is compiled.

Without numba's run-time memory (`_nrt=False`): compiled code cannot allocate, and touches no
reference counts. A user compiles once on a machine, for all clones and installations of the same
sources: the cache is in the user's own folder.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numba import config, njit
from numba.core.caching import CacheImpl, UserProvidedCacheLocator

from core.engine.code_folder import use

CORE = Path(__file__).parent.parent

SOURCES = ("engine", "kernel", "stress")
"""Packages of core that compiled code is made from."""


def _source_digest() -> str:
    """Hash of all that compiled code is made from: numba itself looks at one file only."""
    sources = [path for name in SOURCES for path in sorted((CORE / name).glob("*.py"))]
    text = b"".join(path.read_bytes() for path in sources)
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _folder() -> Path:
    """Where compiled code is kept: NUMBA_CACHE_DIR, the user's cache, or beside the sources.

    If none can be written, a folder of this process alone.
    """
    digest = _source_digest()
    asked = config.CACHE_DIR and os.path.abspath(config.CACHE_DIR)
    users = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for parent in filter(os.path.isabs, (asked, users, CORE / "engine" / "__pycache__")):
        folder = Path(parent) / "uprobe-sweep" / digest
        try:
            use(folder)
        except OSError:
            continue
        return folder
    return Path(tempfile.mkdtemp(prefix="uprobe-sweep-"))


FOLDER = _folder()


@cache
def _stamp_when_read(py_file: str) -> str:
    """`_source_digest` at the first function of a file."""
    return _source_digest()


class ByContent(UserProvidedCacheLocator):
    """Finds code of core by what its sources say; numba would by where they are."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)  # type: ignore[no-untyped-call]
        self._cache_path = str(FOLDER / Path(py_file).parent.name)

    def get_source_stamp(self) -> str:
        """What the sources say as the function is read: numba takes no code of another stamp.

        It is the folder's name unless somebody edits the sources, or checks out others, while a
        process imports them: what that process compiles then serves nobody else.
        """
        return _stamp_when_read(self._py_file)

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> ByContent | None:
        """The locator of a function; None if it is none of core's."""
        path = Path(py_file)
        if path.parent.parent != CORE or path.parent.name not in SOURCES:
            return None
        locator = cls(py_func, py_file)
        locator.ensure_cache_path()  # type: ignore[no-untyped-call]
        return locator


# Ahead of what there is: functions of others are cached as they would be without us.
_OTHERS = config.CACHE_LOCATOR_CLASSES or ",".join(c.__name__ for c in CacheImpl._locator_classes)
config.CACHE_LOCATOR_CLASSES = f"{__name__}.{ByContent.__name__},{_OTHERS}"


def _ask_scipy_later() -> None:
    """Let numba load without scipy's linear algebra: a tenth of a second, for no code of ours.

    As it loads, it asks only whether there is a BLAS: scipy is required, so there is. Whoever
    compiles an `np.dot` has it imported then.
    """
    from numba.np import linalg

    if "numba.np.arraymath" in sys.modules:
        return
    ask = linalg.ensure_blas

    def first() -> None:
        linalg.ensure_blas = ask

    linalg.ensure_blas = first


_ask_scipy_later()

F = TypeVar("F", bound=Callable[..., object])

at = np.uint64
"""Of an index, none of which is negative here: numba leaves out what would count from the end."""


def compiled(function: F) -> F:
    """An entry point, called from Python; other threads may run meanwhile."""
    options = {"cache": True, "nogil": True, "no_cfunc_wrapper": True}
    return cast(F, njit(_nrt=False, **options)(function))


def inlined(function: F) -> F:
    """A helper of one: always inlined, for passing the state's arrays costs more than the work.

    Python cannot call it; wrappers for that would be a third of the compiler's work.
    """
    options = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(F, njit(_nrt=False, **options)(function))
