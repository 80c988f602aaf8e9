"""What limits a cell, on a machine and paths whose limits are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from tiny import tiny_spec

import core.engine.simulate
from core.cell import Cell
from core.kernel.operation import Call, Kind, Line, Operation, Path, work
from core.kernel.what_if import edited
from core.machine.machine import Machine, load_machine
from sweep.driver.driver import Progress
from sweep.errors import SweepError
from sweep.executors.base import Executor
from sweep.executors.in_process import InProcessExecutor
from sweep.plan.plan import plan
from sweep.report.what_if import CONTENDED, WhatIf, what_if, with_members

PRIVATE_NS, LOCKED_NS, CPUS = 100, 5, 8
SERVICE_NS = 45
"""A transfer of 40 ns, and the locked operation that the next one waits for."""

SATURATED = 1e9 / SERVICE_NS
A, B = Line.TREE, Line.EVENT


def machine() -> Machine:
    """One socket of eight cores at 1 GHz; a transfer is 40 ns after a request of 10."""
    values = load_machine("generic").model_dump()
    costs = dict.fromkeys(values["coherence"], 0.0)
    values["coherence"] = costs | {
        "request_ns": 10.0,
        "transfer_ns": 40.0,
        "locked_per_stay": 1000,
    }
    values["execution"] |= {
        "locked_op_cycles": LOCKED_NS,
        "load_cycles": 0,
        "late_answer_cycles": 0,
        "barrier_answer_cycles": 0,
        "jitter": 0.0,
        "work_cycles": {"think": PRIVATE_NS},
    }
    values |= {"name": "by-hand", "sockets": 1, "cores_per_socket": 8, "cores_per_cache": 8}
    values |= {"threads_per_core": 1, "turbo": [{"active_cores": 8, "ghz": 1.0}]}
    return Machine.model_validate(values)


def locked(line: Line) -> Operation:
    return Operation(Kind.LOCKED, line)


Ask = Callable[..., WhatIf]


@pytest.fixture
def executor() -> Iterator[Executor]:
    with closing(InProcessExecutor(2)) as made:
        yield made


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells are of no design that has a digest."""
    monkeypatch.setattr(Cell, "path_digest", "")


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, executor: Executor) -> Ask:
    """What if, of CPUS CPUs that work for PRIVATE_NS and then do the operations."""

    def asked(*operations: Operation, kind: str = "per-cpu", cpus: int = CPUS) -> WhatIf:
        path: Path = (Call("f", (*work("think"), *operations)),)
        monkeypatch.setattr(Cell, "paths", property(lambda cell: (edited(path, cell.edits),)))
        return what_if(cells(cpus), kind, executor)

    return asked


def cells(cpus: int = CPUS, replicates: int = 2) -> list[Cell]:
    us = 10**6
    base = ("by-hand", "v6.14", cpus, 1, "shared", machine(), 0)
    return [Cell(*base, r, 50 * us, 100 * us, 100 * us) for r in range(replicates)]


def test_one_saturated_line_made_per_cpu_leaves_the_private_bound(ask: Ask) -> None:
    found = ask(locked(A))
    assert found.hits_per_s.mean == pytest.approx(SATURATED, rel=0.005)
    [variant] = found.variants
    assert variant.lines == {A}
    bound = CPUS * 1e9 / (PRIVATE_NS + LOCKED_NS)
    assert variant.hits_per_s.mean == pytest.approx(bound, rel=0.005)
    assert variant.gain.mean == pytest.approx(bound - SATURATED, rel=0.01)
    assert variant.gain.low is not None
    assert variant.gain.low <= variant.gain.mean
    assert variant.largest is None
    assert variant.private_share == pytest.approx(PRIVATE_NS / (PRIVATE_NS + LOCKED_NS), rel=0.01)


def test_removed_it_costs_nothing_at_all(ask: Ask) -> None:
    [variant] = ask(locked(A), kind="without").variants
    assert variant.hits_per_s.mean == pytest.approx(CPUS * 1e9 / PRIVATE_NS, rel=0.005)
    assert variant.private_share == 1


def test_of_two_saturated_lines_only_the_pair_gains(ask: Ask) -> None:
    found = ask(locked(A), locked(B))
    pair, *singles = found.variants
    assert pair.lines == {A, B}
    bound = CPUS * 1e9 / (PRIVATE_NS + 2 * LOCKED_NS)
    assert pair.hits_per_s.mean == pytest.approx(bound, rel=0.005)
    assert {variant.lines for variant in singles} == {frozenset({A}), frozenset({B})}
    for variant in singles:
        assert abs(variant.gain.mean) < 0.02 * found.hits_per_s.mean
        assert variant.largest is not None
        assert {variant.largest[0]} == {A, B} - variant.lines


