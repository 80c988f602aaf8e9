"""Each mechanism of the weave on a case worked out by hand (ns; machine of engine_machines)."""

from __future__ import annotations

import numpy as np
import pytest
from engine_machines import NS, hits_per_us, machine, program, state

from core.engine.gang import Hits
from core.engine.interconnect import Interconnect
from core.engine.program import Program
from core.kernel.operation import Kind, Line, Operation, work
from core.machine.machine import Machine

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


@pytest.mark.parametrize(("other", "transfer"), [(1, 40), (2, 70), (4, 100)])
def test_a_transfer_costs_by_distance(other: int, transfer: int) -> None:
    entries: list[list[float]] = [[9000]] * (other + 1)
    entries[0] = [100, 5000]
    entries[other] = [1000, 5000]
    done = done_at(machine(cores_per_cache=2), program(LOCKED), entries)
    assert done[other] == [1000 + 10 + transfer + 5]


def test_requests_queue_first_come_first_served() -> None:
    done = done_at(machine(), program(LOCKED), [[100, 900], [101, 900], [102, 900]])
    assert done == [[155], [200], [245]]


def test_the_owner_goes_on_until_the_snoop_reaches_it() -> None:
    # CPU 0 has the line from 150, is done with it at 155, and CPU 1's transfer starts. The snoop
    # arrives a quarter of the transfer later, at 165: CPU 0's second operation is still local.
    two = program(LOCKED, LOCKED)
    at_once = done_at(machine(), two, [[100, 900], [101, 900]])
    later = done_at(machine(snoop_share=0.25), two, [[100, 900], [101, 900]])
    assert later == [[160], [205]]
    assert at_once == [[245], [290]]


@pytest.mark.parametrize(("other", "local"), [(1, 3), (4, 6)])
def test_a_snoop_from_afar_arrives_later(other: int, local: int) -> None:
    # Near: until 165, three operations. From the other socket: until 180, all six.
    entries: list[list[float]] = [[9000]] * (other + 1)
    entries[0] = [100, 9000]
    entries[other] = [101, 9000]
    code = program(*[LOCKED] * 6)
    done = done_at(machine(snoop_share=0.25), code, entries)
    assert (done[0] == [180]) == (local == 6)


def test_requests_that_wait_slow_a_transfer() -> None:
    # CPU 1 is served while CPU 2 waits, CPU 2 while nobody does.
    done = done_at(machine(waiter_ns=4), program(LOCKED), [[100, 900], [101, 900], [102, 900]])
    assert done == [[155], [155 + 4 + 40 + 5], [204 + 40 + 5]]


def test_siblings_that_wait_are_served_by_one_transfer() -> None:
    entries: list[list[float]] = [[9000]] * 9
    entries[1] = [10, 9000]
    entries[0] = [100, 9000]
    entries[8] = [101, 9000]
    done = done_at(machine(smt_yield=2.0), program(LOCKED), entries)
    assert done[0] == [155]
    assert done[8] == [160]


def test_a_line_that_the_sibling_used_last_costs_more() -> None:
    entries: list[list[float]] = [[9000]] * 9
    entries[0] = [100, 9000]
    entries[8] = [1000, 9000]
    done = done_at(machine(smt_yield=2.0, sibling_ns=3), program(LOCKED), entries)
    assert done[0] == [155]
    assert done[8] == [1000 + 5 + 3]


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
    # CPU 1's request, there since 111, takes the line at 165: the store needs it back.
    code = program(LOCKED, STORE, BARRIER)
    at_once = done_at(machine(snoop_share=0.25), code, [[100, 9000], [101, 9000]])
    slow = machine(snoop_share=0.25, commit_ns=20)
    later = done_at(slow, code, [[100, 9000], [101, 9000]])
    alone = done_at(slow, code, [[100, 9000]])
    assert at_once[0] == [155 + 5]
    assert alone[0] == [155 + 20 + 5]
    # The store asks at 175; CPU 1 has the line from 195 to 200; then a transfer and the barrier.
    assert later[0] == [200 + 40 + 5]


