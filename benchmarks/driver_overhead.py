"""What the driver and the store take for each cell, and how their memory grows, over 10,000 cells.

The cells are tiny: 60 us on one simulated CPU. Twice over: with an executor that has their results
ready, so that all time is the driver's (planning, rows, journal, Parquet, fsync); and with the
executor of `uprobe-sweep run`, where the overhead is what is left of the wall time when the
engine's own, spread over the cores, is taken away. In the first the shares of the CPUs' time, which
are most of what is stored, are those of a cell of 64 CPUs.

Run with `make bench-driver`, or `python benchmarks/driver_overhead.py CELLS FOLDER`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.cell import Cell
from core.engine.simulate import simulate
from sweep.driver.driver import Progress, run
from sweep.executors.base import Executor, Outcome
from sweep.executors.in_process import InProcessExecutor
from sweep.plan.plan import plan
from sweep.spec.spec import Spec
from sweep.store.scan import scan

CELLS = 10_000
TARGET_MS = 2.0


class Ready:
    """An executor that has every result ready: that of `like`, under the cell's own id."""

    def __init__(self, like: Cell) -> None:
        self._result = simulate(like)

    def run(self, cells: Sequence[Cell]) -> Iterator[Outcome]:
        for cell in cells:
            yield Outcome(cell, replace(self._result, cell_id=cell.cell_id))

    def close(self) -> None:
        pass


@dataclass
class Watch:
    """Resident memory when the first cell begins and at each tenth of a run, in MiB."""

    mib: list[float] = field(default_factory=list)
    began: float = 0.0

    def __call__(self, progress: Progress) -> None:
        ended = progress.done + progress.failed
        if ended % max(1, progress.total // 10) == 0:
            self.began = self.began or time.perf_counter()
            self.mib.append(resident_mib())


def resident_mib() -> float:
    """Resident memory of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def spec(cells: int, cpus: int = 1) -> Spec:
    """`cells` cells that differ in their seed."""
    return Spec(
        bench="uprobe-nop",
        flavour="tasks-trace",
        cpus=cpus,
        seed=range(cells),
        warmup="20us",
        duration="20us",
        sample="20us",
    )


def measured(name: str, cells: int, executor: Executor, out: Path) -> list[str]:
    """A row of the table; raises if a cell is missing."""
    watch = Watch()
    began, busy = time.perf_counter(), time.process_time()
    summary = run(spec(cells), out, executor, watch)
    wall, busy = time.perf_counter() - began, time.process_time() - busy
    executor.close()
    assert summary.done == cells == scan(out).collect().height
    engine = 0.0
    if isinstance(executor, InProcessExecutor):
        spent = float(scan(out).collect()["wall_seconds"].sum())
        engine = spent / len(os.sched_getaffinity(0))
    files = sum(1 for _ in out.rglob("*.parquet"))
    return [
        name,
        f"{wall:.1f} s",
        f"{1000 * (wall - engine) / cells:.2f} ms",
        f"{1000 * (watch.began - began) / cells:.2f} ms",
        f"{1000 * busy / cells:.2f} ms",
        f"{watch.mib[0]:.0f}, {watch.mib[1]:.0f}, {watch.mib[-1]:.0f} MiB",
        f"{files}",
    ]


def main() -> None:
    cells = int(sys.argv[1]) if len(sys.argv) > 1 else CELLS
    table = Table(
        title=f"{cells:,} cells; ms a cell (target: under {TARGET_MS:g}), memory at 0, 10, 100 %"
    )
    for heading in (
        "executor",
        "wall",
        "overhead",
        "planning",
        "CPU time",
        "memory",
        "files",
    ):
        table.add_column(heading, justify="right")
    [like] = plan(spec(1, cpus=64))
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        for name, executor in (("ready", Ready(like)), ("in process", InProcessExecutor())):
            table.add_row(*measured(name, cells, executor, Path(folder) / name))
    Console().print(table)


if __name__ == "__main__":
    main()
