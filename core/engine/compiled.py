"""How the engine's inner loop is compiled.

Without numba's run-time memory (`_nrt=False`): compiled code cannot allocate, and touches no
reference counts. A machine compiles once: the cache lies beside the source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from numba import config, njit

HERE = Path(__file__).parent


def _source_digest() -> str:
    """Hash of all that compiled code is made from: numba itself looks at one file's time only."""
    folders = (HERE, HERE.parent / "kernel", HERE.parent / "stress")
    sources = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    text = b"".join(path.read_bytes() for path in sources)
    return hashlib.blake2b(text, digest_size=6).hexdigest()


config.CACHE_DIR = str(Path(config.CACHE_DIR or HERE / "__pycache__") / _source_digest())

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """An entry point, called from Python; other threads may run meanwhile."""
    return cast(F, njit(cache=True, nogil=True, _nrt=False)(function))


def inlined(function: F) -> F:
    """A helper of one: always inlined, for passing the state's arrays costs more than the work."""
    return cast(F, njit(cache=True, _nrt=False, forceinline=True)(function))
