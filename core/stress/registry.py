"""The life of uprobes, beside kernel/events/uprobes.c: inserted, referred to, erased, freed.

A hit whose put is the last takes no time for what follows, and it follows at the end of the hit's
window. Not modelled: the CPU of stage 10's work item, which finds the treelock free.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import simpy

from core.grace.engine import Engine
from core.kernel import steps
from core.kernel.rules import Rules
from core.stress.checks import Checks
from core.stress.cosimulation import Cosimulation
from core.stress.uprobes import NOBODY, SIZEOF_UPROBE, Uprobes

Steps = Generator[simpy.Event, Any, Any]


class Registry:
    """The uprobes tree of one cell, its treelock and its references.

    `unreaped_peak` is the most bytes that dead uprobes held at a time.
    """

    def __init__(
        self,
        rules: Rules,
        cosimulation: Cosimulation,
        uprobes: Uprobes,
        engines: dict[str, Engine],
        checks: Checks,
        *,
        free_at_once: bool = False,
    ) -> None:
        """`free_at_once` is the planted fault `free-without-waiting`."""
        self.unreaped_peak = 0
        self._rules = rules
        self._cosimulation = cosimulation
        self._uprobes = uprobes
        self._engines = engines
        self._checks = checks
        self._free = () if free_at_once else rules.free
        self._unreaped = 0

    def replay(self) -> None:
        """Let hits take note of what they did until now, and reap what has no reference left."""
        self._cosimulation.replay()
        self._checks.after_replay()
        held = self._cosimulation.snapshot.held
        # Where no hit ever held a reference, none let an uprobe die.
        dead = self._uprobes.dead(held) if len(held) else []
        for uprobe in dead:
            self._dies(uprobe)
        for uprobe in dead:
            self._ends(uprobe)

    @contextmanager
    def changing(self, function: int) -> Iterator[None]:
        """What hits did until now they did before this change; from now on they find it."""
        self.replay()
        yield
        self._cosimulation.publish(function)

    def insert_uprobe(self, cpu: int, function: int) -> Steps:
        """alloc_uprobe: the uprobe of the function, with a reference; a new one if need be."""
        yield self._cosimulation.run(cpu, steps.INSERT_UPROBE, function)
        self.replay()
        uprobe = self.found(function)
        if uprobe != NOBODY and self._try_get(uprobe):
            self._uprobes.ref[uprobe] += 1
            yield self._cosimulation.run(cpu, "insert_uprobe: get_uprobe", function)
            return uprobe
        with self.changing(function):
            if uprobe != NOBODY:
                self._uprobes.active[uprobe] = False
            uprobe = self.link(function, 2 if self._rules.tree_reference else 1)
        yield self._cosimulation.run(cpu, "insert_uprobe: unlock", function)
        return uprobe

    def find_uprobe(self, cpu: int, uprobe: int) -> Steps:
        """A reference for whoever unregisters, while the tree owns one."""
        yield self._cosimulation.run(cpu, steps.FIND_UPROBE, int(self._uprobes.function[uprobe]))
        self.replay()
        self._uprobes.ref[uprobe] += 1

    def link(self, function: int, references: int) -> int:
        """A new uprobe in the tree, in place of what is there."""
        uprobe = self._uprobes.new(function, references)
        self._uprobes.tree.insert(int(self._uprobes.keys[function]), uprobe)
        self._uprobes.active[uprobe] = True
        return uprobe

    def found(self, function: int) -> int:
        """The uprobe that the tree has for a function, or NOBODY."""
        return int(self._uprobes.tree.find(self._uprobes.keys[function : function + 1])[0])

    def build_probe_list(self) -> list[int]:
        """The uprobes in the tree, with a reference each: what a new mapping has to look at."""
        self.replay()
        active = np.flatnonzero(self._uprobes.active[: self._uprobes.count]).tolist()
        listed = [uprobe for uprobe in active if self._try_get(uprobe)]
        self._uprobes.ref[listed] += 1
        return listed

    def delete_uprobe(self, cpu: int, uprobe: int) -> Steps:
        """Erase it from the tree, under the treelock; a reference of the tree's goes with it."""
        function = int(self._uprobes.function[uprobe])
        yield self._cosimulation.run(cpu, steps.DELETE_UPROBE, function)
        self._erase(uprobe)
        if self._rules.tree_reference:
            self._uprobes.ref[uprobe] -= 1
        yield self._cosimulation.run(cpu, "delete_uprobe: unlock", function)

    def put_uprobe(self, cpu: int, uprobe: int) -> Steps:
        """Drop a reference; who drops the last one erases the uprobe and has it freed."""
        yield self._cosimulation.run(cpu, steps.PUT_UPROBE, int(self._uprobes.function[uprobe]))
        yield from self.put_later(cpu, [uprobe])

    def put_later(self, cpu: int, uprobes: list[int]) -> Steps:
        """What follows the puts of these; the puts themselves took their time before."""
        self.replay()
        self._uprobes.ref[uprobes] -= 1
        last = [uprobe for uprobe in uprobes if self._is_last(uprobe)]
        for uprobe in last:
            self._dies(uprobe)
        for uprobe in last:
            if self._uprobes.active[uprobe] and "erase" not in self._free:
                yield from self.delete_uprobe(cpu, uprobe)
            self._free_after(uprobe, self._free)

    def put_at_once(self, uprobe: int) -> None:
        """Drop a reference when time does not matter any more."""
        self._uprobes.ref[uprobe] -= 1
        if self._is_last(uprobe):
            self._dies(uprobe)
            self._ends(uprobe)

    def _try_get(self, uprobe: int) -> bool:
        """Whether a lookup gets a reference: from stage 2 on, try_get_uprobe."""
        return self._rules.tree_reference or self._references(uprobe) > 0

    def _is_last(self, uprobe: int) -> bool:
        self._checks.references(uprobe)
        return self._references(uprobe) == 0 and not self._uprobes.dying[uprobe]

    def _ends(self, uprobe: int) -> None:
        """Erase and free it in no time."""
        if "erase" not in self._free:
            self._erase(uprobe)
        self._free_after(uprobe, self._free)

    def _dies(self, uprobe: int) -> None:
        self._uprobes.dying[uprobe] = True
        self._unreaped += 1
        self.unreaped_peak = max(self.unreaped_peak, self._unreaped * SIZEOF_UPROBE)

    def _erase(self, uprobe: int) -> None:
        if not self._uprobes.active[uprobe]:
            return
        function = int(self._uprobes.function[uprobe])
        with self.changing(function):
            self._uprobes.active[uprobe] = False
            self._uprobes.tree.erase(int(self._uprobes.keys[function]), uprobe)

    def _free_after(self, uprobe: int, chain: tuple[str, ...]) -> None:
        """kfree() behind what `rules.free` says: a work item, call_srcu, call_rcu_tasks_trace."""
        if not chain:
            self._cosimulation.replay()
            self._checks.frees_uprobe(uprobe)
            self._uprobes.free(uprobe)
            self._unreaped -= 1
        elif chain[0] == "erase":
            self._cosimulation.env.process(self._work_item(uprobe, chain[1:]))
        elif chain[0] == "erased":
            self._erase(uprobe)
            self._free_after(uprobe, chain[1:])
        else:
            self._engines[chain[0]].call(lambda: self._free_after(uprobe, chain[1:]))

    def _work_item(self, uprobe: int, chain: tuple[str, ...]) -> Steps:
        yield self._cosimulation.env.timeout(self._engines["return"].timing.work_ps)
        self._free_after(uprobe, chain)

    def _references(self, uprobe: int) -> int:
        return int(self._uprobes.ref[uprobe]) + self._cosimulation.held_of(uprobe)
