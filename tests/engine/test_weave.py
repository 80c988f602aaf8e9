"""Each mechanism of the weave on a case worked out by hand (ns; machine of engine_machines)."""

from __future__ import annotations

import numpy as np
import pytest
from engine_machines import NS, hits_per_us, machine, program, state

from core.engine.cpu_hosts import Hits
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
    parts = np.split(served.done_ps, np.cumsum(served.counts)[:-1])
    return [[round(t / NS, 1) for t in part] for part in parts]


def others(entries: dict[int, float], cpus: int) -> list[list[float]]:
    """One hit for each CPU named; the others are at work all the time."""
    return [[entries[cpu], 9000] if cpu in entries else [9000] for cpu in range(cpus)]


def test_a_line_that_nobody_has_comes_as_from_a_neighbour() -> None:
    # Request 10, snoop 10, transfer 30, operation 5.
    assert done_at(machine(), program(LOCKED), [[100, 100]])[0] == [155]


@pytest.mark.parametrize(("other", "way"), [(1, 50), (2, 80), (4, 110)])
@pytest.mark.parametrize("snoop_crossing", [0, 0.5, 1])
def test_an_idle_line_costs_by_distance_whichever_leg_crosses(
    other: int, way: int, snoop_crossing: float
) -> None:
    model = machine(cores_per_cache=2, snoop_crossing=snoop_crossing)
    done = done_at(model, program(LOCKED), others({0: 100, other: 1000}, other + 1))
    assert done[other] == [1000 + way + 5]


def test_requests_queue_first_come_first_served() -> None:
    # CPU 0 has the line from 150 to 155. The snoop for CPU 1 is there, and answered at 155: the
    # line comes at 185. That for CPU 2 is answered at 190.
    done = done_at(machine(), program(LOCKED), [[100, 900], [101, 900], [102, 900]])
    assert done == [[155], [190], [225]]


def test_a_line_that_was_wanted_before_it_came_stays_for_a_while() -> None:
    # CPU 0 has it from 150; residency 20: the snoop is answered at 170, CPU 1 is done at 205.
    done = done_at(machine(residency_ns=20), program(LOCKED), [[100, 900], [101, 900]])
    assert done == [[155], [170 + 30 + 5]]


def test_the_owner_goes_on_using_it_meanwhile() -> None:
    # Three operations from 150 on fit into 20, the fourth has to ask.
    stays = done_at(machine(residency_ns=20), program(*[LOCKED] * 3), [[100, 900], [101, 9000]])
    assert stays[0] == [165]
    asks = done_at(machine(residency_ns=12), program(*[LOCKED] * 4), [[100, 900], [101, 9000]])
    # At 165 CPU 0 has done three and answers. It asks at once; the home serves it at 175, the snoop
    # is at CPU 1 at 185, 10 later than one in turn, and answered at 195 + 10 + 12.
    assert asks[0] == [217 + 30 + 5]


def test_a_snoop_that_is_not_there_in_turn_waits_as_long_as_one_that_is() -> None:
    # CPU 0 has the line from 150. A snoop that follows the last answer at once, at 120, is there at
    # 130 and waits for 20 and the residency; so does CPU 1's, there at 135.
    done = done_at(machine(residency_ns=20), program(LOCKED), [[100, 900], [115, 900]])
    assert done == [[155], [135 + 20 + 20 + 30 + 5]]


def test_a_settled_line_is_given_away_at_once() -> None:
    # CPU 1's snoop is at CPU 0 at 180, 30 after the line came.
    model = machine(residency_ns=100)
    assert done_at(model, program(LOCKED), [[100, 900], [160, 900]])[1] == [160 + 50 + 5]


