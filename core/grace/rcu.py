"""Normal RCU grace periods, and `rcu_sync`, which spares callers that come closely spaced.

kernel/rcu/tree.c, kernel/rcu/sync.c and kernel/locking/percpu-rwsem.c. Not modelled: readers of
RCU, which last no tick.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import simpy

from core.grace.engine import Engine, Period, Steps
from core.grace.timing import Timing

IDLE, ENTER, PASSED, EXIT, REPLAY = range(5)
"""GP_IDLE to GP_REPLAY of kernel/rcu/sync.c."""


class Rcu(Engine):
    """The normal grace periods of a machine, one at a time. `idle`: some CPU idles, as that of who
    waits does.

    A period begins with the tick after its first callback, or as the one in progress ends; what is
    asked for during a period waits for the next. How long one takes: `Timing.synchronize_rcu_ps`.
    """

    def __init__(
        self, env: simpy.Environment, cpus: int, timing: Timing | None = None, idle: bool = True
    ) -> None:
        super().__init__(env, timing or Timing(), ())
        jiffies = self.timing.till_force_qs(cpus) + 1 if idle else 2
        self._length_ps = jiffies * self.timing.jiffy_ps
        self._start_ps = self._end_ps = -1
        """Of the last period that was asked for."""

    def synchronize(self) -> simpy.Event:
        """Fires when a period that began after now has ended."""
        return self._wait(self.call)

    def call(self, function: Callable[[], None]) -> None:
        """call_rcu(): `function` runs a tick after the end of a period that begins after now."""
        now_ps, jiffy_ps = self.now_ps, self.timing.jiffy_ps
        if now_ps >= self._start_ps:
            tick_ps = (self.timing.jiffies(now_ps) + 1) * jiffy_ps
            self._start_ps = self._end_ps if now_ps < self._end_ps else tick_ps
            self._end_ps = self._start_ps + self._length_ps
            parts = {"synchronize_rcu": self._length_ps}
            self.periods.append(Period(self._start_ps, self._end_ps, False, parts, 0))
        self.env.process(self._callback(function, self._end_ps + jiffy_ps - now_ps))

    def _callback(self, function: Callable[[], None], after_ps: int) -> Steps:
        yield self.env.timeout(after_ps)
        function()


class RcuSync:
    """Who enters an idle one waits for a period of `rcu`; it is idle a period after the last exit.

    `waits` counts those periods.
    """

    def __init__(self, rcu: Rcu) -> None:
        self.waits = 0
        self._rcu = rcu
        self._state = IDLE
        self._inside = 0
        self._passed = rcu.env.event()

    def enter(self) -> Steps:
        """rcu_sync_enter()."""
        self._inside += 1
        if self._state == IDLE:
            self._state, self._passed = ENTER, self._rcu.env.event()
            self.waits += 1
            yield self._rcu.synchronize()
            self._state = PASSED
            self._passed.succeed()
        elif self._state == ENTER:
            yield self._passed

    def exit(self) -> None:
        """rcu_sync_exit()."""
        self._inside -= 1
        if self._inside:
            return
        if self._state == PASSED:
            self._state = EXIT
            self._rcu.call(self._func)
        elif self._state == EXIT:
            self._state = REPLAY

    def _func(self) -> None:
        """rcu_sync_func(), after the period that an exit asked for."""
        if self._inside:
            self._state = PASSED
        elif self._state == REPLAY:
            self._state = EXIT
            self._rcu.call(self._func)
        else:
            self._state = IDLE


class PercpuRwsem:
    """`struct percpu_rw_semaphore`: readers for free, a writer by way of `rss`. First come, first
    served."""

    def __init__(self, rcu: Rcu) -> None:
        self.rss = RcuSync(rcu)
        self._env = rcu.env
        self._readers = 0
        self._written = False
        self._queue: deque[tuple[simpy.Event, bool]] = deque()

    def down_write(self) -> Steps:
        """percpu_down_write()."""
        yield from self.rss.enter()
        if self._written or self._readers or self._queue:
            yield self._queued(True)
        else:
            self._written = True

    def up_write(self) -> None:
        """percpu_up_write()."""
        self._written = False
        self._let_in()
        self.rss.exit()

    def down_read(self) -> Steps:
        """percpu_down_read()."""
        if self._written or self._queue:
            yield self._queued(False)
        else:
            self._readers += 1

    def up_read(self) -> None:
        """percpu_up_read()."""
        self._readers -= 1
        self._let_in()

    def _queued(self, writes: bool) -> simpy.Event:
        turn = self._env.event()
        self._queue.append((turn, writes))
        return turn

    def _let_in(self) -> None:
        while self._queue and not self._written:
            turn, writes = self._queue[0]
            if writes and self._readers:
                return
            self._queue.popleft()
            self._written = writes
            self._readers += not writes
            turn.succeed()
