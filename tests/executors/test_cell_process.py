"""Cells with writers, in processes of their own."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from stress_cells import stress_cell

from core.cell import Cell, CellResult
from core.predict import predict
from sweep.executors import in_process
from sweep.executors.base import Outcome
from sweep.executors.cell_process import CellProcess
from sweep.executors.in_process import InProcessExecutor

CELL = stress_cell(ms=1)


@pytest.fixture(scope="module")
def process() -> Iterator[CellProcess]:
    with closing(CellProcess()) as made:
        yield made


def without_wall(result: CellResult | None) -> str:
    assert result is not None
    return repr(replace(result, wall_seconds=0.0))


def ends(pid: int) -> bool:
    """Whether a process ends, within a minute."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 60)[0])
    finally:
        os.close(descriptor)


def test_a_process_gives_what_a_cell_gives_here(process: CellProcess) -> None:
    assert without_wall(process.simulate(CELL).result) == without_wall(predict(CELL))


def test_a_cell_that_fails_there_has_its_traceback_and_the_process_goes_on(
    process: CellProcess,
) -> None:
    failed = process.simulate(replace(CELL, processes=2))
    assert failed.result is None
    assert failed.error is not None
    assert failed.error.startswith("Traceback")
    assert "ValueError: a cell with a workload is one process" in failed.error
    assert process.simulate(CELL).result is not None


def test_a_process_that_is_killed_is_a_failure_of_its_cell() -> None:
    with closing(CellProcess()) as process:
        os.kill(process.pid, signal.SIGKILL)
        outcome = process.simulate(CELL)
        assert outcome.error == "the process that simulated it ended with signal 9"
        assert not process.alive


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_parent_in_the_middle_of_a_cell(number: int) -> None:
    program = (
        "from stress_cells import stress_cell\n"
        "from sweep.executors.cell_process import CellProcess\n"
        "process = CellProcess()\n"
        "process.simulate(stress_cell(ms=1))\n"
        "print(process.pid, flush=True)\n"
        "process.simulate(stress_cell(ms=10**6))\n"
    )
    path = os.pathsep.join(filter(None, sys.path))
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    os.kill(parent.pid, number)
    assert parent.wait() == -number
    assert ends(child)


def outcomes(cells: list[Cell], workers: int) -> dict[str, Outcome]:
    with closing(InProcessExecutor(workers)) as executor:
        return {outcome.cell.cell_id: outcome for outcome in executor.run(cells)}


def test_cells_with_writers_at_the_same_time_are_in_several_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[CellProcess] = []

    class Noted(CellProcess):
        def __init__(self) -> None:
            super().__init__()
            started.append(self)

    monkeypatch.setattr(in_process, "START_SECONDS", 0)
    monkeypatch.setattr(in_process, "CellProcess", Noted)
    cells = [replace(CELL, seed=seed) for seed in range(4)]
    apart = outcomes(cells, 2)
    assert len(started) == 1
    assert ends(started[0].pid)
    here = outcomes(cells, 1)
    assert len(started) == 1
    assert {key: without_wall(one.result) for key, one in apart.items()} == {
        key: without_wall(one.result) for key, one in here.items()
    }