def test_no_more_locked_operations_than_the_limit_once_a_snoop_waits() -> None:
    # Residency 60, limit 2: CPU 0's third operation, at 160, has to wait until the line leaves at
    # 210, and asks then. CPU 1 has it from 240; CPU 0's snoop is there at 230 and waits until 310.
    model = machine(residency_ns=60, locked_per_stay=2)
    contended = done_at(model, program(*[LOCKED] * 3), [[100, 900], [101, 9000]])
    alone = done_at(model, program(*[LOCKED] * 3), [[100, 900]])
    assert contended[0] == [310 + 30 + 5]
    assert alone[0] == [165]


def test_loads_and_stores_do_not_count() -> None:
    model = machine(residency_ns=60, locked_per_stay=2)
    code = program(LOCKED, LOAD, STORE, LOAD, LOCKED)
    assert done_at(model, code, [[100, 900], [101, 9000]])[0] == [160]


def test_a_line_that_came_for_a_store_has_a_residency_of_its_own() -> None:
    # CPU 0's store has the line at 150 and keeps it until 157: CPU 1 at 187, 15 later than without.
    model = machine(residency_ns=100, store_residency_ns=7)
    done = done_at(model, program(STORE, BARRIER), [[100, 900], [101, 900]])
    assert done == [[155], [157 + 30 + 5]]


def test_a_snoop_that_crosses_overlaps_with_the_residency() -> None:
    # Of the 60 that the other socket adds, half is on the snoop's way: it is there at 160, after
    # the line, and finds it settled. With all of it on the line's way it is there at 130.
    entries = others({0: 100, 4: 101}, 5)
    settled = done_at(machine(residency_ns=20, snoop_crossing=0.5), program(LOCKED), entries)
    waits = done_at(machine(residency_ns=20), program(LOCKED), entries)
    assert settled[4] == [160 + 30 + 30 + 5]
    assert waits[4] == [170 + 30 + 60 + 5]


def test_a_core_that_waits_for_another_line_answers_late() -> None:
    # CPU 0 is done with the line at 155 and waits for another until 205. The snoop for CPU 1, there
    # since 130, is answered 15 later.
    code = program(LOCKED, OTHER)
    plain = done_at(machine(), code, [[100, 9000], [101, 9000]])
    late = done_at(machine(cycles={"late_answer_cycles": 15}), code, [[100, 9000], [101, 9000]])
    assert plain[1] == [155 + 30 + 5 + 55]
    assert late[1] == [155 + 15 + 30 + 5 + 55]


def test_a_core_that_waits_for_the_same_line_does_not() -> None:
    model = machine(residency_ns=60, locked_per_stay=2, cycles={"late_answer_cycles": 15})
    assert done_at(model, program(*[LOCKED] * 3), [[100, 900], [101, 9000]])[0] == [345]


def test_a_barrier_keeps_its_core_from_answering() -> None:
    # CPU 0's barrier is at 155; the snoop is answered at 155 + 40.
    code = program(LOCKED, BARRIER)
    done = done_at(machine(cycles={"barrier_answer_cycles": 40}), code, [[100, 900], [101, 900]])
    assert done == [[160], [195 + 30 + 10]]


def test_but_its_core_does_not_go_on_using_the_line() -> None:
    # As above, but CPU 0 wants the line again at 160, while the snoop waits. So it asks, and is
    # next: CPU 1 has the line from 225 to 230.
    model = machine(cycles={"barrier_answer_cycles": 40})
    code = program(LOCKED, BARRIER, LOCKED)
    done = done_at(model, code, [[100, 9000], [101, 9000]])
    assert done[0] == [230 + 30 + 5]


def test_so_does_one_that_waited_for_a_store() -> None:
    # The store has the line at 150, and the barrier that waited for it is executed.
    code = program(STORE, BARRIER)
    done = done_at(machine(cycles={"barrier_answer_cycles": 40}), code, [[100, 900], [101, 900]])
    assert done == [[155], [190 + 30 + 5]]


