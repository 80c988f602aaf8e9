"""Figures of logs as rows of the schema that simulated cells have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from core.kernel.bench import NAMED
from sweep.errors import UsageError
from sweep.live.bench_log import Line
from sweep.store.schema import LOG, Row, measured_row
from sweep.store.settings import MHITS, key_of


def rows(
    found: Iterable[tuple[Line, str, str | None]],
    machine: str,
    run_id: str,
    there: Iterable[Row] = (),
    repeats: bool = False,
) -> list[Row]:
    """Rows of figures, each with its design and kernel. What a log does not say is 0.

    The same figure to its last digit is the same measurement, by whatever path its log was read:
    it gives one row, with the same `cell_id` as one that is `there` already. Raises UsageError for
    different figures of one measurement unless `repeats` says that there were several: they may be
    of two machines.
    """
    seen: dict[tuple[object, ...], dict[str, tuple[Row, str]]] = {}
    for row in there:
        seen.setdefault(key_of(row), {})[row["cell_id"]] = (row, f"in {run_id}")
    made: dict[str, Row] = {}
    for line, flavour, kernel in found:
        row = _row(line, flavour, machine, kernel, run_id)
        same = seen.setdefault(key_of(row), {})
        if same and row["cell_id"] not in same and not repeats:
            other, place = next(iter(same.values()))
            raise UsageError(
                f"{line.place}: {line.bench}, {line.cpus} CPUs again: {line.mhits:.3f} M/s, "
                f"{other['hits_per_s'] / MHITS:.3f} {place}. Say --repeats if it was measured "
                "several times, --lines or another --machine if these are two machines"
            )
        row["replicate"] = len(same)
        kept, _ = same.setdefault(row["cell_id"], (row, f"at {line.place}"))
        made[row["cell_id"]] = kept
    return list(made.values())


def _row(line: Line, flavour: str, machine: str, kernel: str | None, run_id: str) -> Row:
    figure = (line.bench, line.cpus, line.mhits, line.stddev)
    identity = [LOG, figure, flavour, machine, kernel]
    return measured_row(
        LOG,
        line.cpus,
        line.mhits * MHITS,
        cell_id=hashlib.blake2b(repr(identity).encode(), digest_size=8).hexdigest(),
        run_id=run_id,
        bench=line.bench,
        flavour=flavour,
        machine=machine,
        machine_digest="unknown",
        hits_per_s_stddev=line.stddev * MHITS,
        kernel=kernel,
        attach="multi" if NAMED[line.bench].multi else "bpf",
        nop_bytes=NAMED[line.bench].nop_bytes,
    )
