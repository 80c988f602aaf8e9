"""A stage differs from the one before it in what its patch changes, and in nothing else."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import pytest

from core.modelcheck.rules import CHECKED_LEASE, STAGES, Rules, synchronize

CHANGES = {
    2: {"tree_reference", "lookup"},
    3: {"lookup", "entry_section", "prepare", "free"},
    5: {"return_section", "chain_rwsem", "sync"},
    6: {"batch"},
    7: {"lockless_tree"},
    8: {"entry_section", "return_section"},
    10: {"prepare", "sync", "free"},
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
    ],
)
def test_who_waits_how(stage: int, whose: str, name: str) -> None:
    assert synchronize(STAGES[stage], whose) == name
