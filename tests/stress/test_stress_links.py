"""What attaching and detaching waits for, by kind and release."""

from __future__ import annotations

import pytest
from stress_cells import stress_cell

from core.outcome import StressOutcome
from core.stress.simulate import simulate_stress
from core.workload import Workload


def outcome(flavour: str, probes: int = 1, **changes: object) -> StressOutcome:
    asked: dict[str, object] = {"attach_threads": 1, "consumers": 0, "batch": 50_000, **changes}
    workload = Workload(**asked)  # type: ignore[arg-type]
    cell = stress_cell(workload, bench="uprobe-multi-nop", cpus=0, probes=probes, flavour=flavour)
    made = simulate_stress(cell).stress
    assert made is not None
    return made


def detach_ms(made: StressOutcome) -> float:
    return made.detach_total_ps / 1e9


def test_a_perf_event_of_v613_has_three_periods_of_tasks_trace_one_of_srcu_and_two_of_rcu() -> None:
    # Attached 75 ms before, so that dup_mmap_sem is idle for all but the first attach.
    made = outcome("v6.13", probes=5, attach_kind="perf-event")
    assert made.waits == {"dup_mmap_sem": 6, "unregister": 10, "program": 5, "tracepoint": 10}
    # 25 ms is a period of Tasks Trace back to back; those of SRCU and RCU fall into its sleeps.
    assert 70 <= detach_ms(made) / 5 <= 90


@pytest.mark.parametrize(("flavour", "waits"), [("v6.11", 0), ("v6.12", 1), ("v6.13", 2)])
def test_a_multi_link_of_any_size_waits_once_for_each_kind_of_reader(
    flavour: str, waits: int
) -> None:
    one, many = outcome(flavour), outcome(flavour, probes=20)
    assert one.waits.get("unregister", 0) == many.waits.get("unregister", 0) == waits
    assert one.waits["dup_mmap_sem"] == many.waits["dup_mmap_sem"] == 1
    assert detach_ms(many) < detach_ms(one) + 20


def test_a_lone_attach_and_a_lone_detach_wait_for_rcu_at_every_stage() -> None:
    for flavour in ("v6.11", "v6.12-late", "v7.0"):
        attach = outcome(flavour).attach
        assert attach is not None
        assert 5e9 <= attach.max_ps <= 8e9


@pytest.mark.parametrize("kind", ["multi", "perf-event"])
def test_all_periods_go_by_hz(kind: str) -> None:
    fast, slow = (detach_ms(outcome("v6.13", attach_kind=kind, hz=hz)) for hz in (1000, 100))
    assert slow > 3 * fast


def test_perf_events_of_two_threads_are_detached_one_after_the_other() -> None:
    # SRCU and RCU for a tracepoint come to 6 ms, under event_mutex.
    one, two = (
        outcome("v6.11", probes=8, attach_kind="perf-event", attach_threads=threads)
        for threads in (1, 2)
    )
    assert detach_ms(two) > 1.8 * detach_ms(one)
