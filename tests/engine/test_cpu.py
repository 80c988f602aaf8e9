"""A CPU's draws and counters, and that it does not matter who hosts it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.cpu import FIRST_HITS, MANY, CpuConfigs, Cpus, first_hits
from core.engine.cpu_hosts import CpuGroup, Served, merge_hits, split_served
from core.engine.spread import SPREADS, draw_probes

CONFIG = CpuConfigs(
    first=3,
    key=(1, 2),
    probes=8,
    spread="uniform",
    entry_ps=np.array([1000]),
    jitter_ps=np.array([100]),
    warmup_ps=50,
    sample_ps=10,
    samples=3,
)


def several(cpus: int) -> CpuConfigs:
    """So many like it, from CPU 0 on."""
    entry, jitter = np.full(cpus, 1000), np.full(cpus, 100)
    return CONFIG._replace(first=0, entry_ps=entry, jitter_ps=jitter)


def bound(config: CpuConfigs, *pieces: int) -> tuple[list[int], list[int]]:
    """Probes and private work of so many hits of one CPU, then so many more, all together."""
    cpus = Cpus(config)
    drawn = [cpus.bound(np.array([n], dtype=np.int64)) for n in pieces]
    probe, private = (np.concatenate(column) for column in zip(*drawn, strict=True))
    return probe.tolist(), private.tolist()


def test_private_work_stays_within_its_jitter() -> None:
    private = bound(CONFIG, 1, 10_000)[1][1:]
    assert min(private) >= 900
    assert max(private) <= 1100
    assert np.mean(private) == pytest.approx(1000, rel=0.01)


def test_only_the_first_hit_is_staggered() -> None:
    starts = [bound(CONFIG._replace(first=cpu), 1)[1][0] for cpu in range(64)]
    assert len(set(starts)) > 32
    assert max(starts) <= 2100


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_draws_do_not_depend_on_how_they_are_asked_for(pieces: list[int]) -> None:
    # `uniform` draws probes and work alternately, so only equal requests give equal streams.
    assert bound(CONFIG, *pieces) == bound(CONFIG, *pieces)
    shared = CONFIG._replace(spread="shared")
    assert bound(shared, 1, *pieces) == bound(shared, 1, sum(pieces))


def test_different_cpus_and_cells_draw_differently() -> None:
    streams = {
        tuple(bound(CONFIG._replace(first=cpu, key=key), 8)[1])
        for cpu in (0, 1)
        for key in ((1, 2), (1, 3), (2, 2))
    }
    assert len(streams) == 6


def test_keys_keep_all_their_bits() -> None:
    near = {
        tuple(bound(CONFIG._replace(key=key), 4)[1])
        for key in ((0, 2**63 + 1), (0, 2**63 + 2), (2**62, 5), (2**62 + 1, 5), (2**64 - 1, 1))
    }
    assert len(near) == 5


def test_hits_are_counted_in_their_sample() -> None:
    cpus = Cpus(several(2))
    done = [0, 49, 50, 59, 60, 79, 80, 55, 70]
    cpus.count(np.array([7, 2]), np.array(done))
    cpus.count(np.array([0, 1]), np.array([75]))
    assert cpus.hits_per_sample.tolist() == [[2, 1, 1], [1, 0, 2]]


@pytest.mark.parametrize("cpus", [MANY - 1, MANY])
def test_many_cpus_draw_as_each_alone(cpus: int) -> None:
    shared = several(cpus)._replace(spread="shared")
    drawn = {cpu: bound(shared.part(cpu, cpu + 1), FIRST_HITS, 40)[1] for cpu in (0, 7, cpus - 1)}
    together = Cpus(shared)
    first = first_hits(shared)
    rest = FIRST_HITS + 40 - first
    pieces = [together.bound(np.full(cpus, n))[1] for n in (first, rest - 30, 30)]
    of_each = np.concatenate([piece.reshape(cpus, -1) for piece in pieces], axis=1)
    assert {cpu: of_each[cpu].tolist() for cpu in drawn} == drawn


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("probes", [1, 5])
def test_spreads_stay_inside_the_probes(spread: str, probes: int) -> None:
    random = np.random.default_rng(1)
    drawn = draw_probes(random, spread, 7, probes, 1000)  # type: ignore[arg-type]
    assert drawn.min() >= 0
    assert drawn.max() < probes


def test_what_each_spread_means() -> None:
    random = np.random.default_rng(1)
    assert set(draw_probes(random, "shared", 7, 5, 100)) == {0}
    assert set(draw_probes(random, "private", 7, 5, 100)) == {2}
    uniform = np.bincount(draw_probes(random, "uniform", 7, 5, 50_000))
    assert uniform / 50_000 == pytest.approx([0.2] * 5, abs=0.01)
    zipf = np.bincount(draw_probes(random, "zipf", 7, 3, 60_000))
    assert zipf / 60_000 == pytest.approx(np.array([6, 3, 2]) / 11, abs=0.01)


@given(st.lists(st.integers(0, 5), min_size=4, max_size=4), st.integers(1, 4))
def test_groups_together_are_all_of_a_cells_cpus(wanted: list[int], first: int) -> None:
    configs = several(4)
    sizes = [first, 4 - first] if first < 4 else [4]
    cuts = np.cumsum(sizes)[:-1]
    want = np.array(wanted, dtype=np.int64)
    served = Served(want, np.arange(want.sum(), dtype=np.int64) * 3 + 45)
    whole, parts = CpuGroup(), [CpuGroup() for _ in sizes]
    shares = [configs.part(*ends) for ends in pairwise([0, *cuts, 4])]
    draws = np.split(want, cuts)
    pieces = split_served(served, sizes)
    begun = [p.start(c, n) for p, c, n in zip(parts, shares, draws, strict=True)]
    gone_on = [p.exchange(s, n) for p, s, n in zip(parts, pieces, draws, strict=True)]
    ended = [p.finish(s) for p, s in zip(parts, pieces, strict=True)]
    for expected, got in (
        (whole.start(configs, want), merge_hits(begun)),
        (whole.exchange(served, want), merge_hits(gone_on)),
    ):
        for a, b in zip(expected, got, strict=True):
            assert (a == b).all()
    assert (whole.finish(served) == np.concatenate(ended)).all()
