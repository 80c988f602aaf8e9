"""Cells with writers, small enough for tests."""

from __future__ import annotations

from typing import Any

from core.cell import Cell
from core.machine.machine import load_machine
from core.workload import STRESS, Workload

MS = 10**9

STAGE_NAMES = {
    0: "baseline",
    2: "refcount-revamp",
    3: "srcu-lifetime",
    5: "lockless-consumers",
    6: "split-unregister",
    7: "srcu",
    8: "tasks-trace",
    10: "srcu-uretprobe",
}
"""The flavour of every stage that changes lifetimes."""

LITTLE = Workload(attach_threads=1, consumers=1)


def stress_cell(workload: Workload = LITTLE, *, ms: int = 3, **changes: Any) -> Cell:
    """uprobe-stress on two CPUs and ten functions, `ms` samples of a millisecond."""
    values: dict[str, Any] = {
        "bench": STRESS,
        "flavour": "srcu",
        "cpus": 2,
        "probes": 10,
        "spread": "uniform",
        "machine": load_machine("generic"),
        "seed": 1,
        "replicate": 0,
        "warmup_ps": 0,
        "duration_ps": (ms - 1) * MS,
        "sample_ps": MS,
        "workload": workload,
    }
    return Cell(**{**values, **changes})
