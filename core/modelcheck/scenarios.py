"""The scenarios that are searched, by name."""

from __future__ import annotations

from core.kernel.rcu_flavours import GracePeriod
from core.kernel.stages import STAGES
from core.modelcheck.scenario import Scenario
from core.modelcheck.world import ENTRY, RETURN

BOTH = ENTRY | RETURN

HIT = ("hit", (0,))
REGISTERED_0 = (("register", (0,)),)


def _waiting_by(period: GracePeriod) -> tuple[int, ...]:
    """Stages whose hits or leases are waited for by such a grace period."""
    return tuple(
        stage
        for stage, rules in STAGES.items()
        if (rules.entry_section and rules.read_side.grace_period is period)
        or (rules.leases and rules.lease_side.grace_period is period)
    )


def _periods(name: str, period: GracePeriod, detail: str, count: int) -> Scenario:
    """`count` grace periods of one flavour beside two readers, one of which comes as often."""
    return Scenario(
        name,
        (),
        (),
        (
            ("reader-a", (("reader", ()),) * count),
            ("reader-b", (("reader", ()),)),
            ("gp", (("synchronize", ()),) * count),
        ),
        stages=_waiting_by(period),
        detail=detail,
    )


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "hit-unregister",
            ((0, ENTRY),),
            REGISTERED_0,
            (("hit", (HIT,)), ("unregister", (("unregister", (0,)),))),
        ),
        Scenario(
            "hit-register",
            ((0, ENTRY), (0, ENTRY)),
            REGISTERED_0,
            (("hit", (HIT, HIT)), ("register", (("register", (1,)), ("unregister", (1,))))),
        ),
        Scenario(
            "replace",
            ((0, ENTRY), (0, ENTRY)),
            REGISTERED_0,
            (
                ("hit", (HIT,)),
                ("unregister", (("unregister", (0,)),)),
                ("register", (("register", (1,)),)),
            ),
        ),
        Scenario(
            "two-hits",
            ((0, ENTRY), (0, ENTRY)),
            (("register", (0,)), ("register", (1,))),
            (
                ("hit-a", (HIT,)),
                ("hit-b", (HIT,)),
                ("unregister", (("unregister", (0, 1)),)),
            ),
        ),
        Scenario(
            "batch",
            ((0, ENTRY), (1, ENTRY)),
            (("register", (0,)), ("register", (1,))),
            (("hit", (("hit", (1,)),)), ("unregister", (("unregister", (0, 1)),))),
        ),
        Scenario(
            "neighbours",
            ((0, ENTRY), (1, ENTRY)),
            (("register", (0,)), ("register", (1,))),
            (("hit", (("hit", (1,)),)), ("unregister", (("unregister", (0,)),))),
        ),
        Scenario(
            "failing-register",
            ((0, ENTRY), (0, ENTRY)),
            REGISTERED_0,
            (("hit", (HIT,)), ("register", (("fail", (1,)),))),
        ),
        Scenario(
            "mmap",
            ((0, ENTRY), (0, ENTRY)),
            (("register", (0,)), ("register", (1,))),
            (("mmap", (("mmap", (0,)),)), ("unregister", (("unregister", (0,)),))),
        ),
        Scenario(
            "mmap-last",
            ((0, ENTRY),),
            REGISTERED_0,
            (
                ("mmap", (("mmap", (0,)),)),
                ("unregister", (("unregister", (0,)),)),
                ("hit", (HIT,)),
            ),
        ),
        Scenario(
            "call-unregister",
            ((0, BOTH),),
            REGISTERED_0,
            (("call", (("call", (0,)),)), ("unregister", (("unregister", (0,)),))),
        ),
        Scenario(
            "call-replace",
            ((0, RETURN), (0, RETURN)),
            REGISTERED_0,
            (
                ("call", (("call", (0,)),)),
                ("unregister", (("unregister", (0,)), ("register", (1,)))),
            ),
        ),
        Scenario(
            "own-unregister",
            ((0, RETURN),),
            REGISTERED_0,
            (("call", (("enter", (0,)), ("unregister", (0,)), ("leave", (0,)))),),
        ),
        Scenario(
            "fork",
            ((0, RETURN),),
            REGISTERED_0,
            (
                (
                    "parent",
                    (("enter", (0,)), ("fork", (1, 0)), ("unregister", (0,)), ("leave", (0,))),
                ),
                ("child", (("child", (0,)),)),
            ),
        ),
        Scenario(
            "fork-dying",
            ((0, RETURN),),
            REGISTERED_0,
            (
                ("parent", (("enter", (0,)), ("fork", (1, 0)), ("leave", (0,)))),
                ("child", (("child", (0,)),)),
                ("unregister", (("unregister", (0,)),)),
            ),
        ),
        Scenario(
            "two-probes",
            ((0, ENTRY), (1, ENTRY)),
            (("register", (0,)), ("register", (1,))),
            (
                ("hit-a", (HIT,)),
                ("hit-b", (("hit", (1,)),)),
                ("unregister", (("unregister", (0, 1)),)),
            ),
        ),
        Scenario(
            "two-unregisters",
            ((0, ENTRY), (0, ENTRY)),
            (("register", (0,)), ("register", (1,))),
            (
                ("hit", (HIT,)),
                ("unregister-a", (("unregister", (0,)),)),
                ("unregister-b", (("unregister", (1,)),)),
            ),
        ),
        Scenario(
            "insert-neighbour",
            ((0, ENTRY), (1, ENTRY)),
            REGISTERED_0,
            (
                ("hit", (HIT,)),
                ("register", (("register", (1,)), ("unregister", (1,)))),
                ("mmap", (("mmap", (1,)),)),
            ),
        ),
        _periods("srcu-one-period", GracePeriod.SRCU, "srcu", 1),
        _periods("srcu-two-periods", GracePeriod.SRCU, "srcu", 2),
        _periods("fast-one-period", GracePeriod.SRCU_FAST, "srcu-fast", 1),
        _periods("fast-two-periods", GracePeriod.SRCU_FAST, "srcu-fast", 2),
        _periods("trace-one-period", GracePeriod.TASKS_TRACE, "tasks-trace", 1),
        _periods("trace-two-periods", GracePeriod.TASKS_TRACE, "tasks-trace", 2),
    )
}
