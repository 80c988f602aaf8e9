"""One closed queueing model, played by SimPy, salabim, Ciw and a loop in C.

It is the simplest honest model of a hit: customers (CPUs) go round the operations on lines of a
path. Each waits its private work, then for its turn at the line, first come first served; the turn
is longer if another customer had the line last. What makes our weave slower (shared copies, store
buffers, siblings, snoops, residencies) is left out, so ratios are lower bounds.

Each `in_...` gives nanoseconds of CPU time a turn.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ciw
import salabim
import simpy

from core.engine.program import END, compile_path
from core.kernel.flavours import hot_path
from core.kernel.layout import NOWHERE, Layout
from core.kernel.operation import Kind
from core.machine.machine import Machine

SOURCE = Path(__file__).with_suffix(".c")
METHODS = ("list", "heap", "tournament")


@dataclass(frozen=True)
class Step:
    """A turn at `line` of `service_ps`, after a delay within `spread_ps` of `delay_ps`."""

    delay_ps: int
    spread_ps: int
    line: int
    service_ps: int


@dataclass(frozen=True)
class Model:
    """Customers that go round `steps`; a line that another had last takes `transfer_ps` more."""

    customers: int
    steps: tuple[Step, ...]
    transfer_ps: int

    @property
    def lines(self) -> list[int]:
        """Those that there are turns at."""
        return sorted({step.line for step in self.steps})


def model_of(machine: Machine, flavour: str, cpus: int) -> Model:
    """The operations on lines of `flavour`'s uprobe-nop."""
    path = hot_path(flavour, "uprobe-nop")
    program = compile_path(path, Layout(1), machine.execution.work)
    period = round(1000 / machine.turbo[-1].ghz)
    locked = machine.execution.locked_op_cycles * period
    delay = program.entry_cycles * period
    spread = round(delay * machine.execution.jitter)
    steps = []
    for kind, cycles, line in zip(program.kind, program.cycles, program.line, strict=True):
        delay += int(cycles) * period
        if kind == END:
            continue
        if line == NOWHERE:
            delay += locked
            continue
        steps.append(Step(delay, spread, int(line), locked if kind >= Kind.LOCKED else 0))
        delay = spread = 0
    first = steps[0]
    steps[0] = Step(first.delay_ps + delay, first.spread_ps, first.line, first.service_ps)
    return Model(cpus, tuple(steps), round(1000 * machine.coherence.one_way_ns))


def build(folder: Path) -> Path | None:
    """The loop in C, compiled; None where there is no compiler."""
    if shutil.which("cc") is None:
        return None
    program = folder / "closed_queue"
    subprocess.run(["cc", "-O3", "-march=native", str(SOURCE), "-o", str(program)], check=True)
    return program


def in_c(program: Path, method: str, model: Model, until_ps: int) -> float:
    """The loop, its events chosen by one of METHODS."""
    steps = "".join(f"{s.delay_ps} {s.spread_ps} {s.line} {s.service_ps}\n" for s in model.steps)
    arguments = [str(program), method, str(model.customers), str(until_ps), str(model.transfer_ps)]
    done = subprocess.run(arguments, input=steps, check=True, capture_output=True, text=True)
    turns, ns = map(int, done.stdout.split())
    return ns / turns


def in_simpy(model: Model, until_ps: int) -> float:
    """A process a customer, a resource a line."""
    environment = simpy.Environment()
    resources = {line: simpy.Resource(environment) for line in model.lines}
    owner = dict.fromkeys(model.lines, -1)
    turns = 0

    def customer(number: int) -> Generator[simpy.Event, Any, None]:
        nonlocal turns
        yield environment.timeout(random.randrange(1 + 2 * model.steps[0].delay_ps))
        while True:
            for step in model.steps:
                yield environment.timeout(delay(step))
                with resources[step.line].request() as turn:
                    yield turn
                    service = step.service_ps + (owner[step.line] != number) * model.transfer_ps
                    owner[step.line] = number
                    yield environment.timeout(service)
                turns += 1

    for number in range(model.customers):
        environment.process(customer(number))
    began = time.thread_time()
    environment.run(until=until_ps)
    return (time.thread_time() - began) * 1e9 / turns


def in_salabim(model: Model, until_ps: int) -> float:
    """A component a customer, a resource a line; generators, which are its faster way."""
    salabim.yieldless(False)
    environment = salabim.Environment(trace=False)
    resources = {line: salabim.Resource(f"line {line}", monitor=False) for line in model.lines}
    owner = dict.fromkeys(model.lines, -1)
    turns = 0

    class Customer(salabim.Component):  # type: ignore[misc]
        def process(self) -> Generator[None, None, None]:
            nonlocal turns
            number = self.sequence_number()
            yield self.hold(random.randrange(1 + 2 * model.steps[0].delay_ps))
            while True:
                for step in model.steps:
                    yield self.hold(delay(step))
                    yield self.request(resources[step.line])
                    service = step.service_ps + (owner[step.line] != number) * model.transfer_ps
                    owner[step.line] = number
                    yield self.hold(service)
                    self.release()
                    turns += 1

    for _ in range(model.customers):
        Customer()
    began = time.thread_time()
    environment.run(till=until_ps)
    return (time.thread_time() - began) * 1e9 / turns


def in_ciw(model: Model, until_ps: int) -> float:
    """A node with one server a line; private work is a node with a server for everybody."""
    node = {line: 2 + at for at, line in enumerate(model.lines)}
    owner = dict.fromkeys(model.lines, -1)
    turns = 0

    class Work(ciw.dists.Distribution):  # type: ignore[misc]
        def sample(self, t: float | None = None, ind: Any = None) -> float:
            ind.step = (getattr(ind, "step", -1) + 1) % len(model.steps)
            return delay(model.steps[ind.step])

    class Turn(ciw.dists.Distribution):  # type: ignore[misc]
        def sample(self, t: float | None = None, ind: Any = None) -> float:
            nonlocal turns
            turns += 1
            step = model.steps[ind.step]
            changed = owner[step.line] != ind.id_number
            owner[step.line] = ind.id_number
            return step.service_ps + changed * model.transfer_ps

    class Round(ciw.routing.NodeRouting):  # type: ignore[misc]
        def next_node(self, ind: Any) -> Any:
            return self.simulation.nodes[node[model.steps[ind.step].line]]

    back = [ciw.routing.Direct(to=1) for _ in model.lines]
    at_once = ciw.dists.Sequential([0.0, float("inf")])
    everybody = ciw.dists.Deterministic(model.customers)
    network = ciw.create_network(
        arrival_distributions=[at_once, *[None] * len(model.lines)],
        batching_distributions=[everybody, *[ciw.dists.Deterministic(1)] * len(model.lines)],
        service_distributions=[Work(), *[Turn() for _ in model.lines]],
        number_of_servers=[float("inf"), *[1] * len(model.lines)],
        routing=ciw.routing.NetworkRouting(routers=[Round(), *back]),
    )
    simulation = ciw.Simulation(network)
    began = time.thread_time()
    simulation.simulate_until_max_time(until_ps)
    return (time.thread_time() - began) * 1e9 / turns


def delay(step: Step) -> int:
    """Drawn as our CPUs draw it."""
    if not step.spread_ps:
        return step.delay_ps
    return step.delay_ps + random.randrange(-step.spread_ps, step.spread_ps)
