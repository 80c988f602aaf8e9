"""Traces of cells with writers are schedules of the model checker, at every stage."""

from __future__ import annotations

import pytest
from differential import DifferenceError, Follower, follow
from stress_cells import MS, STAGE_NAMES, stress_cell

from core.modelcheck.checks import Violation
from core.stress.registry import Registry
from core.workload import Workload

pytestmark = pytest.mark.usefixtures("in_user_space")


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads call one function at a time, links come and go fast, and leases expire."""
    monkeypatch.setattr("core.stress.simulation.MAX_DEPTH", 1)
    monkeypatch.setattr("core.stress.tasks.MAX_SLEEP_PS", 10**8)
    monkeypatch.setattr("core.stress.actors.RI_TIMER_PS", 10**9)


def followed(stage: int, workload: Workload, probes: int) -> Follower:
    return follow(stress_cell(workload, ms=1, probes=probes, flavour=STAGE_NAMES[stage]))


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_links_come_and_go(monkeypatch: pytest.MonkeyPatch, stage: int) -> None:
    # Hits go on when the links are gone.
    monkeypatch.setattr("core.stress.simulation.STRIDE_PS", 50 * MS)
    counts = followed(stage, Workload(attach_threads=3, consumers=1), 2).counts
    assert min(counts["consumer_add"], counts["consumer_del"], counts["hits"] // 100) >= 2


@pytest.mark.parametrize("stage", [0, 2, 3, 6, 10])
def test_the_last_reference_goes_and_the_code_is_mapped(stage: int) -> None:
    counts = followed(stage, Workload(attach_threads=2, mmap_threads=1, consumers=0), 1).counts
    assert counts["delete_uprobe"] + counts["callbacks"]
    assert counts["build_probe_list"]


def test_leases_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.stress.actors.RI_TIMER_PS", 3 * 10**7)
    # Of two functions every other one has its consumer at the return.
    counts = follow(stress_cell(Workload(), ms=1, probes=2, flavour=STAGE_NAMES[10])).counts
    assert counts["hprobe_expire: try_cmpxchg"]


def test_an_uprobe_that_is_freed_at_once_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Registry.__init__

    def freeing(*arguments: object, **keywords: object) -> None:
        made(*arguments, **{**keywords, "free_at_once": True})

    monkeypatch.setattr(Registry, "__init__", freeing)
    with pytest.raises(DifferenceError, match="cannot get to"):
        followed(7, Workload(attach_threads=2, consumers=0), 1)


def test_a_reference_that_is_not_dropped_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    put = Registry.put_later

    def keeping(self: Registry, cpu: int, uprobes: list[int]) -> object:
        self._uprobes.ref[uprobes] += 1
        return put(self, cpu, uprobes)

    monkeypatch.setattr(Registry, "put_later", keeping)
    with pytest.raises((DifferenceError, Violation), match="references"):
        followed(2, Workload(attach_threads=2, consumers=0), 1)
