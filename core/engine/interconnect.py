"""The interconnect of one cell: takes the CPUs' hits in, weaves a window, hands times back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.engine.gang import Hits, Served
from core.engine.ring import fill
from core.engine.state import State
from core.engine.weave import start, weave

IntArray = NDArray[np.int64]


class Interconnect:
    """All shared lines of one cell and the hits its CPUs have ahead."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._started = False

    @property
    def line_ops(self) -> int:
        """Operations on shared lines served so far."""
        return int(self._state.totals["line_ops"][0])

    @property
    def transfers(self) -> int:
        """Transfers of lines between cores so far."""
        return int(self._state.totals["transfers"][0])

    def wanted(self, ahead: int) -> IntArray:
        """Further hits that bring every CPU to `ahead`, as far as its ring goes; shape (cpus,)."""
        have = self._state.cpus["filled"] - self._state.cpus["taken"]
        wanted: IntArray = np.clip(min(ahead, self._state.probe.shape[1]) - have, 0, None)
        return wanted

    def accept(self, hits: Hits) -> None:
        """Append hits to every CPU's ring; `hits.counts` comes from `wanted()`."""
        fill(self._state, hits.counts, hits.probe, hits.private_ps)

    def run(self, until_ps: int) -> bool:
        """Weave up to `until_ps`. False: it stopped earlier because a CPU needs more hits."""
        if not self._started:
            start(self._state)
            self._started = True
        self._state.cpus["done"] = 0
        return bool(weave(self._state, until_ps))

    def served(self) -> Served:
        """Completion times of the hits that the last `run` completed."""
        count = self._state.cpus["done"].copy()
        done = [times[:n] for times, n in zip(self._state.done_ps, count, strict=True)]
        return Served(count, np.concatenate(done))
