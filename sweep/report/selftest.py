"""The selftest uprobe_multi/consumers under Tasks Trace, beside what is published of it."""

from __future__ import annotations

from typing import NamedTuple

import simpy

from core.grace.engine import Steps
from core.grace.rcu import Rcu
from core.grace.sections import Sections
from core.grace.selftest import PUBLISHED_S, consumers_selftest
from core.grace.synthetic import SyntheticTraceReaders
from core.grace.tasks_trace import TasksTrace
from core.grace.timing import SECOND, US, Timing
from sweep.terminal.text_table import numbers, table, to_text

TOLERANCE = 0.2
AT_ONCE_MS = 0.3
"""User space before an attach: 30,000 symbols read by libelf (measured: 0.24 ms)."""


READINGS = (
    ("calls at once, RCU idle between", AT_ONCE_MS, False, True),
    ("calls at once, RCU never idle", AT_ONCE_MS, True, True),
    ("6 ms before each attach", 6.0, False, False),
)
"""How the test may have gone: in words; ms of user space before each attach; whether others call
back all the time, so that RCU never is idle; whether that is what the test's code does."""


class Reading(NamedTuple):
    """All of the test's pairs of an attach and a detach; `error` is against the published figure.

    `checked` readings are what the test's code does, see READINGS.
    """

    calls: str
    user_ms: float
    checked: bool
    pairs: int
    seconds: float
    error: float


def measured(cpus: int, hz: int) -> list[Reading]:
    """The READINGS, simulated."""
    found = []
    for calls, user_ms, busy, checked in READINGS:
        pairs, seconds = _simulated(user_ms, busy, cpus, hz)
        found.append(Reading(calls, user_ms, checked, pairs, seconds, seconds / PUBLISHED_S - 1))
    return found


def holds(found: list[Reading]) -> bool:
    """Whether what the test's code does is within TOLERANCE."""
    return all(abs(one.error) <= TOLERANCE for one in found if one.checked)


def _simulated(user_ms: float, busy: bool, cpus: int, hz: int) -> tuple[int, float]:
    """Pairs, and seconds of the whole test."""
    env, timing = simpy.Environment(), Timing(hz=hz)
    away = Sections.of(range(cpus), [0] * cpus, [SECOND * 10**5] * cpus)
    readers = SyntheticTraceReaders(env, cpus, Sections.of([], [], []), away)
    entry, rcu = TasksTrace(env, readers, timing), Rcu(env, cpus, timing)
    entry.rcu = rcu
    if busy:
        env.process(_others(rcu))
    pairs, took_ps = consumers_selftest(entry, rcu, round(user_ms * 1000) * US)
    return pairs, took_ps / SECOND


def _others(rcu: Rcu) -> Steps:
    """Callbacks of other subsystems, one a jiffy."""
    while True:
        rcu.call(lambda: None)
        yield rcu.env.timeout(rcu.timing.jiffy_ps)


def render(found: list[Reading]) -> str:
    """The readings as a table, which of them are the test's, and whether they hold."""
    made = numbers(
        table("consumers selftest, Tasks Trace"), "pairs", "seconds", "ms a pair", "error"
    )
    for one in found:
        each = f"{one.seconds / one.pairs * 1e3:.1f}"
        figures = (str(one.pairs), f"{one.seconds:.1f}", each, f"{one.error:+.1%}")
        made.add_row(one.calls, *figures)
    each = f"{PUBLISHED_S / found[0].pairs * 1e3:.1f}"
    made.add_row("published, the whole test", str(found[0].pairs), f"{PUBLISHED_S}", each, "")
    verdict = "holds" if holds(found) else "does NOT hold: see docs/grace-periods.md"
    note = (
        f"The test calls at once: libbpf reads the program's ELF file in {AT_ONCE_MS:g} ms.\n"
        f"The check, that within {TOLERANCE:.0%}, {verdict}."
    )
    return to_text([made, note])
