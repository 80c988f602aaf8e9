"""The bounds that are added up by hand, and the engines that are not."""

from __future__ import annotations

from grace_engines import MS, all_away, back_to_back, srcu, srcu_fast, trace
from hypothesis import given, settings
from hypothesis import strategies as st

from core.grace import bounds
from core.grace.timing import US, Timing

HZ = st.sampled_from([100, 250, 300, 1000])
CPUS = st.integers(1, 300)
PHASE = st.integers(0, 10 * MS)
FEW = settings(deadline=None, max_examples=40)


def test_by_hand() -> None:
    assert bounds.srcu_expedited(Timing(), 8) == (10_600_000, 10_600_000)
    assert bounds.srcu_not_expedited(Timing()) == (3 * MS + 6 * US, 4 * MS + 6 * US)
    assert bounds.srcu_fast(Timing(), 8, idle=False) == (11 * MS + 6 * US, 12 * MS + 6 * US)
    extra = 2 * 8 * 200_000 + 9 * US
    assert bounds.tasks_trace(Timing(), 8, idle=False) == (16 * MS + extra, 17 * MS + extra)
    assert bounds.tasks_trace(Timing(), 8, idle=True) == (18 * MS + extra, 19 * MS + extra)
    assert bounds.tasks_trace_back_to_back(Timing(), 8, idle=False) == (23 * MS, 23 * MS)


@FEW
@given(hz=HZ, cpus=CPUS, phase=PHASE)
def test_srcu_is_within(hz: int, cpus: int, phase: int) -> None:
    timing = Timing(hz=hz)
    expedited, then = back_to_back(srcu(cpus=cpus, timing=timing), 2, phase)
    assert bounds.srcu_expedited(timing, cpus) == (expedited, expedited)
    low, high = bounds.srcu_not_expedited(timing)
    assert low < then <= high


@FEW
@given(hz=HZ, cpus=CPUS, phase=PHASE, idle=st.booleans())
def test_srcu_fast_is_within(hz: int, cpus: int, phase: int, idle: bool) -> None:
    timing = Timing(hz=hz)
    low, high = bounds.srcu_fast(timing, cpus, idle)
    for latency in back_to_back(srcu_fast(cpus=cpus, timing=timing, idle=idle), 2, phase):
        assert low < latency <= high


@FEW
@given(hz=HZ, cpus=CPUS, phase=PHASE, idle=st.booleans())
def test_tasks_trace_is_within(hz: int, cpus: int, phase: int, idle: bool) -> None:
    timing = Timing(hz=hz)
    engine = trace(away=all_away(cpus) if idle else None, cpus=cpus, timing=timing)
    alone, *others = back_to_back(engine, 3, phase)
    low, high = bounds.tasks_trace(timing, cpus, idle)
    assert low < alone <= high
    assert tuple(others) == bounds.tasks_trace_back_to_back(timing, cpus, idle)


def test_timers_wait_for_the_tick_after() -> None:
    timing = Timing()
    assert timing.timer_ps(0, 1) == 2 * MS
    assert timing.timer_ps(MS - 1, 1) == MS + 1
    assert timing.timer_ps(MS, 5) == 6 * MS


def test_what_follows_from_hz() -> None:
    names = ("gp_sleep", "lazy_jiffies", "max_nodelay_phase")
    told = {hz: tuple(getattr(Timing(hz=hz), name) for name in names) for hz in (100, 250, 1000)}
    assert told == {100: (1, 25, 1000), 250: (1, 62, 1000), 1000: (5, 250, 400)}
    assert [Timing(hz=hz).till_force_qs(8) for hz in (100, 250, 300, 1000)] == [1, 1, 2, 3]
    assert Timing().till_force_qs(512) == 5
