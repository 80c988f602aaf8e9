"""Who simulates what on Ray: actor groups ask for placements, and get cells as they are done."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass

from core.cell import Cell
from sweep.errors import InfrastructureError
from sweep.executors import fan_out
from sweep.executors.actor_group import ActorGroup, Attempt, GroupLostError, ready
from sweep.executors.base import Outcome
from sweep.executors.fair_shares import allowance
from sweep.executors.fan_out import CPU_ACTOR, GroupSize, Resources
from sweep.executors.placements import Placements
from sweep.executors.ray_cluster import node_name, nodes
from sweep.executors.ray_private import node_types

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a cell is simulated if actors die under it, and how often in a row groups may die as
they start."""

START_SECONDS = 1200
"""How long a sweep goes on without a group: an autoscaler may have to bring up a node first."""

POLL_SECONDS = 0.5
"""How often to look who else wants placements, and which nodes have come."""


@dataclass(frozen=True)
class Wishes:
    """What was asked for; None lets fan_out decide. On a `cluster` that is anew as nodes come."""

    cpus_per_actor: int | None = 1
    groups: int | None = None
    cluster: bool = False


class Scheduler:
    """Simulates cells on actor groups, each as large as the largest of the cells."""

    def __init__(self, wishes: Wishes, priority: int, say: Callable[[str], None]) -> None:
        self.groups: list[ActorGroup] = []
        self._wishes = wishes
        self._say = say
        self._placements = Placements(priority)
        self._queue: deque[Attempt] = deque()
        self._done: dict[str, int] = {}
        self._failed_starts = 0
        self._held_since: float | None = None
        self._gave_way = False

    def outcomes(self, cells: Sequence[Cell]) -> Generator[Outcome, None, None]:
        """Yield an outcome for each cell as it completes.

        Raises InfrastructureError if no group can start.
        """
        self._size = self._choose_size(cells)
        if any(group.size.cpus < self._size.cpus for group in self.groups):
            self.drop(*self.groups)
        self._queue = deque(Attempt(cell) for cell in cells)
        self._last_group = time.monotonic()
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
            # Groups may be in the middle of cells that nobody waits for any more.
            self.drop(*self.groups)
            raise

    def loads(self) -> dict[str, dict[str, int]]:
        """What each node does for this sweep, nodes that are gone included.

        By the node's name: its `groups`, the cells that they have `in_flight`, and those `done`.
        """
        # Copies, because another thread may ask.
        done, groups = dict(self._done), list(self.groups)
        nodes = dict.fromkeys([*done, *(group.node for group in groups if group.node is not None)])
        return {
            node: {
                "groups": sum(group.node == node for group in groups),
                "in_flight": sum(len(group.attempts) for group in groups if group.node == node),
                "done": done.get(node, 0),
            }
            for node in nodes
        }

    def _choose_size(self, cells: Sequence[Cell]) -> GroupSize:
        # Of cells in which nobody hits, too, a group has an actor.
        cpus = max(1, *(cell.cpus for cell in cells))
        if self._wishes.cpus_per_actor is not None:
            return GroupSize(cpus, self._wishes.cpus_per_actor)
        cores = int(sum(node.get("CPU", 0) for node in nodes().values()))
        size = GroupSize(cpus, fan_out.cpus_per_actor(len(cells), cpus, cores))
        self._say(
            f"{size.cpus_per_actor} CPUs per actor: {size.actors} actors a group, "
            f"for {len(cells)} cells of up to {cpus} CPUs on {cores} cores"
        )
        return size

    def _most_groups(self, offered: Collection[Resources], declared: bool) -> int:
        if self._wishes.groups is not None:
            return self._wishes.groups
        if self._wishes.cluster:
            return fan_out.groups_on_a_cluster(self._size, offered, declared)
        cores = int(sum(node.get("CPU", 0) for node in offered))
        return fan_out.groups_on_this_machine(cores, self._size)

    def _busy(self) -> int:
        return sum(bool(group.attempts) for group in self.groups)

    def _balance(self) -> None:
        """Ask for placements and give them back; start groups in those that were given."""
        self._placements.look()
        offered = nodes().values()
        declared = any(CPU_ACTOR in node for node in offered)
        most = self._most_groups(offered, declared)
        wanted = min(most, len(self._queue) + self._busy())
        claims = self._placements.claims(wanted)
        now = time.monotonic()
        if claims[self._placements.me].held:
            self._held_since = self._held_since or now
        else:
            self._held_since = None
        held_seconds = now - self._held_since if self._held_since else 0.0
        allowed = allowance(self._placements.me, claims, held_seconds, self._gave_way)
        self._gave_way = allowed == 0
        if allowed is None:
            # Groups that have nothing to do are kept: there may be more cells in the next run.
            allowed = max(wanted, sum(group.node is not None for group in self.groups))
        else:
            allowed = min(allowed, wanted)
        self._give_back(allowed)
        bundles = fan_out.bundles(self._size, [*offered, *node_types()], declared)
        # A node may have come that can hold what was to be spread, or is.
        spread = [group for group in self.groups if len(group.bundles) > len(bundles)]
        for group in spread:
            group.leaving = True
        self.drop(*(group for group in spread if not group.attempts))
        for _ in range(min(wanted, allowed) - len(self.groups)):
            self.groups.append(ActorGroup(self._size, bundles, self._placements.next_name()))
        for group in self.groups:
            node_id = self._placements.node_of(group.placement_id)
            if group.node is None and node_id is not None and self._queue:
                group.start(node_name(node_id), self._queue[0].cell)
        self._check_there_is_one(others=len(claims) > 1)

    def _give_back(self, keep: int) -> None:
        """Leave `keep` groups: those not placed go first, the busy once they are done."""
        waiting = [group for group in reversed(self.groups) if group.node is None]
        placed = [group for group in self.groups if group.node is not None]
        placed.sort(key=lambda group: (bool(group.attempts), group.idle))
        leaving = [*waiting, *placed][: max(0, len(self.groups) - keep)]
        for group in self.groups:
            group.leaving = group in leaving
        self.drop(*(group for group in leaving if not group.attempts))

    def _assign(self) -> None:
        for group in self.groups:
            if self._queue and group.idle and not group.leaving:
                group.simulate(self._next(group.offer))

    def _next(self, most: int) -> list[Attempt]:
        """Up to so many cells of the queue, so few that no group is left without in the end."""
        fair = len(self._queue) // (2 * len(self.groups))
        taken = [self._queue.popleft()]
        while len(taken) < min(most, fair) and not (taken[0].alone or self._queue[0].alone):
            taken.append(self._queue.popleft())
        return taken

    def _collect(self) -> list[Outcome]:
        """Wait a little for groups to become ready, and give what their cells became."""
        if all(group.pending is None for group in self.groups):
            for group in self.groups[:1] or ():
                group.wait_for_placement(POLL_SECONDS)
            if not self.groups:
                time.sleep(POLL_SECONDS)
            self._next_look = 0.0
            return []
        return [
            outcome for group in ready(self.groups, POLL_SECONDS) for outcome in self._finish(group)
        ]

    def _finish(self, group: ActorGroup) -> list[Outcome]:
        """What became of the cells of a group that is ready, but for those to be done again.

        None if the group was starting. Raises InfrastructureError.
        """
        attempts = group.attempts
        try:
            outcomes, left = group.finish()
        except GroupLostError as lost:
            self.drop(group)
            self._next_look = 0.0
            self._say(f"lost actors on {group.node}, with {_count(attempts)} in flight: {lost}")
            return self._after_death(attempts, lost)
        self._queue.extendleft(reversed(left))
        self._last_group = time.monotonic()
        self._failed_starts = 0
        if outcomes and group.node is not None:
            self._done[group.node] = self._done.get(group.node, 0) + len(outcomes)
        if group.leaving:
            self.drop(group)
        return outcomes

    def _after_death(self, attempts: Sequence[Attempt], lost: GroupLostError) -> list[Outcome]:
        """Queue the cells again, or give the failure that one now is.

        Of several nobody knows which it was, so each is simulated alone. Raises
        InfrastructureError.
        """
        if not attempts:
            self._failed_starts += 1
            if self._failed_starts >= ATTEMPTS:
                raise InfrastructureError(f"actors die as they start: {lost}") from lost
            return []
        for attempt in attempts:
            attempt.alone = True
        if len(attempts) == 1:
            [attempt] = attempts
            attempt.deaths += 1
            if attempt.deaths >= ATTEMPTS:
                message = f"an actor died in each of {ATTEMPTS} attempts; the last: {lost}"
                return [Outcome(attempt.cell, None, message)]
        self._queue.extendleft(reversed(attempts))
        return []

    def _check_there_is_one(self, others: bool) -> None:
        """Raises InfrastructureError if this sweep waits in vain for its first group."""
        if others or any(group.idle or group.attempts for group in self.groups):
            self._last_group = time.monotonic()
        elif time.monotonic() - self._last_group > START_SECONDS:
            raise InfrastructureError(
                f"no {self._size.actors + 1} actors for {self._size.cpus} CPUs could start "
                f"within {START_SECONDS} s; the nodes offer {list(nodes().values())}"
            )

    def drop(self, *groups: ActorGroup) -> None:
        """End groups, whatever they are doing."""
        for group in groups:
            self.groups.remove(group)
            group.kill()


def _count(attempts: Sequence[Attempt]) -> str:
    return {0: "no cell", 1: "1 cell"}.get(len(attempts), f"{len(attempts)} cells")
