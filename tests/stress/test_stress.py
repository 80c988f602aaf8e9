"""Cells with writers: rates beside those without, determinism, latencies, rules."""

from __future__ import annotations

from dataclasses import replace
from math import hypot
from statistics import mean, pstdev

import pytest

from core.cell import Cell, CellResult
from core.engine.simulate import simulate
from core.kernel.flavours import rules_of
from core.kernel.patches import PATCHES
from core.kernel.rcu_flavours import GracePeriod
from core.kernel.stages import STAGES
from core.machine.machine import load_machine
from core.stress.simulate import simulate_stress
from core.workload import STRESS, Workload

MS = 10**9
MACHINE = load_machine("xeon-gold-6138")
NAMES = {0: "baseline", **{p.stage: p.name for p in PATCHES if p.stage}}


def cell(flavour: str, workload: Workload | None, **changed: object) -> Cell:
    """A cell of 10 ms on 2 CPUs; with a workload that stresses unless told otherwise."""
    made = Cell(
        bench=STRESS,
        flavour=flavour,
        cpus=2,
        probes=10,
        spread="uniform",
        machine=MACHINE,
        seed=0,
        replicate=0,
        warmup_ps=0,
        duration_ps=9 * MS,
        sample_ps=MS,
        workload=workload,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def figures(result: CellResult) -> list[object]:
    """Everything that a cell gives but its wall time."""
    return [*result.hits_per_sample.tolist(), result.line_ops, result.attribution, result.stress]


@pytest.mark.parametrize("bench", ["uprobe-nop", "uretprobe-multi-nop"])
@pytest.mark.parametrize("flavour", ["baseline", "srcu", "tasks-trace", "nop5"])
@pytest.mark.parametrize("cpus", [1, 4])
def test_without_writers_the_rate_is_that_of_the_engine_alone(
    bench: str, flavour: str, cpus: int
) -> None:
    """In the mean of starts: which state some designs fall into depends on them."""
    one = cell(flavour, None, bench=bench, cpus=cpus, probes=1, spread="shared")
    starts = [replace(one, replicate=number) for number in range(1 if cpus == 1 else 3)]
    alone = [simulate(start).hits_per_s for start in starts]
    watched = [simulate_stress(replace(s, workload=Workload())).hits_per_s for s in starts]
    luck = 3 * hypot(pstdev(alone), pstdev(watched)) / len(starts) ** 0.5
    assert mean(watched) == pytest.approx(mean(alone), rel=0.01, abs=luck)


@pytest.mark.parametrize("flavour", ["baseline", "srcu-uretprobe"])
def test_the_same_cell_gives_the_same(flavour: str) -> None:
    stressed = cell(flavour, Workload(3, 1, 1, consumers=1, stalls=20))
    assert figures(simulate_stress(stressed)) == figures(simulate_stress(stressed))


def test_writers_slow_hits_down() -> None:
    quiet = simulate_stress(cell("srcu", Workload(consumers=1)))
    writers = Workload(mmap_threads=5, fork_threads=3, consumers=1)
    mapped = simulate_stress(cell("srcu", writers, seed=1))
    assert mapped.hits_per_s < quiet.hits_per_s
    blocked = sum(share.ps for share in mapped.attribution if share.distance == "blocked")
    assert blocked > 0


def test_an_attach_of_one_probe_takes_2_to_8_us() -> None:
    # Published for 50,000 probes by one link: 0.12 to 0.42 s. The parts are estimates.
    # One waits for RCU, for dup_mmap_sem; the others of a link come right after it.
    workload = Workload(attach_threads=1, consumers=0, batch=1)
    alone = cell("srcu", workload, bench="uprobe-multi-nop", cpus=0, probes=50)
    made = simulate_stress(alone).stress
    assert made is not None
    assert made.attach is not None
    assert 2e6 <= made.attach.p50_ps <= 8e6


@pytest.mark.parametrize("stage", STAGES)
def test_the_rules_of_a_flavour_are_those_of_its_stage(stage: int) -> None:
    assert rules_of(NAMES[stage]) == STAGES[stage]


def test_releases_and_flavours_of_rcu_have_rules_too() -> None:
    assert rules_of("v6.12") == STAGES[7]
    assert rules_of("nop5") == STAGES[10]
    assert rules_of("srcu-fast").read_side.grace_period is GracePeriod.SRCU_FAST
    assert rules_of("tasks-trace", "srcu").read_side.grace_period is GracePeriod.SRCU
    assert not rules_of("baseline", "srcu").entry_section
