"""RCU Tasks Trace's grace periods: kernel/rcu/tasks.h, function by function.

One kthread and one list of callbacks. Not modelled: exiting tasks, CPU hotplug, the CPU time of the
kthread (nobody is displaced by it), and the time that functions called back take. All IPIs of one
look at the holdouts are handled at one moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

import simpy

from core.grace.engine import Engine, Steps
from core.grace.holdouts import Holdouts, Look
from core.grace.rcu import Rcu
from core.grace.readers import Flags, TraceReaders
from core.grace.sequence import rcu_seq_end
from core.grace.timing import Timing

PREGP = "rcu_tasks_trace_pregp_step"
NORMAL = "synchronize_rcu"
SLEEP = "schedule_timeout_idle"
CHECK = "check_all_holdout_tasks_trace"

URGENT_GPS = 3
"""Periods that a caller in a hurry gets the kthread to begin without laziness: 6.12."""


class TasksTrace(Engine):
    """The one RCU Tasks Trace of a kernel. Its normal periods are those of `rcu`, if it has one:
    others may keep that busy."""

    FAULTS = ("skips-running-holdouts",)

    def __init__(
        self,
        env: simpy.Environment,
        readers: TraceReaders,
        timing: Timing | None = None,
        faults: Iterable[str] = (),
    ) -> None:
        super().__init__(env, timing or Timing(), faults)
        self.readers = readers
        self.rcu: Rcu | None = None
        self._cbs_wait = env.event()
        self._urgent_gp = 0
        self._lazy_timer = False
        env.process(self._rcu_tasks_kthread())

    def synchronize(self) -> simpy.Event:
        """synchronize_rcu_tasks_trace(): fires when a period that began after now has ended."""
        return self._wait(lambda wakeme: self._call_rcu_tasks_generic(wakeme, needwake=True))

    def call(self, function: Callable[[], None]) -> None:
        """call_rcu_tasks_trace(): `function` runs after such a period, which may be put off.

        Up to `Timing.lazy_jiffies`, unless somebody synchronizes or many callbacks wait.
        """
        needwake = len(self._callbacks) == self.timing.lazy_limit
        self._call_rcu_tasks_generic(function, needwake)

    def _call_rcu_tasks_generic(self, function: Callable[[], None], needwake: bool) -> None:
        if not needwake and not self._lazy_timer:
            if self.timing.lazy_jiffies:
                self._lazy_timer = True
                self.env.process(self._call_rcu_tasks_generic_timer())
            else:
                needwake = True
        if needwake:
            self._urgent_gp = URGENT_GPS
        self._enqueue(function)
        if needwake:
            self._wake_kthread()

    def _call_rcu_tasks_generic_timer(self) -> Steps:
        yield self.env.timeout(self.timing.timer_ps(self.now_ps, self.timing.lazy_jiffies))
        self._lazy_timer = False
        if self._callbacks:
            self._urgent_gp = max(self._urgent_gp, 1)
            self._wake_kthread()

    def _wake_kthread(self) -> None:
        if not self._cbs_wait.triggered:
            self._cbs_wait.succeed()

    def _rcu_tasks_kthread(self) -> Steps:
        while True:
            yield from self._rcu_tasks_one_gp()
            yield from self._schedule_timeout_idle(self.timing.gp_sleep)

    def _rcu_tasks_one_gp(self) -> Steps:
        while not self._rcu_tasks_need_gpcb():
            self._cbs_wait = self.env.event()
            yield self._cbs_wait
            yield self.env.timeout(self.timing.wakeup_ps)
        self._begin()
        self.gp_seq += 1
        yield from self._rcu_tasks_wait_gp()
        self.gp_seq = rcu_seq_end(self.gp_seq)
        self._end(expedited=False)
        self._invoke_callbacks()

    def _rcu_tasks_need_gpcb(self) -> bool:
        if not self._callbacks:
            self._urgent_gp = 0
        if self._urgent_gp == 0:
            return False
        if self.timing.lazy_jiffies:
            self._urgent_gp -= 1
        return True

    def _rcu_tasks_wait_gp(self) -> Steps:
        yield self.env.timeout(self._cpus * self.timing.visit_ps)
        look = Look.at(self.readers)
        holdouts = Holdouts(look, "skips-running-holdouts" in self.faults)
        self._charge(PREGP)
        idle = not look.running[0].all()
        if self.rcu is not None:
            yield self.rcu.synchronize()
        else:
            yield self.env.timeout(self.timing.synchronize_rcu_ps(self.now_ps, self._cpus, idle))
        self._charge(NORMAL)
        fract = self.timing.init_fract
        while holdouts:
            yield from self._schedule_timeout_idle(fract)
            self._charge(SLEEP)
            if fract < self.timing.hz:
                fract += 1
            yield from self._check_all_holdout_tasks_trace(holdouts)
            self._charge(CHECK)
        self._readers = holdouts.marks

    @cached_property
    def _cpus(self) -> int:
        return len(self.readers.running())

    def _schedule_timeout_idle(self, jiffies: int) -> Steps:
        yield self.env.timeout(self.timing.timer_ps(self.now_ps, jiffies))
        yield self.env.timeout(self.timing.wakeup_ps)

    def _check_all_holdout_tasks_trace(self, holdouts: Holdouts) -> Steps:
        yield self.env.timeout(len(holdouts) * self.timing.visit_ps)
        ipis = holdouts.check_all(Look.at(self.readers))
        if ipis.any():
            self.env.process(self._trc_read_check_handler(holdouts, ipis))

    def _trc_read_check_handler(self, holdouts: Holdouts, ipis: Flags) -> Steps:
        yield self.env.timeout(self.timing.ipi_ps)
        holdouts.trc_read_check_handler(ipis, Look.at(self.readers))
