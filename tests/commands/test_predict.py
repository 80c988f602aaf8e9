"""Predictions: the simulation as it is, and an interval from the ensemble."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from tiny import tiny_spec

import core.predict
from core.arrays import IntArray
from core.cell import Cell, CellResult
from core.engine.cpu import CpuConfigs
from core.engine.cpu_hosts import CpuGroup, Hits
from core.engine.simulate import simulate
from core.machine.machine import Machine, load_machine
from core.outcome import Share
from core.predict import contended_share, discrepancy, log_interval, predict, starts
from sweep.plan.plan import plan

Z = 1.6448536269514722
MACHINE = load_machine("xeon-gold-6138")
PLAIN = MACHINE.with_calibration(None)


def calibrated(*members: dict[str, float], uncontended: float = 0.01) -> Machine:
    """The letter's machine with these members."""
    paths = members[0] if members else {}
    calibration = {
        "curves": [],
        "cells": [],
        "discrepancy": {"uncontended": uncontended, "contended": 0.1},
        "intervals": dict.fromkeys(paths, (0, 100)),
        "members": members,
    }
    return Machine.model_validate({**PLAIN.model_dump(mode="json"), "calibration": calibration})


def cell(cpus: int, machine: Machine = MACHINE, ensemble: int = 0, **spec: Any) -> Cell:
    [made] = plan(tiny_spec(cpus=cpus, sample="50us", duration="200us", **spec))
    return replace(made, machine=machine, ensemble=ensemble)


def assert_same_but_interval(one: CellResult, other: CellResult) -> None:
    assert np.array_equal(one.hits_per_sample, other.hits_per_sample)
    assert (one.line_ops, one.sample_ps) == (other.line_ops, other.sample_ps)


@pytest.mark.parametrize("cpus", [1, 6])
def test_an_ensemble_changes_only_the_interval(cpus: int) -> None:
    bare = simulate(cell(cpus))
    without, with_it = predict(cell(cpus)), predict(cell(cpus, ensemble=3))
    assert_same_but_interval(without, bare)
    assert_same_but_interval(with_it, bare)
    assert (without.predicted_low, without.predicted_high) == (None, None)
    assert with_it.predicted_low is not None
    assert with_it.predicted_high is not None
    assert with_it.predicted_low < bare.hits_per_s < with_it.predicted_high
    assert with_it.cell_id == cell(cpus, ensemble=3).cell_id != without.cell_id


def test_a_machine_without_members_has_no_interval() -> None:
    for machine in (PLAIN, calibrated(), calibrated({"coherence.transfer_ns": 40})):
        result = predict(cell(2, machine, ensemble=8))
        assert (result.predicted_low, result.predicted_high) == (None, None)


def test_more_members_are_asked_for_than_there_are() -> None:
    few = calibrated(*({"coherence.transfer_ns": ns} for ns in (30, 50)))
    two, many = (predict(cell(4, few, ensemble=n)) for n in (2, 64))
    assert two.predicted_low == many.predicted_low


def test_an_interval_is_members_and_discrepancy_together() -> None:
    low, high = log_interval(100.0, [90.0, 110.0], 0.05)
    between = math.log(110 / 90) ** 2 / 2
    reach = Z * math.sqrt(between + 0.05**2)
    assert (low, high) == pytest.approx((100 * math.exp(-reach), 100 * math.exp(reach)))


def test_a_single_cpu_errs_by_the_uncontended_part_alone() -> None:
    same = {"execution.work_cycles.trap_entry": MACHINE.execution.work_cycles["trap_entry"]}
    result = predict(cell(1, calibrated(same, same, uncontended=0.2), ensemble=2))
    assert result.predicted_low is not None
    # Both members give nearly the same: their draws differ.
    assert result.hits_per_s / result.predicted_low == pytest.approx(math.exp(Z * 0.2), rel=0.01)


def test_the_contended_share_is_what_a_single_cpu_does_without() -> None:
    alone = simulate(cell(1)).hits_per_s
    assert contended_share(cell(1), alone) == 0
    assert contended_share(cell(4), 4 * alone) == pytest.approx(0, abs=0.03)
    assert contended_share(cell(4), alone) == pytest.approx(0.75, abs=0.01)
    assert contended_share(cell(4), 5 * alone) == 0


def test_variances_are_mixed_by_the_contended_share() -> None:
    machine = calibrated(uncontended=0.03)
    assert discrepancy(cell(2, machine), 0) == 0.03
    assert discrepancy(cell(2, machine), 1) == 0.1
    assert discrepancy(cell(2, machine), 0.5) == pytest.approx(math.hypot(0.03, 0.1) / math.sqrt(2))


def test_no_hits_no_interval() -> None:
    [short] = plan(tiny_spec(cpus=1, warmup="0us", sample="10ns", duration="10ns", ensemble=4))
    assert predict(short).predicted_low is None


class Counted(CpuGroup):
    """CPUs in this process that count how often they are given a cell."""

    cells = 0

    def start(self, configs: CpuConfigs, wanted: IntArray) -> Hits:
        self.cells += 1
        return super().start(configs, wanted)


