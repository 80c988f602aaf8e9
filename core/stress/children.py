"""Processes forked off the one that hits: their breakpoints, as filters and handlers decide.

A filter takes any process, or only the one whose thread registered the consumer; never a child
alone. Not modelled: other hits of children, what they do to lines of their own, and the time that
the one hit takes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.kernel import steps
from core.stress.cosimulation import Cosimulation
from core.stress.registry import Registry, Steps
from core.stress.uprobes import NOBODY, Consumer, Uprobes

Breakpoints = NDArray[np.bool_]
"""By function: whether the breakpoint is there."""


class Children:
    """The children that there are now. `removed` counts breakpoints that a handler had removed."""

    def __init__(
        self,
        cosimulation: Cosimulation,
        uprobes: Uprobes,
        registry: Registry,
        install_ps: int,
        ask_removal: bool,
    ) -> None:
        """`install_ps` is what putting in or taking out a breakpoint takes.

        `ask_removal`: handlers say UPROBE_HANDLER_REMOVE in a process that no filter takes, as
        uprobe_perf_func() does; that of a uprobe_multi link returns 0 (uprobe_prog_run()).
        """
        self._ask_removal = ask_removal
        self.removed = 0
        self._cosimulation = cosimulation
        self._uprobes = uprobes
        self._registry = registry
        self._install_ps = install_ps
        self._alive: list[Breakpoints] = []

    def dup_mmap(self) -> Breakpoints:
        """A new child, with the breakpoints of the process that hits."""
        self._alive.append(self._uprobes.installed.copy())
        return self._alive[-1]

    def calls(self, cpu: int, child: Breakpoints, function: int) -> Steps:
        """The child calls a function. Where no filter takes it, handlers of perf events say REMOVE.

        Then the chain is walked again under register_rwsem, as a consumer may have come meanwhile.
        """
        self._registry.replay()
        uprobe = self._registry.found(function)
        if (
            not self._ask_removal
            or not child[function]
            or uprobe == NOBODY
            or not self._uprobes.consumers[uprobe]
        ):
            return
        if self._wanted(function):
            return
        self._uprobes.ref[uprobe] += 1
        yield self._cosimulation.run(cpu, "handler_chain: lock", function)
        if not self._wanted(function):
            child[function] = False
            self.removed += 1
        yield self._cosimulation.run(cpu, "unapply_uprobe: unlock", function, self._install_ps)
        yield from self._registry.put_later(cpu, [uprobe])

    def exec(self, cpu: int, child: Breakpoints) -> Steps:
        """A new program, in which the code is mapped: uprobe_mmap() asks every filter."""
        child[:] = False
        yield self._cosimulation.run(cpu, "exec")
        yield self._cosimulation.run(cpu, steps.BUILD_PROBE_LIST)
        listed = self._registry.build_probe_list()
        child[:] = self._uprobes.wanted_anywhere()
        if listed:
            install_ps = int(child.sum()) * self._install_ps
            yield self._cosimulation.run(cpu, steps.PUT_UPROBE, extra_ps=install_ps)
            yield from self._registry.put_later(cpu, listed)

    def exit(self, child: Breakpoints) -> None:
        """A child is gone."""
        self._alive = [other for other in self._alive if other is not child]

    def register_for_each_vma(self, consumer: Consumer, *, comes: bool) -> int:
        """Ask the filter of a consumer that comes, or all that are left; how many changed."""
        function, changed = consumer.function, 0
        if not self._alive:
            return changed
        wanted = consumer.everywhere if comes else self._wanted(function)
        for child in self._alive:
            if bool(child[function]) != wanted and wanted == comes:
                child[function] = wanted
                changed += 1
        return changed

    def _wanted(self, function: int) -> bool:
        return bool(self._uprobes.wanted_anywhere()[function])
