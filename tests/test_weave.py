"""Each mechanism of the weave on a case worked out by hand (ns; machine of engine_machines)."""

from __future__ import annotations

import numpy as np
import pytest
from engine_machines import NS, hits_per_us, machine, program, state

from core.engine.gang import Hits
from core.engine.interconnect import Interconnect
from core.engine.program import Program
from core.hardware.machine import Machine
from core.kernel.operation import Kind, Line, Operation, work

LOAD = Operation(Kind.LOAD, Line.EVENT)
STORE = Operation(Kind.STORE, Line.EVENT)
LOCKED = Operation(Kind.LOCKED, Line.EVENT)
CMPXCHG = Operation(Kind.CMPXCHG, Line.EVENT, reference_count=True)
REF = Operation(Kind.LOCKED, Line.EVENT, reference_count=True)
BARRIER = Operation(Kind.BARRIER)
OTHER = Operation(Kind.LOCKED, Line.TREE)


def done_at(model: Machine, code: Program, entries: list[list[float]]) -> list[list[float]]:
    """When each CPU's hits complete, ns, given the entry work (ns) of each of its hits.

    The weave stops at the first CPU that runs out, so give a long last hit to whoever must not be.
    """
    built = state(model, code, len(entries))
    interconnect = Interconnect(built)
    count = np.array([len(e) for e in entries], dtype=np.int64)
    entry = np.array([int(ns * NS) for e in entries for ns in e], dtype=np.int64)
    interconnect.accept(Hits(count, np.zeros(len(entry), dtype=np.int32), entry))
    interconnect.run(10**12)
    served = interconnect.served()
    return [
        [t / NS for t in part] for part in np.split(served.done_ps, np.cumsum(served.counts)[:-1])
    ]


def test_cold_line_costs_the_request_only() -> None:
    # Nobody holds the line: request 10, a transfer from nowhere 40, operation 5.
    assert done_at(machine(), program(LOCKED), [[100, 100]])[0] == [155]


@pytest.mark.parametrize(("other", "transfer"), [(1, 40), (4, 100)])
def test_a_transfer_costs_by_distance(other: int, transfer: int) -> None:
    entries: list[list[float]] = [[9000]] * (other + 1)
    entries[0] = [100, 5000]
    entries[other] = [1000, 5000]
    done = done_at(machine(), program(LOCKED), entries)
    assert done[other] == [1000 + 10 + transfer + 5]


def test_requests_queue_first_come_first_served() -> None:
    done = done_at(machine(), program(LOCKED), [[100, 900], [101, 900], [102, 900]])
    assert done == [[155], [200], [245]]


def test_the_owner_goes_on_until_the_home_hears_of_the_arrival() -> None:
    # CPU 0 has the line from 150 on. If the home knows at once, CPU 1's transfer starts when CPU
    # 0's operation ends; if 10 later, CPU 0's second operation, 5 later, is still local.
    two = program(LOCKED, LOCKED)
    slow = done_at(machine(), two, [[100, 900], [101, 900]])
    fast = done_at(machine(acknowledge_ns=10), two, [[100, 900], [101, 900]])
    assert fast[0] == [160]
    assert slow[0][0] > 200
    assert fast[1] == [160 + 40 + 5 + 5]


def test_siblings_that_wait_are_served_by_one_transfer() -> None:
    entries: list[list[float]] = [[9000]] * 9
    entries[1] = [10, 9000]
    entries[0] = [100, 9000]
    entries[8] = [101, 9000]
    done = done_at(machine(smt_yield=2.0), program(LOCKED), entries)
    assert done[0] == [155]
    assert done[8] == [160]


def test_busy_siblings_slow_each_other_down() -> None:
    # smt_yield 1: two threads together do the work of one.
    model = machine()
    alone, _ = hits_per_us(model, program(BARRIER), 8)
    together, _ = hits_per_us(model, program(BARRIER), 16)
    assert together / 16 == pytest.approx(alone / 8 * 105 / 205, rel=0.01)


def test_a_plain_store_does_not_stop_the_cpu_but_a_locked_operation_drains_it() -> None:
    others: list[list[float]] = [[10, 9000]]
    plain = done_at(machine(), program(STORE, *work("gap")), [*others, [100, 9000]])
    fenced = done_at(machine(), program(STORE, *work("gap"), BARRIER), [*others, [100, 9000]])
    late = done_at(machine(), program(STORE, *work("think"), BARRIER), [*others, [100, 9000]])
    assert plain[1] == [150]
    assert fenced[1] == [100 + 10 + 40 + 5]
    assert late[1] == [100 + 200 + 5]


