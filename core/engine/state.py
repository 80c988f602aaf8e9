"""Everything the weave reads and writes: CPUs, lines, ports, costs, hits ahead.

One record per CPU, line and port, so that what is used together lies together and a helper takes
one pointer. A port is one source of requests: port i is CPU i's pipeline, port cpus + i its store
buffer. Times are integer picoseconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.engine.events import NEVER, Events, no_events
from core.engine.probes import Probes, no_probes
from core.engine.program import Program
from core.engine.shares import DISTANCES, SAME_CACHE
from core.kernel.layout import Layout
from core.machine.machine import Machine
from core.machine.topology import Placement

NONE = -1
SHIFT = 10
SCALE = 1 << SHIFT
"""Denominator of the fixed-point factors."""

AT_OPERATION, TRAVELLING, QUEUED, SNOOPING, FILLING, READING, JOINED, COMMITTING = range(8)
"""Phases of a port: the CPU is at an operation; its request is on the way to the line's home, waits
there, is with the owner, or is answered and the line on its way; a copy of a line that nobody has
modified is on its way; the request of its core's other thread will serve it; a store commits."""

LINE_BYTES = 64
"""Of the cache of who simulates."""

WIDE = (
    "epoch",
    "version",
    "loaded_version",
    "taken",
    "filled",
    "random",
    "line_ops",
    "events",
    "cycles",
)
"""Fields that may pass what 32 bits hold, as times in ps do."""


