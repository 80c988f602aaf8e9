"""Every picosecond of every CPU has a place, and it is the right one."""

from __future__ import annotations

import numpy as np
from engine_machines import NS, machine, program, state
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cell import Cell
from core.engine.cpu_hosts import Hits
from core.engine.interconnect import Interconnect
from core.engine.shares import DISTANCES, PRIVATE, SAME_CACHE, SAME_CORE, shares
from core.engine.simulate import simulate
from core.kernel.flavours import FLAVOURS
from core.kernel.hot_path import BENCHES
from core.kernel.operation import Kind, Line, Operation, work
from core.machine.machine import load_machine
from core.outcome import PRIVATE_WORK

LOCKED = Operation(Kind.LOCKED, Line.EVENT)
STORE = Operation(Kind.STORE, Line.EVENT)
BARRIER = Operation(Kind.BARRIER)


def spent_after(ns: int, *operations: Operation) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Time of one CPU, ns, that has hits of 100 ns of entry work, after `ns`."""
    interconnect = Interconnect(state(machine(), program(*operations), 1))
    entry = np.full(9, 100 * NS, dtype=np.int64)
    interconnect.accept(Hits(np.array([9]), np.zeros(9, dtype=np.int32), entry))
    assert interconnect.run(ns * NS)
    return interconnect.spent(ns * NS) // NS


def test_waiting_for_a_line_belongs_to_the_operation_and_its_distance() -> None:
    # 100 of work, request 10 + transfer 40 + 5; then 5 of the next hit's work.
    spent = spent_after(160, LOCKED)
    assert spent[0, PRIVATE] == 105
    assert spent[0, SAME_CACHE] == 55
    assert spent.sum() == 160


def test_draining_the_store_buffer_belongs_to_the_store() -> None:
    # The barrier at 100 waits until the store has its line at 150.
    spent = spent_after(155, STORE, BARRIER)
    assert spent[0, SAME_CACHE] == 50
    assert spent[1, SAME_CORE] == 5
    assert spent.sum() == 155


def test_an_operation_in_flight_is_counted_up_to_now() -> None:
    spent = spent_after(120, LOCKED)
    assert spent[0, PRIVATE] == 100
    assert spent[0].sum() == 120


def test_shares_are_named_and_walks_put_together() -> None:
    code = program(LOCKED, *work("think"), BARRIER)
    spent = np.zeros((3, len(DISTANCES)), dtype=np.int64)
    spent[0, PRIVATE], spent[0, SAME_CACHE], spent[2, PRIVATE] = 7, 5, 1
    assert [tuple(share) for share in shares(code, spent)] == [
        ("", PRIVATE_WORK, "", "", 8),
        ("f", "locked", Line.EVENT.value, "same cache", 5),
    ]


@settings(max_examples=12, deadline=None)
@given(
    flavour=st.sampled_from(sorted(FLAVOURS)),
    bench=st.sampled_from(BENCHES),
    cpus=st.integers(1, 80),
    seed=st.integers(0, 2**63 - 1),
)
def test_all_of_the_time_is_attributed(flavour: str, bench: str, cpus: int, seed: int) -> None:
    cell = Cell(
        bench=bench,
        flavour=flavour,
        cpus=cpus,
        probes=1,
        spread="shared",
        machine=load_machine("xeon-gold-6138"),
        seed=seed,
        replicate=0,
        warmup_ps=7 * 10**6,
        duration_ps=10 * 10**6,
        sample_ps=10 * 10**6,
    )
    result = simulate(cell)
    assert sum(share.ps for share in result.attribution) == cpus * 20 * 10**6
