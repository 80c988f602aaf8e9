"""SRCU-fast's engine: two normal grace periods at least, never expedited on its own."""

from __future__ import annotations

from grace_engines import AT, MS, assert_sound, back_to_back, call_times, calls_at, srcu_fast
from grace_engines import sections as some_sections
from hypothesis import given, settings

from core.grace.sections import Sections
from core.grace.timing import US


def test_two_normal_periods() -> None:
    """A timer to 2 ms; twice start, note, report and callback, a tick each; a timer of two more."""
    engine = srcu_fast()
    assert back_to_back(engine, 2) == [(2 + 4 + 4 + 2) * MS + 6 * US - AT, 12 * MS]
    assert not any(period.expedited for period in engine.periods)
    parts = engine.periods[0].parts
    assert 7 * MS < parts["synchronize_rcu"] <= 8 * MS


def test_an_idle_cpu_has_to_be_found() -> None:
    """The period ends when force_qs comes, four ticks after it began and not two."""
    assert back_to_back(srcu_fast(idle=True), 2) == [(2 + 6 + 6 + 2) * MS + 6 * US - AT, 16 * MS]


def test_a_reader_costs_another_normal_period() -> None:
    """Inside when the second scan sums its unlocks, just after 6 ms: four ticks more, no timer."""
    engine = srcu_fast(Sections.of([0], [5 * MS], [7 * MS]))
    [latency] = back_to_back(engine, 1)
    assert latency == (2 + 4 + 4 + 4 + 2) * MS + 6 * US - AT
    assert engine.periods[0].readers == 1


@settings(deadline=None, max_examples=50)
@given(sections=some_sections(2), times=call_times())
def test_no_period_is_too_short(sections: Sections, times: list[int]) -> None:
    engine = srcu_fast(sections, cpus=2)
    assert_sound(engine, sections, calls_at(engine, *times))
