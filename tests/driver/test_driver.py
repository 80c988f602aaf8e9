from __future__ import annotations

import json
from dataclasses import replace
from math import log2
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tiny import FakeExecutor, tiny_spec

import core.cell
import sweep.store.failures
import sweep.store.provenance
import sweep.store.schema
from core.cell import Cell
from sweep.driver.driver import Progress, RunSummary, run, survey
from sweep.errors import InfrastructureError, UsageError
from sweep.plan.plan import plan, run_id
from sweep.store.failures import FAILURE_SCHEMA
from sweep.store.scan import finished, read_run, scan, scan_failures
from sweep.store.store import Store

SPEC = tiny_spec(cpus=[1, 2, 4, 8], flavour=["srcu", "tasks-trace"])


def collect(out: Path) -> pl.DataFrame:
    """A run's rows without what may differ from one session to another."""
    return scan(out).drop("wall_seconds").sort("cell_id").collect()


def contents(folder: Path) -> dict[Path, tuple[bytes, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def stop_at(number: int, error: BaseException) -> Any:
    """A hook that raises at the `number`-th cell."""
    count = 0

    def before(cell: Cell) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise error

    return before


def test_a_run_has_every_cell_of_the_plan(tmp_path: Path) -> None:
    executor = FakeExecutor()
    assert run(SPEC, tmp_path, executor) == RunSummary(8, 0, 0, tmp_path)
    assert executor.seen == plan(SPEC)
    frame = collect(tmp_path)
    assert sorted(frame["cell_id"]) == sorted(cell.cell_id for cell in plan(SPEC))
    assert set(frame["run_id"]) == {run_id(SPEC)}
    about = read_run(tmp_path)
    assert tiny_spec(**about["spec"]) == SPEC
    assert about["provenance"]["machines"] == {"xeon-gold-6138": frame["machine_digest"][0]}


def test_a_finished_run_is_left_untouched(tmp_path: Path) -> None:
    run(SPEC, tmp_path, FakeExecutor())
    before = contents(tmp_path)
    executor = FakeExecutor()
    assert run(SPEC, tmp_path, executor) == RunSummary(0, 8, 0, tmp_path)
    assert run(tiny_spec(cpus=1), tmp_path, executor) == RunSummary(0, 1, 0, tmp_path)
    assert executor.seen == []
    assert contents(tmp_path) == before


def test_a_larger_spec_does_only_what_is_new(tmp_path: Path) -> None:
    run(tiny_spec(cpus=[2, 4]), tmp_path, FakeExecutor())
    executor = FakeExecutor()
    assert run(SPEC, tmp_path, executor) == RunSummary(6, 2, 0, tmp_path)
    assert len(executor.seen) == 6
    assert collect(tmp_path).height == 8


def test_a_survey_writes_nothing(tmp_path: Path) -> None:
    work = survey(SPEC, tmp_path / "run")
    assert (len(work.cells), len(work.finished), list(work.to_do())) == (8, 0, plan(SPEC))
    assert list(tmp_path.iterdir()) == []


def test_the_default_folder_is_named_after_the_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(SPEC, executor=FakeExecutor()).out == Path("results/runs/tiny")
    assert collect(tmp_path / "results" / "runs" / "tiny").height == 8


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InfrastructureError("cluster lost")])
def test_what_was_finished_when_a_run_broke_off_stays(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        run(SPEC, tmp_path / "broken", FakeExecutor(stop_at(6, error)))
    assert len(finished(tmp_path / "broken")) == 5
    assert run(SPEC, tmp_path / "broken", FakeExecutor()) == RunSummary(
        3, 5, 0, tmp_path / "broken"
    )
    run(SPEC, tmp_path / "undisturbed", FakeExecutor())
    assert_frame_equal(collect(tmp_path / "broken"), collect(tmp_path / "undisturbed"))


def failing(*cpus: int) -> FakeExecutor:
    """Fails the cells of so many CPUs."""

    def before(cell: Cell) -> None:
        if cell.cpus in cpus:
            raise ValueError(f"bad luck with {cell.cpus}")

    return FakeExecutor(before)


def failures(out: Path) -> pl.DataFrame:
    return scan_failures(out).sort("cpus", "flavour").collect()


def test_a_cell_that_fails_is_a_row_in_failures_and_the_others_go_on(tmp_path: Path) -> None:
    assert run(SPEC, tmp_path, failing(2)) == RunSummary(6, 0, 2, tmp_path)
    found = failures(tmp_path)
    assert found.schema == pl.DataFrame(FAILURE_SCHEMA.empty_table()).schema
    failed = [cell for cell in plan(SPEC) if cell.cpus == 2]
    assert found["cell_id"].to_list() == [cell.cell_id for cell in failed]
    assert found["error"][0] == "Traceback of\nbad luck with 2"
    assert found["machine_digest"][0] == failed[0].machine.digest
    assert found["rerun"][0] == (
        "uprobe-sweep rerun bench=uprobe-nop flavour=srcu cpus=2 "
        "warmup=20us duration=20us sample=20us"
    )
    assert not collect(tmp_path)["cell_id"].is_in(found["cell_id"].to_list()).any()


def test_a_failed_cell_is_tried_again_only_if_that_is_asked_for(tmp_path: Path) -> None:
    run(SPEC, tmp_path, failing(2, 8))
    executor = FakeExecutor()
    again = run(SPEC, tmp_path, executor)
    assert again == RunSummary(0, 4, 0, tmp_path, failed_before=4)
    assert executor.seen == []
    grown = run(tiny_spec(cpus=[1, 2, 16]), tmp_path, executor)
    assert grown == RunSummary(1, 1, 0, tmp_path, failed_before=1)
    retried = run(SPEC, tmp_path, failing(8), retry_failed=True)
    assert retried == RunSummary(2, 4, 2, tmp_path)
    assert set(failures(tmp_path)["cpus"]) == {8}
    run(SPEC, tmp_path, failing(), retry_failed=True)
    assert failures(tmp_path).is_empty()
    assert collect(tmp_path).height == 9


def test_a_cell_that_fails_twice_has_its_last_failure(tmp_path: Path) -> None:
    run(SPEC, tmp_path, failing(2))
    before = failures(tmp_path)["failed_at"].to_list()
    run(tiny_spec(cpus=[2], flavour=["srcu"]), tmp_path, failing(2), retry_failed=True)
    first, second = failures(tmp_path)["failed_at"]
    assert first > before[0]
    assert second == before[1]


def test_fail_fast_gives_up_the_rest_which_the_next_run_does(tmp_path: Path) -> None:
    summary = run(SPEC, tmp_path, failing(2), fail_fast=True)
    assert summary == RunSummary(1, 0, 1, tmp_path, left=6)
    assert run(SPEC, tmp_path, FakeExecutor()) == RunSummary(6, 1, 0, tmp_path, failed_before=1)


def test_a_failure_outlives_its_writer(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(SPEC, tmp_path, FakeExecutor(both(1, 2)))
    assert len(failures(tmp_path)) == 1
    assert run(SPEC, tmp_path, FakeExecutor()) == RunSummary(7, 0, 0, tmp_path, failed_before=1)


def both(failing: int, interrupted: int) -> Any:
    """A hook that fails one call and interrupts another."""
    fail, interrupt = stop_at(failing, ValueError()), stop_at(interrupted, KeyboardInterrupt())

    def before(cell: Cell) -> None:
        interrupt(cell)
        fail(cell)

    return before


def test_an_executor_that_forgets_cells_is_no_success(tmp_path: Path) -> None:
    executor = FakeExecutor()
    executor.run = lambda cells: iter(())  # type: ignore[method-assign]
    with pytest.raises(InfrastructureError, match="of 8 cells 8 did not come back"):
        run(SPEC, tmp_path, executor)


def test_progress_is_told_before_the_first_cell_and_after_each(tmp_path: Path) -> None:
    told: list[Progress] = []
    executor = FakeExecutor(stop_at(2, ValueError()))
    run(tiny_spec(cpus=[1, 2, 3]), tmp_path, executor, told.append)
    whole = 1 + 2 + (1 + log2(3))  # What cells of 1, 2 and 3 CPUs cost beside each other.
    shares = [0.0, 1 / whole, 3 / whole, 1.0]
    assert [now.share for now in told] == pytest.approx(shares)
    counts = [Progress(3), Progress(3, 1), Progress(3, 1, 1), Progress(3, 2, 1)]
    assert [replace(now, share=None) for now in told] == counts


def test_nothing_is_simulated_for_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    executor = FakeExecutor()
    with pytest.raises(UsageError, match="cannot write"):
        run(SPEC, tmp_path / "file" / "run", executor)
    assert executor.seen == []


def test_rows_left_in_a_journal_are_recovered_though_nothing_is_to_do(tmp_path: Path) -> None:
    run(SPEC, tmp_path, FakeExecutor())
    [part] = (tmp_path / "cells").iterdir()
    rows = pl.read_parquet(part).to_dicts()
    part.unlink()
    lines = [json.dumps({"row": row, "attribution": []}) + "\n" for row in rows]
    (tmp_path / "journal.jsonl").write_text("".join(lines))
    assert run(SPEC, tmp_path, FakeExecutor()) == RunSummary(0, 8, 0, tmp_path)
    assert [path.name for path in (tmp_path / "cells").iterdir()] == [part.name]


def test_a_new_model_takes_the_run_again_and_shows_only_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(SPEC, tmp_path, FakeExecutor())
    old = collect(tmp_path)
    with monkeypatch.context() as patch:
        for module in (core.cell, sweep.store.schema, sweep.store.provenance):
            patch.setattr(module, "MODEL_VERSION", "next")
        assert run(SPEC, tmp_path, FakeExecutor()).done == 8
        assert set(collect(tmp_path)["model_version"]) == {"next"}
        assert collect(tmp_path).height == 8
    assert run(SPEC, tmp_path, FakeExecutor()) == RunSummary(0, 8, 0, tmp_path)
    assert_frame_equal(collect(tmp_path), old)


def test_machines_of_earlier_sessions_stay_known(tmp_path: Path) -> None:
    about = {"provenance": {"model_version": "0", "machines": {"old": "1"}}}
    Store(tmp_path, about).close()
    run(SPEC, tmp_path, FakeExecutor())
    assert set(read_run(tmp_path)["provenance"]["machines"]) == {"old", "xeon-gold-6138"}


def test_the_engine_gives_the_same_run_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run(SPEC, tmp_path / name).done == 8
    assert_frame_equal(collect(tmp_path / "a"), collect(tmp_path / "b"))
    assert collect(tmp_path / "a")["hits"].min() > 0  # type: ignore[operator]
