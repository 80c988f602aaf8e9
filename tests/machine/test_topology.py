"""Where CPUs sit on a machine, and how fast they run."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cell import Cell
from core.engine.simulate import simulate
from core.machine.machine import Machine, load_machine, machine_names
from core.machine.numbering import ORDERS, Numbering
from core.machine.topology import clock_period_ps, place


@pytest.fixture(scope="module")
def gold() -> Machine:
    return load_machine("xeon-gold-6138")


def test_the_letter_s_machine_has_80_cpus(gold: Machine) -> None:
    assert gold.cpus == 80
    assert "xeon-gold-6138" in machine_names()


def test_thirty_two_cpus_are_20_and_12_cores(gold: Machine) -> None:
    where = place(gold, 32)
    assert np.bincount(where.socket).tolist() == [20, 12]
    assert (where.sibling == -1).all()
    assert len(set(where.core.tolist())) == 32


def test_sixty_four_cpus_are_40_threads_and_24_threads(gold: Machine) -> None:
    where = place(gold, 64)
    assert np.bincount(where.socket).tolist() == [40, 24]
    paired = where.sibling >= 0
    assert np.bincount(where.socket[paired]).tolist() == [40, 8]
    assert (where.sibling[where.sibling[paired]] == np.flatnonzero(paired)).all()
    assert (where.core[where.sibling[paired]] == where.core[paired]).all()


def test_clocks_fall_with_busy_cores_per_socket(gold: Machine) -> None:
    expected = {1: 3.7, 2: 3.7, 3: 3.5, 8: 3.4, 12: 3.2, 16: 2.9, 20: 2.7}
    for cores, ghz in expected.items():
        assert clock_period_ps(gold, cores) == round(1000 / ghz)
    mixed = place(gold, 32)
    assert set(mixed.ps_per_cycle[:20].tolist()) == {round(1000 / 2.7)}
    # Twelve, and one that is awake besides.
    assert set(mixed.ps_per_cycle[20:].tolist()) == {round(1000 / 2.9)}


@pytest.mark.parametrize("cpus", [0, 81, -1])
def test_a_machine_gives_no_cpus_that_it_lacks(gold: Machine, cpus: int) -> None:
    with pytest.raises(ValueError, match="has 80 CPUs"):
        place(gold, cpus)


def small(**changes: object) -> Machine:
    """2 sockets x 4 cores in caches of 2 x 2 threads."""
    tree = load_machine("generic").model_dump(mode="json")
    shape = {
        "sockets": 2,
        "cores_per_socket": 4,
        "threads_per_core": 2,
        "cores_per_cache": 2,
        "turbo": [{"active_cores": 1, "ghz": 4.0}, {"active_cores": 4, "ghz": 2.0}],
    }
    return Machine.model_validate({**tree, **shape, **changes})


def test_cores_first_places_one_thread_of_every_core_first() -> None:
    where = place(small(), 11)
    assert where.core.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2]
    assert where.cache.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1]
    assert where.socket.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0]
    assert where.sibling.tolist() == [8, 9, 10, -1, -1, -1, -1, -1, 0, 1, 2]


def test_siblings_adjacent_fills_core_by_core() -> None:
    where = place(small(numbering="siblings-adjacent"), 11)
    assert where.core.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert where.cache.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
    assert where.socket.tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert where.sibling.tolist() == [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, -1]


def test_round_the_sockets_neighbours_sit_on_different_ones() -> None:
    where = place(small(numbering="round-sockets"), 11)
    assert where.core.tolist() == [0, 4, 1, 5, 2, 6, 3, 7, 0, 4, 1]
    assert where.socket.tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0]
    assert where.sibling.tolist() == [8, 9, 10, -1, -1, -1, -1, -1, 0, 1, 2]
    round_caches = place(small(numbering="round-caches"), 8)
    assert round_caches.cache.tolist() == [0, 2, 1, 3, 0, 2, 1, 3]
    adjacent = place(small(numbering="round-sockets-siblings-adjacent"), 6)
    assert adjacent.core.tolist() == [0, 0, 4, 4, 1, 1]


def test_socket_by_socket_has_both_threads_of_a_socket_before_the_next() -> None:
    where = place(small(numbering="socket-by-socket"), 9)
    assert where.core.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]
    assert where.sibling.tolist() == [4, 5, 6, 7, 0, 1, 2, 3, -1]


def test_every_numbering_has_an_order() -> None:
    assert set(ORDERS) == set(get_args(Numbering))


def test_clocks_follow_busy_cores_and_not_busy_threads() -> None:
    adjacent = small(numbering="siblings-adjacent")
    assert place(adjacent, 2).ps_per_cycle.tolist() == [250, 250]
    assert place(adjacent, 3).ps_per_cycle.tolist() == [500, 500, 500]
    assert place(small(), 2).ps_per_cycle.tolist() == [500, 500]
    assert place(adjacent, 10).ps_per_cycle.tolist() == [500] * 8 + [250] * 2


@pytest.mark.parametrize("numbering", ["cores-first", "siblings-adjacent"])
def test_single_threads_have_no_siblings(numbering: str) -> None:
    where = place(small(threads_per_core=1, numbering=numbering), 6)
    assert where.core.tolist() == [0, 1, 2, 3, 4, 5]
    assert where.cache.tolist() == [0, 0, 1, 1, 2, 2]
    assert (where.sibling == -1).all()


machines = st.builds(
    lambda sockets, caches, shared_by, threads, numbering: small(
        sockets=sockets,
        cores_per_socket=caches * shared_by,
        cores_per_cache=shared_by,
        threads_per_core=threads,
        numbering=numbering,
        turbo=[{"active_cores": 64, "ghz": 2.0}],
    ),
    *(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(1, 2)),
    st.sampled_from(list(ORDERS)),
)


@given(machines)
def test_a_whole_machine_has_every_core_and_thread_once(machine: Machine) -> None:
    where = place(machine, machine.cpus)
    assert set(np.bincount(where.core)) == {machine.threads_per_core}
    assert set(np.bincount(where.cache)) == {machine.threads_per_core * machine.cores_per_cache}
    assert set(np.bincount(where.socket)) == {machine.cpus // machine.sockets}
    if machine.threads_per_core == 2:
        assert (where.sibling[where.sibling] == np.arange(machine.cpus)).all()
        assert (where.core[where.sibling] == where.core).all()


@given(machines, st.data())
def test_fewer_cpus_are_the_first_of_all(machine: Machine, data: st.DataObject) -> None:
    some = data.draw(st.integers(1, machine.cpus))
    part, whole = place(machine, some), place(machine, machine.cpus)
    for name in ("core", "cache", "socket"):
        assert (getattr(part, name) == getattr(whole, name)[:some]).all()
    beyond = whole.sibling[:some] >= some
    assert (part.sibling == np.where(beyond, -1, whole.sibling[:some])).all()


def test_a_machine_of_1024_cpus_places_and_simulates() -> None:
    shape = {"sockets": 8, "cores_per_socket": 64, "cores_per_cache": 8}
    machine = small(**shape, turbo=[{"active_cores": 64, "ghz": 3.0}])
    where = place(machine, 1024)
    last = (where.core.max(), where.cache.max(), where.socket.max())
    assert (len(where), *last) == (1024, 511, 63, 7)
    moment = 20 * 10**6
    cell = Cell(
        bench="uprobe-nop",
        flavour="speculative-vma",
        cpus=1024,
        probes=1024,
        spread="private",
        machine=machine,
        seed=0,
        replicate=0,
        warmup_ps=0,
        duration_ps=0,
        sample_ps=moment,
    )
    assert simulate(cell).hits > 0
