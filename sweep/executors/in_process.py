"""Cells on the cores of this process."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from core.cell import Cell
from core.predict import predict, warm
from sweep.executors.base import Outcome


class InProcessExecutor:
    """Threads, one cell at a time each: the weave is compiled code that lets go of the GIL.

    `workers` is their number, by default that of the cores this process may use.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="cell")

    def run(self, cells: Sequence[Cell]) -> Iterator[Outcome]:
        """Yield an outcome for each cell as it completes; closing cancels those not yet begun."""
        ahead = iter(cells)
        running: set[Future[Outcome]] = set()
        if cells:
            # So that no cell's wall time holds the compiler's.
            warm(cells[0])
        try:
            while True:
                # Few at a time, so that an interrupt leaves little to cancel.
                room = 2 * self._workers - len(running)
                running.update(self._pool.submit(_attempt, cell) for cell in islice(ahead, room))
                if not running:
                    return
                completed, running = wait(running, return_when=FIRST_COMPLETED)
                for future in completed:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()

    def close(self) -> None:
        """Cancel what has not begun; does not wait for the cells that have."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _attempt(cell: Cell) -> Outcome:
    try:
        return Outcome(cell, predict(cell))
    except Exception:
        return Outcome(cell, None, traceback.format_exc())