def test_a_load_of_a_modified_line_keeps_the_home_busy() -> None:
    # CPU 1's load is answered at 520, its home free at 590. CPU 2's request waits for that.
    code = program(LOAD)
    write = program(LOCKED, *work("long"), LOAD)
    done = done_at(machine(load_hold_ns=70), code, [[10, 9000], [500, 9000], [501, 9000]])
    assert done[1] == [550]
    assert done[2] == [590 + 20]
    assert done_at(machine(load_hold_ns=70), write, [[10, 9000]])[0] == [65 + 1000]


def test_a_store_asks_before_the_home_is_free_again() -> None:
    # CPU 1's copy is on its way from 520 to 550, its store asks at 550 + 15, and the home, busy
    # until 576, at 575. CPU 2's load waits from 511 on, and is served after that store.
    model = machine(load_hold_ns=56, cycles={"commit_cycles": 15})
    done = done_at(model, program(LOAD, STORE, BARRIER), [[10, 9000], [500, 9000], [501, 9000]])
    assert done[1] == [576 + 10 + 30 + 5]
    assert done[2][0] > 621 + 30 + 5


def test_a_cmpxchg_begins_later_and_another_load_gets_in() -> None:
    # CPU 1 asks at 550 + 30. CPU 2's load is served at 576 and has a copy of the same count at 596.
    # CPU 1 writes at 635, so CPU 2's cmpxchg, which asks at 626, has the line at 676, and fails.
    model = machine(load_hold_ns=56, cycles={"commit_cycles": 15, "cmpxchg_cycles": 30})
    done = done_at(model, program(LOAD, CMPXCHG), [[10, 9000], [500, 9000], [501, 9000]])
    assert done[1] == [580 + 50 + 5]
    assert done[2] == [626 + 50 + 5 + 15 + 5]


def test_a_load_leaves_both_a_copy_and_a_write_then_asks() -> None:
    # CPU 0 has the line at 60, CPU 1 a copy at 150. Its store asks and is there at 200.
    code = program(LOAD, STORE, BARRIER)
    done = done_at(machine(), code, [[10, 9000], [100, 9000]])
    assert done[1] == [150 + 50 + 5]


def test_a_sharer_that_wants_to_write_goes_first() -> None:
    # CPUs 0 and 1 share the line from 550 on, its home is busy until 820. CPU 2 asks at 600 to
    # write it, CPU 1 at 600 + 50: it is served first, though it comes later.
    reads = program(LOAD, *work("gap"), STORE, BARRIER)
    done = done_at(machine(load_hold_ns=300), reads, [[10, 9000], [500, 9000], [590, 9000]])
    assert done[1] == [820 + 10 + 30 + 5]


@pytest.mark.parametrize(("other", "way"), [(1, 50), (4, 50 + 2 * 60)])
def test_a_load_of_a_modified_line_crosses_for_its_own_price(other: int, way: int) -> None:
    entries = others({0: 10, other: 500}, other + 1)
    assert done_at(machine(load_crossing=2), program(LOAD), entries)[other] == [500 + way]


def test_so_does_a_sharer_that_wants_to_write() -> None:
    code = program(LOAD, *work("gap"), STORE, BARRIER)
    done = done_at(machine(upgrade_crossing=0.5), code, others({0: 10, 4: 500}, 5))
    # The load crosses for 60, the upgrade for half of that.
    assert done[4] == [500 + 110 + 50 + 50 + 30 + 5]


def test_requests_that_wait_slow_a_transfer() -> None:
    # Two wait for the line that CPU 0 gets, one for CPU 1's, nobody for CPU 2's.
    done = done_at(machine(waiter_ns=4), program(LOCKED), [[100, 900], [101, 900], [102, 900]])
    assert done == [[155 + 8], [163 + 34 + 5], [202 + 30 + 5]]


def test_siblings_that_wait_are_served_by_one_transfer() -> None:
    done = done_at(machine(smt_yield=2.0), program(LOCKED), others({1: 10, 0: 100, 8: 101}, 9))
    assert done[0] == [155]
    assert done[8] == [160]


