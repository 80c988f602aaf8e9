"""Rows from logs of the kernel's own bench tool, and from lines as the letter prints them."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.kernel.bench import NAMED
from sweep.errors import UsageError, nearest
from sweep.report.tables import MHITS
from sweep.spec.churn import DEFAULTS, columns
from sweep.store.schema import LOG, SCHEMA_VERSION, Row

NO_MODEL = "none"

_RATE = r"([0-9]+\.[0-9]+)\s*(?:±|\+/?-)\s*([0-9]+\.[0-9]+)M/s"
_LETTER = re.compile(rf"(?:trig-)?(u(?:ret)?probe-[a-z0-9-]+)\s*\(\s*([0-9]+) cpus\):\s*{_RATE}")
_SUMMARY = re.compile(rf"Summary: hits\s+{_RATE}\s*\(\s*([0-9]+\.[0-9]+)M(?:/s)?/prod\)")
_NAME = re.compile(r"(?:Setting up benchmark|Benchmark) '(?:trig-)?(u(?:ret)?probe-[a-z0-9-]+)'")
_PRODUCERS = re.compile(r"(?:^|\s)(?:-p\s*|--producers[= ])([0-9]+)\b")
NOP5 = "nop5"
"""Ends the name of a bench on a 5-byte nop; the others' nop is of one byte."""


@dataclass(frozen=True)
class Line:
    """One figure of a log: million hits per second of `cpus` threads, and where it stands."""

    bench: str
    nop_bytes: int
    cpus: int
    mhits: float
    stddev: float
    place: str


def lines(text: str, name: str, bench: str | None = None, cpus: int | None = None) -> list[Line]:
    """Every figure in a log called `name`, in its order.

    A `Summary` line says neither its bench, which a line before it does, nor its number of
    producers, which is what total and per-producer rates give, or `-p` on a line before. `bench`
    and `cpus` are for logs that lack them. Raises UsageError, naming the line, where one is
    missing, and for a log without figures.
    """
    found = list(_figures(text, name, bench, cpus))
    if not found:
        example = "Summary: hits 3.032 ± 0.023M/s (3.032M/prod), ..."
        raise UsageError(f"{name} has no line like '{example}' nor like the letter's")
    return found


def rows(
    found: Sequence[Line], flavours: Sequence[str], machine: str, kernel: str | None, run_id: str
) -> list[Row]:
    """Rows of `found`, each with its design. What a log does not say is 0."""
    return [
        _row(line, flavour, machine, kernel, run_id)
        for line, flavour in zip(found, flavours, strict=True)
    ]


def _figures(text: str, name: str, bench: str | None, cpus: int | None) -> Iterator[Line]:
    said: str | None = bench
    producers: int | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        place = f"{name}:{number}"
        if named := _NAME.search(line):
            said = bench or named[1]
        if given := _PRODUCERS.search(line):
            producers = int(given[1])
        if letter := _LETTER.search(line):
            yield _line(letter[1], int(letter[2]), letter[3], letter[4], place)
        elif summary := _SUMMARY.search(line):
            if said is None:
                raise UsageError(f"{place}: which bench? No line before says it: give --bench")
            count = cpus or producers or _producers(float(summary[1]), float(summary[3]), place)
            producers = None
            yield _line(said, count, summary[1], summary[2], place)


def _line(bench: str, cpus: int, mhits: str, stddev: str, place: str) -> Line:
    nop_bytes = 5 if bench.endswith(NOP5) else 1
    usual = bench.removesuffix("5") if nop_bytes == 5 else bench
    if usual not in NAMED:
        raise UsageError(f"{place}: unknown bench {bench!r}: {nearest(usual, NAMED)}")
    if cpus < 1:
        raise UsageError(f"{place}: {cpus} CPUs: at least 1")
    return Line(usual, nop_bytes, cpus, float(mhits), float(stddev), place)


def _producers(total: float, each: float, place: str) -> int:
    """The only whole number that both rounded rates allow. Raises UsageError."""
    half = 0.0005
    least = math.ceil((total - half) / (each + half))
    most = math.floor((total + half) / (each - half)) if each > half else None
    if most is None or least != most:
        span = f"{max(least, 1)} or more" if most is None else f"{least} to {most}"
        raise UsageError(f"{place}: how many producers? The rates allow {span}: give --cpus")
    return least


def _row(line: Line, flavour: str, machine: str, kernel: str | None, run_id: str) -> Row:
    identity = [LOG, line, flavour, machine, kernel]
    hits_per_s = line.mhits * MHITS
    return {
        "cell_id": hashlib.blake2b(repr(identity).encode(), digest_size=8).hexdigest(),
        "run_id": run_id,
        "bench": line.bench,
        "flavour": flavour,
        "rcu": "default",
        "owner_beside_count": False,
        "cpus": line.cpus,
        "probes": 1,
        "processes": 1,
        "spread": "shared",
        **DEFAULTS,
        "machine": machine,
        "machine_digest": "unknown",
        "seed": 0,
        "replicate": 0,
        "ensemble": 0,
        "warmup_s": 0.0,
        "duration_s": 0.0,
        "sample_s": 0.0,
        "hits": 0,
        "sim_seconds": 0.0,
        "hits_per_s": hits_per_s,
        "hits_per_s_stddev": line.stddev * MHITS,
        "hits_per_s_per_cpu": hits_per_s / line.cpus,
        "predicted_low": None,
        "predicted_high": None,
        "samples": 0,
        **columns(None),
        "line_ops": 0,
        "wall_seconds": 0.0,
        "model_version": NO_MODEL,
        "source": LOG,
        "kernel": kernel,
        "cpu_model": None,
        "topology": None,
        "attach": "multi" if NAMED[line.bench].multi else "bpf",
        "nop_bytes": line.nop_bytes,
        "cpu_share": None,
        "schema_version": SCHEMA_VERSION,
    }


def read(path: Path, bench: str | None = None, cpus: int | None = None) -> list[Line]:
    """The figures in the log at `path`, see `lines`. Raises UsageError also if unreadable."""
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    return lines(text, str(path), bench, cpus)
