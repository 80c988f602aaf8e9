"""However many groups the threads of a cell live in, its results are the same bit for bit."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from stress_cells import stress_cell

from core.cell import CellResult
from core.stress.simulate import simulate_stress
from core.stress.threads import RemoteThreads, ThreadGroup
from core.workload import Workload

pytestmark = pytest.mark.usefixtures("in_user_space")

WORKLOAD = Workload(attach_threads=4, mmap_threads=1, fork_threads=1, stalls=40)


class Remote:
    """Groups that only get and give copies, as actors do, and whose calls are counted."""

    def __init__(self, groups: int) -> None:
        self._groups = [ThreadGroup() for _ in range(groups)]
        self.calls: list[Counter[str]] = [Counter() for _ in range(groups)]

    def each(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        answers = []
        for group, calls, given in zip(self._groups, self.calls, arguments, strict=True):
            calls[method] += 1
            answers.append(getattr(group, method)(*pickle.loads(pickle.dumps(given))))
        return list(pickle.loads(pickle.dumps(answers)))


def same(one: CellResult, other: CellResult) -> bool:
    return (
        one.hits_per_sample.tolist() == other.hits_per_sample.tolist()
        and one.line_ops == other.line_ops
        and one.attribution == other.attribution
        and one.stress == other.stress
    )


@pytest.mark.parametrize("flavour", ["refcount-revamp", "srcu-uretprobe"])
def test_groups_change_nothing(flavour: str) -> None:
    cell = stress_cell(WORKLOAD, ms=16, cpus=3, flavour=flavour)
    alone = simulate_stress(cell)
    assert alone.stress is not None
    assert alone.stress.attach is not None
    for size, groups in ((3, 1), (2, 2), (1, 3)):
        remote = Remote(groups)
        assert same(simulate_stress(cell, threads=RemoteThreads(remote.each, size)), alone)
        for calls in remote.calls:
            assert calls["reset"] == 1
            # One call a replay; the first look is before anybody has begun.
            assert calls["replay"] == remote.calls[0]["replay"] >= alone.stress.windows
