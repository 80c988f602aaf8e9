"""Synthetic readers, and the sections that they are made of."""

from __future__ import annotations

import numpy as np
import pytest
import simpy
from grace_engines import sections as some_sections
from hypothesis import given, settings
from hypothesis import strategies as st

from core.grace.sections import Sections
from core.grace.synthetic import SyntheticSrcuReaders, SyntheticTraceReaders
from core.grace.timing import SECOND


def test_counters_by_index_and_cpu() -> None:
    """The second section loads before the flip at 15, the third at it; the first ends on CPU 1."""
    env = simpy.Environment()
    given_sections = Sections.of([0, 0, 1], [10, 30, 15], [20, 40, 50], [10, 14, 15], [1, 0, 1])
    readers = SyntheticSrcuReaders(env, 2, given_sections)
    assert [part.sum() for part in readers.counters()] == [0, 0]
    env.run(until=10)
    assert readers.counters()[0].sum() == 0  # what begins now counts after now
    env.run(until=15)
    readers.flips_ps = [15]
    env.run(until=35)
    locks, unlocks = readers.counters()
    assert locks.tolist() == [[2, 0], [0, 1]]
    assert unlocks.tolist() == [[0, 1], [0, 0]]
    env.run(until=60)
    assert readers.counters()[1].tolist() == [[1, 1], [0, 1]]


def test_nesting_sections_and_running() -> None:
    env = simpy.Environment()
    two = Sections.of([0, 0, 1], [10, 30, 5], [20, 40, 6])
    readers = SyntheticTraceReaders(env, 3, two, Sections.of([2], [10], [25]), unlock_ps=5)
    seen = []
    for now in (5, 11, 22, 26, 31, 50):
        env.run(until=now)
        seen.append((readers.nesting().tolist(), readers.sections().tolist()))
        assert readers.running().tolist() == [True, True, not 10 < now <= 25]
    assert seen == [
        ([0, 0, 0], [0, 0, 0]),
        ([1, -1, 0], [1, 1, 0]),
        ([-1, 0, 0], [1, 1, 0]),
        ([0, 0, 0], [1, 1, 0]),
        ([1, 0, 0], [2, 1, 0]),
        ([0, 0, 0], [2, 1, 0]),
    ]


@settings(deadline=None, max_examples=30)
@given(some_sections(3), st.lists(st.integers(0, 10**11), max_size=6).map(sorted))
def test_they_say_what_counting_says(sections: Sections, times: list[int]) -> None:
    env = simpy.Environment()
    srcu = SyntheticSrcuReaders(env, 3, sections)
    trace = SyntheticTraceReaders(env, 3, sections)
    for now in times:
        if now > env.now:
            env.run(until=now)
        begun, ended = sections.begin_ps < env.now, sections.end_ps < env.now
        locks, unlocks = srcu.counters()
        assert locks[0].tolist() == np.bincount(sections.cpu[begun], minlength=3).tolist()
        assert unlocks[0].tolist() == np.bincount(sections.left_on[ended], minlength=3).tolist()
        inside = np.bincount(sections.cpu[begun & ~ended], minlength=3)
        assert trace.nesting().tolist() == inside.tolist()


@pytest.mark.parametrize(
    "impossible",
    [
        {"cpu": [0], "begin_ps": [5], "end_ps": [5]},
        {"cpu": [0], "begin_ps": [5], "end_ps": [6], "loaded_ps": [6]},
        {"cpu": [0, 1, 0], "begin_ps": [5, 5, 7], "end_ps": [8, 8, 9]},
    ],
)
def test_impossible_sections(impossible: dict[str, list[int]]) -> None:
    with pytest.raises(ValueError, match="section"):
        Sections.of(**impossible)


def test_drawn_sections_have_the_rate_and_the_length() -> None:
    drawn = Sections.drawn(4, 2e6, 50_000, SECOND, seed=3)
    number = (drawn.begin_ps < SECOND).sum() / 4
    assert number == pytest.approx(50_000, rel=0.02)
    assert np.bincount(drawn.cpu).min() > 50_000
    assert (drawn.end_ps - drawn.begin_ps).mean() == pytest.approx(2e6, rel=0.02)
    assert len(Sections.drawn(4, 2e6, 0, SECOND, seed=3).cpu) == 0
    with pytest.raises(ValueError, match="more than all"):
        Sections.drawn(4, 2e6, 500_000, SECOND, seed=3)
