"""How long a caller waits at least and at most if no reader is in the way: arithmetic on Timing.

Written apart from the engines, which are held to it. Work items, scans and wake-ups are taken to
fit into one jiffy.
"""

from __future__ import annotations

from core.grace.timing import Timing

Bounds = tuple[int, int]
"""(least, most), picoseconds; the most is reached by a call just after a tick."""


def srcu_expedited(timing: Timing, cpus: int) -> Bounds:
    """Two scans of two passes between two work items, then the wake-up."""
    length_ps = 2 * timing.work_ps + 4 * cpus * timing.counter_ps + timing.wakeup_ps
    return length_ps, length_ps


def srcu_not_expedited(timing: Timing) -> Bounds:
    """A timer before the scans, one from the tick that ended it before the callbacks."""
    after = timing.srcu_interval
    return _timer_then(timing, timing.srcu_interval, after + 1)


def srcu_fast(timing: Timing, cpus: int, idle: bool) -> Bounds:
    """The same with a `synchronize_rcu()` from tick to tick in either scan."""
    after = timing.srcu_interval + 1 + 2 * _normal(timing, cpus, idle)
    return _timer_then(timing, timing.srcu_interval, after)


def tasks_trace(timing: Timing, cpus: int, idle: bool) -> Bounds:
    """`synchronize_rcu()`, then two sleeps if whoever ran goes on: an IPI is seen by the second."""
    visits_ps = cpus * timing.visit_ps
    least = _normal(timing, cpus, idle) - 1 + _sleeps(timing)
    extra_ps = 2 * visits_ps + 3 * timing.wakeup_ps
    return least * timing.jiffy_ps + extra_ps, (least + 1) * timing.jiffy_ps + extra_ps


def tasks_trace_back_to_back(timing: Timing, cpus: int, idle: bool) -> Bounds:
    """The kthread sleeps first, and everything else begins with a tick."""
    jiffies = timing.gp_sleep + 1 + _normal(timing, cpus, idle) + _sleeps(timing)
    return jiffies * timing.jiffy_ps, jiffies * timing.jiffy_ps


def _sleeps(timing: Timing) -> int:
    return 2 * timing.init_fract + 3


def _normal(timing: Timing, cpus: int, idle: bool) -> int:
    """Jiffies of a `synchronize_rcu()` that begins just after a tick."""
    return timing.synchronize_rcu_ps(0, cpus, idle) // timing.jiffy_ps


def _timer_then(timing: Timing, jiffies: int, after: int) -> Bounds:
    tail_ps = after * timing.jiffy_ps + timing.work_ps + timing.wakeup_ps
    return jiffies * timing.jiffy_ps + tail_ps, (jiffies + 1) * timing.jiffy_ps + tail_ps
