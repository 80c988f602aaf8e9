"""Speed of the engine at 1, 8 and 64 CPUs, with SimPy running the same closed queueing model.

The SimPy model is the simplest honest one: a process per CPU, a FIFO resource per line, a hit's
operations in order, a transfer when another CPU used the line last. It leaves out what makes our
weave slower (shared copies, store buffers, siblings, snoops), so the ratio is a lower bound.

Run with `make bench`. Figures are ratios of the same run; the machine may be noisy.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import simpy
from rich.console import Console
from rich.table import Table

from core.cell import Cell
from core.engine.program import END, Program, compile_path
from core.engine.simulate import simulate
from core.kernel.flavours import hot_path
from core.kernel.layout import NOWHERE, Layout
from core.kernel.operation import Kind
from core.machine.machine import Machine, load_machine
from core.machine.topology import place

CPUS = (1, 8, 64)
RUNS = 5
SAMPLE_PS = 4 * 10**9
SIMPY_NS = 100_000


def cell(machine: Machine, cpus: int, sample_ps: int = SAMPLE_PS) -> Cell:
    return Cell(
        bench="uprobe-nop",
        flavour="baseline",
        cpus=cpus,
        probes=1,
        spread="shared",
        machine=machine,
        seed=0,
        replicate=0,
        warmup_ps=0,
        duration_ps=2 * sample_ps,
        sample_ps=sample_ps,
    )


def ours(machine: Machine, cpus: int) -> tuple[float, float]:
    """Simulated hits and line operations per wall second: median of RUNS."""
    results = [simulate(cell(machine, cpus)) for _ in range(RUNS)]
    wall = statistics.median(r.wall_seconds for r in results)
    return results[0].hits / wall, results[0].line_ops / wall


def in_simpy(machine: Machine, cpus: int) -> tuple[float, float]:
    """The same of a SimPy model of the same program on the same machine."""
    program = compile_path(hot_path("baseline", "uprobe-nop"), Layout(1), machine.execution.work)
    environment = simpy.Environment()
    lines = {int(n): simpy.Resource(environment) for n in set(program.line.ravel().tolist())}
    owner = dict.fromkeys(lines, -1)
    counts = {"hits": 0, "operations": 0}
    for cpu, period in enumerate(place(machine, cpus).ps_per_cycle):
        environment.process(
            producer(environment, machine, program, lines, owner, counts, cpu, int(period) / 1000)
        )
    began = time.perf_counter()
    environment.run(until=SIMPY_NS)
    wall = time.perf_counter() - began
    return counts["hits"] / wall, counts["operations"] / wall


def producer(
    environment: simpy.Environment,
    machine: Machine,
    program: Program,
    lines: dict[int, simpy.Resource],
    owner: dict[int, int],
    counts: dict[str, int],
    cpu: int,
    ns_per_cycle: float,
) -> Iterator[simpy.Event]:
    costs = machine.coherence
    transfer = costs.one_way_ns
    locked = machine.execution.locked_op_cycles * ns_per_cycle
    while True:
        yield environment.timeout(program.entry_cycles * ns_per_cycle)
        for kind, cycles, line in zip(
            program.kind.tolist(), program.cycles.tolist(), program.line[:, 0].tolist(), strict=True
        ):
            yield environment.timeout(cycles * ns_per_cycle)
            if kind == END:
                counts["hits"] += 1
            elif line == NOWHERE:
                yield environment.timeout(locked)
            else:
                with lines[line].request() as turn:
                    yield turn
                    cost = locked if kind >= Kind.LOCKED else 0.0
                    if owner[line] != cpu:
                        owner[line] = cpu
                        cost += transfer
                    yield environment.timeout(cost)
                counts["operations"] += 1


def main() -> None:
    machine = load_machine("xeon-gold-6138")
    simulate(cell(machine, 2, 10**7))
    table = Table(title="baseline uprobe-nop, one core, thousands per wall second")
    for heading in ("CPUs", "hits", "line ops", "SimPy hits", "SimPy line ops", "line ops ratio"):
        table.add_column(heading, justify="right")
    for cpus in CPUS:
        hits, operations = ours(machine, cpus)
        simpy_hits, simpy_operations = in_simpy(machine, cpus)
        table.add_row(
            str(cpus),
            f"{hits / 1e3:,.0f}",
            f"{operations / 1e3:,.0f}",
            f"{simpy_hits / 1e3:,.1f}",
            f"{simpy_operations / 1e3:,.0f}",
            f"{operations / simpy_operations:,.0f} x",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
