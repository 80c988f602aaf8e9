"""The parameters that calibration may move: where they live, their bounds, where it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.machine.machine import Machine


@dataclass(frozen=True)
class Parameter:
    """One number of a machine file, by its dotted path, and the bounds that physics sets it.

    `start` is a value by itself likely, published or estimated: the search begins there, and a
    parameter that no figure tells anything about stays.
    """

    path: str
    low: float
    high: float
    start: float

    def rounded(self, value: float) -> int | float:
        """`value` as a machine file writes it: cycles are whole."""
        whole = self.path.endswith("_cycles") or ".work_cycles." in self.path
        return round(value) if whole else round(value, 2)


PARAMETERS = (
    Parameter("coherence.residency_ns", 15, 40, 24.9),
    Parameter("coherence.store_residency_ns", 0, 40, 17.5),
    Parameter("coherence.residency_spread", 0.05, 0.5, 0.24),
    Parameter("coherence.load_hold_ns", 20, 110, 47),
    Parameter("coherence.other_socket_ns", 80, 130, 102.5),
    Parameter("coherence.load_crossing", 1.0, 3.0, 1.7),
    Parameter("coherence.upgrade_crossing", 0.2, 2.0, 1.0),
    Parameter("coherence.snoop_crossing", 0, 1, 0.47),
    Parameter("execution.locked_op_cycles", 16, 22, 18),
    Parameter("execution.commit_cycles", 5, 60, 21),
    Parameter("execution.cmpxchg_cycles", 15, 80, 46),
    Parameter("execution.late_answer_cycles", 0, 400, 222),
    Parameter("execution.barrier_answer_cycles", 0, 200, 114),
    Parameter("execution.work_cycles.trap_entry", 250, 650, 525),
    Parameter("execution.work_cycles.vma_lookup", 5, 60, 15),
    Parameter("execution.work_cycles.bpf_prog", 30, 220, 80),
    Parameter("execution.work_cycles.prepare_uretprobe", 20, 300, 122),
    Parameter("execution.work_cycles.uretprobe_entry", 50, 300, 165),
    Parameter("execution.work_cycles.srcu_counter", 0, 20, 9),
)
"""Fitted all at once: the costs of a Skylake server and of the kernel's calls on it."""

FROM_ONE_CURVE = (
    Parameter("execution.locked_op_cycles", 6, 24, 9),
    Parameter("coherence.residency_ns", 0, 100, 25),
    Parameter("coherence.sibling_ns", 0, 6, 3),
    Parameter("coherence.waiter_ns", 0, 1, 0.1),
    Parameter("coherence.snoop_crossing", 0, 1, 0.5),
)
"""Fitted on a curve of atomic_inc, for a machine of which nothing else is known."""


def with_values(machine: Machine, values: Mapping[Parameter, float]) -> Machine:
    """`machine` with the parameters' values in place, rounded, and without its calibration."""
    return machine.with_numbers({p.path: p.rounded(value) for p, value in values.items()})


def values_of(machine: Machine, parameters: Sequence[Parameter]) -> dict[Parameter, float]:
    """The parameters' values in `machine`."""
    return {p: machine.number(p.path) for p in parameters}
