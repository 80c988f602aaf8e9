"""From a spec to its run folder: plan, leave out what is there, simulate the rest, store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from core.engine.cell import Cell
from sweep.errors import InfrastructureError
from sweep.executors.base import Executor
from sweep.failures import failure_row
from sweep.folder import Location, folder_at, located
from sweep.journal import read_journal
from sweep.machines import named_machine
from sweep.plan import plan, run_id
from sweep.provenance import provenance
from sweep.runs import RUNS, failed, finished, read_run
from sweep.schema import row
from sweep.spec import Spec
from sweep.store import Store


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` and `failed` of the `total` cells that it set out to simulate."""

    total: int
    done: int = 0
    failed: int = 0


@dataclass(frozen=True)
class RunSummary:
    """Cells `done` and `failed` now, `skipped` as finished before, and where the run is.

    Of the spec's other cells `failed_before` were not tried again, and `left` were given up.
    """

    done: int
    skipped: int
    failed: int
    out: Location
    failed_before: int = 0
    left: int = 0


@dataclass(frozen=True)
class Work:
    """The cells of a spec by id, in plan order, and what the run folder has of them.

    `failed` are those that failed and are not finished.
    """

    out: Location
    cells: dict[str, Cell]
    finished: set[str]
    failed: set[str]

    def to_do(self, retry_failed: bool = False) -> list[Cell]:
        """The cells that are not finished, without those that failed unless these are wanted."""
        without = self.finished if retry_failed else self.finished | self.failed
        return [cell for cell_id, cell in self.cells.items() if cell_id not in without]


def survey(spec: Spec, out: Location | None = None) -> Work:
    """What running `spec` into `out` (by default `results/runs/<name>`) would find; writes nothing.

    Raises UsageError for a machine file or a run folder that cannot be read.
    """
    out = RUNS / spec.name if out is None else located(str(out))
    cells = {cell.cell_id: cell for cell in plan(spec)}
    there = finished(out) & cells.keys()
    return Work(out, cells, there, failed(out) & cells.keys() - there)


def run(
    spec: Spec,
    out: Location | None = None,
    executor: Executor | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    *,
    retry_failed: bool = False,
    fail_fast: bool = False,
) -> RunSummary:
    """Simulate the cells of `spec` that the run folder `out` does not have yet.

    `out` is a path or the URI of an object store, by default `results/runs/<name>`; `executor` the
    cores of this process; one that is given is left open. Calls `on_progress` before the first cell
    and after each. Cells that fail are in the table of failures, see `sweep.scan_failures`, and are
    not simulated again unless `retry_failed`; with `fail_fast` the first gives up those left.

    Raises UsageError for a folder that cannot be written, before anything is simulated, and
    InfrastructureError if the executor or the disk fails. Those and an interrupt lose only cells
    that are being simulated; the same call resumes.
    """
    work = survey(spec, out)
    to_do = work.to_do(retry_failed)
    failed_before = len(work.cells) - len(work.finished) - len(to_do)
    about = _about(spec, work)
    if not to_do and _is_settled(work.out, about):
        return RunSummary(0, len(work.finished), 0, work.out, failed_before)
    with ExitStack() as stack:
        store = stack.enter_context(Store(work.out, about))
        if executor is None:
            from sweep.executors.in_process import InProcessExecutor

            executor = stack.enter_context(closing(InProcessExecutor()))
        session = Session(store, executor, about["run_id"], _names(spec), on_progress)
        session.simulate(to_do, fail_fast)
    left = len(to_do) - session.done - session.failed
    return RunSummary(
        session.done, len(work.finished), session.failed, work.out, failed_before, left
    )


class Session:
    """Simulates cells with `executor` into `store`, and counts what became of them.

    `machines` has, for the name of each machine, what the spec calls it.
    """

    def __init__(
        self,
        store: Store,
        executor: Executor,
        run_id: str,
        machines: dict[str, str],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.done = self.failed = 0
        self._store = store
        self._executor = executor
        self._run_id = run_id
        self._machines = machines
        self._on_progress = on_progress

    def simulate(self, cells: Sequence[Cell], fail_fast: bool) -> None:
        """Simulate `cells`, up to the first that fails if `fail_fast`.

        Raises InfrastructureError also for an executor that forgets cells.
        """
        self._on_progress(Progress(len(cells)))
        for outcome in self._executor.run(cells):
            if outcome.result is None:
                machine = self._machines[outcome.cell.machine.name]
                self._store.append_failure(failure_row(outcome, self._run_id, machine))
                self.failed += 1
            else:
                made = row(outcome.cell, outcome.result, self._run_id)
                self._store.append(made, outcome.result.attribution)
                self.done += 1
            self._on_progress(Progress(len(cells), self.done, self.failed))
            if self.failed and fail_fast:
                return
        if (ended := self.done + self.failed) != len(cells):
            raise InfrastructureError(f"of {len(cells)} cells {ended} came back")


def _names(spec: Spec) -> dict[str, str]:
    return {named_machine(name).name: name for name in spec.machine}


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


def _is_settled(out: Location, about: dict[str, Any]) -> bool:
    """Whether no journal waits to be recovered and `scan` gives the model and machines of now."""
    now, last = about["provenance"], read_run(out).get("provenance", {})
    same = all(now[key] == last.get(key) for key in ("model_version", "machines"))
    return same and not any(read_journal(folder_at(out).journal))