def test_the_limit_is_each_thread_s_own() -> None:
    # CPUs 0 and 8, of one core, do two operations each, though CPU 1's snoop waits.
    model = machine(smt_yield=2.0, residency_ns=60, locked_per_stay=2)
    done = done_at(model, program(LOCKED, LOCKED), others({0: 100, 8: 101, 1: 102}, 9))
    assert max(done[0] + done[8]) == 170


def test_a_sibling_that_wants_more_than_a_copy_asks_when_it_is_here() -> None:
    # CPU 0's load has the line's copy at 1050; CPU 8's locked operation asks then.
    model = machine(smt_yield=2.0)
    both = program(LOAD)
    entries = others({1: 10, 0: 1000, 8: 1001}, 9)
    assert done_at(model, both, entries)[8] == [1050]


def test_a_load_that_waits_with_a_sibling_s_write_sees_what_was_before_it() -> None:
    # CPU 0 gives its reference back: it asks for the line at 363 and has it from CPU 1 at 443. CPU
    # 8's load, which waits with it, came too early to see that, so its cmpxchg at 451 fails, and
    # its own reference goes back 13 later than it would.
    model = machine(smt_yield=2.0, cycles={"commit_cycles": 8, "cmpxchg_cycles": 8})
    get_put = program(LOAD, CMPXCHG, *work("think"), REF)
    done = done_at(model, get_put, others({0: 100, 1: 300, 8: 400}, 9))
    assert done[0] == [448]
    assert done[8] == [451 + 5 + 8 + 5 + 200 + 50 + 5]


def test_a_line_that_the_sibling_used_last_costs_more() -> None:
    model = machine(smt_yield=2.0, sibling_ns=3)
    done = done_at(model, program(LOCKED), others({0: 100, 8: 1000}, 9))
    assert done[0] == [155]
    assert done[8] == [1000 + 5 + 3]


def test_busy_siblings_slow_each_other_down() -> None:
    # smt_yield 1: two threads together do the work of one.
    model = machine()
    alone, _ = hits_per_us(model, program(BARRIER), 8)
    together, _ = hits_per_us(model, program(BARRIER), 16)
    assert together / 16 == pytest.approx(alone / 8 * 105 / 205, rel=0.01)


def beside_a_busy_sibling(*operations: Operation) -> float:
    """How long CPU 0 is at `operations` beside a sibling at work, with a window of 60."""
    model = machine(cycles={"smt_window_cycles": 60})
    return done_at(model, program(*operations), others({0: 100, 8: 5000}, 9))[0][0] - 200


def test_but_not_what_comes_right_after_a_transfer_and_fits_into_the_window() -> None:
    assert beside_a_busy_sibling(LOCKED, *work("gap"), BARRIER) == 55 + 50 + 5
    assert beside_a_busy_sibling(LOCKED, *work("think"), BARRIER) == 55 + 60 + 2 * 140 + 5


def test_nor_short_stretches_after_that_until_a_long_one() -> None:
    short = (LOCKED, *work("gap"), BARRIER)
    assert beside_a_busy_sibling(*short, *work("gap"), BARRIER) == 55 + 2 * 55
    long = (*short, *work("think"), BARRIER)
    assert beside_a_busy_sibling(*long, *work("gap"), BARRIER) == 110 + 60 + 280 + 5 + 100 + 5


def test_where_no_line_moves_the_window_makes_nobody_faster() -> None:
    assert beside_a_busy_sibling(BARRIER, *work("gap"), BARRIER) == 5 + 100 + 5


def test_a_plain_store_does_not_stop_the_cpu_but_a_locked_operation_drains_it() -> None:
    first: list[list[float]] = [[10, 9000]]
    plain = done_at(machine(), program(STORE, *work("gap")), [*first, [100, 9000]])
    fenced = done_at(machine(), program(STORE, *work("gap"), BARRIER), [*first, [100, 9000]])
    late = done_at(machine(), program(STORE, *work("think"), BARRIER), [*first, [100, 9000]])
    assert plain[1] == [150]
    assert fenced[1] == [100 + 50 + 5]
    assert late[1] == [100 + 200 + 5]


