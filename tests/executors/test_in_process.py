from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
from tiny import fake_result, tiny_spec

from core.cell import Cell, CellResult
from sweep.executors import in_process
from sweep.executors.base import Outcome
from sweep.executors.in_process import InProcessExecutor
from sweep.plan.plan import plan

CELLS = plan(tiny_spec(cpus=range(1, 51)))


def run_all(cells: Sequence[Cell], workers: int | None = None) -> dict[str, Outcome]:
    with closing(InProcessExecutor(workers)) as executor:
        outcomes = list(executor.run(cells))
    assert len(outcomes) == len(cells)
    return {outcome.cell.cell_id: outcome for outcome in outcomes}


@pytest.mark.parametrize("workers", [None, 1, 2, 7])
def test_every_cell_has_one_outcome(monkeypatch: pytest.MonkeyPatch, workers: int | None) -> None:
    monkeypatch.setattr(in_process, "predict", fake_result)
    outcomes = run_all(CELLS, workers)
    assert outcomes.keys() == {cell.cell_id for cell in CELLS}
    assert all(o.result and o.result.cell_id == cell_id for cell_id, o in outcomes.items())


def test_no_cells_no_outcomes() -> None:
    assert run_all([]) == {}


def test_a_failing_cell_has_its_traceback_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails_at_7(cell: Cell) -> CellResult:
        if cell.cpus == 7:
            raise ArithmeticError("seven")
        return fake_result(cell)

    monkeypatch.setattr(in_process, "predict", fails_at_7)
    outcomes = run_all(CELLS)
    [failed] = [o for o in outcomes.values() if o.result is None]
    assert failed.cell.cpus == 7
    assert failed.error is not None
    assert "in fails_at_7" in failed.error
    assert failed.error.endswith("ArithmeticError: seven\n")


def test_closing_gives_up_what_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Cell] = []

    def noted(cell: Cell) -> CellResult:
        begun.append(cell)
        return fake_result(cell)

    monkeypatch.setattr(in_process, "predict", noted)
    executor = InProcessExecutor(workers=2)
    outcomes: Any = executor.run(CELLS)
    next(outcomes)
    outcomes.close()
    executor.close()
    executor._pool.shutdown(wait=True)
    assert 1 <= len(begun) <= 4


def test_the_number_of_workers_changes_no_result() -> None:
    cells = plan(tiny_spec(cpus=[1, 2, 3, 8], spread="uniform", probes=3))
    one, many = run_all(cells, 1), run_all(cells, 4)
    for cell_id, outcome in one.items():
        result, other = outcome.result, many[cell_id].result
        assert result is not None
        assert other is not None
        assert list(result.hits_per_sample) == list(other.hits_per_sample)
        assert result.line_ops == other.line_ops
