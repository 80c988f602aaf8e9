"""Calibration: the primitives' programs, and how values get into a machine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine_machines import machine

from core.calibrate.calibration import MEMBERS, REPLICATES, Stages, calibrate, with_uncertainty
from core.calibrate.discrepancy import LEAST
from core.calibrate.fit import Stage, Step, fit
from core.calibrate.parameters import (
    CLOCK_SHARE,
    FROM_CELLS,
    FROM_PRIMITIVES,
    Parameter,
    with_values,
)
from core.calibrate.points import CellPoints, PrimitivePoints
from core.calibrate.primitives import PRIMITIVES, ns_per_operation
from core.machine.machine import Machine, load_machine
from sweep.calibration.calibrate import CELLS_ON, PRIMITIVES_ON
from sweep.calibration.workers import worker_processes
from sweep.letter.published import calibration_cells, published_mhits


def with_srcu_work(model: Machine) -> Machine:
    execution = model.execution.model_copy(
        update={"work_cycles": {"srcu_counter": 4, "rwsem_call": 2, "rwlock_call": 1}}
    )
    return model.model_copy(update={"execution": execution})


@pytest.mark.parametrize(
    ("primitive", "ns"),
    [
        ("atomic_inc shared", 5),
        ("refscale refcnt lock+unlock pair", 10),
        ("refscale rwlock lock+unlock pair", 12),
        ("refscale rwsem lock+unlock pair", 14),
        ("refscale srcu lock+unlock pair", 18),
    ],
)
def test_one_cpu_pays_its_own_cycles_only(primitive: str, ns: float) -> None:
    assert ns_per_operation(with_srcu_work(machine()), primitive, 1) == pytest.approx(ns, rel=0.01)


def test_a_saturated_counter_moves_once_a_transfer() -> None:
    # 40 a transfer and 5 for the operation, which the home hears of at once.
    contended = ns_per_operation(machine(), "atomic_inc shared", 4)
    assert contended == pytest.approx(4 * 45, rel=0.01)


def test_srcu_readers_do_not_disturb_each_other() -> None:
    model = with_srcu_work(machine())
    name = "refscale srcu lock+unlock pair"
    assert ns_per_operation(model, name, 4) == pytest.approx(
        ns_per_operation(model, name, 1), rel=0.01
    )


def test_every_primitive_has_a_published_curve_name() -> None:
    assert all("pair" in name or "shared" in name for name in PRIMITIVES)


def test_values_land_where_the_path_says() -> None:
    values = {p: (p.low + p.high) / 2 for p in (*FROM_PRIMITIVES, *FROM_CELLS)}
    assert len(values) > len(FROM_CELLS)
    moved = with_values(load_machine(CELLS_ON), values)
    assert moved.coherence.transfer_ns == pytest.approx(44)
    assert moved.execution.work_cycles["trap_entry"] == 450
    assert moved.coherence.core_clock_share == 0.5


def test_committed_values_lie_within_their_bounds() -> None:
    for name, parameters in (
        (PRIMITIVES_ON, FROM_PRIMITIVES),
        (CELLS_ON, (*FROM_PRIMITIVES, *FROM_CELLS)),
    ):
        tree = load_machine(name).model_dump()
        for parameter in parameters:
            value = tree
            for key in parameter.path.split("."):
                value = value[key]
            assert parameter.low <= float(value) <= parameter.high, parameter.path


def test_the_two_machines_share_what_primitives_fix() -> None:
    one, other = (load_machine(name).model_dump() for name in (PRIMITIVES_ON, CELLS_ON))
    for parameter in FROM_PRIMITIVES:
        if parameter.path in (CLOCK_SHARE.path, TRANSFER.path):
            continue
        section, key, *deeper = parameter.path.split(".")
        a, b = one[section][key], other[section][key]
        assert (a[deeper[0]] == b[deeper[0]]) if deeper else (a == b)


def test_at_most_14_cells_and_all_of_the_letter() -> None:
    cells = calibration_cells()
    assert 0 < len(cells) <= 14
    assert cells <= published_mhits().keys()


def test_a_fit_finds_the_value_that_made_the_data() -> None:
    parameter = Parameter("coherence.transfer_ns", 20, 70)
    truth = with_values(machine(), {parameter: 52})
    points = PrimitivePoints(curve(truth, 2, 4), idle_ns=62)
    [found] = fit(Stage("primitives", points, (parameter,), 15), machine())
    assert found == pytest.approx(52, rel=0.02)


def curve(model: Machine, *counts: int) -> dict[tuple[str, int], float]:
    """What the shared counter costs on `model`."""
    name = "atomic_inc shared"
    return {(name, cpus): ns_per_operation(model, name, cpus) for cpus in counts}


def toy_stages(truth: dict[Parameter, float], generations: int = 2) -> Stages:
    """Two primitives and three cells, made by the letter's machine with the values of `truth`."""
    made = with_values(load_machine(CELLS_ON), truth)
    keys = [("srcu", "uprobe-nop", cpus) for cpus in (1, 2, 4)]
    rates = np.exp(CellPoints(dict.fromkeys(keys, 1.0), REPLICATES).errors(made)).tolist()
    return Stages(
        bare=load_machine(PRIMITIVES_ON),
        machine=load_machine(CELLS_ON),
        primitives=Stage(
            "primitives",
            PrimitivePoints(curve(made, 2, 4), made.coherence.transfer_ns + 3),
            (TRANSFER, CLOCK_SHARE),
            generations,
        ),
        cells=Stage(
            "cells",
            CellPoints(dict(zip(keys, rates, strict=True))),
            (ENTRY, CLOCK_SHARE),
            generations,
        ),
    )


