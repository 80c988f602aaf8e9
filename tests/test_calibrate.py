"""Calibration: the primitives' programs, and how values get into a machine."""

from __future__ import annotations

import numpy as np
import pytest
from engine_machines import machine

from core.calibrate import fit
from core.calibrate.parameters import (
    CLOCK_SHARE,
    FROM_CELLS,
    FROM_PRIMITIVES,
    Parameter,
    with_values,
)
from core.calibrate.primitives import PRIMITIVES, ns_per_operation
from core.hardware.machine import Machine, load_machine
from sweep.calibrate import CELLS_ON, PRIMITIVES_ON
from sweep.published import calibration_cells, published_mhits


def with_srcu_work(model: Machine) -> Machine:
    execution = model.execution.model_copy(update={"work_cycles": {"srcu_counter": 4}})
    return model.model_copy(update={"execution": execution})


@pytest.mark.parametrize(
    ("primitive", "ns"),
    [
        ("atomic_inc shared", 5),
        ("refscale refcnt lock+unlock pair", 10),
        ("refscale rwlock lock+unlock pair", 10),
        ("refscale rwsem lock+unlock pair", 10),
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
    assert moved.coherence.transfer_ns == pytest.approx(45)
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
        if parameter is CLOCK_SHARE:
            continue
        section, key, *deeper = parameter.path.split(".")
        a, b = one[section][key], other[section][key]
        assert (a[deeper[0]] == b[deeper[0]]) if deeper else (a == b)


def test_at_most_14_cells_and_all_of_the_letter() -> None:
    cells = calibration_cells()
    assert 0 < len(cells) <= 14
    assert cells <= published_mhits().keys()


def test_a_fit_finds_the_value_that_made_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    parameter = Parameter("coherence.transfer_ns", 20, 70)
    truth = with_values(machine(), {parameter: 52})
    curve = {cpus: ns_per_operation(truth, "atomic_inc shared", cpus) for cpus in (2, 4)}
    monkeypatch.setattr(fit, "FROM_PRIMITIVES", (parameter,))
    found = fit.fit_primitives(machine(), {"atomic_inc shared": curve}, idle_ns=62, generations=15)
    assert found.coherence.transfer_ns == pytest.approx(52, rel=0.02)
    assert np.isclose(found.coherence.request_ns, machine().coherence.request_ns)
