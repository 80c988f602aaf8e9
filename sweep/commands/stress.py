"""`uprobe-sweep stress`: hits while others attach, detach, map and fork, checked all the time."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sweep.commands import completing
from sweep.commands.shared import json_option, print_columns, print_json
from sweep.errors import UsageError, nearest

if TYPE_CHECKING:
    from core.outcome import Latency, StressOutcome
    from sweep.report.stress import Look as Now
    from sweep.report.stress import Outcome
    from sweep.terminal.progress import Look

_count = click.IntRange(min=0)


@click.command()
@click.option(
    "-t", "--trigger-threads", "trigger", type=click.IntRange(min=1), default=1, metavar="N"
)
@click.option("-a", "--attach-threads", "attach", type=_count, default=1, metavar="N")
@click.option("-m", "--mmap-threads", "mmap", type=_count, default=1, metavar="N")
@click.option("-f", "--fork-threads", "fork", type=_count, default=1, metavar="N")
@click.option(
    "--flavour",
    default="tasks-trace",
    show_default=True,
    metavar="F",
    shell_complete=completing.axis("flavour"),
)
@click.option(
    "--rcu",
    default="default",
    show_default=True,
    metavar="R",
    shell_complete=completing.axis("rcu"),
)
@click.option(
    "--machine",
    default="xeon-gold-6138",
    show_default=True,
    metavar="M",
    shell_complete=completing.axis("machine"),
)
@click.option("--functions", type=int, default=100, show_default=True, metavar="N")
@click.option(
    "--consumers",
    type=int,
    metavar="N",
    help="Consumers of every function that stay; 0, or 1 if nobody attaches.",
)
@click.option(
    "--stalls",
    type=int,
    default=10,
    show_default=True,
    metavar="N",
    help="How often a second something keeps each trigger thread where it is, up to 20 ms.",
)
@click.option("--ms", "milliseconds", type=click.IntRange(2, 10**6), default=500, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, metavar="N")
@click.option("--fault", "faults", multiple=True, metavar="F", help="Plant a fault; may repeat.")
@json_option
def stress(faults: tuple[str, ...], as_json: bool, consumers: int | None, **options: Any) -> int:
    """Run the uprobe-stress workload and check every hit, free and grace period.

    Trigger threads call random functions at random depth; attach threads attach and detach links
    of up to 9 of them, half at the return; mmap threads map the code again, fork threads fork and
    exec. Times are simulated, --ms of them. The exit code is 1 if a check fails; the line that is
    then printed fails again in the same way.

    \b
    uprobe-sweep stress -a20 -f3 -m5 -t4
    uprobe-sweep stress -t8 -a4 --fault skips-running-holdouts
    """
    from sweep.report.stress import FAULTS, spec_of
    from sweep.report.stress import stress as run_stress
    from sweep.terminal.progress import shown_progress

    for fault in faults:
        if fault not in FAULTS:
            raise UsageError(f"unknown fault {fault!r}: {nearest(fault, FAULTS)}")
    stay = consumers if consumers is not None else int(options["attach"] == 0)
    spec = spec_of(consumers=stay, **options)
    began = time.perf_counter()
    with shown_progress() as show:
        outcome = run_stress(
            spec,
            faults,
            lambda now: show(_look(now, options["milliseconds"], time.perf_counter() - began)),
        )
    wall = time.perf_counter() - began
    again = _again(options, stay, faults)
    if as_json:
        print_json(_document(outcome, wall, again))
    else:
        _print(outcome, wall, again)
    return 0 if outcome.violation is None else 1


def _look(now: Now, milliseconds: int, seconds: float) -> Look:
    """How far a stress is, and what has happened in so many seconds."""
    from sweep.terminal.progress import Look

    made = now.outcome
    happened = (
        f"{made.firings:,} hits ({made.firings / seconds:,.0f}/s), {_count_of(made.attach)} "
        f"attached, {_count_of(made.detach)} detached, {made.grace_periods} grace periods"
    )
    return Look(round(now.done * milliseconds), milliseconds, "ms simulated", happened)


def _count_of(latency: Latency | None) -> int:
    return latency.count if latency else 0


def _again(options: dict[str, Any], consumers: int, faults: tuple[str, ...]) -> str:
    """The command line of this very stress."""
    o = options
    line = (
        f"uprobe-sweep stress -t{o['trigger']} -a{o['attach']} -m{o['mmap']} -f{o['fork']} "
        f"--flavour {o['flavour']} --rcu {o['rcu']} --machine {o['machine']} "
        f"--functions {o['functions']} --consumers {consumers} --stalls {o['stalls']} "
        f"--ms {o['milliseconds']} --seed {o['seed']}"
    )
    return line + "".join(f" --fault {fault}" for fault in faults)


def _document(outcome: Outcome, wall: float, again: str) -> dict[str, Any]:
    look, result = outcome.last, outcome.result
    made = result.stress if result else look.outcome if look else None
    return {
        "violation": outcome.violation,
        "replay": again,
        "wall_seconds": wall,
        "hits_per_s": result.hits_per_s if result else None,
        "outcome": asdict(made) if made else None,
    }


def _print(outcome: Outcome, wall: float, again: str) -> None:
    result = outcome.result
    if result is None:
        look = outcome.last
        after = f" after {look.outcome.firings:,} hits" if look else ""
        print(f"violation{after}: {outcome.violation}")
        print(f"replay: {again}")
        return
    made = result.stress
    assert made is not None
    rows = [
        [name, latency.count, *map(_time, (latency.p50_ps, latency.p99_ps, latency.max_ps))]
        for name, latency in _latencies(made)
    ]
    if rows:
        print_columns([["", "count", "p50", "p99", "max"], *rows])
    print(
        f"{result.hits_per_s / 1e6:.3f}M hits/s simulated; {made.firings:,} hits checked in "
        f"{wall:.1f} s ({made.firings / wall:,.0f}/s), {made.missed} of them found no uprobe"
    )
    print(
        f"{made.grace_periods} grace periods, at most {made.unreaped_bytes:,} bytes unreaped; "
        f"{made.checks:,} frees, periods and references checked; no violation"
    )


def _latencies(made: StressOutcome) -> list[tuple[str, Latency]]:
    timed = (("attach", made.attach), ("detach", made.detach), ("grace period", made.grace))
    return [(name, latency) for name, latency in timed if latency is not None]


def _time(ps: int) -> str:
    return f"{ps / 1e9:.3f} ms"
