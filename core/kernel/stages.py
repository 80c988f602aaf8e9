"""The lifetime rules stage by stage, and one design that is no stage."""

from __future__ import annotations

from dataclasses import replace

from core.kernel.flavours import rules_of
from core.kernel.patches import PATCHES
from core.kernel.rcu_flavours import READ_SIDES
from core.kernel.rules import BASELINE, Rules

SRCU = READ_SIDES["srcu"]

STAGES: dict[int, Rules] = {
    BASELINE.stage: BASELINE,
    **{
        patch.stage: rules_of(patch.name)
        for patch in PATCHES
        if patch.stage and patch.rules and patch.stage
    },
}
"""By number of the series; stages that are missing change no lifetime."""


def _apart() -> tuple[int, ...]:
    first: dict[Rules, int] = {}
    for stage, rules in STAGES.items():
        of_one = replace(rules, stage=0, name="", read_side=SRCU, lease_side=SRCU)
        first.setdefault(of_one, stage)
    return tuple(first.values())


APART = _apart()
"""Stages that differ from all before in more than the flavour of RCU.

Searches in which a grace period is its contract tell these apart; those that play it in detail
also tell the others (8, 14, 15).
"""

CHECKED_LEASE = replace(STAGES[10], name="checked-lease", prepare="hprobe-checked")
"""No stage: stage 10 with a lease that looks at the reference count under `uretprobes_srcu`."""

TWO_PERIODS = replace(
    CHECKED_LEASE, name="two-periods", free=("erase", "erased", "return", "return", "entry")
)
"""No stage: checked leases, and a dead uprobe goes through two periods of `uretprobes_srcu`."""
