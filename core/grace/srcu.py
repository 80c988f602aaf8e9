"""SRCU's grace periods: kernel/rcu/srcutree.c, function by function.

A scan sees the counters of all CPUs at one moment, that at which its pass over them ends; the
unlocks' pass ends before that of the locks begins. Not modelled: the tree of srcu_nodes, callbacks
by CPU (so a caller is never held to be busy because of its CPU's pending ones), contention on the
locks, srcu_max_nodelay (its limit on work items within a jiffy is above that of a scan), and the
time that functions called back take.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from functools import cached_property
from typing import Any

import simpy

from core.grace.engine import Engine, Steps, nothing
from core.grace.readers import Counts, SrcuReaders
from core.grace.sequence import rcu_seq_end, rcu_seq_set_state, rcu_seq_state
from core.grace.timing import Timing

IDLE, SCAN1, SCAN2 = range(3)

Check = Generator[simpy.Event, Any, bool]
"""Steps that end in an answer."""

DELAY = "queue_delayed_work"
SCAN = "srcu_readers_active_idx_check"
RETRY = "udelay"


class Srcu(Engine):
    """One srcu_struct. `srcu_idx` is the index that readers who enter now use, 0 or 1.

    `flips_ps` are the times at which it changed: a reader who loads it then gets the new one.
    `on_flip` is called right before it changes.
    """

    FAULTS = ("one-scan", "no-flip")

    def __init__(
        self,
        env: simpy.Environment,
        readers: SrcuReaders,
        timing: Timing | None = None,
        faults: Iterable[str] = (),
    ) -> None:
        super().__init__(env, timing or Timing(), faults)
        self.readers = readers
        self.srcu_idx = 0
        self.flips_ps: list[int] = []
        self.on_flip: Callable[[], None] = nothing
        self._seq_needed = self._seq_needed_exp = 0
        # Nothing was waited for lately when the simulation begins.
        self._last_gp_end_ps = int(env.now) - self.timing.exp_holdoff_ps
        self._gp_start_jiffies = 0
        self._n_exp_nodelay = 0
        self._queued = False
        self._work = env.event()
        env.process(self._worker())

    def synchronize(self) -> simpy.Event:
        """synchronize_srcu(): fires when a period that began after now has ended."""
        do_norm = not self._srcu_should_expedite()
        return self._wait(lambda wakeme: self._call_srcu(wakeme, do_norm))

    def call(self, function: Callable[[], None]) -> None:
        """call_srcu(): `function` runs after such a period, which it does not expedite."""
        self._call_srcu(function, do_norm=True)

    def _srcu_should_expedite(self) -> bool:
        if self.now_ps < self._last_gp_end_ps + self.timing.exp_holdoff_ps:
            return False
        return self.gp_seq >= self._seq_needed

    def _call_srcu(self, function: Callable[[], None], do_norm: bool) -> None:
        self._srcu_funnel_gp_start(self._enqueue(function), do_norm)

    def _srcu_funnel_gp_start(self, seq: int, do_norm: bool) -> None:
        self._seq_needed = max(self._seq_needed, seq)
        if not do_norm:
            self._seq_needed_exp = max(self._seq_needed_exp, seq)
        if rcu_seq_state(self.gp_seq) == IDLE:
            self._srcu_gp_start()
            self._queue_delayed_work(min(self._srcu_get_delay(), 1))

    def _srcu_gp_start(self) -> None:
        self._gp_start_jiffies = self.timing.jiffies(self.now_ps)
        self._n_exp_nodelay = 0
        self.gp_seq = rcu_seq_set_state(self.gp_seq, SCAN1)
        self._begin()

    def _srcu_gp_is_expedited(self) -> bool:
        return self.gp_seq < self._seq_needed_exp

    def _srcu_get_delay(self) -> int:
        """Jiffies until the next try; 0 if expedited, unless that has not helped for long."""
        base = 0 if self._srcu_gp_is_expedited() else self.timing.srcu_interval
        if rcu_seq_state(self.gp_seq) != IDLE:
            base += max(self.timing.jiffies(self.now_ps) - 1 - self._gp_start_jiffies, 0)
            if not base:
                self._n_exp_nodelay += 1
                if self._n_exp_nodelay > self.timing.max_nodelay_phase:
                    base = 1
        return min(base, self.timing.srcu_max_interval)

    def _queue_delayed_work(self, jiffies: int) -> None:
        """Has the worker run process_srcu once; of no effect while that is pending."""
        if not self._queued:
            self._queued = True
            self.env.process(self._expire(jiffies))

    def _expire(self, jiffies: int) -> Steps:
        if jiffies:
            yield self.env.timeout(self.timing.timer_ps(self.now_ps, jiffies))
        yield self.env.timeout(self.timing.work_ps)
        self._work.succeed()

    def _worker(self) -> Steps:
        while True:
            yield self._work
            self._work, self._queued = self.env.event(), False
            yield from self._process_srcu()

    def _process_srcu(self) -> Steps:
        yield from self._srcu_advance_state()
        self._srcu_reschedule(self._srcu_get_delay())

    def _srcu_reschedule(self, delay: int) -> None:
        if self.gp_seq >= self._seq_needed:
            return
        if rcu_seq_state(self.gp_seq) == IDLE:
            self._srcu_gp_start()
        self._queue_delayed_work(delay)

    def _srcu_advance_state(self) -> Steps:
        if rcu_seq_state(self.gp_seq) == IDLE:
            if self.gp_seq >= self._seq_needed:
                return
            self._srcu_gp_start()
        self._charge(DELAY)
        if rcu_seq_state(self.gp_seq) == SCAN1:
            if "one-scan" not in self.faults:
                zero = yield from self._try_check_zero(1 - self.srcu_idx, 1)
                if not zero:
                    return
            self._srcu_flip()
            self.gp_seq = rcu_seq_set_state(self.gp_seq, SCAN2)
            self._n_exp_nodelay = 0
        zero = yield from self._try_check_zero(1 - self.srcu_idx, 2)
        if zero:
            self._n_exp_nodelay = 0
            self._srcu_gp_end()

    def _srcu_flip(self) -> None:
        if "no-flip" not in self.faults:
            self.on_flip()
            self.srcu_idx = 1 - self.srcu_idx
            self.flips_ps.append(self.now_ps)

    def _try_check_zero(self, idx: int, trycount: int) -> Check:
        """Whether the readers of `idx` are gone, looked at so many times or once more."""
        more = int(self._srcu_get_delay() == 0)
        while True:
            zero = yield from self._srcu_readers_active_idx_check(idx)
            if zero:
                return True
            self._readers += 1
            trycount -= 1
            if trycount + more <= 0:
                return False
            yield self.env.timeout(self.timing.retry_check_delay_ps)
            self._charge(RETRY)

    def _srcu_readers_active_idx_check(self, idx: int) -> Check:
        yield self.env.timeout(self._cpus * self.timing.counter_ps)
        unlocks = self._sum(self.readers.counters()[1], idx)
        self._charge(SCAN)
        yield from self._barrier_between_sums()
        yield self.env.timeout(self._cpus * self.timing.counter_ps)
        locks = self._sum(self.readers.counters()[0], idx)
        self._charge(SCAN)
        return locks == unlocks

    @cached_property
    def _cpus(self) -> int:
        return int(self.readers.counters()[0].shape[1])

    @staticmethod
    def _sum(counts: Counts, idx: int) -> int:
        return int(counts[idx].sum())

    def _barrier_between_sums(self) -> Steps:
        """smp_mb(), barrier A: no time."""
        yield from ()

    def _srcu_gp_end(self) -> None:
        expedited = self._srcu_gp_is_expedited()
        self._last_gp_end_ps = self.now_ps
        self.gp_seq = rcu_seq_end(self.gp_seq)
        self._seq_needed_exp = max(self._seq_needed_exp, self.gp_seq)
        self._end(expedited)
        self.env.process(self._srcu_invoke_callbacks(0 if expedited else 1))
        if self.gp_seq < self._seq_needed:
            self._srcu_gp_start()
            self._srcu_reschedule(0)

    def _srcu_invoke_callbacks(self, delay: int) -> Steps:
        if delay:
            yield self.env.timeout(self.timing.timer_ps(self.now_ps, delay))
        yield self.env.timeout(self.timing.work_ps)
        self._invoke_callbacks()
