"""SRCU's engine: latencies by hand, random readers, planted faults."""

from __future__ import annotations

import pytest
from grace_engines import AT, CPUS, MS, assert_sound, back_to_back, call_times, calls_at, srcu
from grace_engines import sections as some_sections
from hypothesis import given, settings
from hypothesis import strategies as st

from core.grace.checks import never_ends, too_short
from core.grace.readers import Counts
from core.grace.sections import Sections
from core.grace.srcu import Srcu
from core.grace.synthetic import SyntheticSrcuReaders
from core.grace.timing import US, Timing
from core.modelcheck.checks import NEVER_ENDING, TOO_SHORT

EXPEDITED_PS = 3 * US + 4 * CPUS * 50_000 + 3 * US + 3 * US
"""Work item, two scans of two passes, work item, wake-up."""


def test_alone_it_is_expedited() -> None:
    engine = srcu()
    assert back_to_back(engine, 1) == [EXPEDITED_PS] == [10_600_000]
    [period] = engine.periods
    assert period.expedited
    assert (period.begin_ps, period.end_ps) == (AT, AT + 4_600_000)
    assert period.parts == {
        "queue_delayed_work": 3_000_000,
        "srcu_readers_active_idx_check": 1_600_000,
    }


def test_right_after_another_it_is_not() -> None:
    """Called at 310.6 us: a timer to 2 ms, work, scans; from there one to 4 ms, work, wake-up."""
    engine = srcu()
    assert back_to_back(engine, 2)[1] == 4 * MS + 6 * US - (AT + EXPEDITED_PS)
    assert not engine.periods[1].expedited
    assert engine.periods[1].end_ps == 2 * MS + 3 * US + 1_600_000


@pytest.mark.parametrize(("after_ps", "expedited"), [(25 * US - 1, False), (25 * US, True)])
def test_the_window_is_counted_from_the_periods_end(after_ps: int, expedited: bool) -> None:
    engine = srcu()
    calls_at(engine, AT, AT + 4_600_000 + after_ps)
    assert [period.expedited for period in engine.periods] == [True, expedited]


def test_back_to_back_every_other_one_is_expedited() -> None:
    """An expedited one returns within the window, the other's callbacks come a jiffy late."""
    engine = srcu()
    back_to_back(engine, 10)
    assert [period.expedited for period in engine.periods] == [True, False] * 5
    longer = srcu(cpus=200)  # the window does not depend on how long the scans take
    back_to_back(longer, 10)
    assert [period.expedited for period in longer.periods] == [True, False] * 5


def test_without_the_window_none_alternates() -> None:
    engine = srcu(timing=Timing(exp_holdoff_ps=0))
    assert back_to_back(engine, 4) == [EXPEDITED_PS] * 4


def test_a_long_reader() -> None:
    """Inside until 800 us on the index in use: tries of three checks 5 us apart.

    The second scan begins at 303.8 us and is tried every 15.4 us; the 33rd try sums unlocks at
    797.0 us and again at 802.8 us, and its locks 0.4 us later.
    """
    engine = srcu(Sections.of([5], [0], [800 * US]))
    [latency] = back_to_back(engine, 1)
    assert engine.periods[0].end_ps == 803_200_000
    assert latency == 803_200_000 + 6 * US - AT
    assert engine.periods[0].readers == 32 * 3 + 1


def test_a_reader_of_the_idle_index_stops_the_first_scan() -> None:
    """It loaded index 0 before the first period flipped, and began after that."""
    late = Sections.of([0], [400 * US], [900 * US], loaded_ps=[100 * US])
    engine = srcu(late)
    calls_at(engine, AT, 500 * US)
    assert engine.periods[1].end_ps > 900 * US
    assert len(engine.flips_ps) == 2
    assert engine.flips_ps[1] > 900 * US


def test_callers_during_a_period_share_the_next() -> None:
    """The next starts at once, even if not expedited: 304.6 us, work, scans; then a jiffy."""
    engine = srcu()
    waited = calls_at(engine, AT, AT + US, AT + 2 * US)
    assert [period.begin_ps for period in engine.periods] == [AT, AT + 4_600_000]
    assert engine.periods[1].end_ps == AT + 2 * 4_600_000
    assert [end for _, end in waited] == [AT + EXPEDITED_PS] + [2 * MS + 6 * US] * 2


