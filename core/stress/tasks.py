"""What the threads beside those that hit do all the time: uprobe-stress's, and the batch's."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.stress.children import Breakpoints
from core.stress.kernel import Kernel
from core.stress.links import Links
from core.stress.registry import Steps
from core.stress.uprobes import Consumer
from core.workload import MAX_LINKS, MAX_MAPPINGS, MAX_SLEEP_PS, MOST_PROBES


@dataclass
class Latencies:
    """How long each attach and detach of a link took, in ps, from call to return."""

    attach: list[int] = field(default_factory=list)
    detach: list[int] = field(default_factory=list)
    first_ps: int | None = None
    last_ps: int = 0

    def detached(self, began_ps: int, ended_ps: int) -> None:
        """Note a detach."""
        self.detach.append(ended_ps - began_ps)
        self.first_ps = began_ps if self.first_ps is None else min(self.first_ps, began_ps)
        self.last_ps = ended_ps

    @property
    def detach_total_ps(self) -> int:
        """From the begin of the first detach to the end of the last; 0 without any."""
        return 0 if self.first_ps is None else self.last_ps - self.first_ps

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.attach) + len(self.detach)


@dataclass
class Task:
    """One thread: the CPU it has for itself, its random numbers, when it is to stop."""

    kernel: Kernel
    links: Links
    cpu: int
    random: np.random.Generator
    latencies: Latencies
    until_ps: int

    def attach_and_detach(self, at_return: bool | None = None) -> Steps:
        """uprobe-stress: attach, detach a random link, or sleep; at the end, detach everything.

        `at_return` None: half of the links are at the return.
        """
        links: list[list[Consumer]] = []
        while self._now < self.until_ps:
            match int(self.random.integers(3)):
                case 0 if len(links) < MAX_LINKS:
                    link = self._random_link(at_return)
                    yield from self._attach(link)
                    links.append(link)
                case 1 if links:
                    yield from self._detach(links.pop(int(self.random.integers(len(links)))))
                case _:
                    yield from self._sleep()
        while links:
            yield from self._detach(links.pop())

    def attach_all_then_detach(self, functions: int, batch: int, at_return: bool) -> Steps:
        """Attach every function, `batch` of them a link, then detach link after link."""
        links = []
        for first in range(0, functions, batch):
            of_link = range(first, min(first + batch, functions))
            links.append([self.kernel.uprobes.consumer(f, at_return) for f in of_link])
            yield from self._attach(links[-1])
        for link in links:
            yield from self._detach(link)

    def map_and_unmap(self) -> Steps:
        """Map the code once more, take such a mapping away, or sleep."""
        mappings = 0
        while self._now < self.until_ps:
            match int(self.random.integers(3)):
                case 0 if mappings < MAX_MAPPINGS:
                    yield from self.kernel.mmap(self.cpu)
                    mappings += 1
                case 1 if mappings:
                    yield from self.kernel.munmap(self.cpu)
                    mappings -= 1
                case _:
                    yield from self._sleep()
        for _ in range(mappings):
            yield from self.kernel.munmap(self.cpu)

    def fork_and_exec(self) -> Steps:
        """Fork, call a function and exec, reap a child, or sleep."""
        children: list[Breakpoints] = []
        functions = self.kernel.uprobes.functions
        while self._now < self.until_ps:
            match int(self.random.integers(3)):
                case 0 if len(children) < MAX_MAPPINGS:
                    function = int(self.random.integers(functions))
                    child = yield from self.kernel.fork(self.cpu, function)
                    children.append(child)
                case 1 if children:
                    yield from self.kernel.exit(self.cpu, children.pop(0))
                case _:
                    yield from self._sleep()
        for child in children:
            yield from self.kernel.exit(self.cpu, child)

    @property
    def _now(self) -> int:
        return self.kernel.cosimulation.now_ps

    def _random_link(self, at_return: bool | None) -> list[Consumer]:
        """0 to 9 random functions that have room; half of the links are for any process."""
        uprobes = self.kernel.uprobes
        number = min(int(self.random.integers(MOST_PROBES + 1)), uprobes.functions)
        coin, everywhere = self.random.integers(2, size=2).astype(bool).tolist()
        at_return = coin if at_return is None else at_return
        chosen = self.random.choice(uprobes.functions, size=number, replace=False).tolist()
        return [uprobes.consumer(f, at_return, everywhere) for f in chosen if uprobes.room(f)]

    def _attach(self, link: list[Consumer]) -> Steps:
        began = self._now
        yield from self.links.attach(self.cpu, link)
        if link:
            self.latencies.attach.append(self._now - began)

    def _detach(self, link: list[Consumer]) -> Steps:
        began = self._now
        yield from self.links.detach(self.cpu, link)
        if link:
            self.latencies.detached(began, self._now)

    def _sleep(self) -> Steps:
        yield self.kernel.cosimulation.env.timeout(int(self.random.integers(1, MAX_SLEEP_PS)))
