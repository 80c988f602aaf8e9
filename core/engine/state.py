"""Everything the weave reads and writes: CPUs, lines, ports, costs, hits ahead.

One record per CPU, line and port, so that what is used together lies together and a helper takes
one pointer. A port is one source of requests: port i is CPU i's pipeline, port cpus + i its store
buffer. Times are integer picoseconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.engine.events import Events, no_events
from core.engine.program import Program
from core.engine.shares import DISTANCES, SAME_CACHE
from core.machine.machine import Coherence, Machine
from core.machine.topology import Placement

NONE = -1
SCALE = 1024
"""Denominator of the fixed-point factors."""

AT_OPERATION, TRAVELLING, QUEUED, IN_SERVICE, COMMITTING, READING = range(6)
"""Phases of a port."""


def _record(*names: str) -> np.dtype[np.void]:
    return np.dtype([(name, np.int64) for name in names], align=True)


CPU = _record(
    "index",
    "core",
    "cache",
    "socket",
    "sibling",
    "process",
    "ps_per_cycle",
    "locked_ps",
    "transfer_scale",
    "operation",
    "probe",
    "seen",
    "executing",
    "draining",
    "store_line",
    "store_operation",
    "since",
    "taken",
    "filled",
    "done",
    "depth",
    "blocked",
    "asleep",
    "behind",
)
"""Where a CPU sits (`sibling` NONE: none busy), how fast it is (`transfer_scale` by SCALE), where
it is: `operation` of its hit on `probe`; the line version it last loaded (`seen`); whether it
executes private work; whether it waits for its store to `store_line` (NONE: none pending), of
`store_operation`, to land; until when its time is accounted for (`since`); hits taken from and
filled into its ring, and done in this window; how many calls deep it is; whether it waits for a
lock (`blocked`), and which CPU waits right behind it; whether it has nothing to do (`asleep`)."""

LINE = _record(
    "owner",
    "user",
    "written",
    "leaving",
    "leaves_at",
    "epoch",
    "serving",
    "free_at",
    "head",
    "tail",
    "waiting",
    "version",
    "sharers",
    "readers",
    "writer",
    "first_blocked",
    "last_blocked",
)
"""`owner` is the core with the only valid copy, `written` whether that was written since it came;
`user` the CPU that used the line last; `leaving` the core that is about to lose it but may use it
until `leaves_at`; `epoch` counts owners, and marks the copies of its time as valid; `sharers` how
many copies were given out; `serving` the port whose transfer is under way; `free_at` when the last
operation on the line ends; `head` and `tail` the ports that wait, `waiting` how many; `version`
counts writes of the reference count; its lock has so many `readers` or a `writer`, and a queue of
blocked CPUs."""

PORT = _record("phase", "kind", "line", "distance", "after", "before")
"""A port's outstanding request and its place in the line's queue."""

COSTS = np.dtype(
    [
        ("request", np.int64),
        ("transfer", np.int64),
        ("sibling", np.int64),
        ("waiter", np.int64),
        ("other_cache", np.int64),
        ("other_socket", np.int64),
        ("shared_read", np.int64),
        ("out_of_order", np.int64),
        ("commit", np.int64),
        ("dependent", np.int64),
        ("spread", np.int64),
        ("snoop_share", np.int64),
        ("sibling_slowdown", np.int64),
        ("wakeup", np.int64),
    ],
    align=True,
)
"""Coherence costs in ps; `other_cache` or `other_socket` is added to those that cross. Factors by
SCALE. `wakeup` is what waking a sleeper takes."""

OPERATION = _record("kind", "cycles", "stride", "reference_count", "skippable", "lock", "sleeps")
"""One operation of the program, see Program."""

TOTALS = _record("random", "line_ops", "transfers", "stopped")
"""Random state of the mesh, operations served on shared lines, transfers started; the CPU for which
the weave stopped."""

Records = NDArray[np.void]


class State(NamedTuple):
    """One cell in flight.

    `code_line` has shape (operations, probes); `probe`, `private_ps` and `done_ps` are rings of
    shape (cpus, capacity); `copy[l, c] == lines[l].epoch` says that core c has a shared copy of
    line l, `copies_in_cache[l, k]` and `copies_in_socket[l, s]` count them; `spent`, shape
    (operations, 8), is the time of all CPUs by operation and column of `shares`, in ps.

    `entry` and `leave`, shape (probes,), are the operations where a call of a probed function and
    its return begin; `frame` and `exit`, shape (cpus, depth), the functions a CPU is in and where
    their returns begin: set when they are called, as a return instance is. Depth 0: no returns.
    """

    code: Records
    code_line: NDArray[np.int32]
    costs: Records
    cpus: Records
    cache_of_core: NDArray[np.int64]
    socket_of_core: NDArray[np.int64]
    entry: NDArray[np.int32]
    leave: NDArray[np.int32]
    frame: NDArray[np.int32]
    exit: NDArray[np.int32]
    probe: NDArray[np.int32]
    private_ps: NDArray[np.int64]
    done_ps: NDArray[np.int64]
    lines: Records
    copy: NDArray[np.int64]
    copies_in_cache: NDArray[np.int64]
    copies_in_socket: NDArray[np.int64]
    spent: NDArray[np.int64]
    ports: Records
    events: Events
    totals: Records


def new_state(
    machine: Machine,
    where: Placement,
    program: Program,
    lines: int,
    capacity: int,
    seed: int,
    process: NDArray[np.int64] | None = None,
    depth: int = 0,
    wakeup_ps: int = 0,
) -> State:
    """A machine at rest: no line held, no hit ahead. `capacity` is hits ahead per CPU.

    `process`, shape (cpus,), says which process each CPU runs a thread of; by default all the same.
    `depth` is how many calls deep a CPU may be, 0 if it calls and never returns; every call and
    return begins at operation 0 until told otherwise.

    Raises ValueError if the program touches a line beyond `lines`: compiled code does not check.
    """
    if program.line.max() >= lines:
        raise ValueError(f"the program touches line {program.line.max()} of {lines}")
    cpus, cores = len(where), int(where.core.max()) + 1
    caches, sockets = int(where.cache.max()) + 1, int(where.socket.max()) + 1
    cache_of_core, socket_of_core = np.zeros((2, cores), dtype=np.int64)
    cache_of_core[where.core] = where.cache
    socket_of_core[where.core] = where.socket
    rows = _cpus(machine, where)
    rows["process"] = 0 if process is None else process
    totals = np.zeros(1, dtype=TOTALS)
    totals["random"] = (seed & (2**62 - 1)) | 1
    return State(
        _code(program),
        program.line,
        _costs(machine.coherence, machine.execution.smt_yield, wakeup_ps),
        rows,
        cache_of_core,
        socket_of_core,
        np.zeros(program.line.shape[1], dtype=np.int32),
        np.zeros(program.line.shape[1], dtype=np.int32),
        np.zeros((cpus, depth), dtype=np.int32),
        np.zeros((cpus, depth), dtype=np.int32),
        np.zeros((cpus, capacity), dtype=np.int32),
        np.zeros((cpus, capacity), dtype=np.int64),
        np.zeros((cpus, capacity), dtype=np.int64),
        _idle(
            lines,
            LINE,
            owner=NONE,
            user=NONE,
            leaving=NONE,
            serving=NONE,
            head=NONE,
            tail=NONE,
            epoch=1,
            first_blocked=NONE,
            last_blocked=NONE,
        ),
        np.zeros((lines, cores), dtype=np.int64),
        np.zeros((lines, caches), dtype=np.int64),
        np.zeros((lines, sockets), dtype=np.int64),
        np.zeros((len(program.kind), len(DISTANCES)), dtype=np.int64),
        _idle(2 * cpus, PORT, line=NONE, distance=SAME_CACHE, after=NONE, before=NONE),
        no_events(2 * cpus),
        totals,
    )


def _idle(n: int, record: np.dtype[np.void], **values: int) -> Records:
    rows = np.zeros(n, dtype=record)
    for name, value in values.items():
        rows[name] = value
    return rows


def _code(program: Program) -> Records:
    rows = np.zeros(len(program.kind), dtype=OPERATION)
    rows["kind"] = program.kind
    rows["cycles"] = program.cycles
    rows["stride"] = program.stride
    rows["reference_count"] = program.reference_count
    rows["skippable"] = program.skippable
    rows["lock"] = program.lock
    rows["sleeps"] = program.sleeps
    return rows


def _cpus(machine: Machine, where: Placement) -> Records:
    fastest = round(1000 / machine.turbo[0].ghz)
    slower = where.ps_per_cycle / fastest - 1
    rows = _idle(len(where), CPU, executing=1, store_line=NONE, behind=NONE)
    rows["index"] = np.arange(len(where))
    rows["core"] = where.core
    rows["cache"] = where.cache
    rows["socket"] = where.socket
    rows["sibling"] = where.sibling
    rows["ps_per_cycle"] = where.ps_per_cycle
    rows["locked_ps"] = machine.execution.locked_op_cycles * where.ps_per_cycle
    rows["transfer_scale"] = np.rint(SCALE * (1 + machine.coherence.core_clock_share * slower))
    return rows


def _costs(coherence: Coherence, smt_yield: float, wakeup_ps: int) -> Records:
    rows = np.zeros(1, dtype=COSTS)

    for name in COSTS.names or ():
        if hasattr(coherence, f"{name}_ns"):
            rows[name] = round(1000 * getattr(coherence, f"{name}_ns"))
    rows["spread"] = round(SCALE * coherence.spread)
    rows["snoop_share"] = round(SCALE * coherence.snoop_share)
    rows["sibling_slowdown"] = round(SCALE * 2 / smt_yield)
    rows["wakeup"] = wakeup_ps
    return rows
