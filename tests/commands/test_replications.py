"""A cell with a precision: independent starts, until their mean is known as well as that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from math import sqrt

import numpy as np
import pytest
from scipy.stats import t
from tiny import tiny_spec

import core.replications
from core.cell import SAMPLES_OF_START, Cell, CellResult
from core.engine.cpu_hosts import CpuGroup
from core.engine.simulate import simulate
from core.outcome import Share
from core.predict import predict
from core.replications import APART, FEWEST, half_width, replicated, start
from sweep.plan.plan import plan
from sweep.spec.axes import MAX_COUNT

MOST = 12


def cell(precision: float = 0.005, **axes: object) -> Cell:
    """Of one CPU, and at most twelve starts."""
    [one] = plan(tiny_spec(**{"cpus": 1, "duration": "auto", "precision": precision, **axes}))
    return one


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[int]], None]:
    """Let each start have so many hits in its first sample, and 2 more in its second."""

    def give(hits: Sequence[int]) -> None:
        def fake(asked: Cell, hosts: object = None) -> CellResult:
            mine = hits[asked.replicate // APART % len(hits)]
            share = Share("f", "locked", "line", "same cache", asked.samples * asked.sample_ps)
            samples = mine + 2 * np.arange(asked.samples)
            return CellResult(asked.cell_id, samples, asked.sample_ps, 10, (share,), 0.0)

        monkeypatch.setattr(core.replications, "simulate", fake)

    return give


@pytest.mark.parametrize(
    ("hits", "starts"),
    [
        ([1000], FEWEST),
        # Deviations of 0.1, 0.6 and 10 %.
        ([1000, 1002, 1000, 1001], FEWEST),
        ([1000, 1010, 990, 1004, 996, 1005, 995, 1002, 998, 1001, 999, 1000], 9),
        ([1000, 1200], MOST),
    ],
)
def test_starts_follow_until_the_mean_is_known(
    rates: Callable[[Sequence[int]], None], hits: list[int], starts: int
) -> None:
    rates(hits)
    found = replicated(cell())
    assert len(found.hits_per_sample) == SAMPLES_OF_START * starts
    assert found.half_width is not None
    assert (found.half_width <= 0.005) == (starts < MOST)
    assert found.line_ops == 10 * starts
    [whole] = found.attribution
    assert whole.ps == len(found.hits_per_sample) * found.sample_ps


@pytest.mark.parametrize("starts", range(2, MOST + 1))
def test_the_interval_is_that_of_the_mean_over_starts(starts: int) -> None:
    rates = (1000 + np.random.default_rng(starts).normal(size=starts)).tolist()
    error = np.std(rates, ddof=1) / sqrt(starts)
    expected = t.ppf(0.975, starts - 1) * error / np.mean(rates)
    assert half_width(rates) == pytest.approx(expected, rel=1e-5)


def test_of_one_start_or_without_a_hit_nothing_is_known() -> None:
    assert half_width([10]) == half_width([0, 0, 0]) == 1
    assert half_width([1, 1000]) == 1


def test_nothing_is_known_better_than_to_a_hit(rates: Callable[[Sequence[int]], None]) -> None:
    rates([1000])
    found = replicated(cell())
    assert found.half_width == 1 / found.hits
    rates([-1])
    assert replicated(cell(sample="10ns")).half_width == 1


def test_intervals_hold_the_mean_of_starts() -> None:
    random = np.random.default_rng(5)
    inside = 0
    for _ in range(1000):
        drawn = random.normal(1, 0.1, size=MOST).tolist()
        inside += abs(np.mean(drawn) - 1) <= half_width(drawn) * np.mean(drawn)
    assert 930 <= inside <= 970


def test_the_deviation_is_that_within_a_start_and_states_are_told(
    rates: Callable[[Sequence[int]], None],
) -> None:
    rates([1000, 1250, 1000])
    found = replicated(cell())
    assert found.hits_per_s_stddev == pytest.approx(sqrt(2) * 50_000)
    assert found.states == pytest.approx((1001 * 50_000, 1251 * 50_000, 1 / 3))


def test_what_one_start_does_not_show_many_do() -> None:
    """Rates of two CPUs of the Kunpeng under srcu go by start, and are steady within each."""
    times = {"warmup": "200us", "sample": "100us"}
    asked = cell(flavour="srcu", cpus=2, machine="kunpeng-920", **times)
    found = predict(asked)
    by_start = found.hits_per_sample.reshape(-1, SAMPLES_OF_START).sum(axis=1)
    assert by_start.max() > 1.1 * by_start.min()
    assert found.half_width is not None
    assert found.half_width > 0.02
    within = found.hits_per_sample.reshape(-1, SAMPLES_OF_START)
    assert (np.ptp(within, axis=1) <= 2).all()


def test_the_first_start_is_the_cells_own_and_no_two_are_alike() -> None:
    asked = cell(cpus=2)
    own = replace(asked, precision=None, duration_ps=asked.sample_ps)
    assert start(asked, 0).cell_id == own.cell_id
    # Nor are those of any replicates.
    several = [replace(asked, replicate=n) for n in (0, 1, MAX_COUNT)]
    keys = {start(one, n).stream_key for one in several for n in range(MOST)}
    assert len(keys) == len(several) * MOST
    found = replicated(asked)
    assert (found.hits_per_sample[:SAMPLES_OF_START] == simulate(own).hits_per_sample).all()
    assert len(set(found.hits_per_sample.tolist())) > 1


class Elsewhere(CpuGroup):
    """CPUs of another object, with the same draws."""


def test_whoever_hosts_the_cpus_the_starts_are_the_same() -> None:
    asked = cell(0.01, cpus=3, spread="uniform", probes=3, ensemble=2)
    here, there = predict(asked), predict(asked, Elsewhere())
    for field in fields(CellResult):
        if field.name != "wall_seconds":
            assert np.array_equal(getattr(here, field.name), getattr(there, field.name))


def test_without_a_precision_a_cell_is_the_one_it_was() -> None:
    plain = replace(cell(), precision=None)
    assert "precision" not in plain.identity
    assert cell(0.01).identity["precision"] == 0.01
    assert predict(plain).half_width is None
