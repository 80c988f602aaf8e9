"""Calibration: the primitives' programs, and how values get into a machine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine_machines import machine

from core.calibrate.calibration import MEMBERS, REPLICATES, Task, calibrate, with_uncertainty
from core.calibrate.discrepancy import LEAST
from core.calibrate.fit import Stage, Step, fit
from core.calibrate.hand_offs import hand_off_ns
from core.calibrate.parameters import PARAMETERS, Parameter, with_values
from core.calibrate.points import Cells, FloatArray, Primitives, Together
from core.calibrate.primitives import PRIMITIVES, ns_per_operation
from core.kernel.flavours import parse_flavour
from core.machine.machine import Machine, Turbo, load_machine
from sweep.calibration.calibrate import CELLS_ON, PRIMITIVES_ON, known_rates
from sweep.calibration.workers import worker_processes
from sweep.letter.published import LATER, calibration_cells, later_figures, published_mhits


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
    # 30 for the line and 5 for the operation: the next snoop is there before.
    contended = ns_per_operation(machine(), "atomic_inc shared", 4)
    assert contended == pytest.approx(4 * 35, rel=0.01)


@pytest.mark.parametrize(
    ("name", "distance", "ns"),
    [
        ("blind locked operation", "same cache", 55),
        ("blind locked operation", "other cache", 85),
        ("blind locked operation", "other socket", 115),
        # The copy crosses for twice as much, the sharer's request for half.
        ("load, then locked operation", "same cache", 50 + 7 + 55),
        ("load, then locked operation", "other socket", 50 + 120 + 7 + 55 + 30),
    ],
)
def test_a_line_that_nobody_disturbs_is_handed_off(name: str, distance: str, ns: float) -> None:
    model = machine(
        cores_per_cache=2, load_crossing=2, upgrade_crossing=0.5, cycles={"cmpxchg_cycles": 7}
    )
    assert hand_off_ns(model, name, distance) == pytest.approx(ns, abs=0.5)


def test_a_distance_that_a_machine_has_not_is_no_hand_off() -> None:
    with pytest.raises(KeyError, match="other cache"):
        hand_off_ns(machine(), "blind locked operation", "other cache")


def test_srcu_readers_do_not_disturb_each_other() -> None:
    model = with_srcu_work(machine())
    name = "refscale srcu lock+unlock pair"
    assert ns_per_operation(model, name, 4) == pytest.approx(
        ns_per_operation(model, name, 1), rel=0.01
    )


def test_every_primitive_has_a_published_curve_name() -> None:
    assert all("pair" in name or "shared" in name for name in PRIMITIVES)


def test_values_land_where_the_path_says() -> None:
    values = {p: (p.low + p.high) / 2 for p in PARAMETERS}
    moved = with_values(load_machine(CELLS_ON), values)
    assert moved.coherence.load_hold_ns == pytest.approx(65)
    assert moved.execution.work_cycles["trap_entry"] == 450


def test_committed_values_and_starts_lie_within_their_bounds() -> None:
    letter = load_machine(CELLS_ON)
    for parameter in PARAMETERS:
        assert parameter.low <= letter.number(parameter.path) <= parameter.high, parameter.path
        assert parameter.low <= parameter.start <= parameter.high, parameter.path


def test_the_two_skylakes_have_the_same_costs_but_other_clocks() -> None:
    one, other = (load_machine(name) for name in (PRIMITIVES_ON, CELLS_ON))
    assert (one.coherence, one.execution) == (other.coherence, other.execution)
    assert one.turbo != other.turbo


def test_the_rule_of_the_calibration_cells() -> None:
    cells, letter = calibration_cells(), published_mhits()
    alone = later_figures("mmap_lock_only").select("flavour", "bench", "cpus").rows()
    assert cells <= known_rates().keys()
    assert 0 < len(cells & letter.keys()) <= 14
    assert cells & set(alone) == {alone[0], *alone[1::3]}
    assert len(cells & set(alone)) <= 8
    assert cells <= letter.keys() | set(alone)


def test_published_figures_are_of_the_letter_s_machine() -> None:
    for name in LATER:
        rows = later_figures(name)
        assert rows["machine"].unique().to_list() == [CELLS_ON]
        assert rows["owner_beside_count"].unique().to_list() == ["default"]
        assert rows["source"].null_count() == 0
        for flavour in rows["flavour"].unique():
            parse_flavour(flavour)


RESIDENCY = Parameter("coherence.residency_ns", 0, 60, 20)
ENTRY = Parameter("execution.work_cycles.trap_entry", 200, 700, 450)
SPREAD = Parameter("coherence.load_crossing", 1, 3, 2)
TRUTH = {RESIDENCY: 33.0, ENTRY: 390.0, SPREAD: 2.2}


def curve(model: Machine, *counts: int) -> dict[tuple[str, int], float]:
    """What the shared counter costs on `model`."""
    name = "atomic_inc shared"
    return {(name, cpus): ns_per_operation(model, name, cpus) for cpus in counts}


def toy(truth: dict[Parameter, float], steps: int = 6) -> Task:
    """Two figures of a primitive and three cells, made by the letter's machine with `truth`."""
    made = with_values(load_machine(CELLS_ON), truth)
    keys = [("srcu", "uprobe-nop", cpus) for cpus in (1, 2, 4)]
    rates = np.exp(Cells(dict.fromkeys(keys, 1.0), REPLICATES).errors(made)).tolist()
    return Task(
        machine=load_machine(CELLS_ON),
        parameters=tuple(TRUTH),
        primitives=Primitives(curve(made, 4, 8), {}),
        cells=Cells(dict(zip(keys, rates, strict=True))),
        steps=steps,
    )


