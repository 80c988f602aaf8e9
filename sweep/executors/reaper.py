"""A process that ends what a driver's own Ray leaves behind, however the driver ends.

Ray's processes end with the driver that started them, but for its two agents: these first try for
a minute to tell the GCS, which has ended too. All of them have files open in Ray's folder.

    python reaper.py FOLDER
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

KEEP = b"keep"

GRACE_SECONDS = 1.0
"""For those that end by themselves, which is tidier."""


class Reaper:
    """Ends what has files open in `folder`, and removes that, when closed or this process dies."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__, str(folder)],
            stdin=subprocess.PIPE,
            # A signal to the driver's group is not for it.
            start_new_session=True,
        )

    def close(self, keep: bool = False) -> None:
        """End what is left, and wait for that; `keep` the folder, for its logs."""
        self._process.communicate(KEEP if keep else b"")


def processes_in(folder: str, but: bytes) -> list[int]:
    """Ids of the processes of ours with files open below `folder`, but for a command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            files = (file.readlink() for file in (process / "fd").iterdir())
            if any(file.is_relative_to(folder) for file in files):
                found += [int(process.name)] * ((process / "cmdline").read_bytes() != but)
    return found


def main(folder: str) -> None:
    """Wait for the end of standard input, then end the processes in `folder`, and remove it.

    Not the driver, nor what it has forked for purposes of its own: these have its command line.
    """
    driver = Path(f"/proc/{os.getppid()}/cmdline").read_bytes()
    keep = sys.stdin.buffer.read() == KEEP
    give_up = time.monotonic() + GRACE_SECONDS
    while (left := processes_in(folder, driver)) and time.monotonic() < give_up:
        time.sleep(0.1)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
