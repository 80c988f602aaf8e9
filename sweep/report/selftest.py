"""The selftest uprobe_multi/consumers under Tasks Trace, beside what is published of it."""

from __future__ import annotations

from typing import NamedTuple

import simpy

from core.grace.rcu import Rcu
from core.grace.sections import Sections
from core.grace.selftest import PUBLISHED_S, consumers_selftest
from core.grace.synthetic import SyntheticTraceReaders
from core.grace.tasks_trace import TasksTrace
from core.grace.timing import SECOND, Timing
from sweep.terminal.text_table import numbers, table, to_text

CHECKED = "isolated"
"""The reading that is held against the published figure: libbpf reads an ELF file between."""

TOLERANCE = 0.2


class Reading(NamedTuple):
    """All pairs of an attach and a detach in seconds; `error` against the published figure."""

    calls: str
    pairs: int
    seconds: float
    error: float


def measured(cpus: int, hz: int) -> list[Reading]:
    """One reading with calls that follow each other at once, one with isolated ones."""
    found = []
    for calls in ("at once", CHECKED):
        env, timing = simpy.Environment(), Timing(hz=hz)
        away = Sections.of(range(cpus), [0] * cpus, [SECOND * 10**5] * cpus)
        readers = SyntheticTraceReaders(env, cpus, Sections.of([], [], []), away)
        entry, rcu = TasksTrace(env, readers, timing), Rcu(env, cpus, timing)
        entry.rcu = rcu
        pairs, took_ps = consumers_selftest(entry, rcu, isolated=calls == CHECKED)
        seconds = took_ps / SECOND
        found.append(Reading(calls, pairs, seconds, seconds / PUBLISHED_S - 1))
    return found


def render(found: list[Reading]) -> str:
    """The readings as a table, and what they leave out."""
    made = numbers(
        table("consumers selftest, Tasks Trace"), "pairs", "seconds", "ms a pair", "error"
    )
    for one in found:
        each = f"{one.seconds / one.pairs * 1e3:.1f}"
        made.add_row(
            f"calls {one.calls}", str(one.pairs), f"{one.seconds:.1f}", each, f"{one.error:+.1%}"
        )
    each = f"{PUBLISHED_S / found[0].pairs * 1e3:.1f}"
    made.add_row("published", str(found[0].pairs), f"{PUBLISHED_S}", each, "")
    note = (
        "isolated: user space takes long enough before each call for RCU to fall idle; "
        "its own time is counted in neither"
    )
    return to_text([made, note])
