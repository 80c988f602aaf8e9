"""Registering, unregistering, mapping and forking, as processes; beside kernel/events/uprobes.c.

A process yields where time passes: a stretch of `core.kernel.writers` on its CPU, or a grace
period. What it does in between is one moment. Locks are the weave's: after a stretch that ends in
taking one, this process alone has it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import simpy

from core.churn.checks import Checks
from core.churn.clockwork import Clockwork
from core.churn.uprobes import NOBODY, SIZEOF_UPROBE, Consumer, Uprobes, one
from core.kernel.writers import WORK_CYCLES
from core.lifetime.rules import Rules
from core.rcu.engine import Engine

Steps = Generator[simpy.Event, Any, Any]

INSTALL_CYCLES = WORK_CYCLES["verify_opcode"] + WORK_CYCLES["uprobe_write_opcode"]


class Kernel:
    """The kernel of one cell. `mappings` counts further mappings of the code in the process;
    `unreaped_peak` is the most bytes that dead uprobes held at a time."""

    def __init__(
        self,
        rules: Rules,
        clockwork: Clockwork,
        uprobes: Uprobes,
        engines: dict[str, Engine],
        checks: Checks,
        cycle_ps: int,
        faults: frozenset[str] = frozenset(),
    ) -> None:
        self.rules = rules
        self.clockwork = clockwork
        self.uprobes = uprobes
        self.engines = engines
        self.checks = checks
        self.faults = faults
        self.mappings = 0
        self.children = 0
        self.unreaped = 0
        self.unreaped_peak = 0
        self._cycle_ps = cycle_ps

    def uprobe_register(self, cpu: int, consumer: Consumer) -> Steps:
        """Register `consumer`; at stage 0 all over if the uprobe was deleted meanwhile."""
        run, function = self.clockwork.run, consumer.function
        while True:
            uprobe = yield from self._insert_uprobe(cpu, function)
            yield run(cpu, "register_rwsem: lock", function)
            if not self.rules.tree_reference or self.uprobes.active[uprobe]:
                break
            yield run(cpu, "register_rwsem: unlock", function)
            yield from self._put_uprobe(cpu, uprobe)
        yield run(cpu, "consumer list", function)
        with self._changing(function):
            self.uprobes.add(uprobe, consumer)
        yield from self._register_for_each_vma(cpu, function, install=True)
        with self._changing(function):
            self.uprobes.must[function] |= one(consumer.bit)
        yield run(cpu, "register_rwsem: unlock", function)
        if self.rules.tree_reference:
            yield from self._put_uprobe(cpu, uprobe)

    def uprobe_unregister_nosync(self, cpu: int, consumer: Consumer) -> Steps:
        """Take `consumer` off its uprobe and drop its reference, without waiting for readers."""
        run, function, uprobe = self.clockwork.run, consumer.function, consumer.uprobe
        yield run(cpu, "register_rwsem: lock", function)
        with self._changing(function):
            self.uprobes.must[function] &= ~one(consumer.bit)
        yield run(cpu, "consumer list", function)
        with self._changing(function):
            self._count(uprobe)
            self.uprobes.delete(consumer)
        if not self.uprobes.consumers[uprobe]:
            yield from self._register_for_each_vma(cpu, function, install=False)
            if self.rules.tree_reference:
                yield from self._delete_uprobe(cpu, uprobe)
                self.uprobes.ref[uprobe] -= 1
        yield run(cpu, "register_rwsem: unlock", function)
        if not self.rules.tree_reference:
            yield from self._put_uprobe(cpu, uprobe)
        else:
            self._reap(uprobe)

    def uprobe_unregister_sync(self) -> Steps:
        """Wait until no reader can still see what was taken off."""
        for whose in self.rules.sync:
            yield self.engines[whose].synchronize()

    def unregister_batch(self, cpu: int, batch: Sequence[Consumer]) -> Steps:
        """Detach a link: unregister and free its consumers. One wait, or each its own (stage 5)."""
        for consumer in batch:
            yield from self.uprobe_unregister_nosync(cpu, consumer)
            if not self.rules.batch:
                yield from self.uprobe_unregister_sync()
        if self.rules.batch and batch:
            yield from self.uprobe_unregister_sync()
        self.clockwork.fold()
        for consumer in batch:
            self.checks.frees_consumer(consumer)
            self.uprobes.free(consumer)

    def mmap(self, cpu: int) -> Steps:
        """Map the code once more: every breakpoint goes into the new mapping, under mmap_lock."""
        run = self.clockwork.run
        yield run(cpu, "mmap: lock")
        yield run(cpu, "uprobe_mmap", extra_ps=self._installs() * INSTALL_CYCLES * self._cycle_ps)
        self.mappings += 1
        yield run(cpu, "mmap: unlock")

    def munmap(self, cpu: int) -> Steps:
        """Take one of these mappings away."""
        yield self.clockwork.run(cpu, "mmap: lock")
        self.mappings -= 1
        yield self.clockwork.run(cpu, "mmap: unlock")

    def fork(self, cpu: int) -> Steps:
        """fork and exec: a copy of the process under its mmap_lock, then the code mapped anew."""
        run = self.clockwork.run
        yield run(cpu, "fork")
        self.children += 1
        yield run(cpu, "exec", extra_ps=self._installs() * INSTALL_CYCLES * self._cycle_ps)

    def exit(self, cpu: int) -> Steps:
        """A child is gone."""
        yield self.clockwork.run(cpu, "exit")
        self.children -= 1

    def register_before(self, consumers: Sequence[Consumer]) -> None:
        """Register consumers before time begins."""
        for consumer in consumers:
            function = consumer.function
            uprobe = self._found(function)
            if uprobe == NOBODY:
                uprobe = self._link(function, 1 if self.rules.tree_reference else 0)
            if not self.rules.tree_reference:
                self.uprobes.ref[uprobe] += 1
            self.uprobes.add(uprobe, consumer)
            self.uprobes.must[function] |= one(consumer.bit)
            self.uprobes.installed[function] = True
            self.clockwork.publish(function)

    def unregister_after(self, consumers: Sequence[Consumer]) -> None:
        """Unregister consumers when nobody hits any more."""
        for consumer in consumers:
            uprobe = consumer.uprobe
            self.uprobes.must[consumer.function] = 0
            self.uprobes.delete(consumer)
            if not self.rules.tree_reference or not self.uprobes.consumers[uprobe]:
                self.uprobes.ref[uprobe] -= 1
            self._reap(uprobe)

    def settle(self) -> None:
        """Count what hits did, and reap what their last reference has left dead."""
        self.clockwork.fold()
        self.checks.after_fold()
        for uprobe in self.uprobes.dead(self.clockwork.gang.threads.held):
            self._reap(uprobe)
        for uprobe in range(len(self.clockwork.gang.threads.walks)):
            self._count(uprobe)

    def _insert_uprobe(self, cpu: int, function: int) -> Steps:
        """alloc_uprobe: the uprobe of the function, with a reference; a new one if need be."""
        yield self.clockwork.run(cpu, "alloc_uprobe: lock", function)
        uprobe = self._found(function)
        if uprobe != NOBODY and (self.rules.tree_reference or self._references(uprobe) > 0):
            self.uprobes.ref[uprobe] += 1
            yield self.clockwork.run(cpu, "find_uprobe: unlock", function)
            return uprobe
        with self._changing(function):
            if uprobe != NOBODY:
                self.uprobes.active[uprobe] = False
            uprobe = self._link(function, 2 if self.rules.tree_reference else 1)
        yield self.clockwork.run(cpu, "insert_uprobe: unlock", function)
        return uprobe

    def _link(self, function: int, references: int) -> int:
        uprobe = self.uprobes.new(function, references)
        self.uprobes.tree.insert(int(self.uprobes.keys[function]), uprobe)
        self.uprobes.active[uprobe] = True
        return uprobe

    def _register_for_each_vma(self, cpu: int, function: int, *, install: bool) -> Steps:
        """Put the breakpoint into every mapping of the code, or take it out of all."""
        run = self.clockwork.run
        there = bool(self.uprobes.installed[function]) == install
        yield run(cpu, "install: again" if there else "install: lock", function)
        with self._changing(function):
            self.uprobes.installed[function] = install
        yield run(cpu, "install: unlock", function)
        for _ in range(self.mappings):
            yield run(cpu, "install: again" if there else "install: lock", function)
            yield run(cpu, "install: unlock", function)
        if self.children and not there:
            # In other processes: nobody here waits for their mmap_lock.
            extra = self.children * INSTALL_CYCLES * self._cycle_ps
            yield run(cpu, "consumer list", function, extra_ps=extra)

    def _delete_uprobe(self, cpu: int, uprobe: int) -> Steps:
        function = int(self.uprobes.function[uprobe])
        yield self.clockwork.run(cpu, "delete_uprobe: lock", function)
        self._erase(uprobe)
        yield self.clockwork.run(cpu, "delete_uprobe: unlock", function)

    def _erase(self, uprobe: int) -> None:
        if not self.uprobes.active[uprobe]:
            return
        function = int(self.uprobes.function[uprobe])
        with self._changing(function):
            self.uprobes.active[uprobe] = False
            self.uprobes.tree.erase(int(self.uprobes.keys[function]), uprobe)

    def _put_uprobe(self, cpu: int, uprobe: int) -> Steps:
        yield self.clockwork.run(cpu, "put_uprobe", int(self.uprobes.function[uprobe]))
        self.clockwork.fold()
        self.uprobes.ref[uprobe] -= 1
        self._reap(uprobe)

    def _reap(self, uprobe: int) -> None:
        """The last reference may be gone: then the uprobe is erased and freed, when it may be."""
        if self._references(uprobe) > 0 or self.uprobes.dying[uprobe]:
            self.checks.references(uprobe)
            return
        self.uprobes.dying[uprobe] = True
        self.unreaped += 1
        self.unreaped_peak = max(self.unreaped_peak, self.unreaped * SIZEOF_UPROBE)
        self._erase(uprobe)
        stages = [whose for whose in self.rules.free if whose in self.engines]
        if "free-without-waiting" in self.faults:
            stages = []
        self._free_after(uprobe, stages)

    def _free_after(self, uprobe: int, stages: list[str]) -> None:
        """kfree() behind a chain of call_srcu() and call_rcu_tasks_trace()."""
        if stages:
            self.engines[stages[0]].call(lambda: self._free_after(uprobe, stages[1:]))
            return
        self.clockwork.fold()
        self.checks.frees_uprobe(uprobe)
        self.uprobes.freed[uprobe] = True
        self.unreaped -= 1

    def _found(self, function: int) -> int:
        return int(self.uprobes.tree.find(self.uprobes.keys[function : function + 1])[0])

    def _references(self, uprobe: int) -> int:
        held = self.clockwork.gang.threads.held
        return int(self.uprobes.ref[uprobe] + (held[uprobe] if uprobe < len(held) else 0))

    def _installs(self) -> int:
        return int(self.uprobes.installed.sum())

    def _count(self, uprobe: int) -> None:
        """Give the consumers of a list the calls that hits made of it since it last changed."""
        t = self.clockwork.gang.threads
        if uprobe >= len(t.walks):
            return
        for consumer in self.uprobes.consumers[uprobe]:
            consumer.hits += int((t.return_walks if consumer.at_return else t.walks)[uprobe])
        t.walks[uprobe] = t.return_walks[uprobe] = 0

    @contextmanager
    def _changing(self, function: int) -> Iterator[None]:
        """What hits did until now they did before this change; from now on they find it."""
        self.clockwork.fold()
        self.checks.after_fold()
        yield
        self.clockwork.publish(function)