def test_a_fit_finds_the_value_that_made_the_data() -> None:
    truth = with_values(machine(residency_ns=5), {RESIDENCY: 33})
    points = Primitives(curve(truth, 2, 4), {})
    [found] = fit(Stage("primitives", points, (RESIDENCY,)), machine())
    assert found == pytest.approx(33, rel=0.06)


def test_what_no_figure_tells_stays_where_the_search_began() -> None:
    points = Primitives(curve(machine(residency_ns=20), 2, 4), {})
    found = fit(Stage("primitives", points, (RESIDENCY, SPREAD)), machine())
    assert found == pytest.approx([20, SPREAD.start], rel=0.03)


def test_errors_are_logs_of_simulated_over_published() -> None:
    task = toy(TRUTH)
    made = with_values(task.machine, TRUTH)
    figures = task.cells.figures
    assert Cells(figures, REPLICATES).errors(made) == pytest.approx(np.zeros(3))
    doubled = Cells({key: 2 * rate for key, rate in figures.items()}, REPLICATES)
    assert doubled.errors(made) == pytest.approx(np.full(3, -np.log(2)))
    halved = {key: ns / 2 for key, ns in curve(made, 1, 2).items()}
    way = {("blind locked operation", "same cache"): 10.0}
    primitives = Primitives(halved, way)
    ours = hand_off_ns(made, "blind locked operation", "same cache")
    assert primitives.errors(made) == pytest.approx([np.log(2), np.log(2), np.log(ours / 10)])
    together = Together((primitives, doubled))
    assert list(together.errors(made)) == [*primitives.errors(made), *doubled.errors(made)]
    assert list(together.weights) == [3, 1.5, 3, 3, 1, 1]


def test_a_single_line_weighs_more_than_a_whole_hit_and_a_disputed_hand_off_less() -> None:
    key = ("srcu", "uprobe-nop", 4)
    assert list(replace(toy(TRUTH).cells, one_line=frozenset({key})).weights) == [3, 1, 1.5]
    way = ("blind locked operation", "same cache")
    assert list(Primitives({}, {way: 10.0}, disputed=frozenset({way})).weights) == [0.5]


class TwoMinima:
    """Errors of a residency that is right at 36 ns and nearly at 18."""

    weights = np.ones(2)

    def errors(self, model: Machine) -> FloatArray:
        ns = model.coherence.residency_ns
        return np.array([(ns - 18) * (ns - 36) / 100, (36 - ns) / 60])


def test_more_starts_find_the_deeper_minimum() -> None:
    parameter = Parameter(RESIDENCY.path, 15, 140, 17)
    one, several = (
        fit(Stage("fit", TwoMinima(), (parameter,), starts=starts), machine()) for starts in (1, 3)
    )
    assert one == pytest.approx([18], abs=0.5)
    assert several == pytest.approx([36], abs=0.5)


def test_a_figure_of_another_machine_has_its_clocks_and_these_costs() -> None:
    slow = machine().model_copy(update={"turbo": (Turbo(active_cores=4, ghz=0.5),)})
    points = Primitives(curve(machine(), 1), {}, slow)
    assert points.errors(machine()) == pytest.approx([np.log(2)], abs=0.01)


def test_more_replicates_are_more_random_numbers() -> None:
    task = toy(TRUTH)
    machine_now = task.machine.with_numbers({"coherence.spread": 0.4})
    one, many = (Cells(task.cells.figures, n).errors(machine_now) for n in (1, 5))
    assert not np.array_equal(one, many)
    assert one == pytest.approx(many, abs=0.05)


def test_the_whole_is_the_same_again_whatever_the_file_said_and_whoever_computes() -> None:
    task = toy(TRUTH, steps=2)
    seen: list[Step] = []
    first = calibrate(task, report=seen.append)
    other = {RESIDENCY: 50.0, ENTRY: 640.0, SPREAD: 1.1}
    moved = replace(task, machine=with_values(task.machine, other))
    with worker_processes("core.calibrate.points", 2) as each:
        assert calibrate(moved, each) == first
    assert with_uncertainty(replace(task, machine=first)) == first
    finished = [step.stage for step in seen if step.done == step.total]
    assert list(dict.fromkeys(finished)) == ["fit", "intervals"]
    assert first.calibration is not None
    assert first.calibration.cells == tuple(task.cells.figures)
    assert first.calibration.intervals.keys() == {p.path for p in TRUTH}
    assert len(first.members) == MEMBERS


def test_intervals_hold_the_truth_and_say_what_is_known() -> None:
    task = toy(TRUTH)
    found = with_uncertainty(replace(task, machine=with_values(task.machine, TRUTH)))
    assert found.calibration is not None
    spans = found.calibration.intervals
    assert spans[RESIDENCY.path][1] - spans[RESIDENCY.path][0] < 3
    assert spans[ENTRY.path][1] - spans[ENTRY.path][0] < 20
    # No line crosses a socket here: nothing is learnt.
    assert spans[SPREAD.path][1] - spans[SPREAD.path][0] > 1.5
    # The errors are none: it is as small as can be told.
    assert found.calibration.discrepancy.contended == LEAST
