"""Writers of a cell one by one: whom they block, what they count; and checks that are tripped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from stress_cells import MS, stress_cell

from core.cell import Cell
from core.grace.engine import Callback, Engine
from core.grace.sequence import rcu_seq_end
from core.kernel import steps
from core.modelcheck import checks
from core.modelcheck.checks import Violation
from core.stress.cosimulation import Cosimulation
from core.stress.grace import Readers
from core.stress.kernel import Kernel
from core.stress.records import Snapshot, View
from core.stress.registry import Registry, Steps
from core.stress.simulate import simulate_stress
from core.stress.simulation import Simulation
from core.stress.threads import ThreadGroup, Where
from core.stress.uprobes import Consumer, Uprobes
from core.workload import Workload

WRITER = 1
"""The CPU of the one writer of `quiet`, which has nothing to do after a while."""


def quiet(flavour: str, bench: str = "uprobe-multi-nop") -> Simulation:
    """One thread that hits one function, one consumer that stays, and a writer that has ended."""
    workload = Workload(attach_threads=1, consumers=1, batch=1)
    cell = stress_cell(workload, flavour=flavour, bench=bench, cpus=1, probes=1)
    simulation = Simulation.of(cell, frozenset(), ThreadGroup())
    simulation.play()
    while simulation.tasks[0].is_alive:
        go_on(simulation, 10 * MS)
    return simulation


def go_on(simulation: Simulation, for_ps: int) -> int:
    """Some time later; how often the list was walked by then."""
    simulation.cosimulation.play(simulation.cosimulation.now_ps + for_ps)
    simulation.kernel.settle()
    return int(simulation.cosimulation.snapshot.walks.sum())


def test_where_nobody_hits_nobody_is_asked_what_hits_did() -> None:
    asked = 0

    class Asked(ThreadGroup):
        def replay(self, view: View, where: Where) -> Snapshot:
            nonlocal asked
            asked += 1
            return super().replay(view, where)

    workload = Workload(attach_threads=1, consumers=0, batch=1)
    cell = stress_cell(workload, bench="uprobe-multi-nop", cpus=0, probes=8)
    made = simulate_stress(cell, threads=Asked()).stress
    assert made is not None
    assert made.detach is not None
    assert made.detach.count == 8
    assert asked == 1


def test_only_lists_that_were_walked_are_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = quiet("srcu")
    simulation.kernel.settle()
    counted: list[int] = []
    monkeypatch.setattr(simulation.kernel, "_count", counted.append)
    simulation.kernel.settle()
    assert counted == []
    go_on(simulation, MS)
    assert counted == [simulation.static[0].uprobe]
    monkeypatch.undo()
    simulation.drain()


@pytest.mark.parametrize(
    ("flavour", "goes_on"), [("baseline", False), ("tasks-trace", False), ("v6.14", True)]
)
def test_nobody_looks_up_while_mmap_lock_is_written(flavour: str, goes_on: bool) -> None:
    simulation = quiet(flavour)

    def holds() -> Steps:
        yield simulation.cosimulation.run(WRITER, "mmap: lock")
        yield simulation.cosimulation.env.timeout(2 * MS)
        yield simulation.cosimulation.run(WRITER, "mmap: unlock")

    simulation.cosimulation.env.process(holds())
    # It has the lock by now; what had looked up before has gone on.
    before = go_on(simulation, MS // 10)
    during = go_on(simulation, MS)
    assert (during > before) == goes_on
    assert go_on(simulation, 2 * MS) > during
    simulation.drain()


def test_handlers_wait_for_a_registration_as_long_as_they_take_its_lock() -> None:
    walks = {}
    for flavour in ("srcu-lifetime", "lockless-consumers"):
        simulation = quiet(flavour)
        simulation.cosimulation.run(WRITER, steps.DOWN_WRITE)
        before = go_on(simulation, MS // 10)
        walks[flavour] = go_on(simulation, MS) - before
        simulation.cosimulation.run(WRITER, steps.UP_WRITE)
        assert go_on(simulation, MS) > before
    assert walks["srcu-lifetime"] == 0
    assert walks["lockless-consumers"] > 1000


@pytest.mark.parametrize("flavour", ["baseline", "srcu-uretprobe"])
def test_consumers_count_the_calls_of_their_own_time(flavour: str) -> None:
    simulation = quiet(flavour)
    (stays,) = simulation.static
    before = go_on(simulation, MS)
    assert stays.hits == before
    comes = simulation.kernel.uprobes.consumer(0, at_return=False)
    simulation.cosimulation.env.process(simulation.kernel.uprobe_register(WRITER, comes))
    after = go_on(simulation, 10 * MS)
    assert stays.hits == after
    assert 0 < comes.hits <= after - before
    simulation.cosimulation.env.process(simulation.kernel.unregister_batch(WRITER, [comes]))
    go_on(simulation, 200 * MS)
    counted = comes.hits
    assert go_on(simulation, MS) > after
    assert comes.hits == counted
    simulation.drain()


def test_a_registration_does_not_take_the_uprobe_that_hits_have_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Stage 2: a pending return keeps the uprobe of a consumer that is gone, for the next one.
    simulation = quiet("refcount-revamp", "uretprobe-multi-nop")
    cosimulation, uprobes = simulation.cosimulation, simulation.kernel.uprobes
    simulation.kernel.unregister_after(simulation.static)
    cosimulation.publish(0)
    simulation.static.clear()
    found = int(uprobes.found[0])
    held = cosimulation.held_of(found) if found >= 0 else 0
    # Long after, the return has put it, though nobody looked.
    cosimulation.play(cosimulation.now_ps + MS)
    comes = uprobes.consumer(0, at_return=True)
    cosimulation.env.process(simulation.kernel.uprobe_register(WRITER, comes))
    go_on(simulation, MS)
    assert comes.uprobe != found or held == 0
    assert uprobes.ref[comes.uprobe] == 1
    cosimulation.env.process(simulation.kernel.unregister_batch(WRITER, [comes]))
    go_on(simulation, MS)
    simulation.drain()


def stressed(flavour: str) -> Cell:
    workload = Workload(attach_threads=4, mmap_threads=1, consumers=1, stalls=30)
    return stress_cell(workload, ms=60, flavour=flavour, cpus=4, probes=2)


def delete_leaves_it_listed(self: Uprobes, consumer: Consumer) -> None:
    self.consumers[consumer.uprobe].remove(consumer)


def frees_first(self: Kernel, cpu: int, batch: list[Consumer]) -> Steps:
    self.registry.replay()
    for consumer in batch:
        self.checks.frees_consumer(consumer)
    yield from UNREGISTER(self, cpu, batch)


def waits_for_nobody(self: Kernel) -> Steps:
    yield from ()


def joins_the_period_in_progress(self: Engine, function: Callable[[], None]) -> int:
    seq = ENQUEUE(self, function)
    if self.begun_ps is None:
        return seq
    self._callbacks[-1] = Callback(rcu_seq_end(self.gp_seq), function)
    return rcu_seq_end(self.gp_seq)


def look_up_nothing_new(self: Uprobes, function: int) -> None:
    return None


def no_unlock_counts(self: Readers) -> Any:
    self._cosimulation.replay()
    snapshot = self._cosimulation.snapshot
    return self._padded(snapshot.locks.T), self._padded(0 * snapshot.unlocks.T)


def never_freed(self: Uprobes, consumer: Consumer) -> None:
    return None


def put_nothing(self: Registry, cpu: int, uprobes: list[int]) -> Steps:
    yield from ()


def put_twice(self: Registry, cpu: int, uprobes: list[int]) -> Steps:
    self._uprobes.ref[uprobes] -= 1
    yield from PUT(self, cpu, uprobes)


def put_too_often(self: Registry, uprobe: int) -> None:
    self._uprobes.ref[uprobe] -= 1
    PUT_AT_ONCE(self, uprobe)


PUT, PUT_AT_ONCE = Registry.put_later, Registry.put_at_once
UNREGISTER, ENQUEUE = Kernel.unregister_batch, Engine._enqueue


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What gets no further for twenty usual grace periods never will."""
    monkeypatch.setattr("core.stress.simulation.PATIENCE_PS", 400 * MS)