def test_a_store_commits_later_and_may_find_its_line_gone() -> None:
    # CPU 0 has the line from 150 and answers CPU 1's snoop at 155, or with a residency at 180; its
    # store commits 20 after the operation.
    code = program(LOCKED, STORE, BARRIER)
    model = machine(cycles={"commit_cycles": 20})
    assert done_at(model, code, [[100, 9000]])[0] == [155 + 20 + 5]
    stays = machine(residency_ns=30, cycles={"commit_cycles": 20})
    assert done_at(stays, code, [[100, 9000], [101, 9000]])[0] == [155 + 20 + 5]
    # Gone, it asks at 175. CPU 1 has the line from 185 to 190, its snoop is there at 195.
    gone = done_at(model, code, [[100, 9000], [101, 9000]])[0]
    assert gone == [195 + 30 + 5]


def test_a_shared_line_is_read_from_the_nearest_copy_by_all_at_once() -> None:
    # CPU 0 has it alone from 60, CPU 1 makes it shared; then loads do not wait for each other.
    entries: list[list[float]] = [[10, 9000], [500, 9000], [1000, 9000], [1000, 9000], [1000, 9000]]
    done = done_at(machine(), program(LOAD), entries)
    assert done[1] == [500 + 50]
    assert done[2] == done[3] == [1000 + 10 + 20]
    assert done[4] == [1000 + 10 + 20 + 60]


def test_a_load_of_a_line_that_is_there_takes_its_cycles() -> None:
    model = machine(cycles={"load_cycles": 4})
    assert done_at(model, program(LOAD, LOAD, LOAD), [[100, 9000]])[0] == [150 + 4 + 4]


def test_a_failed_cmpxchg_repeats_after_what_it_takes_to_commit() -> None:
    one = program(LOAD, *work("think"), CMPXCHG)
    model = machine(cycles={"commit_cycles": 8, "cmpxchg_cycles": 8}, residency_ns=50)
    done = done_at(model, one, [[80, 9000], [100, 9000]])
    # CPU 0 has the line at 130 and answers CPU 1's load, there at 120, at 190. It asks at 338 and
    # has the line again at 388. CPU 1 has its copy at 220, asks at 428, has the line at 478, fails.
    assert done == [[393], [483 + 8 + 5]]


def test_and_after_what_a_mispredicted_branch_costs() -> None:
    one = program(LOAD, *work("think"), CMPXCHG)
    cycles = {"commit_cycles": 8, "cmpxchg_cycles": 8, "mispredict_cycles": 20}
    model = machine(cycles=cycles, residency_ns=50)
    done = done_at(model, one, [[80, 9000], [100, 9000]])
    assert done == [[393], [483 + 8 + 20 + 5]]


def test_the_owner_word_is_forwarded_from_the_store_buffer() -> None:
    done = done_at(machine(), program(STORE, LOAD), [[10, 9000], [100, 9000]])
    assert done[1] == [100]


def test_lines_are_served_independently() -> None:
    done = done_at(machine(), program(LOCKED, OTHER), [[100, 9000], [101, 9000]])
    assert done[0] == [155 + 55]
    assert done[1] == [190 + 55]


@pytest.mark.parametrize("spread", ["spread", "residency_spread"])
def test_spreads_keep_the_mean(spread: str) -> None:
    even, _ = hits_per_us(machine(residency_ns=20), program(LOCKED), 8)
    spread_out, _ = hits_per_us(machine(residency_ns=20, **{spread: 0.3}), program(LOCKED), 8)
    # Not quite: a snoop waits for the later of two that vary.
    assert spread_out == pytest.approx(even, rel=0.02)


def test_a_ring_of_hits_is_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="12 hits ahead, which is no power of 2"):
        state(machine(), program(LOCKED), 1, ahead=12)
