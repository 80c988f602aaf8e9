"""Cells on the cores of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Lock

from core.cell import Cell
from core.predict import predict, warm
from sweep.executors.base import Outcome
from sweep.executors.cell_process import CellProcess

START_SECONDS = 1.0
"""About what a process takes to start; as long a cell with writers waits for its turn here."""


class InProcessExecutor:
    """Threads, one cell at a time each: the weave is compiled code that lets go of the GIL.

    Cells with writers hold it. So one of them at a time is simulated here, and others meanwhile in
    processes, of which each thread has one at most. `workers` is the number of threads, by default
    that of the cores this process may use.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="cell")
        self._turn = Lock()
        self._idle: list[CellProcess] = []
        self._processes: list[CellProcess] = []
        self._closed = False

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
                running.update(self._pool.submit(self._attempt, c) for c in islice(ahead, room))
                if not running:
                    return
                completed, running = wait(running, return_when=FIRST_COMPLETED)
                for future in completed:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()

    def close(self) -> None:
        """Cancel what has not begun; does not wait for the cells that have, and ends processes."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.close()

    def _attempt(self, cell: Cell) -> Outcome:
        if cell.workload is None:
            return Outcome.of(cell, predict)
        if self._turn.acquire(timeout=0 if self._idle else START_SECONDS):
            try:
                return Outcome.of(cell, predict)
            finally:
                self._turn.release()
        try:
            process = self._idle.pop()
        except IndexError:
            process = self._started()
        outcome = process.simulate(cell)
        if process.alive:
            self._idle.append(process)
        return outcome

    def _started(self) -> CellProcess:
        process = CellProcess()
        self._processes.append(process)
        if self._closed:
            process.close()
        return process
