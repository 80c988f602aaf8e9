"""Instructions an event of the weave takes, which no other work on the machine changes.

Valgrind's callgrind counts those of code that belongs to no file, which is what numba compiled.
It knows no newer hardware than x86-64-v3, so that is what is compiled for.

    python instructions.py FLAVOUR CPUS    simulates a cell and prints its events
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from core.cell import Cell
from core.engine import simulate as module
from core.engine.interconnect import Interconnect
from core.machine.machine import load_machine

MS = 10**9
COST = re.compile(r"(?:\+|-|\*|\d)\S* (\d+)")
NO_FILE = "???"


class Count(NamedTuple):
    """Of the weave's code, an event and an operation on a line."""

    an_event: float
    an_operation: float


def available() -> bool:
    """Whether there is a valgrind for this machine."""
    return shutil.which("valgrind") is not None and platform.machine() == "x86_64"


def count(flavour: str, cpus: int, folder: Path) -> Count:
    """Instructions of 3 ms of uprobe-nop; `folder` keeps what was compiled."""
    child = [sys.executable, __file__, flavour, str(cpus)]
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(folder / "for valgrind"),
        "NUMBA_CPU_NAME": "x86-64-v3",
        "NUMBA_CPU_FEATURES": "",
        "OPENBLAS_NUM_THREADS": "1",
    }
    ran = subprocess.run(child, env=environment, check=True, capture_output=True, text=True)
    events, operations = map(int, ran.stdout.split())
    out = folder / f"{flavour}-{cpus}.callgrind"
    counts = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
    subprocess.run([*counts, *child], env=environment, check=True, capture_output=True)
    instructions = _of_no_file(out.read_text())
    return Count(instructions / events, instructions / operations)


def _of_no_file(text: str) -> int:
    """The instructions of an output of callgrind that are of no object file."""
    # A name is there where its number is first, which may be as what is called.
    named = {n for n, name in re.findall(r"^c?ob=(\(\d+\)) (.+)$", text, re.M) if name == NO_FILE}
    total, ours, of_call = 0, False, False
    for line in text.splitlines():
        if line.startswith("ob="):
            ours = line[3:].partition(" ")[0] in named
        elif line.startswith("calls="):
            of_call = True
        elif cost := COST.fullmatch(line):
            # The line after a call has what was called, which is counted where it is.
            total += 0 if of_call or not ours else int(cost[1])
            of_call = False
    return total


def main() -> None:
    seen: list[Interconnect] = []

    class Seen(Interconnect):
        def __init__(self, *state: object) -> None:
            super().__init__(*state)  # type: ignore[arg-type]
            seen.append(self)

    module.Interconnect = Seen  # type: ignore[misc]
    machine = load_machine("xeon-gold-6138")
    flavour, cpus = sys.argv[1], int(sys.argv[2])
    cell = Cell("uprobe-nop", flavour, cpus, 1, "shared", machine, 0, 0, 0, 0, 3 * MS)
    operations = module.simulate(cell).line_ops
    print(seen[0].events, operations)


if __name__ == "__main__":
    main()
