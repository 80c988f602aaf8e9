"""Which consumers are hit when a probed function changes who is registered: all 256 cases.

Four consumers, 0 and 1 of the entry, 2 and 3 of the return. `before` is attached, the function is
called, its body detaches before & ~after and attaches after & ~before, and it returns.
"""

from __future__ import annotations

from core.kernel.rules import Rules
from core.modelcheck.scenario import Action, Scenario, system_of
from core.modelcheck.system import run_alone
from core.modelcheck.world import ENTRY, RETURN

KINDS = ((0, ENTRY), (0, ENTRY), (0, RETURN), (0, RETURN))
ENTRIES, RETURNS = 0b0011, 0b1100


def expected_hits(stage: int, before: int, after: int) -> int:
    """The mask of consumers hit, as the selftest uprobe_multi/consumers counts them.

    From stage 2 on a pending return instance keeps the uprobe alive, so that a consumer attached
    in the body is hit even if nobody stayed. From stage 10 it keeps it only by a lease, which ends
    if the only return consumer is detached and no detach before it waited for the timer.
    """
    hit = before & ENTRIES
    pending = bool(before & RETURNS)
    if stage < 2:
        pending = pending and bool(before & after)
    if stage >= 10 and (before >> 2) ^ (after >> 2) == 0b11:
        pending = pending and bool(before & ENTRIES)
    return hit | (after & RETURNS if pending else 0)


def counting_scenario(before: int, after: int) -> Scenario:
    """The case as a scenario of one thread; masks are of four bits."""
    body: list[Action] = [("unregister", (c,)) for c in range(4) if (before & ~after) >> c & 1]
    body += [("register", (c,)) for c in range(4) if (after & ~before) >> c & 1]
    setup = tuple(("register", (c,)) for c in range(4) if before >> c & 1)
    actions = (("enter", (0,)), *body, ("leave", (0,)))
    return Scenario(f"consumers-{before:04b}-{after:04b}", KINDS, setup, (("call", actions),))


def model_hits(rules: Rules, before: int, after: int) -> int:
    """The mask of consumers hit under these rules, the timer firing only while a detach waits.

    Raises Violation for a check that fails on the way.
    """
    end = run_alone(system_of(counting_scenario(before, after), rules))
    return before & ENTRIES | end.threads[0].returned
