"""A cell with writers, step by step under the model checker.

What the cell does is a trace: how far hits come, the stretches that writers finish, grace periods
and deferred frees. Each event is taken as the steps that it stands for in a world of
`core.modelcheck`, where every step has to be possible and to pass its checks; before each step of a
writer the two states have to be the same. Not compared: children of fork, breakpoints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import simpy
from followed_threads import DifferenceError, FollowedThreads, Item

from core.cell import Cell
from core.engine.pipeline import RETURN
from core.kernel import steps
from core.kernel.rcu_flavours import READ_SIDES
from core.modelcheck.grace import callback
from core.modelcheck.hit import uprobe_hit
from core.modelcheck.hprobe import ri_timer, uprobe_return
from core.modelcheck.mmap import uprobe_mmap
from core.modelcheck.program import Block, Program, assemble
from core.modelcheck.registration import unregister_batch, uprobe_register
from core.modelcheck.system import System, thread_move
from core.modelcheck.world import ENTRY, NOBODY, Thread, World, chain
from core.modelcheck.world import RETURN as AT_RETURN
from core.modelcheck.world import Consumer as ModelConsumer
from core.stress.programs import ENTERED, FOUND, LEFT, TAKEN, UNWALKED, WALKED, WALKING
from core.stress.records import DONE, LEASE
from core.stress.simulation import Simulation
from core.stress.uprobes import Consumer

LEVELS = {
    **{side.lock.function: ENTERED for side in READ_SIDES.values()},
    steps.FIND_UPROBE: FOUND,
    "read_seqcount_begin": FOUND,
    "find_uprobe_rcu": FOUND,
    "find_uprobe_rcu: node": FOUND,
    "read_seqcount_retry": FOUND,
    "down_read(&uprobe->register_rwsem)": WALKING,
    "handler_chain": WALKED,
    "handler_chain: call": WALKED,
    "handler_chain: the end": WALKED,
    "prepare_uretprobe": WALKED,
    "handle_uretprobe_chain": WALKED,
    "handle_uretprobe_chain: call": WALKED,
    "handle_uretprobe_chain: the end": WALKED,
    "up_read(&uprobe->register_rwsem)": UNWALKED,
    "hprobe_consume": TAKEN,
}
"""How far a hit is that has done a step; whatever is not here lets go: LEFT."""

AT_ONCE = (
    f"{steps.INSERT_UPROBE}: {steps.WRITE_SEQCOUNT_END}",
    f"{steps.DELETE_UPROBE}: {steps.WRITE_SEQCOUNT_END}",
    "uprobe_is_active",
    "uprobe_register: retry",
    "put_uprobe: the tree's",
)
"""Steps that belong to the moment of the one before."""

WITHOUT_TIME = ("filter_chain", "consumer_filter", "filter_chain: up_read", "__uprobe_unregister")
"""Steps that take the cell no time of their own; done before the next one that does."""


NAMED = {
    steps.INSERT_UPROBE,
    steps.FIND_UPROBE,
    steps.DELETE_UPROBE,
    steps.PUT_UPROBE,
    steps.DOWN_WRITE,
    steps.CONSUMER_ADD,
    steps.CONSUMER_DEL,
    steps.BUILD_PROBE_LIST,
}
"""Stretches that a step of the model checker ends with."""


class Follower:
    """The world of the model checker, taken along."""

    def __init__(self, simulation: Simulation, keys: int) -> None:
        self.simulation = simulation
        self.rules = simulation.kernel.rules
        self.keys = keys
        self.counts: Counter[str] = Counter()
        cell = simulation.cell
        assert cell.workload is not None
        self.hitting = cell.cpus
        self.threads = cell.cpus + cell.workload.threads
        self.leases = self.rules.leases
        count = self.threads + (self.hitting if self.leases else 0)
        self.world = World((), (Thread(),) * count)
        self.programs: list[Program] = [assemble(f"t{me}", []) for me in range(count)]
        self.consumers: dict[Consumer, int] = {}
        self.returning: set[int] = set()
        for me in range(self.threads, count):
            block = ri_timer(self.rules, me, me - self.threads, 0, f"t{me}")
            self.programs[me] = assemble(f"t{me}", block, daemon=True)

    def begin(self, me: int, block: Block) -> None:
        """The thread is at the begin of something."""
        self.same(self.next(me) == "", f"thread {me} is not through: {self.next(me)}")
        self.programs[me] = assemble(f"t{me}", block)
        threads = self.world.threads
        fresh = threads[me]._replace(pc=0)
        self.world = self.world._replace(threads=(*threads[:me], fresh, *threads[me + 1 :]))

    def next(self, me: int) -> str:
        """The function of the thread's next step; "" if it is through."""
        pc, of = self.world.threads[me].pc, self.programs[me].steps
        return of[pc].function if pc < len(of) else ""

    def step(self, me: int) -> None:
        """One step of a thread, which must be possible and right."""
        system = System(self.rules, tuple(self.programs), self.world)
        move = thread_move(system, self.world, me)
        if move is None:
            raise DifferenceError(f"thread {me} blocks before {self.next(me)}: {self.world}")
        if move.violation is not None:
            raise move.violation
        assert move.world is not None
        self.world = move.world
        self.counts[move.function] += 1

    def until(self, me: int, name: str) -> None:
        """Go on up to this step of a writer, and what belongs to its moment."""
        while self.next(me) != name:
            self.same(self.next(me) in WITHOUT_TIME, f"{name}, but {self.next(me)!r} is next")
            self.step(me)
        self.step(me)
        while self.next(me) in AT_ONCE:
            self.step(me)

    def through(self, me: int) -> None:
        """The cell's writer is through: so is the thread, but for what takes no time."""
        while self.next(me):
            silent = self.next(me) in WITHOUT_TIME or self.next(me).startswith("kfree")
            self.same(silent, f"thread {me} should be through, but {self.next(me)!r} is next")
            self.step(me)

    def consumer(self, consumer: Consumer) -> int:
        """The number of a consumer of the cell, a new one for one not met before."""
        number = self.consumers.setdefault(consumer, len(self.consumers))
        if number == len(self.world.consumers):
            kinds = AT_RETURN if consumer.at_return else ENTRY
            new = ModelConsumer(consumer.function, kinds)
            self.world = self.world._replace(consumers=(*self.world.consumers, new))
        return number

    def register(self, me: int, consumer: Consumer) -> None:
        """A registration begins."""
        c = self.consumer(consumer)
        self.begin(me, uprobe_register(self.rules, me, consumer.function, c, f"t{me}"))

    def unregister(self, me: int, batch: Sequence[Consumer]) -> None:
        """A link is detached."""
        if not batch:
            # bpf_uprobe_unregister() of no probes waits for nothing.
            return
        pairs = tuple((consumer.function, self.consumer(consumer)) for consumer in batch)
        self.begin(me, unregister_batch(self.rules, me, pairs, f"t{me}"))

    def maps(self, me: int) -> None:
        """The code is mapped, which has one probe."""
        self.begin(me, uprobe_mmap(self.rules, me, 0, f"t{me}"))

    def hits(self, todo: list[list[Item]]) -> None:
        """Every thread goes on through its items.

        Within a window the cell knows no order. Hits that were under way come first, as far as
        they take references: what they found was alive as the window began.
        """
        for me, items in enumerate(todo):
            if items and self.next(me) and items[0].function != RETURN:
                self._to(me, min(items[0].level, WALKED))
        for me, items in enumerate(todo):
            for item in items:
                self._goes_on(me, item)

    def _goes_on(self, me: int, item: Item) -> None:
        if item.hit and not item.begun:
            self.returning.discard(me)
            if item.function == RETURN:
                self.returning.add(me)
                instance = self.world.threads[me].instance
                key = self.world.uprobes[instance].key if instance != NOBODY else 0
                self.begin(me, uprobe_return(self.rules, me, key, f"t{me}"))
            else:
                self.begin(me, uprobe_hit(self.rules, me, item.function, self.keys, f"t{me}"))
            self.counts["hits"] += 1
        self._to(me, item.level)
        if item.level == DONE:
            self.same(self.next(me) == "", f"thread {me} is not through: {self.next(me)}")

    def _to(self, me: int, level: int) -> None:
        while self.next(me) and self._level(me) <= level:
            self.step(me)

    def _level(self, me: int) -> int:
        """How far a hit is once it has done its next step."""
        if "_unlock" in self.next(me):
            return UNWALKED if me in self.returning else LEFT
        return LEVELS.get(self.next(me), LEFT)

    def expires(self) -> None:
        """The timers of all leases that no return is using."""
        for me in range(self.threads, len(self.world.threads)):
            if self.world.threads[me - self.threads].hprobe != "leased":
                continue
            self.step(me)
            while self.world.threads[me].pc:
                self.step(me)

    def frees(self, u: int, phases: tuple[str, ...]) -> None:
        """A dead uprobe has come so far on its way to its free."""
        for me in range(self.threads):
            if self.next(me) == steps.FREE and self.world.threads[me].u == u:
                self.step(me)
        while not self._is_at(u, phases):
            place = next((i for i, item in enumerate(self.world.deferred) if item.u == u), None)
            after = None if place is None else callback(self.rules, self.world, place)
            if after is None:
                raise DifferenceError(f"uprobe {u} cannot get to {phases}: {self.world}")
            self.world = after
            self.counts["callbacks"] += 1

    def _is_at(self, u: int, phases: tuple[str, ...]) -> bool:
        if not phases:
            return self.world.uprobes[u].freed
        return any(item.u == u and item.phases == phases for item in self.world.deferred)

    def compare(self) -> None:
        """References, the tree, the lists, what is freed, and who is inside."""
        uprobes, cosimulation = self.simulation.kernel.uprobes, self.simulation.cosimulation
        self.same(uprobes.count == len(self.world.uprobes), "so many uprobes")
        tree = chain(self.world)
        for u, model in enumerate(self.world.uprobes):
            self.same(bool(uprobes.freed[u]) == model.freed, f"uprobe {u} freed: {model.freed}")
            ref = int(uprobes.ref[u]) + cosimulation.held_of(u)
            self.same(ref == model.ref, f"uprobe {u} has {ref} references, not {model.ref}")
            self.same(bool(uprobes.active[u]) == (u in tree), f"uprobe {u} in the tree")
            listed = {self.consumers[consumer] for consumer in uprobes.consumers[u]}
            self.same(listed == set(self._list(model.first)), f"the list of uprobe {u}")
        snapshot = cosimulation.snapshot
        leased = (snapshot.frame["uprobe"] >= 0) & (snapshot.frame["holds"] == LEASE)
        for me in range(self.hitting):
            inside = bool(snapshot.thread["nesting"][me])
            self.same(inside == bool(self.world.readers >> me & 1), f"thread {me} inside: {inside}")
            lease = bool(leased[me].any())
            self.same(lease == bool(self.world.readers >> (8 + me) & 1), f"a lease of thread {me}")
        self.counts["comparisons"] += 1

    def _list(self, c: int) -> Iterator[int]:
        while c != NOBODY:
            yield c
            c = self.world.consumers[c].next

    def same(self, holds: bool, what: str) -> None:
        """Raise DifferenceError if not."""
        if not holds:
            raise DifferenceError(what)


