"""The lifetime rules of a flavour: those of `core.modelcheck`, patch by patch."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from core.kernel.flavours import parse_flavour
from core.kernel.patches import PATCHES
from core.kernel.rcu_flavours import DEFAULT
from core.modelcheck.rules import BASELINE, STAGES, Rules

SECTIONS = {
    "srcu": "srcu_read_lock",
    "srcu-lite": "srcu_read_lock_lite",
    "srcu-fast": "srcu_read_lock_fast",
    "tasks-trace": "rcu_read_lock_trace",
}
"""What begins a read section under each flavour of RCU."""


def _changes() -> dict[str, dict[str, Any]]:
    """What each patch changes of the rules before it, by the patch's name."""
    names = {patch.stage: patch.name for patch in PATCHES}
    changes = {}
    before = BASELINE
    for stage, rules in STAGES.items():
        if rules is not BASELINE:
            changes[names[stage]] = {
                f.name: getattr(rules, f.name)
                for f in fields(Rules)
                if getattr(rules, f.name) != getattr(before, f.name)
            }
        before = rules
    return changes


CHANGES = _changes()


def rules_of(flavour: str, rcu: str = DEFAULT) -> Rules:
    """The rules of a flavour, under `rcu` if it has read sections. Raises as `parse_flavour`."""
    patches = parse_flavour(flavour).patches
    rules = BASELINE
    for patch in PATCHES:
        if patch.name in patches and patch.name in CHANGES:
            rules = replace(rules, **CHANGES[patch.name])
    if "srcu-fast" in patches and rcu == DEFAULT:
        rcu = "srcu-fast"
    if rcu == DEFAULT or not rules.entry_section:
        return rules
    section = SECTIONS[rcu]
    at_return = section if rules.return_section else ""
    return replace(rules, entry_section=section, return_section=at_return)
