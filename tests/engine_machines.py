"""Machines and one-line programs small enough to work out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.engine.cpu import CpuConfigs
from core.engine.cpu_hosts import CpuGroup
from core.engine.interconnect import Interconnect
from core.engine.program import Program, compile_path
from core.engine.simulate import play
from core.engine.state import State, new_state
from core.kernel.layout import Layout
from core.kernel.operation import Call, Operation, work
from core.machine.machine import Machine
from core.machine.topology import place

NS = 1000
US = 1000 * NS


def machine(
    locked_op_cycles: int = 5,
    smt_yield: float = 1.0,
    cores_per_cache: int = 4,
    cycles: dict[str, int] | None = None,
    **coherence: object,
) -> Machine:
    """1 GHz, 2 sockets x 4 cores x 2 threads; request 10, snoop 10, transfer 30 (far: 90).

    An owner answers as soon as it has the line, and a home is free when it has answered.
    """
    costs = {
        "request_ns": 10,
        "snoop_ns": 10,
        "transfer_ns": 30,
        "spread": 0,
        "residency_ns": 0,
        "store_residency_ns": 0,
        "residency_spread": 0,
        "locked_per_stay": 1000,
        "load_hold_ns": 0,
        "upgrade_hold_ns": 0,
        "other_cache_ns": 30,
        "other_socket_ns": 60,
        "load_crossing": 1,
        "upgrade_crossing": 1,
        "snoop_crossing": 0,
        "shared_read_ns": 20,
    } | coherence
    return Machine.model_validate(
        {
            "name": "by-hand",
            "title": "by hand",
            "sockets": 2,
            "cores_per_socket": 4,
            "threads_per_core": 2,
            "cores_per_cache": cores_per_cache,
            "turbo": [{"active_cores": 4, "ghz": 1.0}],
            "coherence": costs,
            "execution": {
                "locked_op_cycles": locked_op_cycles,
                "load_cycles": 0,
                "commit_cycles": 0,
                "cmpxchg_cycles": 0,
                "late_answer_cycles": 0,
                "barrier_answer_cycles": 0,
                "mispredict_cycles": 0,
                "smt_window_cycles": 0,
                **(cycles or {}),
                "smt_yield": smt_yield,
                "jitter": 0.0,
                "work_cycles": {"entry": 100, "think": 200, "gap": 50, "long": 1000},
            },
        }
    )


def program(*operations: Operation, entry: str = "entry", probes: int = 1) -> Program:
    """`entry` cycles of private work, then `operations`."""
    path = (Call("f", (*work(entry), *operations)),)
    cycles = machine().execution.work_cycles
    return compile_path(path, Layout(probes), cycles)


def state(
    model: Machine,
    code: Program,
    cpus: Sequence[int] | int,
    ahead: int = 4096,
    probes: int = 1,
) -> State:
    """A machine with the first CPUs of `model`, or exactly the CPUs listed."""
    where = place(model, cpus if isinstance(cpus, int) else max(cpus) + 1)
    return new_state(model, where, code, Layout(probes), ahead, seed=1)


def hits_per_us(
    model: Machine,
    code: Program,
    cpus: int,
    *,
    exponential: bool = False,
    jitter_ps: int = 0,
    warmup_us: int = 50,
    samples: int = 10,
    sample_us: int = 100,
) -> tuple[float, Interconnect]:
    """Throughput of the closed system, hits per simulated microsecond, after warm-up."""
    configs = CpuConfigs(
        key=(7, 11),
        probes=1,
        spread="shared",
        entry_ps=np.full(cpus, code.entry_cycles * NS),
        jitter_ps=np.full(cpus, jitter_ps),
        warmup_ps=warmup_us * US,
        sample_ps=sample_us * US,
        samples=samples,
        exponential=exponential,
    )
    interconnect = Interconnect(state(model, code, cpus))
    counts, _ = play(interconnect, CpuGroup(), configs)
    assert counts.shape == (cpus, samples)
    return float(np.sum(counts)) / (samples * sample_us), interconnect
