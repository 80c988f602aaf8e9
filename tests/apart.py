"""Stages that differ from all before in more than the flavour of RCU.

Searches in which a grace period is its contract tell these apart; those that play it in detail
also tell the others (8, 14, 15).
"""

from __future__ import annotations

from dataclasses import replace

from core.kernel.rcu_flavours import READ_SIDES
from core.kernel.rules import Rules
from core.kernel.stages import STAGES


def _apart() -> tuple[int, ...]:
    first: dict[Rules, int] = {}
    srcu = READ_SIDES["srcu"]
    for stage, rules in STAGES.items():
        first.setdefault(replace(rules, stage=0, name="", read_side=srcu, lease_side=srcu), stage)
    return tuple(first.values())


APART = _apart()
