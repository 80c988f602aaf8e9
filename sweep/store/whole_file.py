"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from sweep.errors import InfrastructureError


def write_whole(
    target: Path, content: bytes, beside: Path | None = None, dir_fd: int | None = None
) -> None:
    """Make `target` have `content`, synced to disk: readers see all of it or what was there before.

    A temporary file in the folder `beside`, by default the target's, is renamed. With `dir_fd`, an
    open folder, paths are relative to that, wherever it is by now. Raises InfrastructureError.
    """
    temporary = (target.parent if beside is None else beside) / f".{target.name}.tmp"
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666, dir_fd=dir_fd)
        try:
            try:
                write_all(fd, content)
                os.fsync(fd)
            finally:
                os.close(fd)
            os.replace(temporary, target, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        except BaseException:
            remove(temporary, dir_fd)
            raise
        _sync(target.parent, dir_fd)
    except OSError as error:
        message = f"cannot write {target}: {error.strerror or error}"
        raise InfrastructureError(message) from error


def write_all(fd: int, content: bytes) -> None:
    """Write all of `content` to an open file. Raises OSError."""
    left = memoryview(content)
    while left:
        left = left[os.write(fd, left) :]


def read_all(path: Path, dir_fd: int | None = None, last: int | None = None) -> bytes:
    """What a file has, or its `last` bytes, in an open folder if there is one. Raises OSError."""
    fd = os.open(path, os.O_RDONLY, dir_fd=dir_fd)
    try:
        if last is not None:
            os.lseek(fd, max(0, os.fstat(fd).st_size - last), os.SEEK_SET)
        chunks = []
        while chunk := os.read(fd, 1 << 24):
            chunks.append(chunk)
        return b"".join(chunks)
    finally:
        os.close(fd)


def remove(path: Path, dir_fd: int | None = None) -> None:
    """Remove a file, if it is there."""
    try:
        os.unlink(path, dir_fd=dir_fd)
    except FileNotFoundError:
        return


def _sync(folder: Path, dir_fd: int | None) -> None:
    fd = os.open(folder, os.O_RDONLY, dir_fd=dir_fd)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
