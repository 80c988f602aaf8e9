"""Cells on Ray: as many gangs as get a place, each with one cell at a time."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence

from core.cell import Cell
from sweep.errors import InfrastructureError, UsageError
from sweep.executors import fan_out
from sweep.executors.base import Outcome
from sweep.executors.fair_shares import allowance
from sweep.executors.fan_out import CPU_ACTOR, GangSize, Resources
from sweep.executors.ray_cluster import connect, disconnect, node_name, node_types, nodes
from sweep.executors.ray_gang import Attempt, GangLostError, RayGang, ready
from sweep.executors.ray_places import Places

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a cell is simulated if actors die under it, and how often in a row gangs may die as
they start."""

START_SECONDS = 1200
"""How long a sweep goes on without a gang: an autoscaler may have to bring up a node first."""

POLL_SECONDS = 0.5
"""How often to look who else wants places, and which nodes have come."""


class RayExecutor:
    """Simulates cells on gangs, each as large as the largest of the cells.

    `run` joins the Ray at `address`, or starts one on this machine. `cpus_per_actor` None lets
    fan_out decide and `say` what it decided. `gangs` is how many to ask for at most; None lets
    fan_out decide, on a cluster anew as nodes come and go. Several sweeps share a cluster in
    proportion to `priority`. A cell under which an actor dies is simulated anew, whole, elsewhere.
    """

    def __init__(
        self,
        address: str | None = None,
        cpus_per_actor: int | None = 1,
        gangs: int | None = None,
        priority: int = 1,
        say: Callable[[str], None] = log.info,
    ) -> None:
        for name, value in (
            ("CPUs per actor", cpus_per_actor),
            ("gangs", gangs),
            ("priority", priority),
        ):
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, got {value}")
        self.gangs: list[RayGang] = []
        self._address = address
        self._cpus_per_actor = cpus_per_actor
        self._asked_gangs = gangs
        self._say = say
        self._connected = False
        self._places = Places(priority)
        self._queue: deque[Attempt] = deque()
        self._done: dict[str, int] = {}
        self._failed_starts = 0
        self._held_since: float | None = None
        self._gave_way = False

    def run(self, cells: Sequence[Cell]) -> Iterator[Outcome]:
        """Yield an outcome for each cell as it completes.

        Raises InfrastructureError if Ray cannot be started or joined, or no gang can start.
        """
        if not cells:
            return
        self._connected |= connect(self._address)
        self._size = self._choose_size(cells)
        if any(gang.size.cpus < self._size.cpus for gang in self.gangs):
            self._drop(*self.gangs)
        self._queue = deque(Attempt(cell) for cell in cells)
        self._last_gang = time.monotonic()
        self._next_look = 0.0
        try:
            while self._queue or self._busy():
                if time.monotonic() >= self._next_look:
                    self._balance()
                    self._next_look = time.monotonic() + POLL_SECONDS
                self._assign()
                outcomes = self._collect()
                # First, because whoever takes the outcomes may be busy with them for a while.
                self._assign()
                yield from outcomes
        except BaseException:
            # Gangs may be in the middle of cells that nobody waits for any more.
            self._drop(*self.gangs)
            raise

    def close(self) -> None:
        """End the gangs, leave the cluster, and end it if it was started here."""
        self._drop(*self.gangs)
        if self._connected:
            disconnect()
            self._connected = False

    def loads(self) -> dict[str, dict[str, int]]:
        """What each node does for this sweep, nodes that are gone included.

        By the node's name: its `gangs`, the cells that they have `in_flight`, and those `done`.
        """
        # Copies, because another thread may ask.
        done, gangs = dict(self._done), list(self.gangs)
        nodes = dict.fromkeys([*done, *(gang.node for gang in gangs if gang.node is not None)])
        return {
            node: {
                "gangs": sum(gang.node == node for gang in gangs),
                "in_flight": sum(gang.node == node and gang.attempt is not None for gang in gangs),
                "done": done.get(node, 0),
            }
            for node in nodes
        }

    def _choose_size(self, cells: Sequence[Cell]) -> GangSize:
        # Of cells in which nobody hits, too, a gang has an actor.
        cpus = max(1, *(cell.cpus for cell in cells))
        if self._cpus_per_actor is not None:
            return GangSize(cpus, self._cpus_per_actor)
        cores = int(sum(node.get("CPU", 0) for node in nodes().values()))
        size = GangSize(cpus, fan_out.cpus_per_actor(len(cells), cpus, cores))
        self._say(
            f"{size.cpus_per_actor} CPUs per actor: {size.actors} actors a gang, "
            f"for {len(cells)} cells of up to {cpus} CPUs on {cores} cores"
        )
        return size

    def _most_gangs(self, offered: Collection[Resources], declared: bool) -> int:
        if self._asked_gangs is not None:
            return self._asked_gangs
        if self._address is not None:
            return fan_out.gangs_on_a_cluster(self._size, offered, declared)
        cores = int(sum(node.get("CPU", 0) for node in offered))
        return fan_out.gangs_on_this_machine(cores, self._size)

    def _busy(self) -> int:
        return sum(gang.attempt is not None for gang in self.gangs)

    def _balance(self) -> None:
        """Ask for places and give them back; start gangs in those that were given."""
        self._places.look()
        offered = nodes().values()
        declared = any(CPU_ACTOR in node for node in offered)
        most = self._most_gangs(offered, declared)
        wanted = min(most, len(self._queue) + self._busy())
        claims = self._places.claims(wanted)
        now = time.monotonic()
        if claims[self._places.me].held:
            self._held_since = self._held_since or now
        else:
            self._held_since = None
        held_seconds = now - self._held_since if self._held_since else 0.0
        allowed = allowance(self._places.me, claims, held_seconds, self._gave_way)
        self._gave_way = allowed == 0
        if allowed is None:
            # Gangs that have nothing to do are kept: there may be more cells in the next run.
            allowed = max(wanted, sum(gang.node is not None for gang in self.gangs))
        else:
            allowed = min(allowed, wanted)
        self._give_back(allowed)
        bundles = fan_out.bundles(self._size, [*offered, *node_types()], declared)
        # A node may have come that can hold what was to be spread, or is.
        spread = [gang for gang in self.gangs if len(gang.bundles) > len(bundles)]
        for gang in spread:
            gang.leaving = True
        self._drop(*(gang for gang in spread if gang.attempt is None))
        for _ in range(min(wanted, allowed) - len(self.gangs)):
            self.gangs.append(RayGang(self._size, bundles, self._places.next_name()))
        for gang in self.gangs:
            node_id = self._places.node_of(gang.place_id)
            if gang.node is None and node_id is not None and self._queue:
                gang.start(node_name(node_id), self._queue[0].cell)
        self._check_there_is_one(others=len(claims) > 1)

    def _give_back(self, keep: int) -> None:
        """Leave `keep` gangs: those that wait for a place go first, the busy once they are done."""
        waiting = [gang for gang in reversed(self.gangs) if gang.node is None]
        placed = [gang for gang in self.gangs if gang.node is not None]
        placed.sort(key=lambda gang: (gang.attempt is not None, gang.idle))
        leaving = [*waiting, *placed][: max(0, len(self.gangs) - keep)]
        for gang in self.gangs:
            gang.leaving = gang in leaving
        self._drop(*(gang for gang in leaving if gang.attempt is None))

    def _assign(self) -> None:
        for gang in self.gangs:
            if self._queue and gang.idle and not gang.leaving:
                gang.simulate(self._queue.popleft())

    def _collect(self) -> list[Outcome]:
        """Wait a little for gangs to become ready, and give what their cells became."""
        if all(gang.pending is None for gang in self.gangs):
            for gang in self.gangs[:1] or ():
                gang.wait_for_place(POLL_SECONDS)
            if not self.gangs:
                time.sleep(POLL_SECONDS)
            self._next_look = 0.0
            return []
        ended = [self._finish(gang) for gang in ready(self.gangs, POLL_SECONDS)]
        return [outcome for outcome in ended if outcome is not None]

    def _finish(self, gang: RayGang) -> Outcome | None:
        """What became of the cell of a gang that is ready; None if it has to be done again.

        Also None if the gang was starting. Raises InfrastructureError.
        """
        attempt = gang.attempt
        try:
            outcome = gang.finish()
        except GangLostError as lost:
            self._drop(gang)
            self._next_look = 0.0
            self._say(f"lost a gang on {gang.node}, with {_count(attempt)} in flight: {lost}")
            return self._after_death(attempt, lost)
        self._last_gang = time.monotonic()
        self._failed_starts = 0
        if outcome is not None and gang.node is not None:
            self._done[gang.node] = self._done.get(gang.node, 0) + 1
        if gang.leaving:
            self._drop(gang)
        return outcome

    def _after_death(self, attempt: Attempt | None, lost: GangLostError) -> Outcome | None:
        """Queue the cell again, or the failure that it now is. Raises InfrastructureError."""
        if attempt is None:
            self._failed_starts += 1
            if self._failed_starts >= ATTEMPTS:
                raise InfrastructureError(f"actors die as they start: {lost}") from lost
            return None
        attempt.deaths += 1
        if attempt.deaths < ATTEMPTS:
            self._queue.appendleft(attempt)
            return None
        message = f"an actor died in each of {ATTEMPTS} attempts; the last: {lost}"
        return Outcome(attempt.cell, None, message)

    def _check_there_is_one(self, others: bool) -> None:
        """Raises InfrastructureError if this sweep waits in vain for its first gang."""
        if others or any(gang.idle or gang.attempt for gang in self.gangs):
            self._last_gang = time.monotonic()
        elif time.monotonic() - self._last_gang > START_SECONDS:
            raise InfrastructureError(
                f"no gang of {self._size.actors + 1} actors for {self._size.cpus} CPUs could start "
                f"within {START_SECONDS} s; the nodes offer {list(nodes().values())}"
            )

    def _drop(self, *gangs: RayGang) -> None:
        for gang in gangs:
            self.gangs.remove(gang)
            gang.kill()


def _count(attempt: Attempt | None) -> str:
    return "no cell" if attempt is None else "1 cell"
