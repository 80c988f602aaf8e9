"""Several groups at a time, and several sweeps, on a Ray that nobody else uses."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
import ray
from ray_cells import SHARED, assert_as_in_process
from stress_cells import stress_cell

from core.cell import Cell
from core.predict import predict
from core.workload import Workload
from sweep.executors.actor_group import MOST_CELLS
from sweep.executors.base import Outcome
from sweep.executors.ray_executor import RayExecutor

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]


def endless() -> Iterator[Cell]:
    """Cells by the thousand, none like another."""
    return (replace(SHARED, cpus=1, seed=seed) for seed in range(5000))


two_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")


@two_cores
def test_two_groups_share_the_cells(local_ray: str) -> None:
    with closing(RayExecutor(cpus_per_actor=1, groups=2)) as executor:
        outcomes: Any = executor.run(list(endless()))
        counts: list[int] = []
        while len(counts) < 2 and (outcome := next(outcomes, None)):
            assert_as_in_process(outcome)
            counts = [group.done for group in executor.groups if group.done]
        assert len(counts) == 2
        [load] = executor.loads().values()
        assert load["groups"] == 2
        assert 0 < load["in_flight"] <= 2 * MOST_CELLS
        assert load["done"] == sum(counts)
        outcomes.close()


@two_cores
def test_a_sweep_that_comes_later_gets_its_share_and_gives_it_back(local_ray: str) -> None:
    later: list[Outcome] = []
    seen = threading.Event()

    def run_second() -> None:
        with closing(RayExecutor(groups=2)) as second:
            for outcome in second.run(list(endless())):
                later.append(outcome)
                if seen.is_set():
                    break

    with closing(RayExecutor(groups=2)) as first:
        outcomes: Any = first.run(list(endless()))
        while sum(group.done > 0 for group in first.groups) < 2:
            next(outcomes)
        thread = threading.Thread(target=run_second)
        thread.start()
        while not later:
            next(outcomes)
        placed = [group for group in first.groups if group.node is not None]
        seen.set()
        while sum(group.done > 0 for group in first.groups) < 2:
            next(outcomes)
        thread.join()
        outcomes.close()
    assert len(placed) == 1
    assert_as_in_process(later[0])


def test_a_group_simulates_cells_in_which_nobody_hits(local_ray: str) -> None:
    batch = Workload(attach_threads=1, consumers=0, batch=4)
    idle = stress_cell(batch, cpus=0, bench="uprobe-multi-nop")
    with closing(RayExecutor(cpus_per_actor=None, groups=1)) as executor:
        [outcome] = executor.run([idle])
    assert outcome.error is None
    assert outcome.result is not None
    assert outcome.result.stress == predict(idle).stress


def test_auto_says_what_it_picked(local_ray: str) -> None:
    said: list[str] = []
    with closing(RayExecutor(cpus_per_actor=None, say=said.append)) as executor:
        assert len(list(executor.run([SHARED] * 5))) == 5
    [line] = said
    assert line.startswith("8 CPUs per actor: 1 actors a group, for 5 cells of up to 8 CPUs on ")


def test_small_cells_go_together_and_a_death_among_them_loses_none(local_ray: str) -> None:
    cells = [replace(SHARED, cpus=1, seed=seed) for seed in range(120)]
    with closing(RayExecutor(cpus_per_actor=1, groups=1)) as executor:
        outcomes: Any = executor.run(cells)
        got = [next(outcomes)]
        [group] = executor.groups
        while len(group.attempts) < 2:
            got.append(next(outcomes))
        ray.kill(group.cpu_actors[0])
        got += outcomes
    assert sorted(outcome.cell.seed for outcome in got) == list(range(120))
    for outcome in got[::10]:
        assert_as_in_process(outcome)
    assert all(outcome.error is None for outcome in got)
