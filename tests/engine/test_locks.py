"""Locks with writers, on cases worked out by hand (ns; machine of engine_machines)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from engine_machines import NS, machine

from core.engine.cpu_hosts import Hits
from core.engine.interconnect import Interconnect
from core.engine.pipeline import fall_asleep, resume
from core.engine.program import compile_path
from core.engine.shares import ASLEEP, BLOCKED
from core.engine.state import State, new_state
from core.kernel.layout import Layout
from core.kernel.operation import Call, Kind, Line, Lock, Operation, work
from core.machine.topology import place

WAKEUP = 3000


def locked(lock: Lock, sleeps: bool) -> Operation:
    return Operation(Kind.LOCKED, Line.TREE, lock=lock, sleeps=sleeps)


@dataclass
class Locks:
    """Three CPUs: each does `entry` (100 ns), takes the lock, works 1,000 ns, gives it back."""

    sleeps: bool
    writes: tuple[bool, ...]

    def done(self, starts: list[int]) -> tuple[list[float], State]:
        """When each CPU is done if it starts after `starts` ns, and the state then."""
        paths = [
            Call(
                "f",
                (
                    *work("entry"),
                    locked(Lock.WRITE if writes else Lock.READ, self.sleeps),
                    *work("long"),
                    locked(Lock.WRITE_END if writes else Lock.READ_END, self.sleeps),
                ),
            )
            for writes in (False, True)
        ]
        model = machine()
        layout = Layout(1)
        cycles = model.execution.work
        read, write = (compile_path((p,), layout, cycles, writers=True) for p in paths)
        # One program after the other: a reader begins at 0, a writer behind the reader's end.
        both = type(read)(
            **{
                name: getattr(read, name) + getattr(write, name)
                if isinstance(getattr(read, name), tuple)
                else np.concatenate([getattr(read, name), getattr(write, name)])
                for name in read.__dataclass_fields__
                if name != "entry_cycles"
            },
            entry_cycles=0,
        )
        cpus = len(starts)
        state = new_state(model, place(model, cpus), both, layout, 8, seed=1, wakeup_ps=WAKEUP * NS)
        interconnect = Interconnect(state)
        counts = np.zeros(cpus, dtype=np.int64)
        interconnect.accept(Hits(counts, np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)))
        assert interconnect.run(1)
        for cpu, start in enumerate(starts):
            first = len(read.kind) if self.writes[cpu] else 0
            resume(state, cpu, first, 0, (start + 100) * NS, 0)
        done = [0.0] * cpus
        while not interconnect.run(10**9):
            cpu = int(state.totals["stopped"][0])
            done[cpu] = interconnect.next_event_ps / NS
            fall_asleep(state, cpu)
        return done, state


def test_readers_hold_a_lock_together() -> None:
    done, _ = Locks(sleeps=True, writes=(False, False)).done([0, 0])
    # 100 of entry, 10 + 40 + 5 for the lock, 1,000, and 5 to give it back: the line is here for
    # the second, has to be fetched again by the first, and so is it for the last.
    assert max(done) < 2 * 1000


def test_a_reader_of_an_rwsem_sleeps_until_its_writer_is_gone() -> None:
    (writer, reader), state = Locks(sleeps=True, writes=(True, False)).done([0, 500])
    # The reader took the line at 650, so that giving back takes a transfer: 1155 + 10 + 40 + 5.
    assert writer == 100 + 55 + 1000 + 55
    # Woken 3,000 later, it works 1,000 and fetches the line that the writer has.
    assert reader == writer + WAKEUP + 1000 + 55
    # It asked at 600, had the line at 655 and waited from then on.
    assert state.spent[:, BLOCKED].sum() == (writer + WAKEUP - 655) * NS


def test_a_reader_of_an_rwlock_spins() -> None:
    (writer, reader), _ = Locks(sleeps=False, writes=(True, False)).done([0, 500])
    assert reader == writer + 50 + 1000 + 55


def test_a_writer_waits_for_readers_and_stops_further_ones() -> None:
    locks = Locks(sleeps=False, writes=(False, True, False))
    (first, writer, second), _ = locks.done([0, 300, 600])
    assert first < writer < second
    assert writer >= first + 50 + 1000
    assert second >= writer + 50 + 1000


def test_who_is_asleep_is_accounted_for() -> None:
    (writer,), state = Locks(sleeps=True, writes=(True,)).done([0])
    resume(state, 0, 0, 0, 0, 5000 * NS)
    assert state.spent[:, ASLEEP].sum() == 5000 * NS - writer * NS
