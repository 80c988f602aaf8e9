"""What limits a cell, as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table

from core.kernel.operation import AnyLine
from core.predict import CONFIDENCE
from sweep.plan.interval import LEVEL, Interval
from sweep.report.what_if import CONTENDED, Lines, Variant, WhatIf
from sweep.terminal.text_table import ABSENT, numbers, percent, table, to_text

MHITS = 1e6
DONE = {"per-cpu": "made per-CPU", "without": "removed"}
"""What each edit does to a line, in words."""


def render(found: WhatIf) -> str:
    """The cell, what the letter and the model say limits it, and its variants by gain."""
    return to_text(list(_parts(found)))


def short(line: AnyLine) -> str:
    """The line by what is first on it."""
    return re.split("[,:]", line.value)[0]


def _parts(found: WhatIf) -> Iterator[RenderableType]:
    cell, base = found.cell, found.base
    rate = _rate(found.hits_per_s)
    rcu = "" if cell.rcu == "default" else f" under {cell.rcu}"
    yield f"{cell.flavour}{rcu}, {cell.bench} on {cell.machine.name}, cpus={cell.cpus}: {rate}"
    if found.members:
        level = f"in brackets the {CONFIDENCE:.0%} interval"
        yield f"{found.members} members of the machine's ensemble; {level}"
    elif base.replicates > 1:
        yield f"{base.replicates} replicates; in brackets the {LEVEL:.0%} interval of the mean"
    yield from ("", _limits(found))
    if alone := found.alone:
        cpus = min(alone, key=lambda n: abs(n - cell.cpus))
        counts = sorted({8, 10, cpus})
        figures = ", ".join(f"{alone[n]:.1f} at {n} CPUs" for n in counts)
        yield (
            "What decides: this machine measured with mmap_lock alone (nhit per-CPU, 12 August "
            f"2024):\n{figures}, M/s. What is slower is so for other lines."
        )
    if not found.variants:
        yield f"\nNo shared line takes more than {CONTENDED:.0%} of the CPUs' time."
        return
    yield from ("", _variants(found))


def _limits(found: WhatIf) -> Table:
    """Who blames what: the letter's statements, then the line that the model finds largest."""
    made = numbers(table("what limits it"), "of the\nCPUs' time", f"{DONE[found.kind]},\ngain, M/s")
    for limit in found.letter:
        blamed = percent(found.share(limit.lines))
        made.add_row(f"the letter: {limit.said}", blamed, _gain_of(found, limit.lines))
    for line, share in list(found.shares.items())[:1]:
        made.add_row(f"the model: {line.value}", percent(share), _gain_of(found, frozenset({line})))
    made.add_row("not shared: private work", percent(found.base.private_ps / found.base.ps), "")
    return made


def _gain_of(found: WhatIf, lines: Lines) -> str:
    variant = found.variant(lines)
    return f"under {CONTENDED:.0%}, not tried" if variant is None else _gain(variant.gain)


def _variants(found: WhatIf) -> Table:
    made = numbers(table(DONE[found.kind]), "M/s", "gain, M/s", "gain", "private\nwork")
    made.add_column("then the largest line")
    for variant in found.variants:
        relative = variant.gain.mean / found.hits_per_s.mean if found.hits_per_s.mean else None
        made.add_row(
            names(variant.lines, found.shares),
            _mhits(variant.hits_per_s.mean),
            _gain(variant.gain),
            percent(relative, "+"),
            percent(variant.private_share),
            largest(variant),
        )
    return made


def names(lines: Lines, order: Iterable[AnyLine]) -> str:
    """The lines of a variant, in the order given; many are counted."""
    if len(lines) > 2:
        return f"all {len(lines)}"
    return " + ".join(short(line) for line in order if line in lines)


def largest(variant: Variant) -> str:
    """The line that takes most time then, and its share."""
    if variant.largest is None:
        return ABSENT
    line, share = variant.largest
    return f"{short(line)}, {percent(share)}"


def _rate(rate: Interval) -> str:
    return f"{_mhits(rate.mean)}{_brackets(rate, '')} M hits/s"


def _gain(gain: Interval) -> str:
    return f"{_mhits(gain.mean, '+')}{_brackets(gain, '+')}"


def _brackets(interval: Interval, sign: str) -> str:
    if interval.low is None or interval.high is None:
        return ""
    return f" [{_mhits(interval.low, sign)}, {_mhits(interval.high, sign)}]"


def _mhits(rate: float, sign: str = "") -> str:
    mhits = rate / MHITS
    return f"{mhits:{sign}.3f}" if abs(mhits) < 10 else f"{mhits:{sign}.1f}"
