"""A stage differs from the one before it in what its patch changes, and in nothing else."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest
from apart import APART

from core.kernel.patches import PATCHES
from core.kernel.rules import Rules
from core.kernel.stages import CHECKED_LEASE, STAGES

CHANGES = {
    2: {"tree_reference", "lookup"},
    3: {"lookup", "entry_section", "prepare", "free"},
    5: {"return_section", "chain_rwsem", "sync"},
    6: {"batch"},
    7: {"lockless_tree"},
    8: {"read_side"},
    10: {"sessions", "prepare", "sync", "free"},
    14: {"read_side"},
    15: {"lease_side"},
}


def changed(before: Rules, after: Rules) -> set[str]:
    names = {field.name for field in fields(Rules)} - {"stage", "name"}
    return {name for name in names if getattr(before, name) != getattr(after, name)}


def test_a_patch_changes_what_it_says() -> None:
    found = {after.stage: changed(before, after) for before, after in pairwise(STAGES.values())}
    assert found == CHANGES
    assert changed(STAGES[10], CHECKED_LEASE) == {"prepare"}
    assert not any(rules.faults for rules in STAGES.values())


@pytest.mark.parametrize(
    ("stage", "whose", "name"),
    [
        (5, "entry", "synchronize_srcu"),
        (8, "entry", "synchronize_rcu_tasks_trace"),
        (10, "return", "synchronize_srcu"),
        (15, "entry", "synchronize_srcu"),
        (15, "return", "synchronize_srcu"),
    ],
)
def test_who_waits_how(stage: int, whose: str, name: str) -> None:
    assert STAGES[stage].side(whose).synchronize == name


def test_the_documentation_has_the_fields_that_every_patch_changes() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "lifetime.md").read_text()
    rows = [f"| 0 | | {text.partition('| 0 | | ')[2].partition('|')[0]}|"]
    for patch in PATCHES:
        if patch.rules:
            stage = patch.stage or f"`{patch.name}`"
            cells = f"| {stage} | {', '.join(f'`{name}`' for name in patch.rules)} | "
            rows.append(f"{cells}{text.partition(cells)[2].partition('|')[0]}|")
    assert "|\n".join(row.removesuffix("|") for row in rows) + "|\n\n" in text


def test_stages_that_differ_in_the_flavour_of_rcu_alone_are_one_to_the_search() -> None:
    assert APART == (0, 2, 3, 5, 6, 7, 10)
