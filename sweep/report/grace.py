"""Latencies of grace periods: callers one after the other, and one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import simpy

from core.grace import bounds
from core.grace.checks import Finding, never_ends, too_short
from core.grace.engine import Engine, Period, Steps
from core.grace.sections import Sections
from core.grace.srcu import Srcu
from core.grace.srcu_fast import SrcuFast
from core.grace.synthetic import SyntheticSrcuReaders, SyntheticTraceReaders
from core.grace.tasks_trace import TasksTrace
from core.grace.timing import SECOND, US, Timing
from sweep.errors import UsageError

FLAVOURS = ("srcu", "tasks-trace", "srcu-fast")
ALONE, BACK_TO_BACK = "alone", "back to back"

PUBLISHED_TRACE_MS = {"before 2022": (22.3, 1.3), "since": (17.0, 2.5)}
"""Mean and standard deviation of a Tasks Trace period: 8-CPU Skylake VM, 15,000 tasks."""

MOST_SECTIONS = 5_000_000
ALLOWANCE = 100
"""Jiffies that a period may take beside its readers: five times what the bounds give."""


@dataclass(frozen=True)
class Setting:
    """What is measured. `section_ps` is the mean length of a section, `rate` a second and CPU."""

    flavour: str
    cpus: int = 8
    section_ps: int = 2 * US
    rate: float = 10_000.0
    periods: int = 100
    seed: int = 0
    hz: int = 1000

    @property
    def idle(self) -> bool:
        """Nobody runs on the CPUs: without sections they idle."""
        return not self.rate


@dataclass(frozen=True)
class Row:
    """Latencies of one kind of call, picoseconds, and their bounds if no reader is in the way."""

    name: str
    calls: int
    p50_ps: int
    p99_ps: int
    max_ps: int
    low_ps: int | None
    high_ps: int | None


@dataclass(frozen=True)
class Grace:
    """What came out. `parts` are means of a period alone, by kernel function, picoseconds.

    `lengths` are mean and standard deviation of the periods themselves, begin to end, by row.
    """

    setting: Setting
    rows: Sequence[Row]
    lengths: dict[str, tuple[float, float]]
    parts: dict[str, float]
    finding: Finding | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: times in picoseconds."""
        return asdict(self)


@dataclass(frozen=True)
class _Run:
    periods: list[Period]
    latencies: list[int]
    finding: Finding | None


def grace(setting: Setting, faults: frozenset[str] = frozenset()) -> Grace:
    """Measure `setting`. Raises UsageError if its readers are too many or leave no time."""
    runs = {
        ALONE: _measured(setting, _alone, faults),
        BACK_TO_BACK: _measured(setting, _back_to_back, faults),
    }
    return Grace(
        setting,
        _rows(setting, runs),
        {name: _mean_sd(run.periods) for name, run in runs.items()},
        _mean_parts(runs[ALONE].periods),
        next((run.finding for run in runs.values() if run.finding), None),
    )


def _alone(engine: Engine, setting: Setting) -> Steps:
    """One call at a time, each at a random moment, long after the one before."""
    rng = np.random.default_rng(setting.seed)
    for quiet in rng.uniform(10, 20, setting.periods):
        yield engine.env.timeout(int(quiet * engine.timing.jiffy_ps))
        yield engine.synchronize()


