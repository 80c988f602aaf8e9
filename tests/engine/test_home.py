"""Who is served next of the requests that wait at a home."""

from __future__ import annotations

import pytest
from engine_machines import hits_per_us, machine, program
from test_weave import CMPXCHG, LOAD, LOCKED, REF, done_at

from core.engine.home import OVERTAKEN
from core.kernel.operation import work


def served_at(cpus: int) -> list[float]:
    """When CPUs that ask for a line one nanosecond after the other are done with it."""
    asked = [[100.0 + cpu, 90000.0] for cpu in range(cpus)]
    return [hit[0] for hit in done_at(machine(other_socket_ns=0), program(LOCKED), asked)]


def test_all_are_served_and_the_home_is_never_idle_meanwhile() -> None:
    assert sorted(served_at(8)) == [155 + 35 * turn for turn in range(8)]


def test_who_comes_late_may_be_served_before_who_came_earlier() -> None:
    done = served_at(8)
    assert done[:2] == [155, 190]  # The first is served, the second is to be next already.
    assert done != sorted(done)
    assert OVERTAKEN == 8


@pytest.mark.parametrize("cpus", [5, 6, 8])
def test_a_remote_cpu_that_fails_again_and_again_does_not_stop_the_others(cpus: int) -> None:
    # One CPU of the other socket, whose cmpxchg comes too late: it must not go first for a copy
    # that it has lost. One socket alone does as well without.
    model = machine(load_hold_ns=56, cycles={"commit_cycles": 5, "cmpxchg_cycles": 20})
    code = program(LOAD, CMPXCHG, *work("gap"), REF)
    alone, _ = hits_per_us(model, code, 4)
    with_remote, _ = hits_per_us(model, code, cpus)
    assert with_remote > 0.4 * alone


def test_loads_go_ahead_while_nobody_has_modified_the_line() -> None:
    # CPU 0's locked operation has the line at 1110. CPU 2's load of it keeps the home busy from
    # 1170 to 1470. CPU 1's locked operation asks at 1210, CPU 3's load at 1300. That is served
    # first, and CPU 1 has the line at 1510. CPU 3's own operation asks a thousand after its load.
    code = program(LOAD, *work("long"), REF)
    entries = [[10.0, 9000.0], [160.0, 9000.0], [1150.0, 9000.0], [1300.0, 9000.0]]
    done = done_at(machine(load_hold_ns=300), code, entries)
    assert done[1] == [1470 + 10 + 30 + 5]
    assert done[3] == [1470 + 20 + 1000 + 50 + 5]
