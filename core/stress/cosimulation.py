"""The weave and the processes of writers and grace periods, in one simulated time.

The weave plays the CPUs up to the next event of a process, or to the end of a writer's stretch;
then processes run, which take no time but what they yield. The kernel's state, which only they
change, is therefore the same for all that the weave plays in between: a window.
"""

from __future__ import annotations

from math import inf

import numpy as np
import simpy
from numpy.typing import NDArray

from core.engine.interconnect import Interconnect
from core.engine.pipeline import fall_asleep, resume, stall
from core.engine.probes import lay_out_in_order
from core.engine.state import State
from core.grace.srcu import Srcu
from core.stress.programs import WALKED, Programs
from core.stress.records import DONE, HitRules, Snapshot, View
from core.stress.threads import TriggerThreads, Where
from core.stress.uprobes import Uprobes


class Cosimulation:
    """One cell's machine. The first `count` CPUs run `threads`, the others one writer each.

    `env` is the time (integer picoseconds) in which processes live; `srcus` are the SRCUs of hits
    and of return instances, if there are any; `snapshot` is what the threads were
    at the last replay of their hits, `replays` how many of these there were.
    """

    snapshot: Snapshot

    def __init__(
        self,
        state: State,
        programs: Programs,
        threads: TriggerThreads,
        count: int,
        uprobes: Uprobes,
        rules: HitRules,
    ) -> None:
        self.env = simpy.Environment()
        self.srcus: list[Srcu | None] = [None, None]
        self.replays = 0
        self._threads = threads
        self._state = state
        self._programs = programs
        self._count = count
        self._uprobes = uprobes
        self._rules = rules
        self._interconnect = Interconnect(state)
        self._stretch: dict[int, simpy.Event] = {}
        self._done = np.zeros(count, dtype=np.bool_)
        self._draining = False
        lay_out_in_order(state.probes, state.lines)
        state.entry[:] = programs.plain
        state.leave[:] = programs.plain
        self._refill()

    @property
    def now_ps(self) -> int:
        """Simulated time."""
        return int(self.env.now)

    @property
    def interconnect(self) -> Interconnect:
        """What the CPUs' operations go through."""
        return self._interconnect

    def blocked(self) -> NDArray[np.bool_]:
        """Which threads sleep or spin for a lock, shape (threads,)."""
        waits: NDArray[np.bool_] = self._state.cpus["blocked"][: self._count] == 1
        return waits

    def run(self, cpu: int, stretch: str, function: int = 0, extra_ps: int = 0) -> simpy.Event:
        """Let a writer's CPU do one of `writers.STRETCHES`; the event is its end."""
        done = self.env.event()
        self._stretch[cpu] = done
        resume(self._state, cpu, self._programs.start[stretch], function, extra_ps, self.now_ps)
        return done

    def stall(self, thread: int, for_ps: int) -> bool:
        """Let a thread get no further for so long, wherever it is; False if it waits already."""
        return bool(stall(self._state, thread, for_ps, self.now_ps))

    def replay(self) -> None:
        """Let the threads take note of what they did until now. To be called before a change."""
        if self._count or not self.replays:
            cpus = self._state.cpus[: self._count]
            level = self._programs.level[cpus["operation"]]
            level[self._done] = DONE
            self.snapshot = self._threads.replay(self._view(), Where(cpus["taken"].copy(), level))
        self.replays += 1

    def expire(self) -> None:
        """Let the timers of all return instances have expired now."""
        self.replay()
        self.snapshot = self._threads.expire(self._view())

    def held_of(self, uprobe: int) -> int:
        """References that hits and return instances held of an uprobe at the last replay."""
        held = self.snapshot.held
        return int(held[uprobe]) if uprobe < len(held) else 0

    def publish(self, function: int) -> None:
        """Let hits of a function find what is there now. To be called after a change."""
        u, programs = self._uprobes, self._programs
        u.look_up(function)
        found = u.found[function]
        lists = (u.entry_list[found], u.return_list[found]) if found >= 0 else (0, 0)
        most = len(programs.call) - 1
        on_entry, at_return = (min(int(mask).bit_count(), most) for mask in lists)
        call, back = programs.call[on_entry, at_return], programs.back[on_entry, at_return]
        there = u.installed[function]
        self._state.entry[function] = call if there else programs.plain
        self._state.leave[function] = back if there else programs.plain
        # A hit under way that has not walked the list yet returns as it will find it.
        t = self.snapshot.thread
        waits = (t["begun"] & t["hit"] & (t["returns"] == 0)).astype(bool)
        cpus = np.flatnonzero(waits & (t["function"] == function) & (t["level"] < WALKED))
        self._state.exit[cpus, t["depth"][cpus] - 1] = back

    def play(self, until_ps: int) -> None:
        """Go on until `until_ps`."""
        while True:
            ahead = self.env.peek()
            horizon = until_ps if ahead == inf else min(int(ahead), until_ps)
            if self._interconnect.run(horizon):
                self._go_to(horizon)
                if horizon == until_ps:
                    return
            else:
                self._stopped(int(self._state.totals["stopped"][0]))

    def drain(self) -> None:
        """Let the threads finish what they have begun, and call nothing more."""
        self._draining = True

    def drained(self) -> bool:
        """Whether all have."""
        return bool(self._done.all())

    def _view(self) -> View:
        """The kernel's state as hits see it."""
        u, n = self._uprobes, self._uprobes.count
        references = u.ref[:n].copy()
        if self.replays:
            references[: len(self.snapshot.held)] += self.snapshot.held
        return View(
            found=u.found,
            installed=u.installed,
            must_call=u.must_call,
            may_call=u.may_call,
            returns=u.returns,
            alive=references > 0,
            freed=u.freed[:n],
            entry_list=u.entry_list[:n],
            return_list=u.return_list[:n],
            rules=self._rules,
            srcu_idx=np.array([s.srcu_idx if s else 0 for s in self.srcus]),
        )

    def _stopped(self, cpu: int) -> None:
        """The weave stopped as a CPU had nothing more to do."""
        if cpu < self._count:
            self._refill()
            if self._state.cpus["taken"][cpu] == self._state.cpus["filled"][cpu]:
                fall_asleep(self._state, cpu)
                self._done[cpu] = True
            return
        now = self._interconnect.next_event_ps
        fall_asleep(self._state, cpu)
        self._go_to(now, self._stretch.pop(cpu))

    def _refill(self) -> None:
        self.replay()
        # The item that a thread is at stays in its ring until it is over.
        wanted = self._interconnect.wanted(self._state.probe.shape[0] - 1)[: self._count]
        hits = self._threads.draw(wanted, self._draining)
        writers = np.zeros(len(self._state.cpus) - self._count, dtype=np.int64)
        self._interconnect.accept(hits._replace(counts=np.append(hits.counts, writers)))

    def _go_to(self, now: int, happens: simpy.Event | None = None) -> None:
        """Let time be `now`, and what is due then happen."""
        if now > self.env.now:
            self.env.run(until=now)
        if happens is not None:
            happens.succeed()
        while self.env.peek() <= now:
            self.env.step()
