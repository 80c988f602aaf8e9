"""Groups that sleep instead of simulating: on nodes of a model, or in the actors of a real Ray.

`SleepingNodes` is what the executor knows of Ray, in this process: the table of requests for
places, the nodes, groups, and the wait for the first that is done. `sleeping_actors` leaves all of
that to Ray. A cell sleeps for 40 to 200 ms, as long wherever it is.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from core.cell import Cell, CellResult
from sweep.executors import ray_executor, scheduler
from sweep.executors.actor_group import BATCH_SECONDS, ActorGroup, Attempt
from sweep.executors.base import Outcome
from sweep.executors.fan_out import CPU_ACTOR, GroupSize, Resources
from sweep.executors.placements import Placements

GOLDEN = (5**0.5 - 1) / 2

RAY_SECONDS = 0.6e-3
"""CPU time of the driver's thread that Ray's calls for a cell take (remote, wait and get), measured
with 350 cells a second on four groups of a real Ray."""


def sleep_of(cell: Cell) -> float:
    """Seconds that a cell takes: by its seed, and any few dozen seeds in a row mean 120 ms."""
    return 0.04 + 0.16 * (GOLDEN * cell.seed % 1)


@contextmanager
def sleeping_actors(like: CellResult) -> Iterator[None]:
    """Have interconnects of an ActorGroup sleep; the result of each cell is that of `like`."""
    import ray

    from sweep.executors import interconnect_actor

    class SleepingHost(interconnect_actor.InterconnectActor):
        def start(self, cell: Cell) -> None:
            ray.get([actor.__ray_ready__.remote() for actor in self._actors])

        def simulate(self, cell: Cell) -> CellResult:
            time.sleep(sleep_of(cell))
            return replace(like, cell_id=cell.cell_id)

    with mock.patch.object(interconnect_actor, "InterconnectActor", SleepingHost):
        yield


class SleepingNodes:
    """`nodes` nodes with room for `groups_each` groups of an actor; results are those of `like`."""

    def __init__(self, nodes: int, groups_each: int, like: CellResult) -> None:
        self._like = like
        offer = {"CPU": float(groups_each), CPU_ACTOR: float(groups_each)}
        self._offers: dict[str, Resources] = {f"node-{i}": offer for i in range(nodes)}
        self._placements: dict[str, dict[str, Any]] = {}

    @contextmanager
    def instead_of_ray(self) -> Iterator[None]:
        """Have every RayExecutor use this."""
        model = self

        class Group(SleepingGroup):
            def __init__(self, size: GroupSize, bundles: Sequence[Resources], name: str) -> None:
                super().__init__(size, bundles, name, model)

        class Table(Placements):
            def look(self) -> None:
                self._table = {k: dict(v) for k, v in model._placements.items()}

        cluster = mock.patch.object(ray_executor, "RayCluster", mock.Mock())
        calls = mock.patch.multiple(
            scheduler,
            nodes=lambda: self._offers,
            node_types=lambda: [],
            node_name=lambda node_id: node_id,
            ready=ready,
            ActorGroup=Group,
            Placements=Table,
        )
        with cluster, calls:
            yield

    def ask(self, name: str) -> str:
        """Ask for a place; its id."""
        self._placements[name] = {"name": name, "state": "PENDING", "bundles_to_node_id": {}}
        self._give()
        return name

    def give_back(self, placement_id: str) -> None:
        """Let others have a place."""
        self._placements[placement_id]["state"] = "REMOVED"
        self._give()

    def result(self, cell: Cell) -> CellResult:
        """What a cell becomes."""
        return replace(self._like, cell_id=cell.cell_id)

    def _give(self) -> None:
        given = [p for p in self._placements.values() if p["state"] == "CREATED"]
        used = Counter(place["bundles_to_node_id"][0] for place in given)
        free = [n for n, offer in self._offers.items() for _ in range(int(offer["CPU"]) - used[n])]
        waiting = [p for p in self._placements.values() if p["state"] == "PENDING"]
        for place, node in zip(waiting, free, strict=False):
            place.update(state="CREATED", bundles_to_node_id={0: node})


class SleepingGroup(ActorGroup):
    """A group of the model. It starts at once, and `pending` is when it is done.

    RAY_SECONDS of CPU time are spent on each cell.
    """

    def __init__(
        self, size: GroupSize, bundles: Sequence[Resources], name: str, model: SleepingNodes
    ) -> None:
        self.size, self.bundles = size, bundles
        self.node, self.pending, self.attempts, self.offer = None, None, [], 1
        self.leaving, self.done, self._begun = False, 0, 0
        self.cpu_actors, self.interconnect = [], None
        self._model = model
        self._asked = model.ask(name)

    @property
    def placement_id(self) -> str:
        return self._asked

    def wait_for_placement(self, seconds: float) -> None:
        pass

    def start(self, node: str, cell: Cell) -> None:
        self.node, self.interconnect, self.pending = node, self, time.monotonic()

    def simulate(self, attempts: Sequence[Attempt]) -> None:
        self.attempts, self._begun, seconds = list(attempts), 0, 0.0
        while self._begun < len(attempts) and seconds <= BATCH_SECONDS:
            seconds += sleep_of(attempts[self._begun].cell)
            self._begun += 1
        self.pending = time.monotonic() + seconds
        spent = time.thread_time() + RAY_SECONDS
        while time.thread_time() < spent:
            pass

    def finish(self) -> tuple[list[Outcome], list[Attempt]]:
        self.pending = None
        begun = self.attempts[: self._begun]
        return self._ended([(self._model.result(attempt.cell), None) for attempt in begun])

    def kill(self) -> None:
        self._model.give_back(self._asked)


def ready(groups: Sequence[ActorGroup], seconds: float) -> list[ActorGroup]:
    """As `sweep.executors.actor_group.ready`, of groups of the model."""
    working = [group for group in groups if group.pending is not None]
    first = min(group.pending for group in working)
    time.sleep(min(seconds, max(0.0, first - time.monotonic())))
    now = time.monotonic()
    return [group for group in working if group.pending <= now]
