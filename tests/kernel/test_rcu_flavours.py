"""The axis `rcu`: read sections of another flavour, and nothing else."""

from __future__ import annotations

import pytest

from core.kernel.flavours import FLAVOURS, hot_path
from core.kernel.hot_path import BENCHES
from core.kernel.operation import Kind
from core.kernel.rcu_flavours import RCU, READ_SIDES

SECTION_CALLS = {call for side in READ_SIDES.values() for call in (side.lock, side.unlock)}


@pytest.mark.parametrize("bench", BENCHES)
@pytest.mark.parametrize("rcu", RCU)
def test_rcu_changes_sections_and_nothing_else(rcu: str, bench: str) -> None:
    assert hot_path("baseline", bench, rcu) == hot_path("baseline", bench)
    assert hot_path("tasks-trace", bench, "srcu") == hot_path("srcu", bench)
    for flavour in FLAVOURS:
        patches = FLAVOURS[flavour].patches
        path, other = hot_path(flavour, bench), hot_path(flavour, bench, rcu)
        changed = [(a, b) for a, b in zip(path, other, strict=True) if a != b]
        assert {a for a, _ in changed} <= SECTION_CALLS
        assert {b for _, b in changed} <= SECTION_CALLS
        if rcu != "default" and "srcu-lifetime" in patches:
            sections = 2 if bench.startswith("uretprobe") and "lockless-consumers" in patches else 1
            side = READ_SIDES[rcu]
            assert other.count(side.lock) == other.count(side.unlock) == sections


def test_the_pair_across_the_function_stays_srcu() -> None:
    for rcu in RCU:
        functions = [c.function for c in hot_path("srcu-uretprobe", "uretprobe-nop", rcu)]
        assert {"hprobe_init_leased", "hprobe_consume"} <= set(functions)


@pytest.mark.parametrize(
    ("rcu", "pair"), [("srcu", 2), ("srcu-lite", 0), ("srcu-fast", 0), ("tasks-trace", 0)]
)
def test_barriers_of_a_section(rcu: str, pair: int) -> None:
    side = READ_SIDES[rcu]
    kinds = [op.kind for op in (*side.lock.operations, *side.unlock.operations)]
    assert kinds.count(Kind.BARRIER) == pair
    assert kinds.count(Kind.WORK) == 2
    assert len(kinds) == 2 + pair
