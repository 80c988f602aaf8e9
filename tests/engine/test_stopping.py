"""When a cell has been simulated for long enough."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cell import Cell, CellResult
from core.engine.cpu_hosts import CpuGroup
from core.engine.simulate import simulate
from core.engine.stopping import half_width, looks
from core.machine.machine import load_machine

US = 10**6


def series(correlation: float, length: int, seed: int) -> np.ndarray:
    """Counts around 1,000 with deviation 100, each correlated with the next (an AR(1) process)."""
    random = np.random.default_rng(seed)
    noise = random.normal(scale=100 * np.sqrt(1 - correlation**2), size=length)
    values = np.zeros(length)
    for at in range(1, length):
        values[at] = correlation * values[at - 1] + noise[at]
    return np.rint(1000 + values).astype(np.int64)


def test_what_does_not_vary_is_known_to_a_hit() -> None:
    assert half_width(np.full(80, 7)) == 1 / 560


def test_nothing_is_known_of_nothing_or_of_a_drift() -> None:
    assert half_width(np.zeros(80, dtype=np.int64)) == 1
    assert half_width(np.arange(1, 4001)) == 1
    assert half_width(np.array([3, 4, 5])) == 1


def test_independent_counts_have_students_interval() -> None:
    # 6,400 of deviation 100: 64 batches, t = 1.998.
    expected = 1.998 * 100 / np.sqrt(6400) / 1000
    assert half_width(series(0, 6400, 1)) == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_intervals_hold_their_mean_whatever_the_correlation(correlation: float) -> None:
    inside = 0
    for seed in range(200):
        counts = series(correlation, 1600, seed)
        inside += abs(counts.mean() / 1000 - 1) <= half_width(counts)
    # 190 expected; a series without a look at its correlation would give 85 at 0.9.
    assert inside >= 178


@given(st.integers(1, 10**6))
def test_looks_end_with_the_last_sample(samples: int) -> None:
    found = list(looks(samples, 0.01))
    assert found[-1] == samples
    assert found == sorted(set(found))
    assert found[0] == min(2, samples)
    assert len(found) < 65
    assert list(looks(samples, None)) == [samples]


def cell(precision: float | None, **changes: object) -> Cell:
    values = {
        "bench": "uprobe-nop",
        "flavour": "baseline",
        "cpus": 3,
        "probes": 1,
        "spread": "shared",
        "machine": load_machine("xeon-gold-6138"),
        "seed": 0,
        "replicate": 0,
        "warmup_ps": 100 * US,
        "duration_ps": 99 * 50 * US,
        "sample_ps": 50 * US,
        "precision": precision,
    }
    return Cell(**{**values, **changes})  # type: ignore[arg-type]


def test_the_better_a_mean_is_to_be_known_the_longer_it_takes() -> None:
    runs = [simulate(cell(precision)) for precision in (0.05, 0.01, 0.004)]
    lengths = [len(run.hits_per_sample) for run in runs]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1] < 100
    for run, precision in zip(runs, (0.05, 0.01, 0.004), strict=True):
        assert run.half_width is not None
        assert run.half_width <= precision
        assert sum(share.ps for share in run.attribution) == 3 * len(run.hits_per_sample) * 50 * US


def test_what_does_not_get_there_ends_at_its_duration() -> None:
    run = simulate(cell(1e-9, duration_ps=9 * 50 * US))
    assert len(run.hits_per_sample) == 10
    assert run.half_width is not None
    assert run.half_width > 1e-9


class TwoGroups(CpuGroup):
    """CPUs elsewhere: another object, the same draws."""


def test_whoever_hosts_the_cpus_it_ends_at_the_same_sample() -> None:
    asked = cell(0.01, spread="uniform", probes=3)
    here, again = simulate(asked), simulate(asked, TwoGroups())
    for field in fields(CellResult):
        if field.name != "wall_seconds":
            assert np.array_equal(getattr(here, field.name), getattr(again, field.name))


def test_without_a_precision_a_cell_is_the_one_it_was() -> None:
    plain = cell(None)
    assert "precision" not in plain.identity
    assert cell(0.01).identity["precision"] == 0.01
    assert simulate(cell(None, duration_ps=50 * US)).half_width is None