def _record(**fields: str) -> np.dtype[np.void]:
    """A record of integers; what each field means is said where it is named.

    32 bits where that is enough: what a cell is at should fit into a cache. Its size, a power of 2
    or some lines of a cache, makes finding it by its number cheap.
    """
    wide = {name for name, text in fields.items() if text.endswith(" ps") or name in WIDE}
    ordered = sorted(fields, key=lambda name: name not in wide)
    sizes = [8 if name in wide else 4 for name in ordered]
    used = sum(sizes)
    lines = -(-used // LINE_BYTES)
    return np.dtype(
        {
            "names": ordered,
            "formats": [f"i{size}" for size in sizes],
            "offsets": [sum(sizes[:place]) for place in range(len(sizes))],
            "itemsize": lines * LINE_BYTES if lines > 2 else 1 << (used - 1).bit_length(),
        }
    )


CPU = _record(
    index="its number",
    core="where it sits: core,",
    cache="last-level cache,",
    socket="and socket",
    sibling="the busy CPU on the same core; NONE",
    process="the process it runs a thread of",
    ps_per_cycle="period of its core's clock, ps",
    locked_ps="a locked operation on a line that is there, ps",
    load_ps="a load of a line that is there, ps",
    commit_ps="from a load until a store that depends on it can commit, ps",
    cmpxchg_ps="from a load until a cmpxchg that depends on it begins, ps",
    mispredict_ps="what a mispredicted branch costs, ps",
    smt_window_ps="how much of a stretch of private work a busy sibling does not slow, ps",
    late_ps="how late its core answers a snoop while it waits for another line, ps",
    barrier_answer_ps="how long its core answers no snoop after a barrier, ps",
    answers_from="from when on it does, ps",
    operation="index of the operation that it is at",
    probe="the probe that its hit is on",
    loaded_version="the version of the line that it loaded last",
    executing="1: it executes private work",
    after_transfer="1: it executes what comes right after a line that came",
    draining="1: it waits for its store to land",
    store_line="the line that its store buffer has a store for; NONE",
    store_operation="the operation that made this store",
    since="until when its time is accounted for, ps",
    taken="hits taken from its ring",
    filled="hits filled into its ring",
    done="hits done in this window",
    depth="how many calls deep it is",
    blocked="1: it waits for whoever holds a lock",
    asleep="1: it has nothing to do",
    next_waiter="the CPU that waits for the same lock right behind it; NONE",
)

LINE = _record(
    owner="core with the only valid copy, though it may be on its way there; NONE",
    filled_at="when the owner has, or had, it, ps",
    epoch="counts owners; marks the shared copies that are valid",
    sharers="how many shared copies were given out in this epoch",
    user="CPU that used the line last; NONE",
    stored="1: it came for a plain store",
    free_at="when the last locked operation on the line ends, ps",
    locked_ops="locked operations of the owner core's first thread since it came,",
    sibling_locked_ops="and of its second",
    snooped_at="when the snoop that is under way reaches the owner, NEVER if none is, ps",
    lost_at="from when on nobody begins to use it, for that snoop is due; NEVER, ps",
    late="1: the owner, waiting for another line, is already late to answer that snoop",
    serving="port whose request the home serves, until the owner answers; NONE",
    home_free_at="when the home can serve the next request, ps",
    first_port="port that waits first in the home's queue; NONE",
    last_port="port that waits last in it; NONE",
    waiting="how many wait in it,",
    waiting_loads="and how many of these are loads",
    version="counts writes of the line's reference count",
    readers="how many hold the line's lock for reading",
    writer="1: one holds it for writing",
    first_blocked="CPU that waits first for the lock; NONE",
    last_blocked="CPU that waits last for it; NONE",
)

PORT = _record(
    phase="where its request is, see above",
    kind="Kind of the operation that asks",
    line="index of the line that it asks for",
    distance="how far the line came, a column of `shares`",
    upgrades="1: it goes ahead of others that wait, for its core had a copy when it came",
    next="port behind it in the home's queue; NONE",
    previous="port before it; NONE",
)

COSTS = _record(
    request="core to home, ps",
    snoop="home to owner, ps",
    transfer="owner to who asked, ps",
    spread="how much the way of a line varies, evenly, by SCALE",
    residency="how long the owner keeps a line that was wanted before it came, ps",
    store_residency="the same after a plain store, ps",
    residency_spread="how much that varies, evenly, by SCALE",
    locked_per_stay="locked operations a core may do on a line that is wanted",
    load_hold="how long a home is busy after the owner answered a load, ps",
    upgrade_hold="the same after the sharers answered who wants to write, ps",
    waiter="added to a line's way for every request that waits for it, ps",
    sibling="added to a locked operation on a line that the sibling used last, ps",
    other_cache="added to an ownership that crosses last-level caches, ps",
    other_socket="added to one that crosses sockets, ps",
    load_crossing="what a load of a modified line takes in place of 1 of that, by SCALE",
    snoop_crossing="share of what a crossing adds that is on the snoop's way, by SCALE",
    upgrade_crossing="what a sharer's request to write takes in place of 1 of that, by SCALE",
    shared_read="a load of a line that nobody has modified, ps",
    sibling_slowdown="what private work takes beside a busy sibling, by SCALE",
    wakeup="waking a sleeper, ps",
)

SHARES = ("spread", "residency_spread", "load_crossing", "upgrade_crossing", "snoop_crossing")
"""Fields of COSTS that are fractions, by SCALE."""

OPERATION = _record(
    kind="Kind, or END",
    cycles="private work right before it, core cycles",
    line="its line's index for probe 0 in process 0; NOWHERE",
    step="added to that for every further probe",
    stride="and for every further process",
    ancestor="the probe's ancestor whose line it touches instead, if there is one; NONE",
    reference_count="1: it writes the reference count",
    lock="Lock: what it does to the line's lock",
    sleeps="1: who waits for that lock sleeps",
)

TOTALS = _record(
    random="state of the random numbers of lines' ways and stays",
    line_ops="operations on shared lines done so far",
    events="events played so far",
    stopped="CPU for whose lack of hits the weave stopped",
)

Records = NDArray[np.void]


class State(NamedTuple):
    """One cell in flight.

    `probe`, `private_ps` and `done_ps` are rings of shape
    (capacity, cpus), for CPUs are at nearly the same place; `copy[l, c] == lines[l].epoch` says
    that core c has a shared copy of line l, `copies_in_cache[l, k]` and `copies_in_socket[l, s]`
    count them; `spent`, shape (operations, 8), is the time of all CPUs by operation and column of
    `shares`, in ps.

    `entry` and `leave`, shape (probes,), are the operations where a call of a probed function and
    its return begin; `frame` and `exit`, shape (cpus, depth), the functions a CPU is in and where
    their returns begin: set when they are called, as a return instance is. Depth 0: no returns.
    """

    code: Records
    probes: Probes
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
    layout: Layout,
    capacity: int,
    seed: int,
    process: NDArray[np.int64] | None = None,
    depth: int = 0,
    wakeup_ps: int = 0,
) -> State:
    """A machine at rest: no line held, no hit ahead.

    `capacity`, a power of 2, is hits ahead per CPU.

    `process`, shape (cpus,), says which process each CPU runs a thread of; by default all the same.
    `depth` is how many calls deep a CPU may be, 0 if it calls and never returns; every call and
    return begins at operation 0 until told otherwise.

    Raises ValueError for another capacity, or if the program touches a line that `layout` does not
    have: compiled code does not check.
    """
    if capacity.bit_count() != 1:
        raise ValueError(f"{capacity} hits ahead, which is no power of 2")
    lines, probes = layout.lines, layout.probes
    further = program.step * (probes - 1) + program.stride * (layout.processes - 1)
    if (last := (program.line + further).max()) >= lines:
        raise ValueError(f"the program touches line {last} of {lines}")
    cpus, cores = len(where), int(where.core.max()) + 1
    caches, sockets = int(where.cache.max()) + 1, int(where.socket.max()) + 1
    cache_of_core, socket_of_core = np.zeros((2, cores), dtype=np.int64)
    cache_of_core[where.core] = where.cache
    socket_of_core[where.core] = where.socket
    rows = _cpus(machine, where)
    rows["process"] = 0 if process is None else process
    idle = _idle(
        1,
        LINE,
        owner=NONE,
        user=NONE,
        snooped_at=NEVER,
        lost_at=NEVER,
        serving=NONE,
        first_port=NONE,
        last_port=NONE,
        epoch=1,
        first_blocked=NONE,
        last_blocked=NONE,
    )
    at_rest = np.empty(lines, dtype=LINE)
    end = 0
    for first in (*layout.of_probes, lines):
        at_rest[end:first] = idle
        end = first + probes
    totals = np.zeros(1, dtype=TOTALS)
    totals["random"] = (seed & (2**62 - 1)) | 1
    return State(
        code=_code(program),
        probes=no_probes(layout, program, idle),
        costs=_costs(machine, wakeup_ps),
        cpus=rows,
        cache_of_core=cache_of_core,
        socket_of_core=socket_of_core,
        entry=np.zeros(probes, dtype=np.int32),
        leave=np.zeros(probes, dtype=np.int32),
        frame=np.zeros((cpus, depth), dtype=np.int32),
        exit=np.zeros((cpus, depth), dtype=np.int32),
        probe=np.empty((capacity, cpus), dtype=np.int32),
        private_ps=np.empty((capacity, cpus), dtype=np.int64),
        done_ps=np.empty((capacity, cpus), dtype=np.int64),
        lines=at_rest,
        copy=np.zeros((lines, cores), dtype=np.int64),
        copies_in_cache=np.zeros((lines, caches), dtype=np.int64),
        copies_in_socket=np.zeros((lines, sockets), dtype=np.int64),
        spent=np.zeros((len(program.kind), len(DISTANCES)), dtype=np.int64),
        ports=_idle(2 * cpus, PORT, line=NONE, distance=SAME_CACHE, next=NONE, previous=NONE),
        events=no_events(2 * cpus),
        totals=totals,
    )


