"""How a sweep scales with nodes: the driver and executor of `run --ray`, with cells that sleep.

Measured are the executor's own loop (it asks for places, starts groups, gives them cells, collects)
and the driver's store, with rows as large as those of cells of 64 CPUs. Modelled is the rest, see
sleeping_nodes.py: nodes, the table of places, groups in which a cell sleeps for 40 to 200 ms, and
the 0.6 ms of the driver's time that Ray's calls for a cell take. Not modelled: what Ray does in
other threads of the driver, how long nodes and groups take to start, and what nodes do to each
other's cells.

With --ray the model is held against two real nodes, each a Ray on 127.0.0.1, whose interconnects
sleep as long. There CPU/cell has all threads of Ray, also what they do while nothing happens.

Each group gets as many cells whatever the number of nodes. The clock starts when all groups are up.
Speed-up and efficiency are against one node with as many groups.

Run with `make bench-nodes`, or `python benchmarks/nodes.py [--ray]`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from rich.console import Console
from rich.table import Table
from sleeping_nodes import SleepingNodes, sleeping_actors

from core.cell import CellResult
from core.engine.simulate import simulate
from sweep.driver.driver import Progress, run
from sweep.executors.ray_executor import RayExecutor
from sweep.plan.plan import plan
from sweep.spec.spec import Spec
from sweep.store.scan import scan

NODES = (1, 2, 10, 30, 100)
GROUPS_EACH = (1, 2)
CELLS_A_GROUP = 30
CELLS_A_GROUP_ON_RAY = 150
"""More, because groups there take seconds to start, one before the other."""


@dataclass
class Watch:
    """Cells that ended since so many `groups` of the executor were up, and seconds for them."""

    executor: RayExecutor
    groups: int
    cells: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    def __call__(self, progress: Progress) -> None:
        if self.wall:
            self.cells += 1
        elif (
            sum(group.idle or bool(group.attempts) for group in self.executor.groups) >= self.groups
        ):
            self.wall, self.cpu = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        assert self.cells, "not all groups came up"
        self.wall, self.cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu


def spec(cells: int, cpus: int = 1) -> Spec:
    """`cells` cells that differ in their seed."""
    return Spec(
        bench="uprobe-nop",
        flavour="tasks-trace",
        cpus=cpus,
        seed=range(cells),
        warmup="20us",
        duration="20us",
        sample="20us",
    )


def measured(address: str, groups: int, cells: int) -> Watch:
    """The watch of a sweep of so many cells; raises if one is missing."""
    with tempfile.TemporaryDirectory() as folder, closing(RayExecutor(address)) as executor:
        out, watch = Path(folder) / "run", Watch(executor, groups)
        assert run(spec(cells), out, executor, watch).done == cells
        watch.stop()
        assert scan(out).collect().height == cells
    return watch


class Scaling(Table):
    """Watches by number of nodes, held against the first with one node."""

    def __init__(self, title: str) -> None:
        super().__init__(title=title)
        for heading in (
            "nodes",
            "groups",
            "cells",
            "wall",
            "cells/s",
            "speed-up",
            "eff.",
            "CPU/cell",
        ):
            self.add_column(heading, justify="right", no_wrap=True)
        self._alone = 0.0

    def add(self, nodes: int, watch: Watch) -> None:
        rate = watch.cells / watch.wall
        if nodes == 1:
            self._alone = rate
        self.add_row(
            f"{nodes}",
            f"{watch.groups}",
            f"{watch.cells}",
            f"{watch.wall:.1f} s",
            f"{rate:.1f}",
            f"{rate / self._alone:.1f}x",
            f"{100 * rate / self._alone / nodes:.0f} %",
            f"{1000 * watch.cpu / watch.cells:.2f} ms",
            end_section=nodes == NODES[-1],
        )


def modelled(like: CellResult) -> Table:
    table = Scaling(f"Modelled nodes, cells that sleep 40 to 200 ms, {CELLS_A_GROUP} a group")
    for each in GROUPS_EACH:
        for nodes in NODES:
            with SleepingNodes(nodes, each, like).instead_of_ray():
                groups = nodes * each
                table.add(nodes, measured("the model", groups, CELLS_A_GROUP * groups))
    return table


def on_ray(like: CellResult) -> Table:
    sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
    from loopback import loopback_cluster

    table = Scaling("Nodes of a real Ray on 127.0.0.1, the same cells")
    with (
        tempfile.TemporaryDirectory() as folder,
        loopback_cluster(Path(folder) / "home") as cluster,
        mock.patch.dict(os.environ, HOME=str(cluster.home)),
        sleeping_actors(like),
    ):
        for nodes in (1, 2):
            cluster.add(cpus=1, actors=1)
            table.add(nodes, measured(cluster.address, nodes, CELLS_A_GROUP_ON_RAY * nodes))
    return table


def main() -> None:
    [cell] = plan(spec(1, cpus=64))
    like = simulate(cell)
    Console().print(modelled(like))
    if "--ray" in sys.argv[1:]:
        Console().print(on_ray(like))


if __name__ == "__main__":
    main()
