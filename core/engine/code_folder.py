"""Folders of compiled code, one for each state of the sources, of which the last used are kept.

Who uses one holds a lock on it, shared and for as long as its process lives; one is removed only
by who has its lock alone. So no process finds its folder gone, whatever others do.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

KEPT = 8
"""Folders of other sources that are kept: whoever goes to and fro between clones has some."""

LOCK = "lock"
"""A file in each; its time is that of the last use."""

NAME = re.compile(r"[0-9a-f]{16}")


def use(folder: Path) -> None:
    """Have a folder until this process ends, then remove those of others used longest ago.

    Raises OSError if nothing can be written there.
    """
    while not _locked(folder):
        pass  # Whoever was about to remove it has done so: it is made again.
    tempfile.TemporaryFile(dir=folder).close()
    _prune(folder)


def _locked(folder: Path) -> bool:
    """Make a folder, if need be, and lock it; False if it was removed meanwhile."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return False
    with suppress(OSError):  # Where there are no locks nobody removes anything.
        fcntl.flock(lock, fcntl.LOCK_SH)
    with suppress(FileNotFoundError):
        os.utime(lock)
        if os.path.samestat(os.fstat(lock), os.stat(folder / LOCK)):
            return True  # And leave it open: it is locked until this process ends.
    os.close(lock)
    return False


def _prune(ours: Path) -> None:
    """Remove folders beside `ours`, but for those used last and those in use."""
    others = [f for f in ours.parent.iterdir() if NAME.fullmatch(f.name) and f != ours]
    for folder in sorted(others, key=_last_used)[:-KEPT]:
        # Somebody else may remove it too, or it is not ours to remove.
        with suppress(OSError):
            _remove(folder)


def _last_used(folder: Path) -> float:
    """Time of the last use; of a folder without a lock, of the last change; 0 if it is gone."""
    for path in (folder / LOCK, folder):
        with suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def _remove(folder: Path) -> None:
    """Remove a folder of compiled code; raises OSError if it is in use."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    finally:
        os.close(lock)