def follow(cell: Cell) -> Follower:
    """Simulate a cell to its end under the model checker. Raises DifferenceError, or Violation.

    Its threads call at depth 1, as the model checker does.
    """
    threads = FollowedThreads()
    simulation = Simulation.of(cell, frozenset(), threads)
    follower = Follower(simulation, cell.probes)
    kernel, cosimulation, env = (
        simulation.kernel,
        simulation.cosimulation,
        simulation.cosimulation.env,
    )
    for consumer in simulation.static:
        follower.register(0, consumer)
        while follower.next(0):
            follower.step(0)
    threads.tell, threads.expires = follower.hits, follower.expires
    cpu_of = {process: cell.cpus + n for n, process in enumerate(simulation.tasks)}

    def told(event: simpy.Event, then: Callable[[], None]) -> simpy.Event:
        """Bring the hits up to an event as it happens, compare, and take its step."""

        def happens(_: simpy.Event) -> None:
            kernel.registry.replay()
            follower.compare()
            then()

        assert event.callbacks is not None
        event.callbacks.append(happens)
        return event

    def whole(method: Callable[..., Any], begins: Callable[..., None]) -> Callable[..., Any]:
        """A function of a writer, from its begin to its end."""

        def told_of(cpu: int, *arguments: Any) -> Any:
            kernel.registry.replay()
            begins(cpu, *arguments)
            result = yield from method(cpu, *arguments)
            follower.through(cpu)
            return result

        return told_of

    run = cosimulation.run

    def stretch(cpu: int, name: str, *arguments: Any, **extra: Any) -> simpy.Event:
        if name == steps.UP_WRITE:
            # A reader may have the lock before the stretch of the writer who gives it back ends.
            kernel.registry.replay()
            follower.compare()
            follower.until(cpu, name)
            return run(cpu, name, *arguments, **extra)
        done = run(cpu, name, *arguments, **extra)
        return told(done, lambda: follower.until(cpu, name)) if name in NAMED else done

    free_after = kernel.registry._free_after

    def frees(uprobe: int, chain: tuple[str, ...]) -> None:
        cosimulation.replay()
        if not chain or chain[0] != "erased":
            follower.frees(uprobe, chain)
        free_after(uprobe, chain)

    cosimulation.run = stretch
    kernel.registry._free_after = frees
    kernel.uprobe_register = whole(kernel.uprobe_register, follower.register)
    kernel.unregister_batch = whole(kernel.unregister_batch, follower.unregister)
    kernel.mmap = whole(kernel.mmap, follower.maps)
    for whose, engine in kernel.engines.items():

        def synchronize(whose: str = whose, wait: Any = engine.synchronize) -> simpy.Event:
            cpu, name = cpu_of[env.active_process], follower.rules.side(whose).synchronize
            kernel.registry.replay()
            follower.until(cpu, name)
            return told(wait(), lambda: follower.until(cpu, f"{name}: the end"))

        engine.synchronize = synchronize
    simulation.play()
    simulation._until(lambda: not any(task.is_alive for task in simulation.tasks))
    cosimulation.drain()
    simulation._until(cosimulation.drained)
    follower.compare()
    return follower
