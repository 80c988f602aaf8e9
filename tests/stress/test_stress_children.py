"""Filters and UPROBE_HANDLER_REMOVE: which breakpoints a forked child has."""

from __future__ import annotations

import pytest
from stress_cells import MS, STAGE_NAMES, stress_cell

from core.kernel import steps
from core.modelcheck import checks
from core.modelcheck.checks import Violation
from core.stress import checks as stress_checks
from core.stress.children import Breakpoints
from core.stress.registry import Steps
from core.stress.simulate import simulate_stress
from core.stress.simulation import Simulation
from core.stress.threads import ThreadGroup
from core.stress.uprobes import Consumer
from core.workload import Workload

pytestmark = pytest.mark.usefixtures("in_user_space")

FORKER, WRITER = 1, 2
OWN, ANY = False, True
"""Filters: the registering process only, or any."""


class Family:
    """A process that hits three functions, and CPUs for who forks and who writes."""

    def __init__(self, stage: int, filters: list[bool], kind: str = "perf-event") -> None:
        """Function i has one consumer with the filter `filters[i]`, attached as `kind` says."""
        workload = Workload(1, fork_threads=1, consumers=0, batch=3, attach_kind=kind)
        cell = stress_cell(
            workload, flavour=STAGE_NAMES[stage], bench="uprobe-multi-nop", cpus=1, probes=3
        )
        self.simulation = Simulation.of(cell, frozenset(), ThreadGroup())
        self.simulation.play()
        while any(task.is_alive for task in self.simulation.tasks):
            self.go_on(MS)
        self.kernel = self.simulation.kernel
        self.consumers = [self.consumer(function, any) for function, any in enumerate(filters)]
        for consumer in self.consumers:
            self.does(self.kernel.uprobe_register(WRITER, consumer))

    def consumer(self, function: int, everywhere: bool) -> Consumer:
        return self.kernel.uprobes.consumer(function, at_return=False, everywhere=everywhere)

    def start(self, steps: Steps) -> None:
        self.simulation.cosimulation.env.process(steps)

    def does(self, steps: Steps) -> None:
        """All of what begins now, with hits beside it."""
        process = self.simulation.cosimulation.env.process(steps)
        while process.is_alive:
            self.go_on(MS)

    def go_on(self, for_ps: int) -> None:
        self.simulation.cosimulation.play(self.simulation.cosimulation.now_ps + for_ps)
        self.simulation.kernel.settle()

    def forked(self) -> Breakpoints:
        """A child that has not called anything yet, nor mapped another program."""
        return self.kernel.children.dup_mmap()

    def calls(self, child: Breakpoints, function: int) -> None:
        self.does(self.kernel.children.calls(FORKER, child, function))

    def detach(self, *consumers: Consumer) -> None:
        self.does(self.kernel.unregister_batch(WRITER, consumers))

    def end(self) -> None:
        """Detach what is left and let the cell's own end be checked."""
        self.detach(*(c for c in self.consumers if self.kernel.uprobes.consumers[c.uprobe]))
        self.simulation.drain()


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_handler_that_says_remove(stage: int) -> None:
    family = Family(stage, [OWN, ANY, OWN])
    child = family.forked()
    assert child.tolist() == [True, True, True]
    for function in (0, 1, 1, 0):
        family.calls(child, function)
    # Out of the child where no filter takes it and it was hit; the parent keeps all.
    assert child.tolist() == [False, True, True]
    assert family.kernel.uprobes.installed.tolist() == [True, True, True]
    assert family.kernel.children.removed == 1
    family.end()


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_handler_of_a_multi_link_asks_for_no_removal(stage: int) -> None:
    family = Family(stage, [OWN, ANY, OWN], "multi")
    child = family.forked()
    for function in (0, 1, 2):
        family.calls(child, function)
    assert child.tolist() == [True, True, True]
    assert family.kernel.children.removed == 0
    family.end()


def test_one_handler_that_stays_keeps_the_breakpoint() -> None:
    family = Family(8, [OWN, ANY, ANY])
    second = family.consumer(0, ANY)
    family.does(family.kernel.uprobe_register(WRITER, second))
    child = family.forked()
    family.calls(child, 0)
    assert child[0]
    family.detach(second)
    # With it goes the child's breakpoint, and not the parent's.
    assert not child[0]
    assert family.kernel.uprobes.installed[0]
    family.end()


def test_who_comes_between_the_handlers_and_the_lock_is_asked_again() -> None:
    family = Family(8, [OWN, ANY, ANY])
    child = family.forked()
    comes = family.consumer(0, ANY)
    # A registration has register_rwsem as the handlers say REMOVE, and has not got to the list.
    family.simulation.cosimulation.run(WRITER, steps.DOWN_WRITE, 0)
    family.go_on(MS)
    family.start(family.kernel.children.calls(FORKER, child, 0))
    family.go_on(MS)
    uprobe = family.consumers[0].uprobe
    with family.kernel.registry.changing(0):
        family.kernel.uprobes.ref[uprobe] += 1
        family.kernel.uprobes.add(uprobe, comes)
    family.simulation.cosimulation.run(WRITER, steps.UP_WRITE, 0)
    family.go_on(MS)
    assert child[0]
    assert family.kernel.children.removed == 0
    family.detach(comes)
    family.end()


def test_a_new_program_has_what_filters_take_it_for() -> None:
    family = Family(7, [OWN, ANY, OWN])
    child = family.forked()
    family.does(family.kernel.children.exec(FORKER, child))
    assert child.tolist() == [False, True, False]
    comes, stays_out = family.consumer(2, ANY), family.consumer(0, OWN)
    for consumer in (comes, stays_out):
        family.does(family.kernel.uprobe_register(WRITER, consumer))
    assert child.tolist() == [False, True, True]
    family.kernel.checks.breakpoints(child)
    family.detach(comes, stays_out, family.consumers[1])
    assert child.tolist() == [False, False, False]
    family.kernel.checks.breakpoints(child)
    family.end()


@pytest.mark.parametrize(
    ("function", "check"), [(0, stress_checks.STRAY_BREAKPOINT), (1, checks.NOT_CALLED)]
)
def test_a_wrong_breakpoint_is_found(function: int, check: str) -> None:
    family = Family(7, [OWN, ANY, OWN])
    child = family.forked()
    family.does(family.kernel.children.exec(FORKER, child))
    child[function] = not child[function]
    with pytest.raises(Violation) as caught:
        family.kernel.checks.breakpoints(child)
    assert caught.value.check == check


@pytest.mark.parametrize("flavour", ["baseline", "srcu-lifetime", "srcu-uretprobe"])
def test_many_children_under_stress(flavour: str) -> None:
    workload = Workload(attach_threads=4, fork_threads=4, consumers=0, stalls=20)
    made = simulate_stress(stress_cell(workload, ms=60, probes=4, flavour=flavour)).stress
    assert made is not None
    assert made.checks > 20
