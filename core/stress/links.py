"""How probes are attached and detached: by one uprobe_multi link, or each by a perf event.

kernel/trace/bpf_trace.c, kernel/trace/trace_event_perf.c. Not modelled: what opening a perf event
and loading a program take; the references that keep a program alive elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import simpy

from core.grace.engine import Engine
from core.kernel.perf_events import Wait, perf_event_waits
from core.stress.kernel import Kernel
from core.stress.registry import Steps
from core.stress.uprobes import Consumer


class Links:
    """Links of one cell, all of one kind; `engines` are what perf events wait for."""

    def __init__(self, kernel: Kernel, kind: str, engines: Mapping[Wait, Engine]) -> None:
        self._kernel = kernel
        self._multi = kind == "multi"
        self._engines = engines
        self._after = perf_event_waits(kernel.rules)
        self._event_mutex = simpy.Resource(kernel.cosimulation.env)

    def attach(self, cpu: int, link: Sequence[Consumer]) -> Steps:
        """Register all consumers of a link, or of so many perf events one after the other."""
        for consumer in link:
            if self._multi:
                yield from self._kernel.uprobe_register(cpu, consumer)
                continue
            with self._event_mutex.request() as turn:
                yield turn
                yield from self._kernel.uprobe_register(cpu, consumer)

    def detach(self, cpu: int, link: Sequence[Consumer]) -> Steps:
        """Unregister and free them; a perf event also waits for its program and its tracepoint."""
        if self._multi:
            yield from self._kernel.unregister_batch(cpu, link)
            return
        for consumer in link:
            yield from self._wait("program", self._after.program)
            with self._event_mutex.request() as turn:
                yield turn
                yield from self._kernel.unregister_batch(cpu, [consumer])
                yield from self._wait("tracepoint", self._after.tracepoint)

    def _wait(self, cause: str, waits: Sequence[Wait]) -> Steps:
        for wait in waits:
            self._kernel.waits[cause] += 1
            yield self._engines[wait].synchronize()