def _idle(n: int, record: np.dtype[np.void], **values: int) -> Records:
    row = np.zeros(1, dtype=record)
    for name, value in values.items():
        row[name] = value
    return np.repeat(row, n)


def _code(program: Program) -> Records:
    rows = np.zeros(len(program.kind), dtype=OPERATION)
    rows["kind"] = program.kind
    rows["cycles"] = program.cycles
    rows["line"] = program.line
    rows["step"] = program.step
    rows["stride"] = program.stride
    rows["ancestor"] = program.ancestor
    rows["reference_count"] = program.reference_count
    rows["lock"] = program.lock
    rows["sleeps"] = program.sleeps
    return rows


def _cpus(machine: Machine, where: Placement) -> Records:
    execution = machine.execution
    rows = _idle(len(where), CPU, executing=1, sibling=NONE, store_line=NONE, next_waiter=NONE)
    rows["index"] = np.arange(len(where))
    rows["core"] = where.core
    rows["cache"] = where.cache
    rows["socket"] = where.socket
    rows["sibling"] = where.sibling
    rows["ps_per_cycle"] = where.ps_per_cycle
    rows["locked_ps"] = execution.locked_op_cycles * where.ps_per_cycle
    rows["load_ps"] = execution.load_cycles * where.ps_per_cycle
    rows["commit_ps"] = execution.commit_cycles * where.ps_per_cycle
    rows["cmpxchg_ps"] = execution.cmpxchg_cycles * where.ps_per_cycle
    rows["barrier_answer_ps"] = execution.barrier_answer_cycles * where.ps_per_cycle
    rows["mispredict_ps"] = execution.mispredict_cycles * where.ps_per_cycle
    rows["smt_window_ps"] = execution.smt_window_cycles * where.ps_per_cycle
    rows["late_ps"] = execution.late_answer_cycles * where.ps_per_cycle
    return rows


def _costs(machine: Machine, wakeup_ps: int) -> Records:
    costs = machine.coherence
    rows = np.zeros(1, dtype=COSTS)
    for name in COSTS.names or ():
        if hasattr(costs, f"{name}_ns"):
            rows[name] = round(1000 * getattr(costs, f"{name}_ns"))
    for name in SHARES:
        rows[name] = round(SCALE * getattr(costs, name))
    rows["locked_per_stay"] = costs.locked_per_stay
    rows["sibling_slowdown"] = round(SCALE * 2 / machine.execution.smt_yield)
    rows["wakeup"] = wakeup_ps
    return rows
