"""Normal periods one at a time, rcu_sync, and the semaphore that forks read."""

from __future__ import annotations

from collections.abc import Iterator

import simpy

from core.grace.rcu import PercpuRwsem, Rcu
from core.grace.selftest import changes
from core.grace.timing import SECOND, Timing
from sweep.report.selftest import CHECKED, PUBLISHED_S, TOLERANCE, measured

MS = SECOND // 1000


def test_a_period_that_is_asked_for_during_one_is_the_next() -> None:
    env = simpy.Environment(initial_time=MS // 2)
    rcu = Rcu(env, cpus=8)
    # HZ=1000: the tick at 1 ms begins it, idle CPUs are found 4 ticks on, a tick later it calls.
    ends: list[int] = []
    rcu.call(lambda: ends.append(rcu.now_ps))
    env.run(until=2 * MS)
    rcu.call(lambda: ends.append(rcu.now_ps))
    env.run(until=50 * MS)
    assert ends == [6 * MS, 10 * MS]
    assert [(period.begin_ps, period.end_ps) for period in rcu.periods] == [
        (MS, 5 * MS),
        (5 * MS, 9 * MS),
    ]


def test_periods_go_by_hz() -> None:
    for hz, jiffies in ((100, 2), (250, 2), (300, 3), (1000, 4)):
        env = simpy.Environment()
        rcu = Rcu(env, cpus=8, timing=Timing(hz=hz))
        env.run(until=rcu.synchronize())
        # From one tick to the callback: begin, find the idle CPUs, call.
        assert rcu.now_ps == (jiffies + 2) * rcu.timing.jiffy_ps + rcu.timing.wakeup_ps


def writes(sem: PercpuRwsem, at_ps: list[int], took: list[int]) -> Iterator[simpy.Event]:
    env = sem.rss._rcu.env
    for ps in at_ps:
        yield env.timeout(ps - env.now)
        began = int(env.now)
        yield from sem.down_write()
        took.append(int(env.now) - began)
        sem.up_write()


def test_only_who_comes_to_an_idle_one_waits() -> None:
    env = simpy.Environment()
    sem, took = PercpuRwsem(Rcu(env, cpus=8)), list[int]()
    env.process(writes(sem, [0, 7 * MS, 11 * MS, 40 * MS], took))
    env.run(until=100 * MS)
    assert [wait > 0 for wait in took] == [True, False, False, True]
    assert sem.rss.waits == 2


def test_readers_and_writers_exclude_each_other() -> None:
    env = simpy.Environment()
    sem = PercpuRwsem(Rcu(env, cpus=8))
    log: list[tuple[str, int]] = []

    def read(at_ps: int) -> Iterator[simpy.Event]:
        yield env.timeout(at_ps)
        yield from sem.down_read()
        log.append(("read", int(env.now)))
        yield env.timeout(10 * MS)
        sem.up_read()

    def write() -> Iterator[simpy.Event]:
        yield from sem.down_write()
        log.append(("write", int(env.now)))
        yield env.timeout(5 * MS)
        sem.up_write()

    env.process(read(0))
    env.process(write())
    env.process(read(8 * MS))
    env.run(until=100 * MS)
    # The period is over at 6 ms, the first reader at 10; who comes meanwhile waits for the writer.
    assert log == [("read", 0), ("write", 10 * MS), ("read", 15 * MS)]


def test_the_selftest_attaches_and_detaches_768_times() -> None:
    made = list(changes())
    assert (len(made), sum(made)) == (1536, 768)


def test_the_selftest_is_within_a_fifth_if_its_calls_are_isolated() -> None:
    at_once, isolated = measured(cpus=8, hz=1000)
    assert isolated.calls == CHECKED
    assert abs(isolated.error) < TOLERANCE
    # All but the first wait for a period of Tasks Trace back to back: docs/grace-periods.md.
    assert round(at_once.seconds / at_once.pairs * 1000) == 25
    assert at_once.error == at_once.seconds / PUBLISHED_S - 1
