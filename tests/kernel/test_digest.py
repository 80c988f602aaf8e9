"""A path and its rules as one word: what changes it, and what is for people only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.kernel.digest import path_digest
from core.kernel.flavours import FLAVOURS, hot_path, rules_of
from core.kernel.layout import Layout
from core.kernel.operation import Kind, Line, Lock, Operation, Path, Role, work
from core.kernel.rcu_flavours import READ_SIDES
from core.kernel.rules import Rules

PATH, RULES = hot_path("srcu", "uretprobe-nop"), rules_of("srcu")


def digest(path: Path = PATH, rules: Rules = RULES, *, beside: bool = False) -> str:
    return path_digest((path,), rules, Layout(1, owner_beside_count=beside))


def first(path: Path, change: Callable[[Operation], Operation]) -> Path:
    """`path` with its first operation that `change` changes changed."""
    for at, call in enumerate(path):
        for place, op in enumerate(call.operations):
            if change(op) != op:
                operations = (*call.operations[:place], change(op), *call.operations[place + 1 :])
                return (*path[:at], replace(call, operations=operations), *path[at + 1 :])
    raise AssertionError


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": Kind.STORE},
        {"line": Line.XOL_AREA},
        {"work": "emulate"},
        {"cycles": 7},
        {"ancestors": True},
        {"reference_count": True},
        {"lock": Lock.WRITE},
        {"sleeps": True},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_field_of_an_operation_counts(changed: dict[str, Any]) -> None:
    assert digest(first(PATH, lambda op: replace(op, **changed))) != digest()


def test_order_and_roles_count() -> None:
    assert digest((PATH[1], PATH[0], *PATH[2:])) != digest()
    assert digest((*PATH, replace(PATH[0], operations=work("emulate")))) != digest()
    assert digest((replace(PATH[0], role=Role.PUT), *PATH[1:])) != digest()


def test_what_is_for_people_does_not() -> None:
    renamed = tuple(replace(call, function=f"f{at}") for at, call in enumerate(PATH))
    assert digest(first(renamed, lambda op: replace(op, instruction="lock inc"))) == digest()
    assert digest(rules=replace(RULES, stage=99, name="x")) == digest()


@pytest.mark.parametrize(
    "changed",
    [
        {"tree_reference": True},
        {"lookup": "get_uprobe"},
        {"entry_section": False},
        {"return_section": False},
        {"read_side": READ_SIDES["srcu-lite"]},
        {"lease_side": READ_SIDES["srcu-fast"]},
        {"chain_rwsem": True},
        {"lockless_tree": False},
        {"prepare": "hprobe"},
        {"sync": ()},
        {"batch": False},
        {"free": ()},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_rule_counts(changed: dict[str, Any]) -> None:
    assert digest(rules=replace(RULES, **changed)) != digest()


def test_lines_that_are_one_count_where_they_are_touched() -> None:
    assert digest(beside=True) != digest()
    loads = hot_path("v6.14", "uprobe-nop"), rules_of("v6.14")
    assert digest(*loads, beside=True) == digest(*loads)


def test_designs_that_are_one_have_one_and_others_another() -> None:
    words = {f: digest(hot_path(f, "uprobe-nop"), rules_of(f)) for f in (*FLAVOURS, "v6.18")}
    assert words["v6.18"] == words["nop5"]
    assert words["rbtree-helpers"] == words["baseline"]
    assert words["filter-ctx"] == words["srcu-lifetime"]
    assert words["split-unregister"] != words["lockless-consumers"]
