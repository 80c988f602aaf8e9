"""The parameters that calibration may move: where they live, their bounds, and what fixes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.machine.machine import Machine


@dataclass(frozen=True)
class Parameter:
    """One number of a machine file, by its dotted path, and the bounds that physics sets it."""

    path: str
    low: float
    high: float
    whole: bool = False

    def rounded(self, value: float) -> float:
        """`value` as a machine file writes it."""
        return round(value) if self.whole else round(value, 2)


CLOCK_SHARE = Parameter("coherence.core_clock_share", 0, 1)
TRANSFER = Parameter("coherence.transfer_ns", 40, 48)
"""Both fitted twice: the two machines differ in mesh and in power, so in how clocks fall."""

FROM_PRIMITIVES = (
    Parameter("execution.locked_op_cycles", 16, 24, whole=True),
    Parameter("execution.work_cycles.srcu_counter", 0, 20, whole=True),
    TRANSFER,
    Parameter("coherence.snoop_share", 0, 0.5),
    Parameter("coherence.spread", 0.05, 0.5),
    CLOCK_SHARE,
)
"""Fitted on curves of single primitives."""

FROM_CELLS = (
    Parameter("execution.work_cycles.trap_entry", 200, 700, whole=True),
    Parameter("execution.work_cycles.prepare_uretprobe", 20, 250, whole=True),
    TRANSFER,
    Parameter("coherence.other_socket_ns", 50, 130),
    Parameter("coherence.out_of_order_ns", 0, 40),
    Parameter("coherence.commit_ns", 0, 20),
    Parameter("coherence.dependent_ns", 0, 15),
    CLOCK_SHARE,
    Parameter("execution.jitter", 0, 0.2),
)
"""Fitted on named cells of the letter; what else primitives fixed is held."""

FROM_ONE_CURVE = (
    Parameter("execution.locked_op_cycles", 6, 24, whole=True),
    Parameter("coherence.transfer_ns", 10, 70),
    Parameter("coherence.sibling_ns", 0, 6),
    Parameter("coherence.snoop_share", 0, 0.9),
    Parameter("coherence.waiter_ns", 0, 1),
)
"""Fitted on a curve of atomic_inc, for a machine of which nothing else is known."""


def with_values(machine: Machine, values: Mapping[Parameter, float]) -> Machine:
    """`machine` with the parameters' values in place, rounded, and without its calibration."""
    return machine.with_numbers({p.path: p.rounded(value) for p, value in values.items()})


def values_of(machine: Machine, parameters: Sequence[Parameter]) -> dict[Parameter, float]:
    """The parameters' values in `machine`."""
    return {p: machine.number(p.path) for p in parameters}
