"""Registering, unregistering, mapping and forking, as processes; beside kernel/events/uprobes.c.

A process yields where time passes: a stretch of `core.kernel.writers` on its CPU, or a grace
period. What it does in between is one moment. Locks are the weave's: after a stretch that ends in
taking one, this process alone has it. Not modelled: registrations that fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from core.arrays import IntArray
from core.grace.engine import Engine
from core.grace.rcu import PercpuRwsem, Rcu
from core.kernel import steps
from core.kernel.rules import Rules
from core.kernel.writers import WORK_CYCLES
from core.stress.checks import Checks
from core.stress.children import Breakpoints, Children
from core.stress.cosimulation import Cosimulation
from core.stress.registry import Registry, Steps
from core.stress.uprobes import NOBODY, Consumer, Uprobes, one

INSTALL_CYCLES = WORK_CYCLES["verify_opcode"] + WORK_CYCLES["uprobe_write_opcode"]

FAULTS = ("free-without-waiting", "sync-before-last-nosync")
"""Faults that can be planted here; the names are those of `core.modelcheck.mutants`."""


def faults_of(rules: Rules) -> set[str]:
    """Those of FAULTS that change these rules: some free at once, some wait for no batch."""
    free, early = FAULTS
    return {fault for fault, has in ((free, bool(rules.free)), (early, rules.batch)) if has}


class Kernel:
    """The kernel of one cell. `mappings` counts further mappings of the code in the process that
    hits; `children` are those that were forked off it; `waits` counts waits for grace periods by
    cause."""

    def __init__(
        self,
        rules: Rules,
        cosimulation: Cosimulation,
        uprobes: Uprobes,
        engines: dict[str, Engine],
        rcu: Rcu,
        checks: Checks,
        cycle_ps: int,
        faults: frozenset[str] = frozenset(),
        ask_removal: bool = False,
    ) -> None:
        self.rules = rules
        self.cosimulation = cosimulation
        self.uprobes = uprobes
        self.engines = engines
        self.checks = checks
        self.faults = faults
        at_once = "free-without-waiting" in faults
        self.registry = Registry(
            rules, cosimulation, uprobes, engines, checks, free_at_once=at_once
        )
        self.dup_mmap_sem = PercpuRwsem(rcu)
        self.waits: Counter[str] = Counter()
        self.mappings = 0
        self._install_ps = INSTALL_CYCLES * cycle_ps
        self.children = Children(
            cosimulation, uprobes, self.registry, self._install_ps, ask_removal
        )
        self._counted: IntArray = np.zeros((2, 0), dtype=np.int64)

    def uprobe_register(self, cpu: int, consumer: Consumer) -> Steps:
        """Register `consumer`; at stage 0 all over if the uprobe was deleted meanwhile."""
        run, function = self.cosimulation.run, consumer.function
        while True:
            uprobe = yield from self.registry.insert_uprobe(cpu, function)
            yield run(cpu, steps.DOWN_WRITE, function)
            if not self.rules.tree_reference or self.uprobes.active[uprobe]:
                break
            yield run(cpu, steps.UP_WRITE, function)
            yield from self.registry.put_uprobe(cpu, uprobe)
        yield run(cpu, steps.CONSUMER_ADD, function)
        with self.registry.changing(function):
            self._count(uprobe)
            self.uprobes.add(uprobe, consumer)
        yield from self._register_for_each_vma(cpu, consumer, comes=True)
        with self.registry.changing(function):
            self.uprobes.must_call[function] |= one(consumer.bit)
        yield run(cpu, steps.UP_WRITE, function)
        if self.rules.tree_reference:
            yield from self.registry.put_uprobe(cpu, uprobe)

    def uprobe_unregister_nosync(self, cpu: int, consumer: Consumer) -> Steps:
        """Take `consumer` off its uprobe and drop its reference, without waiting for readers."""
        run, function, uprobe = self.cosimulation.run, consumer.function, consumer.uprobe
        if self.rules.tree_reference:
            yield from self.registry.find_uprobe(cpu, uprobe)
        yield run(cpu, steps.DOWN_WRITE, function)
        with self.registry.changing(function):
            self.uprobes.must_call[function] &= ~one(consumer.bit)
        yield run(cpu, steps.CONSUMER_DEL, function)
        with self.registry.changing(function):
            self._count(uprobe)
            self.uprobes.delete(consumer)
            self.uprobes.may_call[function] &= ~one(consumer.bit)
        last = not self.uprobes.consumers[uprobe]
        yield from self._register_for_each_vma(cpu, consumer, comes=False)
        if self.rules.tree_reference and last:
            yield from self.registry.delete_uprobe(cpu, uprobe)
        yield run(cpu, steps.UP_WRITE, function)
        yield from self.registry.put_uprobe(cpu, uprobe)

    def uprobe_unregister_sync(self) -> Steps:
        """Wait until no reader can still see what was taken off."""
        for whose in self.rules.sync:
            self.waits["unregister"] += 1
            yield self.engines[whose].synchronize()

    def unregister_batch(self, cpu: int, batch: Sequence[Consumer]) -> Steps:
        """Detach a link: unregister and free its consumers. One wait, or each its own (stage 5)."""
        early = self.rules.batch and "sync-before-last-nosync" in self.faults
        for consumer in batch:
            if early and consumer is batch[-1]:
                yield from self.uprobe_unregister_sync()
            yield from self.uprobe_unregister_nosync(cpu, consumer)
            if not self.rules.batch:
                yield from self.uprobe_unregister_sync()
        if self.rules.batch and batch and not early:
            yield from self.uprobe_unregister_sync()
        self.registry.replay()
        for consumer in batch:
            self.checks.frees_consumer(consumer)
            self.uprobes.forget(consumer)

    def mmap(self, cpu: int) -> Steps:
        """Map the code once more: every breakpoint goes into the new mapping, under mmap_lock."""
        run = self.cosimulation.run
        yield run(cpu, "mmap: lock")
        yield run(cpu, steps.BUILD_PROBE_LIST)
        listed = self.registry.build_probe_list()
        if listed:
            yield run(cpu, steps.PUT_UPROBE, extra_ps=len(listed) * self._install_ps)
            yield from self.registry.put_later(cpu, listed)
        self.mappings += 1
        yield run(cpu, "mmap: unlock")

    def munmap(self, cpu: int) -> Steps:
        """Take one of these mappings away."""
        yield self.cosimulation.run(cpu, "mmap: lock")
        self.mappings -= 1
        yield self.cosimulation.run(cpu, "mmap: unlock")

    def fork(self, cpu: int, function: int) -> Steps:
        """fork and exec: a copy of the process under its mmap_lock, which calls `function` first.

        Its value is the child, for `exit`.
        """
        yield from self.dup_mmap_sem.down_read()
        yield self.cosimulation.run(cpu, "fork: lock")
        child = self.children.dup_mmap()
        yield self.cosimulation.run(cpu, "fork: unlock")
        self.dup_mmap_sem.up_read()
        yield from self.children.calls(cpu, child, function)
        yield from self.children.exec(cpu, child)
        return child

    def exit(self, cpu: int, child: Breakpoints) -> Steps:
        """A child is gone."""
        self.checks.breakpoints(child)
        self.children.exit(child)
        yield self.cosimulation.run(cpu, "exit")

    def register_before(self, consumers: Sequence[Consumer]) -> None:
        """Register consumers before time begins."""
        for consumer in consumers:
            function = consumer.function
            uprobe = self.registry.found(function)
            if uprobe == NOBODY:
                uprobe = self.registry.link(function, 1 if self.rules.tree_reference else 0)
            if not self.rules.tree_reference:
                self.uprobes.ref[uprobe] += 1
            self.uprobes.add(uprobe, consumer)
            self.uprobes.must_call[function] |= one(consumer.bit)
            self.uprobes.installed[function] = True
            self.cosimulation.publish(function)

    def unregister_after(self, consumers: Sequence[Consumer]) -> None:
        """Unregister and free consumers when no thread hits any more."""
        for consumer in consumers:
            uprobe = consumer.uprobe
            self.uprobes.must_call[consumer.function] &= ~one(consumer.bit)
            self.uprobes.delete(consumer)
            self.uprobes.may_call[consumer.function] &= ~one(consumer.bit)
            if not self.rules.tree_reference or not self.uprobes.consumers[uprobe]:
                self.registry.put_at_once(uprobe)
            self.uprobes.forget(consumer)

    def settle(self) -> None:
        """Count what hits did, and reap what their last reference has left dead."""
        self.registry.replay()
        snapshot, n = self.cosimulation.snapshot, self._counted.shape[1]
        more = np.array([snapshot.walks[:n], snapshot.return_walks[:n]]) != self._counted
        walked: list[int] = np.flatnonzero(more.any(axis=0)).tolist()
        for uprobe in (*walked, *range(n, len(snapshot.walks))):
            self._count(uprobe)

    def _register_for_each_vma(self, cpu: int, consumer: Consumer, *, comes: bool) -> Steps:
        """Visit every mapping of the code: filters decide whether the breakpoint is to be there.

        Forks are shut out by dup_mmap_sem, which in isolation takes a grace period of RCU to take.
        All take the process that hits, so that there it goes with the last consumer.
        """
        run, function = self.cosimulation.run, consumer.function
        yield from self.dup_mmap_sem.down_write()
        wanted = comes or bool(self.uprobes.consumers[consumer.uprobe])
        there = bool(self.uprobes.installed[function]) == wanted
        stretch = "install: again" if there else "install: lock"
        yield run(cpu, stretch, function)
        with self.registry.changing(function):
            self.uprobes.installed[function] = wanted
        yield run(cpu, "install: unlock", function)
        for _ in range(self.mappings):
            yield run(cpu, stretch, function)
            yield run(cpu, "install: unlock", function)
        changed = self.children.register_for_each_vma(consumer, comes=comes)
        if changed:
            # The mmap_lock of other processes is taken for free.
            yield run(cpu, "install: children", function, extra_ps=changed * self._install_ps)
        self.dup_mmap_sem.up_write()

    def _count(self, uprobe: int) -> None:
        """Give the consumers of a list the calls that hits made of it since it last changed."""
        snapshot = self.cosimulation.snapshot
        if len(snapshot.walks) > self._counted.shape[1]:
            more = len(snapshot.walks) - self._counted.shape[1]
            self._counted = np.pad(self._counted, ((0, 0), (0, more)))
        if uprobe >= len(snapshot.walks):
            return
        walks = np.array([snapshot.walks[uprobe], snapshot.return_walks[uprobe]])
        calls = (walks - self._counted[:, uprobe]).tolist()
        self._counted[:, uprobe] = walks
        for consumer in self.uprobes.consumers[uprobe]:
            consumer.hits += calls[consumer.at_return]
