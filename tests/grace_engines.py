"""Engines on synthetic readers, and what is asserted of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import simpy
from hypothesis import strategies as st

from core.grace.checks import never_ends, too_short
from core.grace.engine import Engine, Steps
from core.grace.sections import Sections
from core.grace.srcu import Srcu
from core.grace.srcu_fast import SrcuFast
from core.grace.synthetic import SyntheticSrcuReaders, SyntheticTraceReaders
from core.grace.tasks_trace import TasksTrace
from core.grace.timing import US, Timing

MS = 1000 * US
CPUS = 8
AT = 300 * US
"""When the first call comes in most tests."""


def srcu(
    sections: Sections | None = None,
    cpus: int = CPUS,
    timing: Timing | None = None,
    faults: Iterable[str] = (),
) -> Srcu:
    env = simpy.Environment()
    readers = SyntheticSrcuReaders(env, cpus, sections or Sections.none())
    engine = Srcu(env, readers, timing, faults)
    readers.flips_ps = engine.flips_ps
    return engine


def srcu_fast(
    sections: Sections | None = None,
    cpus: int = CPUS,
    timing: Timing | None = None,
    idle: bool = False,
) -> SrcuFast:
    env = simpy.Environment()
    readers = SyntheticSrcuReaders(env, cpus, sections or Sections.none())
    engine = SrcuFast(env, readers, timing, idle=idle)
    readers.flips_ps = engine.flips_ps
    return engine


def trace(
    sections: Sections | None = None,
    away: Sections | None = None,
    unlock_ps: int = 0,
    cpus: int = CPUS,
    timing: Timing | None = None,
    faults: Iterable[str] = (),
) -> TasksTrace:
    env = simpy.Environment()
    readers = SyntheticTraceReaders(env, cpus, sections or Sections.none(), away, unlock_ps)
    return TasksTrace(env, readers, timing, faults)


def all_away(cpus: int = CPUS, begin_ps: int = 0, end_ps: int = 10**16) -> Sections:
    return Sections.of(range(cpus), [begin_ps] * cpus, [end_ps] * cpus)


def calls_at(engine: Engine, *times_ps: int) -> list[tuple[int, int]]:
    """(called, returned) of a caller at each of these times, once all have returned."""
    returned: dict[int, tuple[int, int]] = {}

    def caller(number: int, at_ps: int) -> Steps:
        yield engine.env.timeout(at_ps - engine.now_ps)
        yield engine.synchronize()
        returned[number] = (at_ps, engine.now_ps)

    started = [engine.env.process(caller(*each)) for each in enumerate(times_ps)]
    engine.env.run(until=engine.env.all_of(started))
    return [returned[number] for number in range(len(times_ps))]


def back_to_back(engine: Engine, number: int, at_ps: int = AT) -> list[int]:
    """Latencies of one caller who calls again and again."""

    def caller() -> Steps:
        yield engine.env.timeout(at_ps)
        for _ in range(number):
            yield engine.synchronize()

    engine.env.run(until=engine.env.process(caller()))
    return engine.latencies


def assert_sound(engine: Engine, sections: Sections, waited: Sequence[tuple[int, int]]) -> None:
    """No period too short or endless, each caller saw a whole one, and times add up."""
    assert too_short(sections, engine.periods) is None
    allowance_ps = 100 * engine.timing.jiffy_ps
    assert never_ends(sections, engine.begun_ps, engine.now_ps, allowance_ps) is None
    for called_ps, returned_ps in waited:
        assert any(p.begin_ps >= called_ps and p.end_ps <= returned_ps for p in engine.periods)
    for period in engine.periods:
        assert sum(period.parts.values()) == period.end_ps - period.begin_ps
    assert sorted(engine.latencies) == sorted(end - begin for begin, end in waited)


@st.composite
def sections(draw: st.DrawFn, cpus: int, unlock_ps: int = 0) -> Sections:
    """A few sections on each CPU, from a fraction of a microsecond to milliseconds long.

    Some load their index long before, some end on another CPU.
    """
    length = st.integers(1, 9).flatmap(lambda n: st.sampled_from([n * 10**e for e in range(5, 11)]))
    rows = []
    for cpu in range(cpus):
        free_ps = 0
        for _ in range(draw(st.integers(0, 4))):
            begin_ps = free_ps + unlock_ps + draw(length)
            end_ps = begin_ps + draw(length)
            loaded_ps = max(begin_ps - draw(st.just(0) | length), 0)
            rows.append((cpu, begin_ps, end_ps, loaded_ps, draw(st.integers(0, cpus - 1))))
            free_ps = end_ps
    columns = list(zip(*rows, strict=True)) or [[]] * 5
    return Sections.of(*columns)


def call_times() -> st.SearchStrategy[list[int]]:
    """When callers come: together, within microseconds, or milliseconds apart."""
    gap = st.sampled_from([0, 1, 7 * US, 24 * US, 26 * US, 300 * US, MS, 7 * MS, 40 * MS])
    return st.lists(gap, min_size=1, max_size=6).map(
        lambda gaps: [sum(gaps[: i + 1]) for i in range(len(gaps))]
    )
