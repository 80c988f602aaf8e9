"""The lifetime rules stage by stage, and one design that is no stage."""

from __future__ import annotations

from dataclasses import replace

from core.kernel.flavours import rules_of
from core.kernel.patches import PATCHES
from core.kernel.rules import BASELINE, Rules

STAGES: dict[int, Rules] = {
    BASELINE.stage: BASELINE,
    **{patch.stage: rules_of(patch.name) for patch in PATCHES if patch.stage and patch.rules},
}
"""By number of the series; stages that are missing change no lifetime."""


CHECKED_LEASE = replace(STAGES[10], name="checked-lease", prepare="hprobe-checked")
"""No stage: stage 10 with a lease that looks at the reference count under `uretprobes_srcu`."""

TWO_PERIODS = replace(
    CHECKED_LEASE, name="two-periods", free=("erase", "erased", "return", "return", "entry")
)
"""No stage: checked leases, and a dead uprobe goes through two periods of `uretprobes_srcu`."""
