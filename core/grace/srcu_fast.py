"""SRCU-fast: SRCU whose readers have no barriers, so that the grace period has to supply them.

kernel/rcu/srcutree.c of 6.15 and later, from memory: where SRCU has a barrier between its two sums
there is a whole `synchronize_rcu()`, in every check of every try. Never expedited on its own.
"""

from __future__ import annotations

from collections.abc import Iterable

import simpy

from core.grace.engine import Steps
from core.grace.rcu import Rcu
from core.grace.readers import SrcuReaders
from core.grace.srcu import Srcu
from core.grace.timing import Timing

NORMAL = "synchronize_rcu"


class SrcuFast(Srcu):
    """One srcu_struct with SRCU-fast readers. `idle` says whether any CPU idles; see Timing.

    Its normal periods are those of `rcu`, if it has one: others may keep that busy.
    """

    def __init__(
        self,
        env: simpy.Environment,
        readers: SrcuReaders,
        timing: Timing | None = None,
        faults: Iterable[str] = (),
        idle: bool = False,
    ) -> None:
        super().__init__(env, readers, timing, faults)
        self.idle = idle
        self.rcu: Rcu | None = None

    def _srcu_should_expedite(self) -> bool:
        return False

    def _barrier_between_sums(self) -> Steps:
        if self.rcu is not None:
            yield self.rcu.synchronize()
        else:
            length_ps = self.timing.synchronize_rcu_ps(self.now_ps, self._cpus, self.idle)
            yield self.env.timeout(length_ps)
        self._charge(NORMAL)
