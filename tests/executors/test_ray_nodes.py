"""Groups on several Ray nodes, which come and are killed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import LoopbackCluster, loopback_cluster, wait_until
from polars.testing import assert_frame_equal

import sweep
from sweep.driver.driver import run
from sweep.executors.actor_group import MOST_CELLS
from sweep.service.status import Status, latest

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("default")]

SPEC = """\
bench: uprobe-nop
flavour: srcu
cpus: 8
probes: 8
spread: private
warmup: 1ms
duration: 4ms
"""
CELLS = 600


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LoopbackCluster]:
    with loopback_cluster(tmp_path / "home") as cluster:
        yield cluster


def test_nodes_that_come_get_groups_and_a_killed_one_costs_what_it_had_in_flight(
    cluster: LoopbackCluster, tmp_path: Path
) -> None:
    spec = tmp_path / "slow.yaml"
    spec.write_text(f"{SPEC}seed: {list(range(CELLS))}\n")
    nodes = [cluster.add()]
    log = tmp_path / "log"
    command = [sys.executable, "-m", "sweep", "run", spec, "--out", tmp_path / "far", "--ray"]
    options = ["--address", cluster.address, "--cpus-per-actor", "4", "--progress", "json"]
    with log.open("w") as stderr:
        driver = subprocess.Popen(
            [*map(str, command), *options], env=cluster.env, stderr=stderr, cwd=tmp_path
        )

        def status() -> Status:
            assert driver.poll() is None, log.read_text()
            return latest(log.read_text().splitlines()) or Status(CELLS)

        def working() -> int:
            return sum(load["done"] > 0 for load in status().nodes.values())

        wait_until(lambda: working() == 1)
        nodes += [cluster.add(), cluster.add()]
        wait_until(lambda: working() == 3)
        before = status().done
        cluster.kill(nodes[1])
        wait_until(lambda: status().done > before + 5)
        assert driver.wait(180) == 0, log.read_text()
    lost = re.findall(r"^lost actors on (\S+), with (no|\d+) cells?", log.read_text(), re.MULTILINE)
    # One node, one group, what it was given together at most.
    assert len({node for node, _ in lost}) == 1, log.read_text()
    assert sum(int(cells) for _, cells in lost if cells != "no") <= MOST_CELLS
    run(sweep.load_spec(spec), tmp_path / "near")
    far, near = (
        sweep.scan(tmp_path / name).drop("wall_seconds").sort("cell_id").collect()
        for name in ("far", "near")
    )
    assert far.height == CELLS
    assert_frame_equal(far, near)


PLACES = """
import json, sys
from contextlib import closing
from dataclasses import replace
import ray
from sweep.executors.ray_executor import RayExecutor
from ray_cells import SHARED, assert_as_in_process

found = []
with closing(RayExecutor(sys.argv[1], cpus_per_actor=int(sys.argv[2]))) as executor:
    outcomes = executor.run([replace(SHARED, seed=seed) for seed in range(2000)])
    while sum(group.done > 0 for group in executor.groups) < int(sys.argv[3]):
        assert_as_in_process(next(outcomes))
    for group in executor.groups:
        if group.done:
            here = lambda _: ray.get_runtime_context().get_node_id()
            actors = [*group.cpu_actors, group.interconnect]
            found.append(ray.get([actor.__ray_call__.remote(here) for actor in actors]))
    outcomes.close()
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("cpus_per_actor", "groups", "nodes_each"),
    [(2, 2, 1), (1, 1, 2)],
    ids=["packed on one node each", "spread if no node can hold it"],
)
def test_where_the_actors_of_a_group_are(
    cluster: LoopbackCluster, cpus_per_actor: int, groups: int, nodes_each: int
) -> None:
    cluster.add(cpus=1, actors=4)
    cluster.add(cpus=1, actors=4)
    tests = str(Path(__file__).resolve().parents[1])
    env = {**cluster.env, "PYTHONPATH": f"{cluster.env['PYTHONPATH']}:{tests}"}
    done = subprocess.run(
        [sys.executable, "-c", PLACES, cluster.address, str(cpus_per_actor), str(groups)],
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    places = json.loads(done.stdout)
    assert len(places) == groups
    assert [len(set(nodes)) for nodes in places] == groups * [nodes_each]
    assert len(set().union(*places)) == 2