def _back_to_back(engine: Engine, setting: Setting) -> Steps:
    """Every call as soon as the one before has returned."""
    yield engine.env.timeout(engine.timing.jiffy_ps // 2)
    for _ in range(setting.periods):
        yield engine.synchronize()


def _measured(
    setting: Setting, calls: Callable[[Engine, Setting], Steps], faults: frozenset[str]
) -> _Run:
    """Run until all calls have returned, with readers to the end."""
    jiffy_ps = Timing(hz=setting.hz).jiffy_ps
    until_ps = (50 * setting.periods + ALLOWANCE) * jiffy_ps
    while True:
        sections = _sections(setting, until_ps)
        env = simpy.Environment()
        engine = _engine(env, setting, sections, faults)
        done = env.process(calls(engine, setting))
        env.run(until=done | env.timeout(until_ps))
        finding = too_short(sections, engine.periods)
        if finding is None and not done.triggered:
            now_ps, allowance_ps = int(env.now), ALLOWANCE * jiffy_ps
            finding = never_ends(sections, engine.begun_ps, now_ps, allowance_ps)
        if done.triggered or finding:
            return _Run(engine.periods, engine.latencies, finding)
        until_ps *= 2


def _sections(setting: Setting, until_ps: int) -> Sections:
    number = setting.cpus * setting.rate * until_ps / SECOND
    if number > MOST_SECTIONS:
        raise UsageError(
            f"--rate {setting.rate:g}: {setting.periods} periods on {setting.cpus} CPUs have "
            f"{number:,.0f} sections, at most {MOST_SECTIONS:,} are simulated: "
            "lower it or --periods"
        )
    try:
        drawn = (setting.section_ps, setting.rate, until_ps, setting.seed)
        return Sections.drawn(setting.cpus, *drawn)
    except ValueError as error:
        most = SECOND / setting.section_ps
        raise UsageError(f"--rate {setting.rate:g}: {error}; below {most:g} they fit") from None


def _engine(
    env: simpy.Environment, setting: Setting, sections: Sections, faults: frozenset[str]
) -> Engine:
    cpus, timing = setting.cpus, Timing(hz=setting.hz)
    if setting.flavour == "tasks-trace":
        everybody = Sections.of(range(cpus), [0] * cpus, [SECOND * 10**5] * cpus)
        away = everybody if setting.idle else None
        trace_readers = SyntheticTraceReaders(env, cpus, sections, away)
        return TasksTrace(env, trace_readers, timing, faults)
    readers = SyntheticSrcuReaders(env, cpus, sections)
    engine = (
        Srcu(env, readers, timing, faults)
        if setting.flavour == "srcu"
        else SrcuFast(env, readers, timing, faults, setting.idle)
    )
    readers.flips_ps = engine.flips_ps
    return engine


def _rows(setting: Setting, runs: dict[str, _Run]) -> list[Row]:
    timing, cpus, idle = Timing(hz=setting.hz), setting.cpus, setting.idle
    limits: dict[str, bounds.Bounds]
    if setting.flavour == "tasks-trace":
        limits = {
            ALONE: bounds.tasks_trace(timing, cpus, idle),
            BACK_TO_BACK: bounds.tasks_trace_back_to_back(timing, cpus, idle),
        }
    elif setting.flavour == "srcu-fast":
        limits = dict.fromkeys((ALONE, BACK_TO_BACK), bounds.srcu_fast(timing, cpus, idle))
    else:
        limits = {
            ALONE: bounds.srcu_expedited(timing, cpus),
            "- expedited": bounds.srcu_expedited(timing, cpus),
            "- not expedited": bounds.srcu_not_expedited(timing),
        }
    latencies = {name: run.latencies for name, run in runs.items()}
    if setting.flavour == "srcu":
        # The only caller: its n-th call waits for the n-th period.
        run = runs[BACK_TO_BACK]
        both = list(zip(run.periods, run.latencies, strict=False))
        latencies["- expedited"] = [latency for period, latency in both if period.expedited]
        latencies["- not expedited"] = [latency for period, latency in both if not period.expedited]
    return [
        _row(name, values, limits.get(name)) for name, values in latencies.items() if len(values)
    ]


def _row(name: str, latencies: Sequence[int], limits: bounds.Bounds | None) -> Row:
    p50, p99 = np.percentile(latencies, [50, 99], method="inverted_cdf")
    low, high = limits or (None, None)
    return Row(name, len(latencies), int(p50), int(p99), max(latencies), low, high)


def _mean_sd(periods: Sequence[Period]) -> tuple[float, float]:
    lengths = [period.end_ps - period.begin_ps for period in periods]
    if not lengths:
        return 0.0, 0.0
    return float(np.mean(lengths)), float(np.std(lengths, ddof=1)) if len(lengths) > 1 else 0.0


def _mean_parts(periods: Sequence[Period]) -> dict[str, float]:
    names = dict.fromkeys(name for period in periods for name in period.parts)
    return {name: sum(p.parts.get(name, 0) for p in periods) / len(periods) for name in names}
