"""The cover letter on a Ray group with one actor for each CPU, against the same in this process.

The group is up before the clock starts. Both run in turn, since machines are shared and noisy; the
ratio of each pair is what counts. The actors idle while this process simulates, which costs it some
of the cores all the same, so the first row has it alone, before there is a group.

Run with `make bench-actor-group`, or `python benchmarks/actor_group.py CPUS_PER_ACTOR ROUNDS`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing

from rich.console import Console
from rich.table import Table

import sweep
from core.cell import Cell, CellResult
from sweep.executors.base import Executor
from sweep.executors.in_process import InProcessExecutor
from sweep.executors.ray_executor import RayExecutor
from sweep.plan.plan import plan

TARGET = 2.0


def timed(executor: Executor, cells: Sequence[Cell]) -> tuple[float, Mapping[str, CellResult]]:
    """Wall time in seconds, and every result by its cell's id; raises if a cell fails."""
    began = time.perf_counter()
    outcomes = list(executor.run(cells))
    seconds = time.perf_counter() - began
    failed = [outcome.error for outcome in outcomes if outcome.error]
    if failed:
        raise RuntimeError(failed[0])
    return seconds, {o.cell.cell_id: o.result for o in outcomes if o.result is not None}


def in_process(cells: Sequence[Cell]) -> tuple[float, Mapping[str, CellResult]]:
    with closing(InProcessExecutor()) as executor:
        return timed(executor, cells)


def same(one: Mapping[str, CellResult], other: Mapping[str, CellResult]) -> bool:
    return one.keys() == other.keys() and all(
        one[cell].hits_per_sample.tolist() == other[cell].hits_per_sample.tolist()
        and one[cell].predicted_low == other[cell].predicted_low
        for cell in one
    )


def main() -> None:
    cpus_per_actor = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    cells = plan(sweep.load_spec("cover-letter"))
    largest = max(cells, key=lambda cell: cell.cpus)
    table = Table(title=f"The letter's {len(cells)} cells (target: at most {TARGET:g} times)")
    for heading in ("", "in process", "on the group", "ratio"):
        table.add_column(heading, justify="right")
    in_process([largest])
    alone, expected = in_process(cells)
    table.add_row("no group up", f"{alone:.1f} s", "", "")
    with (
        tempfile.TemporaryDirectory() as home,
        closing(RayExecutor(cpus_per_actor=cpus_per_actor, groups=1)) as group,
    ):
        # Ray's token is in the home folder.
        os.environ["HOME"] = home
        up, _ = timed(group, [largest])
        for number in range(rounds):
            there, results = timed(group, cells)
            here, _ = in_process(cells)
            if not same(expected, results):
                raise RuntimeError("the group's results are not those of this process")
            row = f"{here:.1f} s", f"{there:.1f} s", f"{there / here:.2f}"
            table.add_row(f"round {number + 1}", *row)
            alone_ratio = there / alone
    Console().print(table)
    print(f"the group was up after {up:.0f} s; the last round took {alone_ratio:.2f} times 'alone'")


if __name__ == "__main__":
    main()
