"""`uprobe-sweep grace`: how long a grace period takes, from its parts."""

from __future__ import annotations

import math

import click

from sweep.commands.shared import print_json
from sweep.errors import UsageError, nearest


@click.command()
@click.option(
    "--flavour", "flavours", multiple=True, metavar="F", help="srcu, tasks-trace or srcu-fast."
)
@click.option("--cpus", type=click.IntRange(1, 1024), default=8, show_default=True, metavar="N")
@click.option(
    "--section-us",
    type=click.FloatRange(min=0.001),
    default=2.0,
    show_default=True,
    metavar="T",
    help="Mean length of a read section.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    default=10_000.0,
    show_default=True,
    metavar="R",
    help="Sections a second on each CPU; 0: the CPUs idle.",
)
@click.option(
    "--periods",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    metavar="K",
    help="Calls of each kind.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="S")
@click.option(
    "--hz",
    type=click.Choice(["100", "250", "300", "1000"]),
    default="1000",
    show_default=True,
    help="The kernel's CONFIG_HZ.",
)
@click.option(
    "--selftest",
    is_flag=True,
    help="Only the kernel's selftest uprobe_multi/consumers, beside what is published.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, times in picoseconds.")
def grace(
    flavours: tuple[str, ...],
    cpus: int,
    section_us: float,
    rate: float,
    periods: int,
    seed: int,
    hz: str,
    selftest: bool,
    as_json: bool,
) -> int:
    """Simulate grace periods and print how long their callers wait.

    A caller alone comes long after the one before; callers back to back each come as soon as the
    one before is through. `least` and `most` are what the parts add up to if no reader is in the
    way. The readers draw sections of exponential length; without --flavour all three are shown.
    The exit code is 1 if a period ends too early for a reader, or never.

    \b
    uprobe-sweep grace --flavour tasks-trace
    uprobe-sweep grace --flavour srcu --section-us 500 --rate 1000
    """
    if selftest:
        return _selftest(cpus, int(hz), as_json)
    from core.grace.timing import US
    from sweep.report.grace import FLAVOURS, Setting
    from sweep.report.grace import grace as measure
    from sweep.report.grace_text import render

    for flavour in flavours:
        if flavour not in FLAVOURS:
            raise UsageError(f"--flavour {flavour}: {nearest(flavour, FLAVOURS)}")
    for option, value in (("--section-us", section_us), ("--rate", rate)):
        if not math.isfinite(value):
            raise UsageError(f"{option} {value}: give a finite number")
    found = [
        measure(Setting(flavour, cpus, int(section_us * US), rate, periods, seed, int(hz)))
        for flavour in dict.fromkeys(flavours or FLAVOURS)
    ]
    if as_json:
        print_json([one.to_dict() for one in found])
    else:
        print("\n\n".join(render(one).rstrip("\n") for one in found))
    return int(any(one.finding for one in found))


def _selftest(cpus: int, hz: int, as_json: bool) -> int:
    """Print the check; 1 if what the test's code does is off by more than 20 %."""
    from sweep.report.selftest import holds, measured, render

    found = measured(cpus, hz)
    if as_json:
        print_json([one._asdict() for one in found])
    else:
        print(render(found))
    return int(not holds(found))
