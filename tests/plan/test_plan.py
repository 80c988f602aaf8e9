from __future__ import annotations

from typing import Any

import pytest
from tiny import tiny_spec

from core.machine.machine import Machine, load_machine
from sweep.machines import named as machines
from sweep.plan.plan import plan, run_id
from sweep.spec.axes import AXES, ORDER


def test_a_plan_is_the_product_with_cpus_innermost() -> None:
    spec = tiny_spec(bench=["uretprobe-nop", "uprobe-nop"], seed=[5, 3], replicates=2, cpus=[2, 1])
    cells = [(c.bench, c.seed, c.replicate, c.cpus) for c in plan(spec)]
    assert cells == [
        (bench, seed, replicate, cpus)
        for bench in ("uretprobe-nop", "uprobe-nop")
        for seed in (5, 3)
        for replicate in (0, 1)
        for cpus in (2, 1)
    ]


def test_a_cell_has_the_times_of_its_spec() -> None:
    [cell] = plan(tiny_spec(cpus=4, warmup="1us", duration="60us", sample="20us"))
    assert (cell.warmup_ps, cell.duration_ps, cell.sample_ps) == (10**6, 6 * 10**7, 2 * 10**7)
    assert cell.samples == 4


def test_a_cell_has_the_kernel_of_its_spec() -> None:
    beside = ["true", "false"]
    spec = tiny_spec(cpus=4, rcu="srcu-lite", processes=[1, 2], owner_beside_count=beside)
    cells = [(c.rcu, c.owner_beside_count, c.processes) for c in plan(spec)]
    assert cells == [("srcu-lite", b, p) for b in beside for p in (1, 2)]
    assert len({cell.cell_id for cell in plan(spec)}) == 4
    [default] = plan(tiny_spec(cpus=4))
    assert (default.rcu, default.owner_beside_count, default.processes) == ("default", "default", 1)


def test_every_axis_is_in_the_order_of_a_plan() -> None:
    assert {*AXES, "replicate"} == set(ORDER)


def test_cells_have_the_ensemble_of_their_spec() -> None:
    asked, without = (plan(tiny_spec(cpus=4, ensemble=n))[0] for n in (12, 0))
    assert (asked.ensemble, without.ensemble) == (12, 0)
    assert asked.cell_id != without.cell_id


def test_cells_differ_in_their_ids() -> None:
    spec = tiny_spec(spread=["shared", "zipf"], probes=[1, 4], seed=[0, 1], replicates=3)
    ids = [cell.cell_id for cell in plan(spec)]
    assert len(set(ids)) == len(ids) == 2 * 2 * 2 * 2 * 3


def test_a_machine_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = tiny_spec(cpus=range(1, 51), replicates=200)
    loaded: list[str] = []

    def load(name: str) -> Machine:
        loaded.append(name)
        return load_machine(name)

    monkeypatch.setattr(machines, "load_machine", load)
    assert len(plan(spec)) == 10_000
    assert loaded == ["xeon-gold-6138"]


def test_a_run_id_is_the_name_and_what_is_asked_for() -> None:
    name, dash, digest = run_id(tiny_spec()).partition("-")
    assert (name, dash, len(digest)) == ("tiny", "-", 8)
    assert run_id(tiny_spec(cpus=[2, 1], warmup="20000ns")) == run_id(tiny_spec())
    assert run_id(tiny_spec(name="other")) == f"other-{digest}"


@pytest.mark.parametrize(
    "change",
    [
        {"cpus": 1},
        {"seed": 1},
        {"replicates": 2},
        {"warmup": "1us"},
        {"probes": 2},
        {"ensemble": 2},
    ],
)
def test_a_run_id_changes_with_what_is_asked_for(change: dict[str, Any]) -> None:
    assert run_id(tiny_spec(**change)) != run_id(tiny_spec())