TRANSFER = Parameter("coherence.transfer_ns", 20, 70)
ENTRY = Parameter("execution.work_cycles.trap_entry", 200, 700, whole=True)
TRUTH = {TRANSFER: 50.0, ENTRY: 400.0, CLOCK_SHARE: 0.5}


def test_errors_are_logs_of_simulated_over_published() -> None:
    stages = toy_stages(TRUTH)
    made = with_values(stages.machine, TRUTH)
    figures = stages.cells.points.figures
    assert CellPoints(figures, REPLICATES).errors(made) == pytest.approx(np.zeros(3))
    doubled = CellPoints({key: 2 * rate for key, rate in figures.items()}, REPLICATES)
    assert doubled.errors(made) == pytest.approx(np.full(3, -np.log(2)))
    assert list(doubled.weights) == [3, 1, 1]
    primitives = PrimitivePoints({key: ns / 2 for key, ns in curve(made, 2).items()}, 53)
    assert primitives.errors(made) == pytest.approx([np.log(2), 0])
    assert list(primitives.weights) == [1, 3]


def test_more_replicates_are_more_random_numbers() -> None:
    stages = toy_stages({**TRUTH, TRANSFER: 45.0})
    machine_now = stages.machine.with_numbers({"coherence.spread": 0.4})
    one, many = (CellPoints(stages.cells.points.figures, n).errors(machine_now) for n in (1, 5))
    assert not np.array_equal(one, many)
    assert one == pytest.approx(many, abs=0.05)


def test_a_row_of_values_is_two_machines_and_back() -> None:
    stages = toy_stages(TRUTH)
    row = np.array([44.25, 0.3, 512, 0.7])
    bare, letter = stages.fitted(row)
    assert (bare.name, letter.name) == (PRIMITIVES_ON, CELLS_ON)
    assert bare.coherence.core_clock_share == 0.3
    assert letter.coherence.core_clock_share == 0.7
    for model in (bare, letter):
        assert model.coherence.transfer_ns == 44.25
        assert model.execution.work_cycles["trap_entry"] == 512
        assert model.calibration is None
    assert list(stages.row((bare, letter))) == list(row)


def test_the_whole_is_the_same_again_whatever_the_files_said_and_whoever_computes() -> None:
    stages = toy_stages(TRUTH)
    seen: list[Step] = []
    first = calibrate(stages, report=seen.append)
    other = {TRANSFER: 33.0, ENTRY: 640.0, CLOCK_SHARE: 0.05}
    moved = replace(
        stages, bare=with_values(stages.bare, other), machine=with_values(stages.machine, other)
    )
    with worker_processes("core.calibrate.points", 2) as each:
        assert calibrate(moved, each) == first
    assert with_uncertainty(stages, first) == first
    assert [step.stage for step in seen if step.done == step.total] == [
        "primitives",
        "cells",
        "intervals",
    ]
    assert all(step.loss for step in seen if step.done and step.stage != "intervals")
    for model in first:
        assert model.calibration is not None
        assert model.calibration.cells == tuple(stages.cells.points.figures)
        assert model.calibration.intervals.keys() == {p.path for p in TRUTH}
        assert len(model.members) == MEMBERS


def test_intervals_hold_the_truth_and_say_what_is_known() -> None:
    stages = toy_stages(TRUTH)
    row = np.array([50, 0.5, 400, 0.5])
    _, letter = with_uncertainty(stages, stages.fitted(row))
    assert letter.calibration is not None
    spans = letter.calibration.intervals
    assert spans[TRANSFER.path][1] - spans[TRANSFER.path][0] < 1.5
    assert spans[ENTRY.path][1] - spans[ENTRY.path][0] < 20
    # A few cores of one socket keep nearly the highest clock: little is learnt of its fall.
    assert spans[CLOCK_SHARE.path][1] - spans[CLOCK_SHARE.path][0] > 0.1
    # The errors are none: it is as small as can be told.
    assert letter.calibration.discrepancy.contended == LEAST
