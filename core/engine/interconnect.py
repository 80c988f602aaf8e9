"""The interconnect of one cell: takes the CPUs' hits in, weaves a window, hands times back."""

from __future__ import annotations

import numpy as np

from core.arrays import IntArray
from core.engine.attribution import settle
from core.engine.cpu_hosts import Hits, Served
from core.engine.events import next_time
from core.engine.pipeline import start
from core.engine.ring import done, fill
from core.engine.state import State
from core.engine.weave import weave
from core.kernel.layout import NOWHERE


class Interconnect:
    """All shared lines of one cell and the hits its CPUs have ahead."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._started = False

    @property
    def cpus(self) -> int:
        """Number of CPUs."""
        return int(self._state.cpus.size)

    @property
    def line_ops(self) -> int:
        """Operations on shared lines served so far."""
        return int(self._state.totals["line_ops"][0])

    def spent(self, now_ps: int) -> IntArray:
        """Time of all CPUs since the last call, up to `now_ps`, shape (operations, 8), ps.

        `now_ps` is where the last `run` ended. See `core.engine.shares` for the columns.
        """
        settle(self._state, now_ps)
        spent = self._state.spent.copy()
        self._state.spent[:] = 0
        return spent

    @property
    def events(self) -> int:
        """Events played so far: what an operation costs, whatever the speed of the machine."""
        return int(self._state.totals["events"][0])

    @property
    def transfers(self) -> int:
        """How often a line got a new owner so far."""
        state = self._state
        code = state.code[state.code["line"] != NOWHERE, None, None]
        probe = np.arange(state.probes.laid_out[0])[:, None]
        process = np.arange(state.cpus["process"].max() + 1)
        reached = code["line"] + code["step"] * probe + code["stride"] * process
        return int((state.lines["epoch"][np.unique(reached)] - 1).sum())

    @property
    def next_event_ps(self) -> int:
        """When something happens next."""
        return int(next_time(self._state.events))

    def wanted(self, ahead: int | IntArray) -> IntArray:
        """Further hits that bring every CPU to `ahead`, as far as its ring goes; shape (cpus,)."""
        wanted = np.minimum(ahead, self._state.probe.shape[0]) - self.ahead
        return np.maximum(wanted, 0)

    @property
    def ahead(self) -> IntArray:
        """Hits that each CPU has ahead, shape (cpus,)."""
        ahead: IntArray = self._state.cpus["filled"] - self._state.cpus["taken"]
        return ahead

    @property
    def taken(self) -> IntArray:
        """Hits that each CPU has begun so far, shape (cpus,)."""
        taken: IntArray = self._state.cpus["taken"]
        return taken

    def accept(self, hits: Hits) -> None:
        """Append hits to every CPU's ring, for a new window; `hits.counts` is `wanted()`."""
        self._state.cpus["done"] = 0
        fill(self._state, hits.counts, hits.probe, hits.private_ps)

    def run(self, until_ps: int) -> bool:
        """Weave up to `until_ps`. False: it stopped earlier because a CPU needs more hits.

        Raises ValueError beyond the horizon of its events.
        """
        if until_ps > (horizon := self._state.events.horizon):
            raise ValueError(f"{self.cpus} CPUs can be simulated for {horizon} ps, not {until_ps}")
        if not self._started:
            start(self._state)
            self._started = True
        return bool(weave(self._state, until_ps))

    def served(self) -> Served:
        """Completion times of the hits that were completed since the last `accept`."""
        count = self._state.cpus["done"].astype(np.int64)
        done_ps = np.empty(count.sum(), dtype=np.int64)
        done(self._state, done_ps)
        return Served(count, done_ps)
