"""The stress workload as one cell, with options named as those of the uprobe-stress tool."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.cell import PS_PER_SECOND, CellResult
from core.grace.srcu import Srcu
from core.grace.tasks_trace import TasksTrace
from core.modelcheck.checks import Violation
from core.outcome import StressOutcome
from core.stress import kernel
from core.stress.simulate import simulate_stress
from core.stress.simulation import Simulation
from core.workload import STRESS
from sweep.errors import UsageError
from sweep.plan.plan import plan
from sweep.spec.spec import Spec

FAULTS = (*Srcu.FAULTS, *TasksTrace.FAULTS, *kernel.FAULTS)
"""What can be planted: names as those of `uprobe-sweep mutants`."""

SAMPLES = 20
"""Looks at a stress while it runs, besides those as it comes to an end."""


@dataclass(frozen=True)
class Look:
    """How a stress is at simulated time `at_s`: `done`, of its samples; what came out so far."""

    at_s: float
    done: float
    outcome: StressOutcome


@dataclass(frozen=True)
class Outcome:
    """How a stress ended: with a `result`, or a `violation` (its text)."""

    last: Look | None
    result: CellResult | None
    violation: str | None


def stress(
    spec: Spec, faults: Iterable[str] = (), report: Callable[[Look], None] | None = None
) -> Outcome:
    """Simulate the one cell of `spec` with `faults` planted; `report` sees how it goes on.

    Raises UsageError for what the cell's machine cannot be, and a fault that has no place in it.
    """
    (cell,) = plan(spec)
    end_s = (cell.warmup_ps + cell.samples * cell.sample_ps) / PS_PER_SECOND
    last: Look | None = None

    def watch(simulation: Simulation) -> None:
        nonlocal last
        at_s = simulation.cosimulation.now_ps / PS_PER_SECOND
        last = Look(at_s, min(at_s / end_s, 1.0), simulation.stress_outcome())
        if report is not None:
            report(last)

    try:
        return Outcome(last, simulate_stress(cell, faults, watch), None)
    except Violation as violation:
        return Outcome(last, None, str(violation))
    except ValueError as error:
        raise UsageError(str(error)) from None


def spec_of(
    *,
    trigger: int,
    attach: int,
    mmap: int,
    fork: int,
    flavour: str,
    rcu: str,
    machine: str,
    functions: int,
    consumers: int,
    stalls: int,
    seed: int,
    milliseconds: int,
) -> Spec:
    """The spec of one stress. Raises SpecError, which names the axis."""
    sample = max(milliseconds // SAMPLES, 1)
    samples = max(milliseconds // sample - 1, 1)
    return Spec(
        name="stress",
        bench=STRESS,
        flavour=flavour,
        rcu=rcu,
        machine=machine,
        cpus=trigger,
        probes=functions,
        attach_threads=attach,
        mmap_threads=mmap,
        fork_threads=fork,
        consumers=consumers,
        stalls=stalls,
        seed=seed,
        warmup="0ms",
        sample=f"{sample}ms",
        duration=f"{samples * sample}ms",
    )
