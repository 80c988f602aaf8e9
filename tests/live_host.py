"""Whether real uprobes can be placed here, for tests that need them; and how to see one."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.live.code import MACHINE, TARGET, Mapping
from sweep.live.refused import RefusedError, refuse_if_impossible

DEADLINE_S = 60


def _reason() -> str:
    """Why not; "" where root, uprobe events and x86-64 are there, and then tests have to run."""
    if platform.system() != "Linux" or platform.machine() != MACHINE:
        return f"needs Linux on {MACHINE}"
    try:
        refuse_if_impossible()
    except RefusedError as refused:
        return str(refused)
    return ""


needs_uprobes = pytest.mark.skipif(bool(_reason()), reason=_reason())


class Watched:
    """A mapping of our own of the file that process `pid` probes: its breakpoint is seen here."""

    def __init__(self, pid: int) -> None:
        wait_until(lambda: bool(_memfds(pid)))
        self._fd = os.open(_memfds(pid)[0], os.O_RDONLY)
        self._mapping = Mapping(self._fd)

    def byte(self) -> int:
        return self._mapping.byte(TARGET)

    def close(self) -> None:
        self._mapping.close()
        os.close(self._fd)


def _memfds(pid: int) -> list[str]:
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if "memfd:uprobe-sweep" in os.readlink(link):
                found.append(str(link))
        except FileNotFoundError:
            continue
    return found


def wait_until(true: Callable[[], bool]) -> None:
    """Poll until it is. Fails after DEADLINE_S."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, "it never was"
        time.sleep(0.01)
