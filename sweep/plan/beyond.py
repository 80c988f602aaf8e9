"""Cells of every axis on machines as large as they ask for: predictions beyond what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.cell import Cell
from core.machine.machine import Machine
from core.workload import THREADS
from sweep.machines.larger import for_counts
from sweep.machines.named import named_machine
from sweep.plan.plan import plan
from sweep.spec.axes import AXES
from sweep.spec.cross_checks import processes_fit, processes_go_with
from sweep.spec.spec import Spec


@dataclass(frozen=True)
class Beyond:
    """Cells in the order of a plan, the machines that they are on, and what had to be assumed."""

    cells: tuple[Cell, ...]
    machines: tuple[Machine, ...]
    assumed: tuple[str, ...]


def beyond(axes: Mapping[str, Any], ensemble: int = 0) -> Beyond:
    """The grid of `axes`, values or lists by axis, of any number of CPUs up to MAX_CPUS.

    A machine that has not as many gets more cores of its kind. `ensemble` counts where a machine
    has one. Raises SpecError as a spec does, and UsageError for more CPUs than can be.
    """
    counts = [AXES["cpus"].check("cpus", None, count) for count in _listed(axes["cpus"])]
    processes = [
        AXES["processes"].check("processes", None, number)
        for number in dict.fromkeys(_listed(axes.get("processes", AXES["processes"].default)))
    ]
    processes_fit(processes, counts)
    cells: list[Cell] = []
    machines: list[Machine] = []
    assumed: list[str] = []
    for name in _listed(axes["machine"]):
        own = named_machine(AXES["machine"].check("machine", None, name))
        threads = sum(
            max(AXES[axis].check(axis, None, n) for n in _listed(axes.get(axis, 0)))
            for axis in THREADS
        )
        enlarged = for_counts(own, [count + threads for count in counts])
        if enlarged.assumed:
            assumed.append(enlarged.assumed)
        machines.append(enlarged.machine)
        most = max(own.cpus - threads, 1)
        fitting = list(dict.fromkeys(min(count, most) for count in counts))
        members = ensemble if own.calibration is not None else 0
        # It would hold processes against the CPUs that fit, and not against those asked for.
        spec = Spec(
            **{**axes, "machine": name, "cpus": fitting, "processes": 1, "ensemble": members}
        )
        processes_go_with(spec, processes)
        planned = plan(spec)
        cells += [
            replace(cell, cpus=count, processes=number, machine=enlarged.machine)
            for number in processes
            for cell in planned
            for count in counts
            if min(count, most) == cell.cpus
        ]
    return Beyond(tuple(cells), tuple(machines), tuple(assumed))


def _listed(values: Any) -> Sequence[Any]:
    return values if isinstance(values, list | tuple) else [values]
