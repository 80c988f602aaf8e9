"""What a perf event waits for as it is detached, by release."""

from __future__ import annotations

import pytest

from core.kernel.flavours import rules_of
from core.kernel.perf_events import RCU, PerfEventWaits, perf_event_waits
from core.kernel.rcu_flavours import GracePeriod

TRACE, SRCU, FAST = GracePeriod.TASKS_TRACE, GracePeriod.SRCU, GracePeriod.SRCU_FAST


@pytest.mark.parametrize(
    ("release", "waits"),
    [
        ("v6.11", PerfEventWaits((), (SRCU, RCU))),
        ("v6.12", PerfEventWaits((), (SRCU, RCU))),
        ("v6.12-late", PerfEventWaits((TRACE,), (SRCU, RCU))),
        ("v6.13", PerfEventWaits((TRACE,), (TRACE, RCU))),
        ("v7.0", PerfEventWaits((TRACE,), (FAST,))),
    ],
)
def test_waits_by_release(release: str, waits: PerfEventWaits) -> None:
    assert perf_event_waits(rules_of(release)) == waits
