"""From a spec to its run folder: plan, leave out what is there, simulate the rest, store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

from core.cell import Cell
from sweep.errors import InfrastructureError
from sweep.executors.base import Executor
from sweep.machines.named import named_machine
from sweep.plan.cells import Cells, counted
from sweep.plan.plan import run_id
from sweep.plan.precision import Unsure, cells_wanted, unsure, unsure_by_themselves
from sweep.plan.sources import SOURCES, sources_in, sources_of
from sweep.plan.weight import weight
from sweep.spec.designs import name_of
from sweep.spec.spec import Spec
from sweep.store.failures import failure_row
from sweep.store.folder import Location
from sweep.store.journal import read_journal
from sweep.store.place import folder_at, located
from sweep.store.provenance import provenance
from sweep.store.scan import RUNS, about_or_none, failed, half_widths, path_words, rates
from sweep.store.schema import row
from sweep.store.store import Store


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` and `failed` of the `total` cells that it set out to simulate.

    `share`, 0 to 1, is what these are of the total by the cost that was expected; None if nothing
    was.
    """

    total: int
    done: int = 0
    failed: int = 0
    share: float | None = None


@dataclass(frozen=True)
class RunSummary:
    """Cells `done` and `failed` now, `skipped` as finished before, and where the run is.

    Of the spec's other cells `failed_before` were not tried again, and `left` were given up.
    `unsure` are those that missed the spec's precision.
    """

    done: int
    skipped: int
    failed: int
    out: Location
    failed_before: int = 0
    left: int = 0
    unsure: tuple[Unsure, ...] = ()


@dataclass(frozen=True)
class Work:
    """The cells of a spec by id, in plan order, and what the run folder has.

    `rates` are hits per second of the cells that are finished, `failures` the ids of those that
    failed, of the spec or not. A precision may ask for more cells when these are finished.
    """

    out: Location
    cells: Cells
    rates: dict[str, float]
    failures: set[str]

    @property
    def finished(self) -> set[str]:
        """Ids of the spec's cells that are finished."""
        return self.cells.keys() & self.rates.keys()

    @property
    def failed(self) -> set[str]:
        """Ids of the spec's cells that failed and are not finished."""
        return (self.cells.keys() & self.failures) - self.rates.keys()

    def to_do(self, retry_failed: bool = False) -> Sequence[Cell]:
        """The cells that are not finished, without those that failed unless these are wanted."""
        return self.cells.without(self.rates.keys() | (set() if retry_failed else self.failures))


