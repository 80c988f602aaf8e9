"""Paths and lifetime rules that speak of the same thing say the same."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.agreement import disagreement
from core.kernel.flavours import FLAVOURS, hot_path, parse_flavour, rules_of
from core.kernel.hot_path import BENCHES
from core.kernel.operation import Role
from core.kernel.patches import PATCHES
from core.kernel.rules import Rules

patches = st.sets(st.sampled_from([patch.name for patch in PATCHES]))


@given(names=patches, bench=st.sampled_from(BENCHES))
def test_every_set_of_patches_that_is_one_agrees(names: set[str], bench: str) -> None:
    flavour = "baseline" + "".join(f"+{name}" for name in sorted(names))
    try:
        parse_flavour(flavour)
    except ValueError:
        return
    assert hot_path(flavour, bench)


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.NONE, Role.DISPATCH)])
def test_a_call_that_loses_its_role_is_missed(flavour: str, role: Role) -> None:
    path, rules = hot_path(flavour, "uretprobe-nop"), rules_of(flavour)
    assert disagreement(path, rules) == ""
    without = tuple(replace(c, role=Role.NONE) if c.role is role else c for c in path)
    if role is not Role.ALLOCATE_RETURN and without != path:
        assert disagreement(without, rules)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (Rules(), "1 READ_LOCK .* ask for 0|0 GET .* ask for 1"),
        (Rules(lookup="", entry_section=True), "0 CHAIN_LOCK .* a hit, its rules ask for 1"),
    ],
)
def test_rules_of_another_design_are_told(rules: Rules, message: str) -> None:
    assert re.search(message, disagreement(hot_path("srcu", "uprobe-nop"), rules))