def test_whoever_hosts_the_cpus_the_prediction_is_the_same_and_members_stay_here() -> None:
    hosts = Counted()
    asked = cell(5, ensemble=3, spread="uniform", probes=3)
    here, there = predict(asked), predict(asked, hosts)
    assert hosts.cells == 1
    for field in fields(CellResult):
        if field.name != "wall_seconds":
            assert np.array_equal(getattr(here, field.name), getattr(there, field.name))


def of_two_states(cell: Cell) -> CellResult:
    """What every third start gives is faster by a quarter."""
    hits = np.array([1250 if cell.replicate % 3 == 0 else 1000] * cell.samples)
    share = Share("f", "locked", "line", "same cache", 4 * cell.samples * cell.sample_ps)
    return CellResult(cell.cell_id, hits, cell.sample_ps, 10, (share,), 0.0)


def test_a_cell_of_two_states_is_a_mixture_of_starts_and_not_luck_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(core.predict, "simulate", of_two_states)
    same = {"execution.work_cycles.trap_entry": MACHINE.number("execution.work_cycles.trap_entry")}
    asked = cell(4, calibrated(*[same] * 12, uncontended=0.001), ensemble=12)
    found = predict(asked)
    per_s = 10**12 / found.sample_ps
    assert found.states == pytest.approx((1000 * per_s, 1250 * per_s, 1 / 3))
    assert found.hits_per_s == pytest.approx((1000 * 2 + 1250) / 3 * per_s)
    assert (len(found.hits_per_sample), found.line_ops) == (12, 120)
    [whole] = found.attribution
    assert whole.ps == 12 * 4 * found.sample_ps
    assert found.predicted_low is not None
    assert found.predicted_high is not None
    assert found.predicted_low <= found.states.low < found.states.high <= found.predicted_high


@pytest.mark.parametrize(("step", "mixed"), [(1, False), (10, True)])
def test_a_rate_that_depends_on_the_start_is_the_mean_of_starts(
    monkeypatch: pytest.MonkeyPatch, step: int, mixed: bool
) -> None:
    """By ten starts, each a step of a thousandth above the last: 0.3 or 3 % of deviation."""

    def ladder(cell: Cell) -> CellResult:
        hits = np.full(cell.samples, 1000 + step * cell.replicate)
        return CellResult(cell.cell_id, hits, cell.sample_ps, 10, (), 0.0)

    monkeypatch.setattr(core.predict, "simulate", ladder)
    same = {"execution.work_cycles.trap_entry": MACHINE.number("execution.work_cycles.trap_entry")}
    asked = cell(4, calibrated(*[same] * 10), ensemble=10)
    found = predict(asked)
    assert found.states is None
    assert set(found.hits_per_sample) == (
        {1000 + step * n for n in range(1, 11)} if mixed else {1000}
    )


def test_the_deviation_of_a_mixture_is_that_of_the_samples_of_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own run's samples differ by 20 hits, starts by up to 900."""

    def ladder(cell: Cell) -> CellResult:
        hits = 1000 + 100 * cell.replicate + 10 * (-1) ** np.arange(cell.samples)
        return CellResult(cell.cell_id, hits, cell.sample_ps, 10, (), 0.0)

    monkeypatch.setattr(core.predict, "simulate", ladder)
    same = {"execution.work_cycles.trap_entry": MACHINE.number("execution.work_cycles.trap_entry")}
    found = predict(cell(4, calibrated(*[same] * 10), ensemble=10))
    assert len(found.hits_per_sample) == 10
    # Five samples of 50 us: 1010, 990, 1010, 990 and 1010 hits, whose variance is 120.
    assert found.hits_per_s_stddev == pytest.approx(120**0.5 * 20_000)


def test_starts_differ_in_phase_and_by_ten_nanoseconds_of_private_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Cell] = []
    monkeypatch.setattr(core.predict, "simulate", lambda c: seen.append(c) or of_two_states(c))
    starts(cell(4), 5)
    work = [c.machine.execution.work_cycles["trap_entry"] for c in seen]
    own = MACHINE.execution.work_cycles["trap_entry"]
    # A cycle is 0.27 ns: 10 ns are 37, and the outer fifths' middles lie 8 ns off.
    assert [w - own for w in work] == [-30, -15, 0, 15, 30]
    assert [c.replicate for c in seen] == [1, 2, 3, 4, 5]


def test_members_start_in_phases_of_their_own() -> None:
    # Two members with the machine's own numbers: what they differ by is how their CPUs start.
    path = "execution.work_cycles.trap_entry"
    same = {path: MACHINE.number(path)}
    one = cell(40, calibrated(same, same, uncontended=0.0), ensemble=2)
    ours = predict(one)
    apart = [
        simulate(replace(one, ensemble=0, replicate=number, machine=member)).hits_per_s
        for number, member in enumerate(one.machine.members, start=1)
    ]
    assert apart[0] != apart[1]
    low, high = log_interval(
        ours.hits_per_s,
        apart,
        discrepancy(one, contended_share(one, ours.hits_per_s)),
    )
    assert (ours.predicted_low, ours.predicted_high) == pytest.approx((low, high), rel=0.02)
