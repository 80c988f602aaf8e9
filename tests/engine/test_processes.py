"""CPUs split over processes, each with its own mmap_lock, mm_lock_seq and xol area."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from core.cell import Cell
from core.engine.program import compile_path
from core.engine.simulate import simulate
from core.kernel.flavours import hot_path
from core.kernel.hot_path import BENCHES
from core.kernel.layout import NOWHERE, Layout
from core.kernel.operation import Line
from core.machine.machine import Machine, Turbo, load_machine

US = 10**6


@cache
def one_clock() -> Machine:
    """The letter's machine without turbo: what another CPU does cannot slow this one's clock."""
    machine = load_machine("xeon-gold-6138")
    return machine.model_copy(update={"turbo": (Turbo(active_cores=20, ghz=2.7),)})


@cache
def mhits(**changes: Any) -> float:
    """Million hits per second of a short cell; all CPUs are cores of one socket."""
    values = {
        "bench": "uprobe-nop",
        "flavour": "tasks-trace",
        "cpus": 1,
        "probes": 1,
        "spread": "shared",
        "machine": one_clock(),
        "seed": 0,
        "replicate": 0,
        "warmup_ps": 50 * US,
        "duration_ps": 300 * US,
        "sample_ps": 300 * US,
    }
    return simulate(Cell(**{**values, **changes})).hits_per_s / 1e6


@pytest.mark.parametrize("bench", BENCHES)
@pytest.mark.parametrize("flavour", ["baseline", "tasks-trace", "speculative-vma"])
def test_operations_step_from_process_to_process(bench: str, flavour: str) -> None:
    layout = Layout(7, 5)
    path = hot_path(flavour, bench)
    program = compile_path(path, layout, load_machine("xeon-gold-6138").execution.work)
    assert program.stride.shape == program.kind.shape
    own = {n for line in Line if line.per_process for n in layout.line_ids(line).tolist()}
    for line, step, stride in zip(program.line, program.step, program.stride, strict=True):
        assert stride == (1 if line in own else 0)
        assert (step, stride) != (1, 1)
        assert line != NOWHERE or step == stride == 0
    assert program.stride.any()
    assert (program.line + 6 * program.step + 4 * program.stride).max() < layout.lines


def test_one_process_is_what_a_cell_has() -> None:
    assert mhits(cpus=4) == mhits(cpus=4, processes=1)


def test_a_process_a_cpu_with_a_probe_of_its_own_scales_perfectly() -> None:
    alone = mhits()
    together = mhits(cpus=8, processes=8, probes=8, spread="private", flavour="percpu-nhit")
    assert together == pytest.approx(8 * alone, rel=0.02)


@pytest.mark.parametrize("bench", ["uprobe-multi-nop", "uprobe-multi-ret"])
def test_two_processes_are_two_times_one(bench: str) -> None:
    """Nothing of a multi link's hit is shared across processes but the probe's own line.

    Which phase the CPUs of a process fall into moves its rate by some per cent.
    """
    one = mhits(cpus=6, probes=6, spread="private", bench=bench)
    two = mhits(cpus=12, processes=2, probes=12, spread="private", bench=bench)
    assert two == pytest.approx(2 * one, rel=0.1)


@pytest.mark.parametrize("bench", ["uprobe-nop", "uprobe-ret"])
def test_the_more_processes_the_faster(bench: str) -> None:
    rates = [mhits(cpus=8, processes=p, probes=8, spread="private", bench=bench) for p in (1, 2, 8)]
    assert rates[0] * 1.05 < rates[1]
    assert rates[1] * 1.1 < rates[2]


def test_an_uneven_split_lies_between_its_parts() -> None:
    """Three CPUs over two processes: one has a CPU to itself, two share the other."""
    kind = {"spread": "private", "bench": "uprobe-multi-nop"}
    parts = mhits(cpus=1, probes=1, **kind) + mhits(cpus=2, probes=2, **kind)
    split = mhits(cpus=3, processes=2, probes=3, **kind)
    assert split == pytest.approx(parts, rel=0.05)


def test_a_probe_that_all_hit_stays_shared() -> None:
    """Processes do not split the line of a uprobe, its event or the tree: baseline hardly gains."""
    one = mhits(cpus=8, flavour="baseline")
    assert mhits(cpus=8, processes=8, flavour="baseline") < 2 * one


def test_a_process_needs_a_cpu() -> None:
    with pytest.raises(ValueError, match="2 processes on 1 CPUs"):
        mhits(cpus=1, processes=2)
