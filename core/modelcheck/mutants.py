"""Planted faults, each a switch of the rules, and the search that has to find every one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.kernel.rules import Rules
from core.kernel.stages import CHECKED_LEASE, STAGES, TWO_PERIODS
from core.modelcheck import checks
from core.modelcheck.scenario import system_of
from core.modelcheck.scenarios import SCENARIOS
from core.modelcheck.schedule import Finding
from core.modelcheck.search import search


@dataclass(frozen=True)
class Mutant:
    """A fault, the stage it is planted in, the scenario that shows it, and the check that fails."""

    name: str
    what: str
    stage: int
    scenario: str
    check: str
    base: Rules | None = None
    """What it is planted in instead of the stage."""

    @property
    def plain(self) -> Rules:
        """The rules without the fault."""
        return self.base or STAGES[self.stage]

    @property
    def rules(self) -> Rules:
        """The rules with the fault."""
        return replace(self.plain, faults=frozenset({self.name}))


MUTANTS = {
    mutant.name: mutant
    for mutant in (
        Mutant(
            "rcu-head-on-rb-node",
            "the RCU head shares memory with rb_node",
            7,
            "neighbours",
            checks.FREED_LINKS,
        ),
        Mutant(
            "error-path-without-sync",
            "uprobe_register's error path returns without a grace period",
            5,
            "failing-register",
            checks.FREED_CONSUMER,
        ),
        Mutant(
            "no-consumer-rwsem",
            "list_del without consumer_rwsem",
            5,
            "mmap",
            checks.FREED_CONSUMER,
        ),
        Mutant(
            "free-without-waiting",
            "put_uprobe frees at once",
            3,
            "hit-unregister",
            checks.FREED_UPROBE,
        ),
        Mutant(
            "one-scan", "SRCU scans once, after the flip", 3, "srcu-two-periods", checks.TOO_SHORT
        ),
        Mutant("no-flip", "SRCU never flips its index", 3, "srcu-one-period", checks.TOO_SHORT),
        Mutant(
            "no-barrier-between-sums",
            "SRCU sums lock before unlock",
            3,
            "srcu-one-period",
            checks.TOO_SHORT,
        ),
        Mutant(
            "unlock-not-counted",
            "an SRCU reader leaves without counting its unlock",
            3,
            "srcu-one-period",
            checks.NEVER_ENDING,
        ),
        Mutant(
            "skips-running-holdouts",
            "Tasks Trace passes over tasks that run",
            8,
            "trace-one-period",
            checks.TOO_SHORT,
        ),
        Mutant(
            "no-rcu-period",
            "leases are SRCU-fast's, and the period is still SRCU's: none of RCU between the sums",
            15,
            "fast-one-period",
            checks.TOO_SHORT,
        ),
        Mutant(
            "rcu-period-before-sums",
            "SRCU-fast waits for RCU before it sums, not between unlock and lock",
            15,
            "fast-one-period",
            checks.TOO_SHORT,
        ),
        Mutant(
            "sync-before-last-nosync",
            "a batch waits before its last unregister_nosync",
            6,
            "batch",
            checks.FREED_CONSUMER,
        ),
        Mutant(
            "try-get-takes-zero",
            "try_get_uprobe takes an uprobe whose count is zero",
            2,
            "hit-unregister",
            checks.FREED_UPROBE,
        ),
        Mutant(
            "no-seqcount-retry",
            "a lookup that misses does not read the seqcount again",
            7,
            "neighbours",
            checks.NOT_CALLED,
        ),
        Mutant(
            "free-skips-return-readers",
            "the free chain leaves out call_srcu(uretprobes_srcu)",
            10,
            "own-unregister",
            checks.FREED_UPROBE,
        ),
        Mutant(
            "no-timer",
            "a return instance's lease never expires",
            10,
            "own-unregister",
            checks.DEADLOCK,
        ),
        Mutant(
            "fork-without-reference",
            "a forked child's return instance takes no reference",
            2,
            "fork",
            checks.FREED_UPROBE,
        ),
        Mutant(
            "checks-before-lease",
            "a checked lease looks at the count before it enters SRCU",
            10,
            "call-unregister",
            checks.FREED_UPROBE,
            CHECKED_LEASE,
        ),
        Mutant(
            "expire-gets-null",
            "hprobe_expire gets a reference of what try_get_uprobe did not give",
            10,
            "fork-dying",
            checks.NULL_POINTER,
            TWO_PERIODS,
        ),
        Mutant(
            "one-period-of-leases",
            "a dead uprobe goes through one period of uretprobes_srcu, not two",
            10,
            "fork-dying",
            checks.FREED_UPROBE,
            TWO_PERIODS,
        ),
    )
}


@dataclass(frozen=True)
class Verdict:
    """What the search said of a mutant, and of its stage without the fault."""

    mutant: Mutant
    finding: Finding | None
    states: int
    plain: Finding | None
    plain_states: int

    @property
    def killed(self) -> bool:
        """The expected check fails with the fault, and none without."""
        found = self.finding is not None and self.finding.check == self.mutant.check
        return found and self.plain is None


def verdicts() -> Iterator[Verdict]:
    """One verdict a mutant, in order; each is two searches."""
    for mutant in MUTANTS.values():
        scenario = SCENARIOS[mutant.scenario]
        faulty = search(system_of(scenario, mutant.rules))
        plain = search(system_of(scenario, mutant.plain))
        yield Verdict(mutant, faulty.finding, faulty.states, plain.finding, plain.states)
