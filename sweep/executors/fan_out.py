"""How a sweep is spread: over groups of actors, over the actors, over nodes. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

CPU_ACTOR = "cpu_actor"
"""Custom resource of which an actor that hosts simulated CPUs takes one. It bounds how many such
processes, of 60-100 MB each, a node gets, and drives the autoscaler."""

ACTORS_PER_CORE = 4
"""CPU actors a core of a machine that is not a cluster: they idle while their group weaves."""

GROUPS = 32
"""Groups that a sweep asks a cluster for if its nodes have room for fewer: what the cluster lacks
is demand to its autoscaler."""

Resources = Mapping[str, float]


@dataclass(frozen=True)
class GroupSize:
    """A group for cells of up to `cpus` CPUs, `cpus_per_actor` in each actor but the last."""

    cpus: int
    cpus_per_actor: int

    @property
    def actors(self) -> int:
        """Actors that host CPUs; the interconnect is one more."""
        return math.ceil(self.cpus / self.cpus_per_actor)


def cpus_per_actor(cells: int, cpus: int, cores: int) -> int:
    """How many of a cell's `cpus` CPUs to put in an actor, for `cells` cells on `cores` cores.

    A group of one actor costs least, in starting and in messages, and cells share the cores as well
    as actors do. So a group gets more actors only where there are more cores than cells.
    """
    actors = max(1, cores // max(cells, 1))
    return math.ceil(cpus / min(actors, cpus))


def groups_on_this_machine(cores: int, size: GroupSize) -> int:
    """Groups to start on a machine of `cores` cores that is shared with its user.

    One a core, because an interconnect keeps a core busy; fewer if that made more than
    ACTORS_PER_CORE actors a core; always one.
    """
    return max(1, min(cores, ACTORS_PER_CORE * cores // size.actors))


def groups_on_a_cluster(size: GroupSize, nodes: Iterable[Resources], declared: bool) -> int:
    """Groups to ask a cluster for: as many as `nodes` have room for, and GROUPS if that is less.

    If the cluster has not `declared` CPU_ACTOR, a group takes a core.
    """
    whole = _whole(size) if declared else {"CPU": 1.0}
    room = sum(min(int(node.get(k, 0) // v) for k, v in whole.items()) for node in nodes)
    return max(GROUPS, room)


def bundles(size: GroupSize, nodes: Iterable[Resources], declared: bool) -> Sequence[Resources]:
    """What to ask Ray for so that a group of `size` is placed: resources, a bundle each.

    One bundle, which is on one node by nature, if any of `nodes` (there, or of a type that an
    autoscaler can start) offers as much. Otherwise a bundle an actor, to be packed on few nodes.
    If the cluster has not `declared` CPU_ACTOR, only the interconnect's core is asked for.
    """
    if not declared:
        return [{"CPU": 1.0}]
    whole = _whole(size)
    if any(all(node.get(k, 0) >= v for k, v in whole.items()) for node in nodes):
        return [whole]
    return [{"CPU": 1.0}, *({CPU_ACTOR: 1.0} for _ in range(size.actors))]


def _whole(size: GroupSize) -> Resources:
    """What a node offers that can hold a group."""
    return {"CPU": 1.0, CPU_ACTOR: float(size.actors)}
