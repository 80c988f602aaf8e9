"""Uncontended costs from figures of one CPU."""

from __future__ import annotations

import numpy as np
import pytest

from core.calibrate.one_cpu import ONE_CPU, WORK, Figure, errors, on_one_cpu
from core.calibrate.parameters import Parameter
from core.machine.machine import Machine, load_machine
from sweep.calibration.calibrate import one_cpu_figures
from sweep.letter.published import published_mhits

MACHINE = load_machine("xeon-gold-6138")
PLANTED = {"trap_entry": 500, "debug_trap_entry": 1000, "return_instance_free_rcu": 150}
BENCHES = (
    ("uprobe-nop", "baseline"),
    ("uprobe-ret", "v6.14"),
    ("uretprobe-nop", "v6.13"),
    ("uprobe-nop", "v6.14"),
)
FITTED = tuple(p for p in ONE_CPU if p.path.removeprefix(WORK) in PLANTED)


def machine(cycles: dict[str, int]) -> Machine:
    return MACHINE.with_numbers({WORK + name: value for name, value in cycles.items()})


def figures_of(planted: Machine, *, off: float = 1.0) -> list[Figure]:
    bare = [Figure(bench, flavour, "default", 1.0) for bench, flavour in BENCHES]
    rates = (errors(planted, bare) + 1) * off
    return [
        Figure(f.bench, f.flavour, f.rcu, float(rate)) for f, rate in zip(bare, rates, strict=True)
    ]


def test_planted_cycles_are_found_again() -> None:
    found = on_one_cpu(MACHINE, figures_of(machine(PLANTED)), FITTED)
    for name, cycles in PLANTED.items():
        assert found.execution.work_cycles[name] == pytest.approx(cycles, abs=4)
    assert found.calibration == MACHINE.calibration


def test_of_two_figures_of_one_hit_neither_is_missed_by_more() -> None:
    figures = [f for off in (0.98, 1.02) for f in figures_of(machine(PLANTED), off=off)]
    missed = errors(on_one_cpu(MACHINE, figures, FITTED), figures)
    assert np.abs(missed).max() == pytest.approx(0.02, abs=0.002)


def test_no_value_leaves_its_bounds() -> None:
    bounds = (Parameter(WORK + "trap_entry", 200, 300, 250),)
    found = on_one_cpu(MACHINE, figures_of(machine(PLANTED)), bounds)
    assert found.execution.work_cycles["trap_entry"] == 300


def test_the_letters_machine_meets_every_published_figure_of_one_cpu() -> None:
    letter = [
        Figure(bench, flavour, "default", mhits * 1e6)
        for (flavour, bench, cpus), mhits in published_mhits().items()
        if cpus == 1
    ]
    figures = [*one_cpu_figures(), *letter]
    assert len(figures) == 11 + 2 + 6
    for figure, error in zip(figures, errors(MACHINE, figures), strict=True):
        assert abs(error) <= 0.02, figure
