"""Tasks Trace's engine: latencies by hand, random readers, the planted fault."""

from __future__ import annotations

import pytest
from grace_engines import (
    AT,
    CPUS,
    MS,
    all_away,
    assert_sound,
    back_to_back,
    call_times,
    calls_at,
    trace,
)
from grace_engines import sections as some_sections
from hypothesis import given, settings

from core.grace.checks import too_short
from core.grace.sections import Sections
from core.grace.timing import US, Timing
from core.modelcheck.checks import TOO_SHORT

VISITS = CPUS * 200_000
"""Looking at eight CPUs or holdouts."""

FIRST_LOOK = 10 * MS + 3 * US + VISITS
IPI = FIRST_LOOK + 2 * US
SECOND_LOOK = 17 * MS + 3 * US
THIRD_LOOK = 25 * MS + 3 * US
"""After a call at 300 us: synchronize_rcu() from ticks 1 to 4, then timers of 5, 6, 7 jiffies."""


def test_no_readers_take_two_looks() -> None:
    engine = trace()
    assert back_to_back(engine, 1) == [SECOND_LOOK + VISITS + 3 * US - AT] == [16_707_600_000]
    [period] = engine.periods
    assert (period.begin_ps, period.end_ps) == (AT + 3 * US, SECOND_LOOK + VISITS)
    assert period.parts == {
        "rcu_tasks_trace_pregp_step": VISITS,
        "synchronize_rcu": 4 * MS + 3 * US - (AT + 3 * US + VISITS),
        "schedule_timeout_idle": (FIRST_LOOK - VISITS - (4 * MS + 3 * US))
        + (SECOND_LOOK - FIRST_LOOK),
        "check_all_holdout_tasks_trace": 2 * VISITS,
    }


def test_idle_cpus_are_asked_as_well_after_a_longer_normal_period() -> None:
    assert back_to_back(trace(away=all_away()), 1) == [16_707_600_000 + 2 * MS]


def test_back_to_back_the_kthread_sleeps_first() -> None:
    """6 ms of sleep, 4 of synchronize_rcu(), timers of 6 and 7."""
    assert back_to_back(trace(), 4)[1:] == [23 * MS] * 3


def test_tasks_that_no_longer_run_are_inspected_at_the_first_look() -> None:
    engine = trace(away=all_away(begin_ps=5 * MS, end_ps=11 * MS))
    assert back_to_back(engine, 1) == [FIRST_LOOK + 3 * US - AT]


@pytest.mark.parametrize(
    ("end_ps", "look_ps", "holdouts"),
    [
        (12 * MS, SECOND_LOOK, CPUS),  # marked by the IPI, has left by the second look
        (20 * MS, THIRD_LOOK, 1),
        (40 * MS, 44 * MS + 3 * US, 1),  # after timers of 8 and 9 jiffies as well
    ],
)
def test_a_long_reader(end_ps: int, look_ps: int, holdouts: int) -> None:
    engine = trace(Sections.of([3], [100 * US], [end_ps]))
    assert back_to_back(engine, 1) == [look_ps + holdouts * 200_000 + 3 * US - AT]
    assert engine.periods[0].readers == 1


def test_a_section_that_began_after_the_period_holds_it_up_if_the_ipi_meets_it() -> None:
    engine = trace(Sections.of([0, 1], [10 * MS, IPI + 1], [18 * MS, 18 * MS]))
    assert back_to_back(engine, 1) == [THIRD_LOOK + 200_000 + 3 * US - AT]
    assert engine.periods[0].readers == 1


def test_in_the_middle_of_an_unlock_it_is_asked_again() -> None:
    engine = trace(Sections.of([0], [MS], [IPI - US]), unlock_ps=2 * US)
    assert back_to_back(engine, 1) == [THIRD_LOOK + 200_000 + 3 * US - AT]
    assert engine.periods[0].readers == 0


def test_the_next_section_is_not_waited_for() -> None:
    engine = trace(Sections.of([0, 0], [9 * MS, 13 * MS], [12 * MS, 50 * MS]))
    assert back_to_back(engine, 1) == [SECOND_LOOK + VISITS + 3 * US - AT]


def test_an_ipi_that_finds_another_task_says_nothing() -> None:
    engine = trace(away=Sections.of([0], [IPI - US], [12 * MS]))
    assert back_to_back(engine, 1) == [THIRD_LOOK + 200_000 + 3 * US - AT]


def test_a_task_blocked_inside_is_marked_at_once() -> None:
    """Its CPU's idle task is a holdout beside it, and delays the normal period by 2 ms."""
    blocked = Sections.of([0], [100 * US], [12 * MS])
    engine = trace(blocked, away=Sections.of([0], [200 * US], [30 * MS]))
    back_to_back(engine, 1)
    assert engine.periods[0].readers == 1
    assert engine.periods[0].end_ps == SECOND_LOOK + 2 * MS + VISITS
    assert engine.periods[0].parts["check_all_holdout_tasks_trace"] == 2 * VISITS + 200_000


def test_callers_share_a_period_unless_it_has_begun() -> None:
    engine = trace()
    waited = calls_at(engine, AT, AT, AT + US, 5 * MS, 6 * MS)
    assert len(engine.periods) == 2
    assert len({end for _, end in waited[:3]}) == len({end for _, end in waited[3:]}) == 1
    assert_sound(engine, Sections.none(), waited)


def test_asynchronous_callbacks_wait_for_a_quarter_of_a_second() -> None:
    engine, ran = trace(), []
    engine.env.run(until=AT)
    engine.call(lambda: ran.append(engine.now_ps))
    engine.env.run(until=400 * MS)
    assert ran == [(251 + 4 + 6 + 7) * MS + 3 * US + VISITS]


def test_unless_somebody_waits_or_there_are_many() -> None:
    engine, ran = trace(), []
    engine.call(lambda: ran.append(engine.now_ps))
    [(_, returned_ps)] = calls_at(engine, 50 * MS)
    assert ran == [returned_ps - 3 * US]
    engine.env.run(until=100 * MS)
    for _ in range(32):
        engine.call(lambda: ran.append(engine.now_ps))
    engine.env.run(until=200 * MS)
    assert len(ran) == 1
    engine.call(lambda: ran.append(engine.now_ps))
    engine.env.run(until=230 * MS)
    assert len(ran) == 34


def test_without_laziness_a_callback_starts_a_period() -> None:
    engine, ran = trace(timing=Timing(lazy_jiffies_divisor=0)), []
    engine.env.run(until=AT)
    engine.call(lambda: ran.append(engine.now_ps))
    engine.env.run(until=30 * MS)
    assert ran == [SECOND_LOOK + VISITS]
    assert engine.begun_ps is None


@settings(deadline=None)
@given(sections=some_sections(3, unlock_ps=US), away=some_sections(3), times=call_times())
def test_no_period_is_too_short(sections: Sections, away: Sections, times: list[int]) -> None:
    engine = trace(sections, away, unlock_ps=US, cpus=3)
    assert_sound(engine, sections, calls_at(engine, *times))


def test_the_planted_fault_is_caught() -> None:
    sections = Sections.of([0], [100 * US], [50 * MS])
    for faults in ((), ("skips-running-holdouts",)):
        engine = trace(sections, faults=faults)
        back_to_back(engine, 1)
        found = too_short(sections, engine.periods)
        assert (found.check if found else None) == (TOO_SHORT if faults else None)