def test_a_caller_during_a_period_is_not_satisfied_by_it() -> None:
    """The reader came after the period began, and the caller after the reader."""
    reader = Sections.of([0], [AT + US], [AT + 50 * MS])
    engine = srcu(reader)
    waited = calls_at(engine, AT, AT + 2 * US)
    assert waited[1][1] > AT + 50 * MS
    assert_sound(engine, reader, waited)


def test_a_callback_runs_after_a_period_that_it_does_not_expedite() -> None:
    engine, ran = srcu(), []
    engine.call(lambda: ran.append(engine.now_ps))
    engine.env.run(until=10 * MS)
    assert ran == [4 * MS + 3 * US]
    assert [period.expedited for period in engine.periods] == [False]
    assert engine.latencies == []


def test_a_slow_reader_is_looked_at_ever_more_rarely() -> None:
    """Timers of 1, 2, 5, 10 and again 10 jiffies: ticks 2, 5, 11, 22, 33, two checks at each."""
    engine, ran = srcu(Sections.of([0], [0], [30 * MS], [0])), []
    engine.env.run(until=10)
    engine.call(lambda: ran.append(engine.now_ps))
    engine.env.run(until=50 * MS)
    assert engine.periods[0].end_ps == 33 * MS + 3 * US + 800_000
    assert engine.periods[0].readers == 4 * 2
    assert ran == [35 * MS + 3 * US]


def test_an_expedited_period_pauses_after_a_thousand_delays_of_nothing() -> None:
    """At HZ=100 two are asked for in every 15.4 us, so at 8 ms the next try is at 20 ms."""
    engine = srcu(Sections.of([0], [0], [15 * MS]), timing=Timing(hz=100))
    back_to_back(engine, 1)
    assert engine.periods[0].end_ps == 20 * MS + 3 * US + 800_000
    assert engine.periods[0].readers == 500 * 3 + 2


@settings(deadline=None)
@given(sections=some_sections(3), times=call_times())
def test_no_period_is_too_short(sections: Sections, times: list[int]) -> None:
    engine = srcu(sections, cpus=3)
    assert_sound(engine, sections, calls_at(engine, *times))


@settings(deadline=None, max_examples=30)
@given(sections=some_sections(2), phase=st.integers(0, MS), number=st.integers(1, 5))
def test_back_to_back_as_well(sections: Sections, phase: int, number: int) -> None:
    engine = srcu(sections, cpus=2)
    back_to_back(engine, number, phase)
    assert len(engine.periods) == number
    assert too_short(sections, engine.periods) is None


ONE_SCAN = Sections.of([0], [400 * US], [50 * MS], loaded_ps=[100 * US])
NO_FLIP = Sections.of([0], [100 * US], [50 * MS])


@pytest.mark.parametrize(
    ("fault", "sections"), [("one-scan", ONE_SCAN), ("no-flip", NO_FLIP)], ids=lambda x: str(x)[:8]
)
def test_planted_faults_are_caught(fault: str, sections: Sections) -> None:
    for faults in ((), (fault,)):
        engine = srcu(sections, faults=faults)
        calls_at(engine, AT, 500 * US)
        found = too_short(sections, engine.periods)
        assert (found.check if found else None) == (TOO_SHORT if faults else None)


class UnlockNotCounted(SyntheticSrcuReaders):
    def counters(self) -> tuple[Counts, Counts]:
        locks, unlocks = super().counters()
        return locks, unlocks * 0


def test_a_period_that_never_ends_is_caught() -> None:
    import simpy

    sections = Sections.of([0], [0], [400 * US])
    for readers_of, expected in ((SyntheticSrcuReaders, None), (UnlockNotCounted, NEVER_ENDING)):
        env = simpy.Environment()
        readers = readers_of(env, CPUS, sections)
        engine = Srcu(env, readers)
        readers.flips_ps = engine.flips_ps
        engine.synchronize()
        env.run(until=500 * MS)
        found = never_ends(sections, engine.begun_ps, engine.now_ps, 100 * MS)
        assert (found.check if found else None) == expected


def test_an_unknown_fault() -> None:
    with pytest.raises(ValueError, match=r"no-barrier; there are one-scan, no-flip"):
        srcu(faults=["no-barrier"])
