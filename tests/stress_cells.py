"""Cells with writers, small enough for tests."""

from __future__ import annotations

from typing import Any

from core.cell import Cell
from core.kernel.stages import STAGES
from core.machine.machine import load_machine
from core.workload import STRESS, Workload

MS = 10**9

STAGE_NAMES = {stage: rules.name for stage, rules in STAGES.items()}
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
