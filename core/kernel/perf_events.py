"""What detaching a perf event waits for beside its uprobe, by release.

A perf event has one probe. It pays for its BPF program and for the tracepoint machinery that it
hangs on, which a uprobe_multi link does without.
"""

from __future__ import annotations

from typing import NamedTuple

from core.kernel.rcu_flavours import GracePeriod
from core.kernel.rules import Rules

RCU = "rcu"
Wait = GracePeriod | str
"""RCU, or what is waited for otherwise."""

ATTACH_KINDS = ("multi", "perf-event")
"""How probes are attached: many by one uprobe_multi link, or each by a perf event of its own."""


class PerfEventWaits(NamedTuple):
    """One after the other: `program` before the uprobe is unregistered, `tracepoint` after it."""

    program: tuple[Wait, ...]
    tracepoint: tuple[Wait, ...]


def perf_event_waits(rules: Rules) -> PerfEventWaits:
    """Those of the release in which the stage of these rules landed.

    `program` is perf_event_detach_bpf_prog() (read: commit ef1b808e3b7c, v6.13-rc; that 6.12.y has
    it with Tasks Trace is derived from its having been backported). `tracepoint` is
    tracepoint_synchronize_unregister() in perf_trace_event_unreg(): SRCU and RCU before v6.13,
    Tasks Trace and RCU from v6.13 on (read); later SRCU-fast (read), alone and with stage 14
    (derived).
    """
    program: tuple[Wait, ...] = (GracePeriod.TASKS_TRACE,) if rules.stage >= 8 else ()
    if rules.stage >= 14:
        return PerfEventWaits(program, (GracePeriod.SRCU_FAST,))
    if rules.stage >= 10:
        return PerfEventWaits(program, (GracePeriod.TASKS_TRACE, RCU))
    return PerfEventWaits(program, (GracePeriod.SRCU, RCU))
