"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sweep.errors import InfrastructureError


@contextmanager
def whole_file(target: Path, folder: Path) -> Iterator[Path]:
    """Give a temporary path in `folder`; what was written there becomes `target`, synced to disk.

    `folder` is on the file system of `target`. Raises InfrastructureError if the disk fails.
    """
    temporary = folder / f".{target.name}.tmp"
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(target)
        _sync(target.parent)
    except OSError as error:
        message = f"cannot write {target}: {error.strerror or error}"
        raise InfrastructureError(message) from error
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
