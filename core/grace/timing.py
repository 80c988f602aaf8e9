"""What the parts of a grace period last, and the clock of ticks that paces them."""

from __future__ import annotations

from dataclasses import dataclass

US = 10**6
SECOND = 10**12


@dataclass(frozen=True)
class Timing:
    """Every duration of the engines. Times are integer picoseconds, delays of timers jiffies.

    `hz` is the kernel's CONFIG_HZ. The default is 1000: with it HZ/200 is the 5 ms between two
    looks at Tasks Trace's holdouts that are published; 250 would make them 4 ms, 100 10 ms.

    Sources: "6.1" is kernel/rcu or kernel/time of Linux 6.1, the shape being that of 6.12.
    """

    hz: int = 1000
    """CONFIG_HZ; see above."""
    exp_holdoff_ps: int = 25 * US
    """DEFAULT_SRCU_EXP_HOLDOFF: 6.1, srcutree.c."""
    retry_check_delay_ps: int = 5 * US
    """SRCU_DEFAULT_RETRY_CHECK_DELAY, between two checks of one try: 6.1, srcutree.c."""
    srcu_interval: int = 1
    """SRCU_INTERVAL, jiffies before and after a period that is not expedited: 6.1, srcutree.c."""
    srcu_max_interval: int = 10
    """SRCU_MAX_INTERVAL, jiffies: 6.1, srcutree.c."""
    lazy_jiffies_divisor: int = 4
    """Asynchronous callbacks of Tasks Trace wait HZ/4 for a caller that waits: 6.12, from memory;
    0 for none, as before 6.6."""
    lazy_limit: int = 32
    """rcu_task_lazy_lim, callbacks that end that wait: 6.12, from memory."""
    counter_ps: int = 50_000
    """Reading one CPU's SRCU counter, a line that CPU wrote: 47.5 to 50 ns are published for a
    Skylake server (docs/model.md). An upper bound: loads of several CPUs' lines could overlap."""
    visit_ps: int = 200_000
    """Looking at one CPU's current task or one holdout, its runqueue locked: estimate."""
    ipi_ps: int = 2 * US
    """From sending an IPI until its handler has read the nesting: estimate; a VM may take 10 us."""
    work_ps: int = 3 * US
    """From queueing a work item, or its timer, until it runs: estimate."""
    wakeup_ps: int = 3 * US
    """From waking a task until it runs: estimate."""

    @property
    def jiffy_ps(self) -> int:
        """One jiffy, rounded down to a picosecond."""
        return SECOND // self.hz

    def jiffies(self, now_ps: int) -> int:
        """The kernel's `jiffies` at a time; ticks of all CPUs come together, at multiples."""
        return now_ps // self.jiffy_ps

    def timer_ps(self, now_ps: int, jiffies: int) -> int:
        """How long a timer that is armed now for so many jiffies takes: up to one more.

        The timer wheel must not fire early, so it counts from the next tick on: 6.1,
        kernel/time/timer.c, calc_index().
        """
        return (self.jiffies(now_ps) + jiffies + 1) * self.jiffy_ps - now_ps

    @property
    def max_nodelay_phase(self) -> int:
        """SRCU_DEFAULT_MAX_NODELAY_PHASE: delays of 0 that a scan gets before a jiffy: 6.1."""
        return min(max(2 * SECOND // self.hz // self.retry_check_delay_ps, 3), 1000)

    @property
    def gp_sleep(self) -> int:
        """Jiffies that Tasks Trace's kthread sleeps after a period: 6.1, tasks.h, HZ/200."""
        return max(self.hz // 200, 1)

    @property
    def init_fract(self) -> int:
        """Jiffies before its first look at the holdouts; one more before every next one: 6.1."""
        return max(self.hz // 200, 1)

    @property
    def lazy_jiffies(self) -> int:
        """Jiffies that callbacks may wait for somebody in a hurry; 0 for none."""
        return self.hz // self.lazy_jiffies_divisor if self.lazy_jiffies_divisor else 0

    def till_force_qs(self, cpus: int) -> int:
        """Jiffies until RCU looks for idle CPUs: 6.1, tree.h, RCU_JIFFIES_TILL_FORCE_QS."""
        return 1 + (self.hz > 250) + (self.hz > 500) + cpus // 256

    def synchronize_rcu_ps(self, now_ps: int, cpus: int, idle: bool) -> int:
        """How long a `synchronize_rcu()` takes that begins now and finds RCU with nothing to do.

        The next tick sees the callback and starts the period (rcu_pending). A busy CPU notes it at
        the tick after that and reports at the next one (rcu_check_quiescent_state); an idle CPU
        has to be found by rcu_gp_fqs. One more tick, and the callback runs. 6.1, tree.c.

        Not modelled: a period in progress, which comes on top; CPUs whose ticks find them in the
        kernel, no quiescent state without preemption; offloaded callbacks.
        """
        ticks = self.till_force_qs(cpus) + 1 if idle else 2
        tick = self.jiffies(now_ps) + 1
        return (tick + ticks + 1) * self.jiffy_ps + self.wakeup_ps - now_ps
