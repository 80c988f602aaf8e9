"""Which consumers are hit when a probed function changes who is registered: all 256 cases.

Four consumers, 0 and 1 of the entry, 2 and 3 of the return. `before` is attached, the function is
called, its body detaches before & ~after and attaches after & ~before, and it returns.
"""

from __future__ import annotations

from core.kernel.rules import Rules
from core.modelcheck.scenario import Action, Scenario, system_of
from core.modelcheck.system import run_alone
from core.modelcheck.world import ENTRY, RETURN

Kinds = tuple[tuple[int, int], ...]
"""Key and handlers of each consumer."""

KINDS: Kinds = ((0, ENTRY), (0, ENTRY), (0, RETURN), (0, RETURN))
SESSIONS: Kinds = ((0, ENTRY), (0, RETURN), (0, ENTRY | RETURN), (0, ENTRY | RETURN))
"""An entry and a return consumer, and two that have both handlers."""
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


def expected_returns(rules: Rules, before: int, after: int, kinds: Kinds) -> int:
    """The mask of consumers whose return handler runs, whatever handlers they have.

    With `sessions` a consumer that has both is called only if it was there at the entry. A call is
    pending if somebody wants its return; at stage 0 until the last consumer is detached, later for
    good, and with a lease unless the first detach of all takes the last reference.
    """
    wants = sum(1 << c for c, (_, handlers) in enumerate(kinds) if handlers & RETURN)
    both = sum(1 << c for c, (_, handlers) in enumerate(kinds) if handlers == ENTRY | RETURN)
    pending = bool(before & wants)
    if rules.tree_reference:
        pending = pending and bool(before & after)
    if rules.leases and before.bit_count() == 1:
        pending = pending and bool(before & after)
    called = after & wants if pending else 0
    return called & ~(both & ~before) if rules.sessions else called


def counting_scenario(before: int, after: int, kinds: Kinds = KINDS) -> Scenario:
    """The case as a scenario of one thread; masks are of four bits."""
    body: list[Action] = [("unregister", (c,)) for c in range(4) if (before & ~after) >> c & 1]
    body += [("register", (c,)) for c in range(4) if (after & ~before) >> c & 1]
    setup = tuple(("register", (c,)) for c in range(4) if before >> c & 1)
    actions = (("enter", (0,)), *body, ("leave", (0,)))
    return Scenario(f"consumers-{before:04b}-{after:04b}", kinds, setup, (("call", actions),))


def model_returns(rules: Rules, before: int, after: int, kinds: Kinds = KINDS) -> int:
    """The mask of consumers whose return handler runs under these rules.

    The timer fires only while a detach waits. Raises Violation for a check that fails on the way.
    """
    end = run_alone(system_of(counting_scenario(before, after, kinds), rules))
    return end.threads[0].returned


def model_hits(rules: Rules, before: int, after: int) -> int:
    """The mask of consumers of KINDS that are hit under these rules, as `expected_hits` has it."""
    return before & ENTRIES | model_returns(rules, before, after)
