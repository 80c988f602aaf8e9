"""Every stage under stress, and what its writers wait for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st
from stress_cells import MS, STAGE_NAMES, stress_cell

from core.cell import Cell
from core.kernel.flavours import FLAVOURS, rules_of
from core.modelcheck import checks
from core.modelcheck.checks import Violation
from core.outcome import StressOutcome
from core.stress.simulate import simulate_stress
from core.stress.simulation import hit_rules_of
from core.workload import STRESS, Workload

pytestmark = pytest.mark.usefixtures("in_user_space")

ALL = tuple(FLAVOURS)
STRESSED = Workload(attach_threads=4, mmap_threads=1, fork_threads=1, stalls=30)


def outcome(cell: Cell, *faults: str) -> StressOutcome:
    made = simulate_stress(cell, faults).stress
    assert made is not None
    return made


@pytest.mark.parametrize("flavour", ALL)
def test_stress_without_violation(flavour: str) -> None:
    result = simulate_stress(stress_cell(STRESSED, ms=15, cpus=4, probes=100, flavour=flavour))
    assert result.stress is not None
    assert result.hits > 0
    attach, detach = result.stress.attach, result.stress.detach
    assert (attach and attach.count) == (detach and detach.count)
    # Every picosecond of every CPU, writers' and stalls' included.
    assert sum(share.ps for share in result.attribution) == 10 * 15 * MS


@pytest.mark.parametrize(
    ("flavour", "perf_events", "sessions"),
    [("v6.12", True, False), ("v6.13", True, True), ("v6.13", False, False), ("v7.3", True, True)],
)
def test_sessions_are_perf_events_from_6_13(
    flavour: str, perf_events: bool, sessions: bool
) -> None:
    assert hit_rules_of(rules_of(flavour), perf_events).sessions == sessions


def test_stress_with_sessions() -> None:
    workload = replace(STRESSED, attach_kind="perf-event")
    assert outcome(stress_cell(workload, ms=15, cpus=4, probes=4, flavour="v6.13")).firings


@pytest.mark.parametrize("rcu", ["srcu-lite", "srcu-fast", "srcu"])
def test_other_flavours_of_rcu(rcu: str) -> None:
    assert outcome(stress_cell(STRESSED, ms=15, flavour="tasks-trace", rcu=rcu)).firings


@pytest.mark.parametrize(
    ("stage", "one_by_one", "batched"),
    [(0, 0, 0), (2, 0, 0), (3, 0, 0), (5, 8, 8), (6, 8, 1), (7, 8, 1), (8, 8, 1), (10, 16, 2)],
)
def test_waits_of_a_batch(stage: int, one_by_one: int, batched: int) -> None:
    # Eight functions in links of one or in one link; stage 10 waits for two kinds of readers.
    for batch, waits in ((1, one_by_one), (8, batched)):
        workload = Workload(attach_threads=1, consumers=0, batch=batch)
        cell = stress_cell(
            workload, ms=1, cpus=1, probes=8, flavour=STAGE_NAMES[stage], bench="uprobe-nop"
        )
        made = outcome(cell)
        assert (made.grace.count if made.grace else 0) == waits
        assert made.attach is not None
        assert made.detach is not None
        assert (made.attach.count, made.detach.count) == (8 // batch, 8 // batch)


def test_what_stays_attached_is_no_memory_held_by_frees() -> None:
    idle = outcome(stress_cell(Workload(), flavour="srcu-lifetime"))
    assert (idle.unreaped_bytes, idle.grace_periods) == (0, 0)
    # Eight uprobes go in one link, and are freed only after a grace period.
    workload = Workload(attach_threads=1, consumers=0, batch=8)
    batch = outcome(stress_cell(workload, probes=8, bench="uprobe-nop"))
    assert batch.unreaped_bytes == 8 * 256


@pytest.mark.parametrize(
    ("fault", "stage", "check"),
    [
        ("skips-running-holdouts", 8, checks.TOO_SHORT),
        ("no-flip", 5, checks.TOO_SHORT),
        ("free-without-waiting", 3, checks.FREED_UPROBE),
        ("free-without-waiting", 10, checks.FREED_UPROBE),
        ("sync-before-last-nosync", 8, checks.FREED_CONSUMER),
    ],
)
def test_planted_faults_are_caught(fault: str, stage: int, check: str) -> None:
    found = set()
    for seed in range(1, 13):
        cell = busy(stage, seed)
        try:
            simulate_stress(cell, [fault])
        except Violation as violation:
            found.add(violation.check)
            assert outcome(cell).firings
            break
    assert found == {check}


def busy(stage: int, seed: int) -> Cell:
    """Few functions, threads that are often kept inside, and links that come and go."""
    workload = Workload(attach_threads=6, consumers=0, stalls=60)
    changes = {"cpus": 4, "probes": 2, "flavour": STAGE_NAMES[stage]}
    return stress_cell(workload, ms=80, seed=seed, **changes)


@pytest.mark.parametrize(
    ("fault", "flavour", "there_are"),
    [
        ("no-flip", "tasks-trace", "free-.*-holdouts, sync-.*"),
        ("free-without-waiting", "baseline", "none"),
        ("free-without-waiting", "refcount-revamp", "none"),
        (
            "sync-before-last-nosync",
            "lockless-consumers",
            "free-without-waiting, no-flip, one-scan",
        ),
    ],
)
def test_a_fault_that_has_no_place(fault: str, flavour: str, there_are: str) -> None:
    with pytest.raises(ValueError, match=f"no fault {fault} in {flavour}; there are {there_are}$"):
        simulate_stress(stress_cell(flavour=flavour), [fault])


@settings(max_examples=15, deadline=None, print_blob=True)
@example(1, 10, "srcu-uretprobe", 2, STRESSED, STRESS)
@given(
    seed=st.integers(0, 2**32),
    probes=st.integers(1, 12),
    flavour=st.sampled_from(ALL),
    cpus=st.integers(1, 4),
    workload=st.builds(
        Workload,
        attach_threads=st.integers(0, 5),
        mmap_threads=st.integers(0, 2),
        fork_threads=st.integers(0, 2),
        consumers=st.integers(0, 2),
        stalls=st.sampled_from([0, 30, 200]),
    ),
    bench=st.sampled_from([STRESS, STRESS, "uretprobe-multi-nop", "uprobe-nop"]),
)
def test_small_random_workloads(
    seed: int, probes: int, flavour: str, cpus: int, workload: Workload, bench: str
) -> None:
    cell = stress_cell(
        workload, ms=6, seed=seed, probes=probes, flavour=flavour, cpus=cpus, bench=bench
    )
    note(f"seed {seed} of {flavour}: {workload}")
    assert simulate_stress(cell).cell_id == cell.cell_id
