"""What the engines share: grace periods on record, callers that wait, where the time went."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import simpy

from core.grace.sequence import rcu_seq_snap
from core.grace.timing import Timing

Steps = Generator[simpy.Event, Any, None]
"""The body of a SimPy process, or of a part of one."""


@dataclass(frozen=True)
class Period:
    """A grace period that has ended, times in integer picoseconds.

    `parts` says by kernel function where the time went and sums to its length; `readers` how
    often a reader was found inside.
    """

    begin_ps: int
    end_ps: int
    expedited: bool
    parts: Mapping[str, int]
    readers: int


@dataclass(frozen=True)
class Callback:
    """A function that may be called once the sequence number has reached `seq`."""

    seq: int
    function: Callable[[], None]


def nothing() -> None:
    """Nobody watches."""


class Engine(ABC):
    """What all flavours have in common.

    Attributes: `periods` that have ended, in order; `begun_ps` of the one in progress, or None;
    `latencies` of every `synchronize` that returned, picoseconds from the call to the caller
    running again; `on_begin` and `on_end`, called as a period begins and has ended.
    """

    FAULTS: tuple[str, ...] = ()

    def __init__(self, env: simpy.Environment, timing: Timing, faults: Iterable[str]) -> None:
        self.faults = frozenset(faults)
        if unknown := self.faults.difference(self.FAULTS):
            raise ValueError(f"unknown fault {min(unknown)}; there are {', '.join(self.FAULTS)}")
        self.env = env
        self.timing = timing
        self.periods: list[Period] = []
        self.latencies: list[int] = []
        self.begun_ps: int | None = None
        self.gp_seq = 0
        self._callbacks: list[Callback] = []
        self._parts: dict[str, int] = {}
        self._charged_ps = 0
        self._readers = 0
        self.on_begin: Callable[[], None] = nothing
        self.on_end: Callable[[], None] = nothing

    @abstractmethod
    def synchronize(self) -> simpy.Event:
        """An event that fires when a period that began after now has ended."""

    @abstractmethod
    def call(self, function: Callable[[], None]) -> None:
        """Run `function` after a period that began after now has ended."""

    @property
    def now_ps(self) -> int:
        """Simulated time."""
        return int(self.env.now)

    def _wait(self, call: Callable[[Callable[[], None]], None]) -> simpy.Event:
        """An event for a caller that queues its own wake-up by `call` and sleeps."""
        done, called_ps = self.env.event(), self.now_ps

        def wakeup() -> Steps:
            yield self.env.timeout(self.timing.wakeup_ps)
            self.latencies.append(self.now_ps - called_ps)
            done.succeed()

        def wakeme_after_rcu() -> None:
            self.env.process(wakeup())

        call(wakeme_after_rcu)
        return done

    def _enqueue(self, function: Callable[[], None]) -> int:
        """Queue `function` for after a period that begins after now; that period's number."""
        seq = rcu_seq_snap(self.gp_seq)
        self._callbacks.append(Callback(seq, function))
        return seq

    def _invoke_callbacks(self) -> None:
        ready = [callback for callback in self._callbacks if callback.seq <= self.gp_seq]
        self._callbacks = [callback for callback in self._callbacks if callback.seq > self.gp_seq]
        for callback in ready:
            callback.function()

    def _begin(self) -> None:
        self.on_begin()
        self.begun_ps = self._charged_ps = self.now_ps
        self._parts, self._readers = {}, 0

    def _charge(self, part: str) -> None:
        """Put the time since the last charge down to `part` of the period in progress."""
        passed_ps = self.now_ps - self._charged_ps
        self._charged_ps += passed_ps
        if passed_ps:
            self._parts[part] = self._parts.get(part, 0) + passed_ps

    def _end(self, expedited: bool) -> None:
        assert self.begun_ps is not None
        end_ps = self.now_ps
        period = Period(self.begun_ps, end_ps, expedited, self._parts, self._readers)
        self.periods.append(period)
        self.begun_ps = None
        self.on_end()
