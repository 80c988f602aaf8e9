from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.executors.fan_out import (
    ACTORS_PER_CORE,
    CPU_ACTOR,
    GROUPS,
    GroupSize,
    bundles,
    cpus_per_actor,
    groups_on_a_cluster,
    groups_on_this_machine,
)

COUNT = st.integers(1, 2000)


@pytest.mark.parametrize(
    ("cpus", "each", "actors"), [(1, 1, 1), (64, 1, 64), (64, 8, 8), (65, 8, 9), (5, 64, 1)]
)
def test_a_group_has_an_actor_for_every_few_cpus(cpus: int, each: int, actors: int) -> None:
    assert GroupSize(cpus, each).actors == actors


@pytest.mark.parametrize(
    ("cells", "cpus", "cores", "each"),
    [
        (42, 64, 2, 64),  # cells fill the cores: a group of one actor
        (42, 64, 42, 64),
        (1, 64, 16, 4),  # 16 cores for one cell: 16 actors
        (4, 64, 16, 16),
        (1, 8, 100, 1),  # more cores than CPUs
        (0, 8, 4, 2),
    ],
)
def test_auto(cells: int, cpus: int, cores: int, each: int) -> None:
    assert cpus_per_actor(cells, cpus, cores) == each


@given(COUNT, COUNT, COUNT)
def test_auto_makes_no_more_actors_than_cores(cells: int, cpus: int, cores: int) -> None:
    each = cpus_per_actor(cells, cpus, cores)
    assert 1 <= each <= cpus
    assert GroupSize(cpus, each).actors <= max(1, cores // cells)


@pytest.mark.parametrize(
    ("cores", "actors", "groups"), [(2, 1, 2), (2, 4, 2), (2, 5, 1), (2, 64, 1), (16, 64, 1)]
)
def test_groups_on_one_machine(cores: int, actors: int, groups: int) -> None:
    assert groups_on_this_machine(cores, GroupSize(actors, 1)) == groups


@given(COUNT, COUNT)
def test_groups_on_one_machine_are_bounded(cores: int, actors: int) -> None:
    groups = groups_on_this_machine(cores, GroupSize(actors, 1))
    assert 1 <= groups <= cores
    assert groups == 1 or groups * actors <= ACTORS_PER_CORE * cores


NODE = {"CPU": 4.0, CPU_ACTOR: 20.0}


@pytest.mark.parametrize(
    ("nodes", "actors", "groups"),
    [
        (100, 1, 400),  # bounded by cores
        (100, 8, 200),  # bounded by actors, 2 groups a node
        (100, 21, GROUPS),  # room on no node
        (3, 1, GROUPS),  # the rest is demand to the autoscaler
        (0, 1, GROUPS),
    ],
)
def test_a_cluster_is_asked_for_all_that_it_has_room_for(
    nodes: int, actors: int, groups: int
) -> None:
    head = {"CPU": 0.0, "memory": 1e9}
    assert groups_on_a_cluster(GroupSize(actors, 1), [head, *nodes * [NODE]], True) == groups


def test_on_a_cluster_that_declares_no_actors_a_group_takes_a_core() -> None:
    assert groups_on_a_cluster(GroupSize(8, 1), 20 * [{"CPU": 16.0}], declared=False) == 320


def test_a_group_that_a_node_can_hold_is_one_bundle() -> None:
    nodes = [{"CPU": 0, CPU_ACTOR: 1}, {"CPU": 16, CPU_ACTOR: 8}]
    assert bundles(GroupSize(8, 1), nodes, declared=True) == [{"CPU": 1, CPU_ACTOR: 8}]


@pytest.mark.parametrize(
    "nodes",
    [
        [{"CPU": 16.0, CPU_ACTOR: 7.0}],
        [{"CPU": 0.0, CPU_ACTOR: 80.0}],
        [{"CPU": 1.0}, {CPU_ACTOR: 80.0}],
        [],
    ],
)
def test_a_group_that_no_node_can_hold_may_spread(nodes: list[dict[str, float]]) -> None:
    parts = bundles(GroupSize(8, 1), nodes, declared=True)
    assert parts == [{"CPU": 1}, *8 * [{CPU_ACTOR: 1}]]


def test_a_cluster_that_declares_no_actors_is_asked_for_a_core() -> None:
    assert bundles(GroupSize(8, 1), [{"CPU": 16}], declared=False) == [{"CPU": 1}]