def test_the_line_behind_the_first_is_named(ask: Ask) -> None:
    """Twice on A, once on B: without A the limit is B, so the gain is a doubling."""
    found = ask(locked(A), locked(B), locked(A))
    first = found.variant(frozenset({A}))
    assert first is not None
    assert first.hits_per_s.mean == pytest.approx(SATURATED, rel=0.02)
    assert found.hits_per_s.mean == pytest.approx(SATURATED / 2, rel=0.02)
    assert first.largest is not None
    assert first.largest[0] is B
    second = found.variant(frozenset({B}))
    assert second is not None
    assert abs(second.gain.mean) < 0.02 * found.hits_per_s.mean


def test_lines_that_take_little_are_not_tried(ask: Ask) -> None:
    found = ask(Operation(Kind.LOAD, A), locked(B))
    assert found.shares.get(A, 0) < CONTENDED
    assert [variant.lines for variant in found.variants] == [{B}]
    assert found.variant(frozenset({A})) is None
    lone = ask(Operation(Kind.LOAD, A), cpus=1)
    assert lone.variants == ()
    assert lone.variant(frozenset({A})) is None


def test_of_three_lines_all_are_tried_together_too(ask: Ask) -> None:
    found = ask(locked(A), locked(B), locked(Line.UPROBE))
    assert sorted(len(variant.lines) for variant in found.variants) == [1, 1, 1, 2, 2, 2, 3]
    assert len(found.variants[0].lines) == 3


def test_json_has_all_of_it(ask: Ask) -> None:
    made = ask(locked(A)).to_dict()
    assert (made["edit"], made["replicates"], made["letter"]) == ("per-cpu", 2, [])
    [variant] = made["variants"]
    assert variant["lines"] == [A.value]
    assert variant["largest"] is None
    assert set(variant["gain"]) == {"mean", "low", "high"}


@pytest.mark.parametrize("beside", ["true", "false"])
def test_words_of_one_line_are_made_per_cpu_together(beside: str, executor: Executor) -> None:
    from sweep.plan.plan import plan
    from sweep.spec.spec import Spec

    times = {"warmup": "20us", "duration": "40us", "sample": "20us"}
    spec: dict[str, Any] = {"bench": "uprobe-nop", "flavour": "tasks-trace+percpu-nhit", "cpus": 8}
    found = what_if(plan(Spec(**spec, **times, owner_beside_count=beside)), "per-cpu", executor)
    count, owner = Line.MMAP_COUNT, Line.MMAP_OWNER
    both = found.variant(frozenset({count, owner}))
    assert both is not None
    # Nothing else is shared and written.
    assert both.private_share > 0.9
    assert (both.lines == {count}) == (beside == "true")
    assert found.share(frozenset({owner})) == found.shares[count if beside == "true" else owner]


def test_progress_counts_all_cells(executor: Executor) -> None:
    told: list[Progress] = []
    spec: dict[str, Any] = {"bench": "uprobe-nop", "flavour": "srcu", "cpus": 4, "replicates": 2}
    from sweep.plan.plan import plan
    from sweep.spec.spec import Spec

    times = {"warmup": "20us", "duration": "20us", "sample": "20us"}
    found = what_if(plan(Spec(**spec, **times)), "per-cpu", executor, told.append)
    assert told[0] == Progress(2)
    assert told[-1].done == told[-1].total == 2 + 2 * len(found.variants)
    assert [limit.said[:9] for limit in found.letter] == ["mmap_lock"]


def test_a_failing_cell_is_an_error_of_one_line(
    monkeypatch: pytest.MonkeyPatch, executor: Executor
) -> None:
    monkeypatch.setattr(Cell, "paths", property(lambda cell: 1 / 0))
    with pytest.raises(SweepError, match="a cell failed with ZeroDivisionError") as raised:
        what_if(cells(replicates=1), "per-cpu", executor)
    assert raised.value.exit_code == 1


def test_members_give_intervals_around_the_plain_machine(executor: Executor) -> None:
    [plain] = plan(tiny_spec(flavour="tasks-trace", cpus=4))
    repeats = with_members(plain, 3)
    assert [cell.machine for cell in repeats[1:]] == list(plain.machine.members[:3])
    found = what_if(repeats, "per-cpu", executor)
    assert found.members == 3
    rate = core.engine.simulate.simulate(plain).hits_per_s
    assert found.hits_per_s.mean == rate
    for interval in (found.hits_per_s, *(variant.gain for variant in found.variants)):
        assert interval.low is not None
        assert interval.high is not None
        assert interval.high - interval.mean == pytest.approx(interval.mean - interval.low)
