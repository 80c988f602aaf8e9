"""A cell's prediction: what the machine gives, and how sure that is."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from math import exp, hypot, log, sqrt
from statistics import NormalDist, stdev
from typing import TYPE_CHECKING

from core.cell import Cell, CellResult
from core.engine.cpu_hosts import CpuHosts
from core.engine.simulate import simulate
from core.machine.topology import clock_period_ps
from core.replications import mixture, replicated
from core.two_states import two_states

if TYPE_CHECKING:
    from core.stress.threads import TriggerThreads

CONFIDENCE = 0.9
"""How probable it is, as far as the model knows, that the truth lies in the interval."""

MEMBER_WARMUP_PS = 300 * 10**6
MEMBER_PS = 500 * 10**6
"""How long a member is simulated at most, after so much warm-up at most: members differ more than
their own moments do. See docs/performance.md for what shorter ones do to the intervals."""

NUDGED, NUDGE_PS = "trap_entry", 10_000
"""Private work that varies from start to start, and by how much, to either side."""

LUCK = 0.02
"""Standard deviation of the log of starts' rates, beyond which one of them tells little."""

Interval = tuple[float, float]


def predict(
    cell: Cell, hosts: CpuHosts | None = None, threads: TriggerThreads | None = None
) -> CellResult:
    """Simulate `cell` on `hosts`, and the members of its ensemble in this process.

    An ensemble gives an interval, which is None if the cell asks for none, its machine has fewer
    than two members, or one of them completes no hit. A cell whose rate depends on how its CPUs
    start, by `starts` as many as it has members, is a mixture of all of them, and not luck of one:
    if they differ by more than LUCK, or are of two states, which the interval then covers both. One
    with a precision is that of `replicated` in place of this. A cell with a workload has nothing of
    it; `threads` host those of it that hit. By default both are this process. Raises as `simulate`
    and `simulate_stress` do.
    """
    if cell.workload is not None:
        # Few cells have one, and it takes a tenth of a small run's time to load.
        from core.stress.simulate import simulate_stress

        return simulate_stress(cell, threads=threads)
    began = time.perf_counter()
    plain, rates, apart = _simulated(cell, hosts)
    if cell.precision is not None:
        states = plain.states
    else:
        by_start = [start.hits_per_s for start in apart]
        states = two_states(by_start)
        if states is not None or (apart and all(by_start) and stdev(map(log, by_start)) > LUCK):
            plain = replace(mixture(apart), own_stddev=plain.hits_per_s_stddev)
    low, high = _interval(cell, plain.hits_per_s, rates) or (None, None)
    if states is not None and low is not None and high is not None:
        low, high = min(low, states.low), max(high, states.high)
    return replace(
        plain,
        cell_id=cell.cell_id,
        wall_seconds=time.perf_counter() - began,
        predicted_low=low,
        predicted_high=high,
        states=states,
    )


def starts(cell: Cell, count: int) -> list[CellResult]:
    """The cell from `count` starts, briefly: other phases, and other private work.

    A hit's work is longer or shorter by up to NUDGE_PS, evenly: what a design falls into may flip
    with so little, and a machine's own is not known better.
    """
    return [simulate(start) for start in _nudged(cell, count)]


def _nudged(cell: Cell, count: int) -> list[Cell]:
    period = clock_period_ps(cell.machine, 1)
    cells = []
    for number in range(1, count + 1):
        nudge = round(NUDGE_PS * ((2 * number - 1) / count - 1) / period)
        path = f"execution.work_cycles.{NUDGED}"
        work = max(0, cell.machine.number(path) + nudge)
        machine = cell.machine.with_numbers({path: work})
        one = replace(cell, machine=machine, replicate=cell.replicate + number)
        cells.append(briefly(one))
    return cells


def warm(cell: Cell) -> None:
    """Compile what predicting `cell` needs, by simulating a microsecond of it on one CPU."""
    moment = 10**6
    workload = cell.workload and replace(
        cell.workload, attach_threads=0, mmap_threads=0, fork_threads=0
    )
    # A cell that cannot be simulated says so when its turn comes.
    with suppress(Exception):
        predict(
            replace(
                cell,
                cpus=1,
                processes=1,
                ensemble=0,
                warmup_ps=0,
                duration_ps=moment,
                sample_ps=moment,
                workload=workload,
            )
        )


def log_interval(rate: float, rates: list[float], discrepancy: float) -> Interval:
    """The 90 % interval of a rate, `rates` being what the members give (two at least).

    In the log, what the truth is and what the best parameters predict differ by a normal deviate
    whose variance is that of the members plus `discrepancy` squared: the model's parameters are
    unknown, and the best ones do not make it true (Kennedy & O'Hagan, J. R. Statist. Soc. B 63,
    2001).
    """
    deviation = hypot(stdev(map(log, rates)), discrepancy)
    factor = exp(NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * deviation)
    return rate / factor, rate * factor


def contended_share(cell: Cell, rate: float) -> float:
    """Share of a hit's time in `cell` that it would not take on a single CPU, 0 to 1.

    `rate` is the cell's, hits per second of all CPUs, above 0.
    """
    if cell.cpus == 1:
        return 0.0
    alone = simulate(briefly(replace(cell, cpus=1, processes=1))).hits_per_s
    return max(0.0, 1 - rate / (cell.cpus * alone)) if alone else 0.0


def discrepancy(cell: Cell, share: float) -> float:
    """Standard deviation of the model's own error in the log of a hit's time.

    Its variance goes from that of an uncontended hit to that of a contended one as `share`, what is
    contended of the hit's time, goes from 0 to 1: a hit of which a third is waiting errs nearly as
    much as one that only waits. Needs a machine with a calibration.
    """
    calibration = cell.machine.calibration
    assert calibration is not None
    error = calibration.discrepancy
    return hypot(sqrt(1 - share) * error.uncontended, sqrt(share) * error.contended)


def _simulated(
    cell: Cell, hosts: CpuHosts | None
) -> tuple[CellResult, list[float], list[CellResult]]:
    """The cell as it is, the rate of each member, and if those are several, as many starts."""
    bare = replace(cell, ensemble=0)
    play = simulate if cell.precision is None else replicated
    # Each with start phases of its own: what a design falls into may depend on them.
    members = [
        briefly(replace(cell, machine=member, replicate=cell.replicate + number))
        for number, member in enumerate(cell.machine.members[: cell.ensemble], start=1)
    ]
    several = len(members) > 1 and cell.cpus > 1 and cell.precision is None
    apart = _nudged(cell, len(members)) if several else []
    if hosts is None:
        return play(bare), list(map(_rate, members)), list(map(simulate, apart))
    # Cores would be idle while hosts elsewhere are waited for.
    cores = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(cores, thread_name_prefix="member") as pool:
        rates, results = pool.map(_rate, members), pool.map(simulate, apart)
        return play(bare, hosts), list(rates), list(results)


def _rate(cell: Cell) -> float:
    return simulate(cell).hits_per_s


def _interval(cell: Cell, rate: float, rates: list[float]) -> Interval | None:
    if len(rates) < 2 or rate == 0 or not all(rates):
        return None
    return log_interval(rate, rates, discrepancy(cell, contended_share(cell, rate)))


def briefly(cell: Cell) -> Cell:
    """One sample of it that is long enough to tell members apart."""
    return replace(
        cell,
        ensemble=0,
        precision=None,
        warmup_ps=min(cell.warmup_ps, MEMBER_WARMUP_PS),
        duration_ps=0,
        sample_ps=min(cell.samples * cell.sample_ps, MEMBER_PS),
    )