FAULTS = [
    (Uprobes, "delete", delete_leaves_it_listed, "srcu", checks.CALLED_GONE),
    (Uprobes, "delete", delete_leaves_it_listed, "baseline", checks.CALLED_GONE),
    (Kernel, "unregister_batch", frees_first, "baseline", checks.FREED_CONSUMER),
    (Uprobes, "look_up", look_up_nothing_new, "tasks-trace", checks.NOT_CALLED),
    (Readers, "counters", no_unlock_counts, "srcu", checks.NEVER_ENDING),
    (Uprobes, "forget", never_freed, "srcu", checks.REFERENCES),
    (Registry, "put_later", put_nothing, "refcount-revamp", checks.REFERENCES),
    (Registry, "put_later", put_twice, "srcu-uretprobe", checks.NOT_CALLED),
    (Registry, "put_at_once", put_too_often, "tasks-trace", checks.REFERENCES),
]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("what", "name", "instead", "flavour", "check"), FAULTS)
def test_every_check_can_fail(
    what: type,
    name: str,
    instead: Callable[..., Any],
    flavour: str,
    check: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(what, name, instead)
    with pytest.raises(Violation) as caught:
        simulate_stress(stressed(flavour))
    assert caught.value.check == check


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("flavour", sorted({flavour for *_, flavour, _ in FAULTS}))
def test_without_a_fault_no_check_fails(flavour: str) -> None:
    simulate_stress(stressed(flavour))


def violation(cell: Cell) -> str:
    """The check that fails, "" if none."""
    try:
        simulate_stress(cell)
    except Violation as found:
        return found.check
    return ""


@pytest.mark.parametrize("flavour", ["srcu", "tasks-trace"])
@pytest.mark.parametrize(
    ("what", "name", "instead"),
    [
        (Kernel, "uprobe_unregister_sync", waits_for_nobody),
        (Engine, "_enqueue", joins_the_period_in_progress),
    ],
)
def test_who_does_not_wait_for_a_whole_period_is_found(
    what: type, name: str, instead: Callable[..., Any], flavour: str, monkeypatch: Any
) -> None:
    workload = Workload(attach_threads=6, consumers=0, stalls=300)
    cells = [
        stress_cell(workload, ms=80, seed=seed, flavour=flavour, cpus=4, probes=2)
        for seed in range(3, 11)
    ]
    monkeypatch.setattr(what, name, instead)
    # A stalled hit has to meet it, which not every seed gives.
    found = next(cell for cell in cells if violation(cell) == checks.FREED_CONSUMER)
    monkeypatch.undo()
    simulate_stress(found)


def test_an_index_flips_only_after_a_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    # Who entered before has the old index, though nobody looked since.
    replayed: list[int] = []
    replay = Cosimulation.replay

    def watched(self: Cosimulation) -> None:
        replayed.append(self.now_ps)
        replay(self)

    monkeypatch.setattr(Cosimulation, "replay", watched)
    simulation = Simulation.of(stressed("srcu"), frozenset({"one-scan"}), ThreadGroup())
    simulation.play()
    (srcu,) = simulation.kernel.engines.values()
    flips = srcu.flips_ps  # type: ignore[attr-defined]
    assert flips
    assert set(flips) <= set(replayed)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"processes": 2}, "one process"),
        ({"edits": ("without:EVENT",)}, "no edits"),
        ({"workload": Workload(consumers=65)}, "at most 64 consumers at a time, not 65"),
    ],
)
def test_what_cannot_be_simulated_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        simulate_stress(replace(stress_cell(), **changes))


def test_more_attach_threads_than_a_function_has_room_for() -> None:
    # Twenty threads with five links each, all of the same function.
    workload = Workload(attach_threads=20, consumers=60)
    made = simulate_stress(stress_cell(workload, ms=60, probes=1, flavour="baseline")).stress
    assert made is not None
    assert made.attach is not None