def survey(spec: Spec, out: Location | None = None) -> Work:
    """What running `spec` into `out` (by default `results/runs/<name>`) would find; writes nothing.

    Raises UsageError for a machine file or a run folder that cannot be read.
    """
    out = RUNS / spec.name if out is None else located(str(out))
    there = rates(out)
    return Work(out, Cells(cells_wanted(spec, there)), there, failed(out))


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
    not simulated again unless `retry_failed`; with `fail_fast` the first gives up those left. A
    spec with a precision gets further replicates in rounds, each when the last is finished.

    Raises UsageError for a folder that cannot be written, before anything is simulated, and
    InfrastructureError if the executor or the disk fails. Those and an interrupt lose only cells
    that are being simulated; the same call resumes.
    """
    work = survey(spec, out)
    to_do = work.to_do(retry_failed)
    failed_before = 0 if retry_failed else len(work.failed)
    about = _about(spec, work)
    found = work.rates
    summary = RunSummary(0, len(work.finished), 0, work.out, failed_before)
    if not to_do and _is_settled(work.out, about):
        return replace(summary, unsure=_unsure(spec, work.out, found))
    with ExitStack() as stack:
        store = stack.enter_context(Store(work.out, about))
        if executor is None:
            from sweep.executors.in_process import InProcessExecutor

            executor = stack.enter_context(closing(InProcessExecutor()))
        session = Session(store, executor, about["run_id"], _names(spec), on_progress)
        while to_do:
            session.simulate(to_do, fail_fast, found)
            if spec.repeats_for is None or session.left:
                break
            tried = work.cells
            work = replace(work, cells=Cells(cells_wanted(spec, found)))
            to_do = [cell for cell in work.to_do(retry_failed) if cell.cell_id not in tried]
    return replace(
        summary,
        done=session.done,
        failed=session.failed,
        left=session.left,
        unsure=_unsure(spec, work.out, found),
    )


def _unsure(spec: Spec, out: Location, found: dict[str, float]) -> tuple[Unsure, ...]:
    if spec.cell_precision is None:
        return tuple(unsure(spec, found))
    return tuple(unsure_by_themselves(spec, half_widths(out)))


class Session:
    """Simulates cells with `executor` into `store`, and counts what became of them.

    `names` has, for each machine and each flavour of a cell, what the spec calls it.
    """

    def __init__(
        self,
        store: Store,
        executor: Executor,
        run_id: str,
        names: dict[str, dict[str, str]],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.done = self.failed = self.total = 0
        self._cost = self._spent = 0.0
        self._store = store
        self._executor = executor
        self._run_id = run_id
        self._names = names
        self._on_progress = on_progress

    @property
    def left(self) -> int:
        """Cells that were given up."""
        return self.total - self.done - self.failed

    def simulate(self, cells: Sequence[Cell], fail_fast: bool, found: dict[str, float]) -> None:
        """Simulate `cells`, up to the first that fails if `fail_fast`; note rates in `found`.

        Raises InfrastructureError also for an executor that forgets cells.
        """
        self.total += len(cells)
        self._cost += sum(count * weight(cell) for cell, count in counted(cells))
        self._report()
        for outcome in self._executor.run(cells):
            if outcome.result is None:
                cell = outcome.cell
                called = {
                    "machine": self._names["machine"][cell.machine.name],
                    "flavour": self._names["flavour"][cell.flavour],
                }
                self._store.append_failure(failure_row(outcome, self._run_id, called))
                self.failed += 1
            else:
                made = row(outcome.cell, outcome.result, self._run_id)
                self._store.append(made, outcome.result.attribution)
                self.done += 1
                found[outcome.cell.cell_id] = outcome.result.hits_per_s
            self._spent += weight(outcome.cell)
            self._report()
            if self.failed and fail_fast:
                return
        if self.left:
            raise InfrastructureError(f"of {self.total} cells {self.left} did not come back")

    def _report(self) -> None:
        share = self._spent / self._cost if self._cost else None
        self._on_progress(Progress(self.total, self.done, self.failed, share))


def _names(spec: Spec) -> dict[str, dict[str, str]]:
    """What the spec calls the machines and flavours of its cells."""
    return {
        "machine": {named_machine(name).name: name for name in spec.machine},
        "flavour": {name_of(name): name for name in spec.flavour},
    }


def _about(spec: Spec, work: Work) -> dict[str, Any]:
    """What run.json will say. Machines and paths that only earlier sessions had are kept."""
    machines = {cell.machine.name: cell.machine for cell in work.cells.kinds()}
    digests = {name: machine.digest for name, machine in machines.items()}
    before = about_or_none(folder_at(work.out))
    earlier, sources = before.get("provenance", {}), sources_in(before)
    paths = {**earlier.get("paths", {}), **path_words(work.cells.kinds())}
    return {
        "run_id": run_id(spec),
        "spec": spec.model_dump(mode="json"),
        "provenance": provenance({**earlier.get("machines", {}), **digests}, paths),
        SOURCES: {kind: {**sources[kind], **new} for kind, new in sources_of(spec).items()},
    }


def _is_settled(out: Location, about: dict[str, Any]) -> bool:
    """Whether no journal waits to be recovered and `scan` gives what is of now."""
    before = about_or_none(folder_at(out))
    now, last = about["provenance"], before.get("provenance", {})
    same = all(now[key] == last.get(key) for key in ("model_version", "machines", "paths"))
    same = same and about[SOURCES] == sources_in(before)
    return same and not any(read_journal(folder_at(out).journal))
