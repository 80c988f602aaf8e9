"""From a spec to its run folder: plan, leave out what is there, simulate the rest, store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.engine.cell import Cell
from sweep.executors.base import Executor, Outcome
from sweep.journal import read_rows
from sweep.plan import parameters, plan, run_id
from sweep.provenance import provenance
from sweep.schema import row
from sweep.spec import Spec
from sweep.store import FAILURES, JOURNAL, RUNS, Store, finished, read_run


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` and `failed` of the `total` cells that it set out to simulate."""

    total: int
    done: int = 0
    failed: int = 0


@dataclass(frozen=True)
class RunSummary:
    """Cells `done` and `failed` now, `skipped` as finished before, and the run's folder."""

    done: int
    skipped: int
    failed: int
    out: Path


@dataclass(frozen=True)
class Work:
    """The cells of a spec by id, in plan order, and which of them the run folder has."""

    out: Path
    cells: dict[str, Cell]
    finished: set[str]

    @property
    def to_do(self) -> list[Cell]:
        """The cells that are not finished."""
        return [cell for cell_id, cell in self.cells.items() if cell_id not in self.finished]


def survey(spec: Spec, out: Path | None = None) -> Work:
    """What running `spec` into `out` (by default `results/runs/<name>`) would find; writes nothing.

    Raises UsageError for a machine file or a run folder that cannot be read.
    """
    out = out or RUNS / spec.name
    cells = {cell.cell_id: cell for cell in plan(spec)}
    return Work(out, cells, finished(out) & cells.keys())


def run(
    spec: Spec,
    out: Path | str | None = None,
    executor: Executor | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> RunSummary:
    """Simulate the cells of `spec` that the run folder `out` does not have yet.

    `out` is by default `results/runs/<name>`, `executor` the cores of this process; one that is
    given is left open. Calls `on_progress` before the first cell and after each. Cells that fail
    are in the folder's `failures.json`, with their tracebacks, and are tried again next time.

    Raises UsageError for a folder that cannot be written, before anything is simulated, and
    InfrastructureError if the executor or the disk fails. Those and an interrupt lose only cells
    that are being simulated; the same call resumes.
    """
    work = survey(spec, Path(out) if out else None)
    to_do = work.to_do
    about = _about(spec, work)
    if not to_do and _is_settled(work.out, about):
        return RunSummary(0, len(work.finished), 0, work.out)
    report = on_progress or (lambda progress: None)
    done = 0
    failures: list[Outcome] = []
    with ExitStack() as stack:
        store = stack.enter_context(Store(work.out, about))
        if executor is None:
            from sweep.executors.in_process import InProcessExecutor

            executor = stack.enter_context(closing(InProcessExecutor()))
        try:
            report(Progress(len(to_do)))
            for outcome in executor.run(to_do):
                if outcome.result is None:
                    failures.append(outcome)
                else:
                    made = row(outcome.cell, outcome.result, about["run_id"])
                    store.append(made, outcome.result.attribution)
                    done += 1
                report(Progress(len(to_do), done, len(failures)))
        finally:
            _note_failures(store, failures)
    return RunSummary(done, len(work.finished), len(failures), work.out)


def _about(spec: Spec, work: Work) -> dict[str, Any]:
    """What run.json will say. Machines that only earlier sessions had are kept."""
    machines = {cell.machine.name: cell.machine for cell in work.cells.values()}
    digests = {name: machine.digest for name, machine in machines.items()}
    earlier = read_run(work.out).get("provenance", {}).get("machines", {})
    return {
        "run_id": run_id(spec),
        "spec": spec.model_dump(mode="json"),
        "provenance": provenance({**earlier, **digests}),
    }


def _is_settled(out: Path, about: dict[str, Any]) -> bool:
    """Whether no journal waits to be recovered and `scan` gives the model and machines of now."""
    now, last = about["provenance"], read_run(out).get("provenance", {})
    same = all(now[key] == last.get(key) for key in ("model_version", "machines"))
    return same and not read_rows(out / JOURNAL)


def _note_failures(store: Store, failures: list[Outcome]) -> None:
    if not failures:
        store.remove(FAILURES)
        return
    notes = [{**parameters(failure.cell), "error": failure.error} for failure in failures]
    store.write_json(FAILURES, notes)
