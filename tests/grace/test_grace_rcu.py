"""Normal periods one at a time, rcu_sync, and the semaphore that forks read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import simpy

from core.grace.rcu import PercpuRwsem, Rcu
from core.grace.selftest import changes
from core.grace.timing import SECOND, Timing
from sweep.report.selftest import PUBLISHED_S, holds, measured, render

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


def test_the_selftest_takes_a_period_of_rcu_and_one_of_tasks_trace_a_pair() -> None:
    idle, busy, apart = measured(cpus=8, hz=1000)
    # 6 ms for dup_mmap_sem, hidden behind the kthread's sleep or not, and 19 ms for the detach.
    assert round(idle.seconds / idle.pairs * 1000) == 25
    # Others' periods of RCU are in the way of the pair's two.
    assert 25 < busy.seconds / busy.pairs * 1000 < 25 + 2 * 5
    # Every attach finds dup_mmap_sem idle, and user space counts.
    assert apart.seconds / apart.pairs * 1000 == pytest.approx(19 + 6 + 6 + 6, abs=4)
    assert idle.error == idle.seconds / PUBLISHED_S - 1


def test_the_check_is_of_what_the_selftests_code_does() -> None:
    found = measured(cpus=8, hz=1000)
    assert [one.checked for one in found] == [True, True, False]
    assert not holds(found)
    assert holds([one._replace(error=0.19) for one in found])
    assert "does NOT hold" in render(found)
