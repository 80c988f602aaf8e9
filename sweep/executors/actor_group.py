"""A placement group of Ray, and the actors in it, which simulate one cell after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.cell import Cell, CellResult
from sweep.errors import InfrastructureError
from sweep.executors.base import Outcome
from sweep.executors.fan_out import CPU_ACTOR, GroupSize, Resources

MOST_CELLS = 64
BATCH_SECONDS = 0.2
"""A group is given several cells at once, at most so many, if they take less than so long
together: a call costs as much as a small cell. It hands back what it has not begun by then."""


@dataclass
class Attempt:
    """A cell, how often an actor has died under it, and whether it is to be simulated alone."""

    cell: Cell
    deaths: int = 0
    alone: bool = False


class GroupLostError(Exception):
    """An actor of a group has died or is out of reach, which comes to the same."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(_plain(error))


class ActorGroup:
    """Actors that together simulate cells of up to `size.cpus` CPUs, while all of them live.

    It waits for its placement, of `bundles`, first; `name` is that of the placement group. Ray
    restarts no actor (it would come back without its state): after a death the group is of no use.
    `pending` is what it is doing, a Ray reference: starting, or simulating `attempts`; None if it
    waits for its placement or cells. `offer` is how many cells to give it at once; `done` counts
    those that ended here.
    """

    def __init__(self, size: GroupSize, bundles: Sequence[Resources], name: str) -> None:
        from ray.util import placement_group

        self.size = size
        self.bundles = bundles
        self.node: str | None = None
        self.pending: Any = None
        self.attempts: list[Attempt] = []
        self.offer = 1
        self.leaving = False
        self.done = 0
        self.cpu_actors: list[Any] = []
        self.interconnect: Any = None
        self._declared = any(CPU_ACTOR in bundle for bundle in bundles)
        self._placement = placement_group([dict(bundle) for bundle in bundles], "PACK", name=name)

    @property
    def placement_id(self) -> str:
        """Id of the placement group, as Ray's table of them has it."""
        return str(self._placement.id.hex())

    @property
    def idle(self) -> bool:
        """Whether it is up and has no cell."""
        return self.interconnect is not None and self.pending is None

    def wait_for_placement(self, seconds: float) -> None:
        """Return when it is placed, or after so many seconds."""
        self._placement.wait(seconds)

    def start(self, node: str, cell: Cell) -> None:
        """Begin to start the actors where it is placed, on `node`, and to compile for `cell`.

        The interconnect comes first, and is ready when those are that `cell` needs.
        """
        import ray
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        from sweep.executors.cpu_actor import CpuActor
        from sweep.executors.interconnect_actor import InterconnectActor

        self.node = node
        here = PlacementGroupSchedulingStrategy(self._placement)
        common: dict[str, Any] = {"max_restarts": 0, "scheduling_strategy": here}
        each = {CPU_ACTOR: 1.0} if self._declared else {}
        cpu_actor: Any = ray.remote(num_cpus=0, resources=each, **common)(CpuActor)
        interconnect: Any = ray.remote(num_cpus=1, **common)(InterconnectActor)
        self.interconnect = interconnect.remote()
        self.cpu_actors = [cpu_actor.remote() for _ in range(self.size.actors)]
        self.pending = self.interconnect.start.remote(
            self.cpu_actors, self.size.cpus_per_actor, cell
        )

    def simulate(self, attempts: Sequence[Attempt]) -> None:
        """Begin to simulate cells, one after the other."""
        self.attempts = list(attempts)
        cells = [attempt.cell for attempt in attempts]
        self.pending = self.interconnect.simulate.remote(cells, BATCH_SECONDS)

    def finish(self) -> tuple[list[Outcome], list[Attempt]]:
        """What became of the cells, as soon as `pending` is ready, and those that were not begun.

        Both are empty if it was starting. Raises GroupLostError, and InfrastructureError if the
        cluster simulates another model.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        pending, self.pending = self.pending, None
        try:
            answers = ray.get(pending)
        except RayError as error:
            cause: BaseException = error
            while isinstance(cause, RayTaskError):
                cause = cause.cause
            if isinstance(cause, RayError) or len(self.attempts) != 1:
                raise GroupLostError(cause) from error
            return self._ended([(None, _plain(error))])
        return self._ended(answers or [])

    def _ended(
        self, answers: Sequence[tuple[CellResult | None, str | None]]
    ) -> tuple[list[Outcome], list[Attempt]]:
        attempts, self.attempts = self.attempts, []
        outcomes = []
        for attempt, (result, error) in zip(attempts, answers, strict=False):
            if result is not None and result.cell_id != attempt.cell.cell_id:
                raise InfrastructureError("the cluster has another version of uprobe-sweep")
            outcomes.append(Outcome(attempt.cell, result, error))
        left = attempts[len(outcomes) :]
        if outcomes:
            self.offer = len(outcomes) if left else min(2 * len(outcomes), MOST_CELLS)
        self.done += len(outcomes)
        return outcomes, left

    def kill(self) -> None:
        """End every actor at once, whatever it is doing, and give the placement back."""
        import ray
        from ray.util import remove_placement_group

        if self.interconnect is not None:
            for actor in (self.interconnect, *self.cpu_actors):
                ray.kill(actor)
        remove_placement_group(self._placement)


def ready(groups: Sequence[ActorGroup], seconds: float) -> list[ActorGroup]:
    """Those of `groups`, of which one or more are at work, that are done with what was pending.

    Returns as soon as there is one, and none after so many seconds.
    """
    import ray

    working = {group.pending: group for group in groups if group.pending is not None}
    first, rest = ray.wait(list(working), num_returns=1, timeout=seconds)
    if first and rest:
        first += ray.wait(rest, num_returns=len(rest), timeout=0)[0]
    return [working[reference] for reference in first]


def _plain(error: BaseException) -> str:
    """The message of `error` without the colours that Ray puts in."""
    return re.sub(r"\x1b\[\d+m", "", str(error))
