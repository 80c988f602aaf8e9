"""Cells small enough for tests, and a stand-in for the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.cell import Cell, CellResult
from core.kernel.operation import Line
from core.outcome import PRIVATE_WORK, Share, StressOutcome
from sweep.executors.base import Outcome
from sweep.spec.spec import Spec

NOTHING_HAPPENED = StressOutcome(None, None, None, 0, {}, 0, 0, 0, 0, 0, 0)


def tiny_spec(**changes: Any) -> Spec:
    """Two CPU counts of one flavour, 60 us of simulated time each."""
    values = {
        "name": "tiny",
        "bench": "uprobe-nop",
        "flavour": "srcu",
        "cpus": [1, 2],
        "warmup": "20us",
        "duration": "20us",
        "sample": "20us",
    }
    return Spec(**{**values, **changes})


def fake_result(cell: Cell) -> CellResult:
    """A result that depends on the cell alone, without simulating it."""
    hits = np.array([int(cell.cell_id, 16) % 1000 + i for i in range(cell.samples)])
    whole = cell.cpus * cell.samples * cell.sample_ps
    on_line = int(cell.cell_id, 16) % whole
    shares = (
        Share("", PRIVATE_WORK, "", "", whole - on_line),
        Share("mmap_read_lock", "locked", Line.MMAP_COUNT.value, "same cache", on_line),
    )
    disturbed = None if cell.workload is None else NOTHING_HAPPENED
    made = CellResult(cell.cell_id, hits, cell.sample_ps, 10 * int(hits.sum()), shares, 0.5)
    return replace(made, stress=disturbed)


class FakeExecutor:
    """Gives fake results in order; calls `before` with each cell first."""

    def __init__(self, before: Callable[[Cell], None] = lambda cell: None) -> None:
        self._before = before
        self.seen: list[Cell] = []

    def run(self, cells: Sequence[Cell]) -> Iterator[Outcome]:
        for cell in cells:
            try:
                self._before(cell)
            except ValueError as error:
                yield Outcome(cell, None, f"Traceback of\n{error}")
                continue
            self.seen.append(cell)
            yield Outcome(cell, fake_result(cell))

    def close(self) -> None:
        pass
