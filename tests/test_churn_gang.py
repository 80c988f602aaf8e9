"""However many groups the threads of a cell live in, its results are the same bit for bit."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import pytest
from churn_cells import churn_cell

from core.churn.records import Seen, View
from core.churn.simulate import simulate_churn
from core.churn.threads import JoinedGang, ThreadGroup, Trigger, Where
from core.churn.workload import Workload
from core.engine.cell import CellResult
from core.engine.gang import Hits

WORKLOAD = Workload(attach_threads=4, mmap_threads=1, fork_threads=1, stalls=40)


class Remote:
    """A group that only gets and gives copies, as an actor does, and counts its calls."""

    def __init__(self) -> None:
        self._group = ThreadGroup()
        self.calls = {"reset": 0, "fold": 0, "expire": 0, "draw": 0}

    def reset(self, triggers: Sequence[Trigger]) -> None:
        self._over("reset", triggers)

    def fold(self, view: View, where: Where) -> Seen:
        seen: Seen = self._over("fold", view, where)
        return seen

    def expire(self, view: View) -> Seen:
        seen: Seen = self._over("expire", view)
        return seen

    def draw(self, wanted: Any, *, finish: bool = False) -> Hits:
        hits: Hits = self._over("draw", wanted, finish=finish)
        return hits

    def _over(self, name: str, *args: Any, **options: Any) -> Any:
        self.calls[name] += 1
        answer = getattr(self._group, name)(*pickle.loads(pickle.dumps(args)), **options)
        return pickle.loads(pickle.dumps(answer))


def same(one: CellResult, other: CellResult) -> bool:
    return (
        one.hits_per_sample.tolist() == other.hits_per_sample.tolist()
        and one.line_ops == other.line_ops
        and one.attribution == other.attribution
        and one.churn == other.churn
    )


@pytest.mark.parametrize("flavour", ["refcount-revamp", "srcu-uretprobe"])
def test_groups_change_nothing(flavour: str) -> None:
    cell = churn_cell(WORKLOAD, ms=20, cpus=5, flavour=flavour)
    alone = simulate_churn(cell)
    assert alone.churn is not None
    assert alone.churn.attach is not None
    for sizes in ([5], [2, 3], [1] * 5):
        gangs = [Remote() for _ in sizes]
        assert same(simulate_churn(cell, gang=JoinedGang(gangs, sizes)), alone)
        for gang in gangs:
            assert gang.calls["reset"] == 1
            # One call a fold; the first look is before anybody has begun.
            assert gang.calls["fold"] == gangs[0].calls["fold"] >= alone.churn.windows