def test_a_load_takes_over_a_line_that_was_written() -> None:
    # CPU 0 has written the line; CPU 1's load makes it the owner, so its store is local.
    code = program(LOAD, STORE, BARRIER)
    done = done_at(machine(), code, [[10, 9000], [100, 9000]])
    assert done[1] == [100 + 10 + 40 + 5]


def test_a_load_shares_a_line_that_was_only_read_and_a_store_then_takes_it() -> None:
    # CPU 0 has the line at 150, CPU 1 a copy at 190. Stores: CPU 0's asks at 350 and has it at 400,
    # CPU 1's asks at 390, is there at 400 and has it at 440. Then the barriers.
    code = program(LOAD, *work("think"), STORE, BARRIER)
    assert done_at(machine(), code, [[100, 9000], [120, 9000]]) == [[405], [445]]


def test_a_shared_line_is_read_from_the_nearest_copy_by_all_at_once() -> None:
    # CPU 0 has it alone from 60, CPU 1 makes it shared; then loads do not wait for each other.
    entries: list[list[float]] = [[10, 9000], [500, 9000], [1000, 9000], [1000, 9000], [1000, 9000]]
    done = done_at(machine(), program(LOAD), entries)
    assert done[1] == [500 + 10 + 40]
    assert done[2] == done[3] == [1000 + 10 + 20]
    assert done[4] == [1000 + 10 + 20 + 60]


def test_a_write_of_a_shared_line_pays_for_the_furthest_copy() -> None:
    # The line is shared from 550; CPU 4, of the other socket, has a copy only in the second case.
    code = program(LOAD, *work("long"), STORE, BARRIER)
    near: list[list[float]] = [[10, 9000], [500, 9000]]
    far: list[list[float]] = [*near, [9000], [9000], [600, 9000]]
    assert done_at(machine(), code, near)[0] == [60 + 1000 + 10 + 40 + 5]
    assert done_at(machine(), code, far)[0] == [60 + 1000 + 10 + 100 + 5]


def test_a_failed_cmpxchg_repeats_with_the_line_at_hand() -> None:
    # CPU 0 has the line at 130, CPU 1 a copy at 170. CPU 0's cmpxchg asks at 330 and ends at 385;
    # CPU 1's, there at 380, has the line at 425, fails, and repeats without asking again.
    one = program(LOAD, *work("think"), CMPXCHG)
    assert done_at(machine(), one, [[80, 9000], [100, 9000]]) == [[385], [425 + 5 + 5]]


def test_out_of_order_execution_hides_part_of_a_missing_load() -> None:
    code = program(LOAD, *work("gap"), BARRIER)
    plain = done_at(machine(), code, [[100, 9000]])
    hidden = done_at(machine(out_of_order_ns=30), code, [[100, 9000]])
    assert plain[0] == [100 + 50 + 50 + 5]
    assert hidden[0] == [100 + 50 + 20 + 5]


def test_what_leads_to_a_cmpxchg_waits_for_the_load() -> None:
    code = program(LOAD, *work("gap"), CMPXCHG)
    model = machine(out_of_order_ns=30, dependent_ns=8)
    assert done_at(model, code, [[100, 9000]])[0] == [100 + 50 + 50 + 8 + 5]
    # With the line at hand nothing is waited for.
    again = program(LOAD, CMPXCHG, LOAD, CMPXCHG)
    assert done_at(model, again, [[100, 9000]])[0] == [100 + 50 + 8 + 5 + 5]


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
    from core.machine.machine import Turbo

    return Turbo(active_cores=active_cores, ghz=ghz)


def test_spread_keeps_the_mean() -> None:
    even, _ = hits_per_us(machine(), program(LOCKED), 8)
    spread, _ = hits_per_us(machine(spread=0.3), program(LOCKED), 8)
    assert spread == pytest.approx(even, rel=0.01)