def test_a_store_commits_later_and_may_find_its_line_gone() -> None:
    # CPU 0 has the line from 150, its locked operation ends at 155 and its store commits 20 later.
    # CPU 1's request, there since 111, takes the line at 160: the store needs it back.
    code = program(LOCKED, STORE, BARRIER)
    at_once = done_at(machine(acknowledge_ns=10), code, [[100, 9000], [101, 9000]])
    slow = machine(acknowledge_ns=10, commit_ns=20)
    later = done_at(slow, code, [[100, 9000], [101, 9000]])
    alone = done_at(slow, code, [[100, 9000]])
    assert at_once[0] == [155 + 5]
    assert alone[0] == [155 + 20 + 5]
    # The store asks at 175; CPU 1 has the line from 200, acknowledged at 210; then a transfer of
    # 40 and the barrier.
    assert later[0] == [210 + 40 + 5]


def test_a_load_leaves_the_line_shared_and_a_store_then_upgrades_it() -> None:
    # CPU 0 modifies at 10; CPU 1 loads at 100 (read 40) and stores: upgrade 30 behind a request.
    code = program(LOAD, STORE, BARRIER)
    done = done_at(machine(), code, [[10, 9000], [100, 9000]])
    assert done[1] == [100 + 10 + 40 + 10 + 30 + 5]


def test_a_shared_line_is_read_from_a_copy_in_the_socket() -> None:
    entries: list[list[float]] = [[10, 9000], [500, 9000], [1000, 9000]]
    done = done_at(machine(), program(LOAD), entries)
    assert done[1] == [500 + 10 + 20]
    assert done[2] == [1000 + 10 + 20]


def test_every_further_sharer_adds_to_an_invalidation() -> None:
    entries: list[list[float]] = [[10, 9000], [500, 9000], [1000, 9000], [2000, 9000]]
    code = program(LOAD, STORE, BARRIER)
    # CPU 3 reads a line whose last writer is CPU 2: two sharers, so one more than itself.
    done = done_at(machine(sharer_ns=7), code, entries)
    assert done[3] == [2000 + 10 + 40 + 10 + 30 + 7 + 5]


def test_a_failed_cmpxchg_repeats_with_the_line_at_hand() -> None:
    # CPU 1 loads at 100; CPU 0 takes a reference at 120 and holds the line; CPU 1's cmpxchg at 350
    # finds the count changed, and repeats without asking again.
    one = program(LOAD, *work("think"), CMPXCHG)
    done = done_at(machine(), one, [[80, 9000], [100, 9000]])
    # CPU 0: load done at 130, cmpxchg 330 + 10 + 30 (upgrade) + 5.
    assert done[0] == [375]
    # CPU 1: shared read granted 100 + 10 + 20 after CPU 0's (queued at 130), cmpxchg from 350:
    # request 360, served at 375 (transfer 40), fails 5, succeeds 5.
    assert done[1] == [130 + 20 + 200 + 10 + 15 + 40 + 5 + 5]


def test_out_of_order_execution_hides_part_of_a_missing_load() -> None:
    code = program(LOAD, *work("gap"), BARRIER)
    plain = done_at(machine(), code, [[100, 9000]])
    hidden = done_at(machine(out_of_order_ns=30), code, [[100, 9000]])
    assert plain[0] == [100 + 50 + 50 + 5]
    assert hidden[0] == [100 + 50 + 20 + 5]


def test_the_owner_word_is_forwarded_from_the_store_buffer() -> None:
    done = done_at(machine(), program(STORE, LOAD), [[10, 9000], [100, 9000]])
    assert done[1] == [100]


def test_lines_are_served_independently() -> None:
    done = done_at(machine(), program(LOCKED, OTHER), [[100, 9000], [101, 9000]])
    assert done[0] == [155 + 55]
    assert done[1] == [200 + 55]


def test_transfers_scale_with_the_core_clock_share() -> None:
    slow = machine(core_clock_share=0.5).model_copy(
        update={"turbo": machine().turbo[:1] and (_bin(1, 2.0), _bin(4, 1.0))}
    )
    done = done_at(slow, program(LOCKED), [[100, 9000], [1000, 9000]])
    # Two cores busy: 1 GHz against 2 GHz at best, so half of the transfer takes twice as long.
    assert done[1] == [1000 + 10 + 60 + 5]


def _bin(active_cores: int, ghz: float) -> object:
    from core.hardware.machine import Turbo

    return Turbo(active_cores=active_cores, ghz=ghz)


def test_spread_keeps_the_mean() -> None:
    even, _ = hits_per_us(machine(), program(LOCKED), 8)
    spread, _ = hits_per_us(machine(spread=0.3), program(LOCKED), 8)
    assert spread == pytest.approx(even, rel=0.01)
