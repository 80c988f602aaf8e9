"""The command line as people run it, and a spec of cells that take no time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

from sweep.cli import code_of

PROJECT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT)}
AXES = {
    "name": "tiny",
    "bench": "uprobe-nop",
    "flavour": ["baseline", "srcu"],
    "cpus": [1, 2, 3, 4, 5, 6, 7, 8],
    "replicates": 4,
    "warmup": "0us",
    "duration": "20us",
    "sample": "20us",
}
CELLS = 64
AHEAD = 2 * len(os.sched_getaffinity(0)) + 2
"""The call that begins only once a row has been kept: one warms up, the others may be in flight."""

HOOKED = """
import os, signal
import core.engine.simulate as engine
from sweep import Spec
from sweep.errors import InfrastructureError

real, begun = engine.simulate, []

def simulate(cell, hosts=None):
    begun.append(cell)
    if len(begun) == {number}:
        {hook}
    return real(cell, hosts)

engine.simulate = simulate
signal.signal(signal.SIGINT, signal.default_int_handler)
spec = Spec(**{axes})
"""


Done = subprocess.CompletedProcess[str]


def cli(*args: str, cwd: Path) -> Done:
    """What a command prints, says and ends with, run in this process: imports are most of one."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
        code = code_of(args)
    for stream in (out, err):
        stream.seek(0)
    return Done(args, code, out.read(), err.read())


def cli_apart(*args: str, cwd: Path) -> Done:
    """The same in a process of its own: what is hooked, killed or counted there."""
    return subprocess.run(
        [sys.executable, "-m", "sweep", *args],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
    )


def hooked(folder: Path, hook: str, number: int = AHEAD) -> None:
    """Write tiny.py: the tiny spec, with `hook` run as the `number`-th cell begins."""
    (folder / "tiny.py").write_text(HOOKED.format(hook=hook, number=number, axes=AXES))
