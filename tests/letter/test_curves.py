"""Published curves of primitives beside simulated ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.machine.machine import Machine, machine_names
from sweep.letter.curves import CurveErrors, CurvePoint, PublishedCurve, simulate_curves
from sweep.letter.targets import CURVES

CURVE = PublishedCurve("made", "a primitive", "a machine", machine_names()[0])


@pytest.fixture(autouse=True)
def _made(monkeypatch: pytest.MonkeyPatch) -> None:
    def ns(model: Machine, primitive: str, cpus: int) -> float:
        assert primitive == "a primitive"
        return 11.0 * cpus

    figures = {1: 10.0, 2: 20.0, 4: 55.0, 1000: 1.0}
    monkeypatch.setattr("sweep.letter.curves.primitive_curves", lambda primitive, on: figures)
    monkeypatch.setattr("sweep.letter.curves.ns_per_operation", ns)


def test_points_and_their_mean_by_hand() -> None:
    [found] = simulate_curves([replace(CURVE, to_cpus=4)])
    assert [(p.cpus, p.published, p.simulated) for p in found.points] == [
        (1, 10, 11),
        (2, 20, 22),
        (4, 55, 44),
    ]
    assert [p.error for p in found.points] == pytest.approx([0.1, 0.1, -0.2])
    assert found.mean_error == pytest.approx(0.4 / 3)
    assert found.left_out == ()


def test_only_the_range_is_simulated_and_what_the_machine_lacks_is_said() -> None:
    [found] = simulate_curves([replace(CURVE, from_cpus=2)], threads=1)
    assert [point.cpus for point in found.points] == [2, 4]
    assert found.left_out == (1000,)


def test_a_machine_that_does_not_ship_gives_no_points() -> None:
    absent = replace(CURVE, machine="no-such-machine")
    assert simulate_curves([absent]) == (CurveErrors(absent, ()),)
    assert CurveErrors(absent, ()).mean_error is None


def test_every_target_curve_is_published_and_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    small = [replace(curve, from_cpus=8, to_cpus=8) for curve in CURVES]
    for found in simulate_curves(small):
        if found.curve.machine in machine_names():
            [point] = found.points
            assert isinstance(point, CurvePoint)
            assert 0 < point.simulated < 10 * point.published
