"""Cells with writers as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl
from rich.console import RenderableType

from core.workload import STRESS
from sweep.spec.axes import AXES, DISTURBING, ORDER, REQUIRED
from sweep.store.schema import FIGURES as AVERAGED
from sweep.store.schema import POOLED
from sweep.store.settings import telling
from sweep.store.stress_columns import WAITS
from sweep.terminal.text_table import ABSENT, numbers, table, to_text

FIGURES = (
    *("Mhits/s", "attach", "p99", "detach", "p99", "grace", "p99"),
    *("waits", "periods", "KiB unreaped"),
)
"""Periods are those of deferred frees too; waits are those of detaches alone."""

BATCH_FIGURES = (
    *("detach all", "a detach", "waits"),
    *("RCU for dup_mmap_sem", "uprobe", "program", "tracepoint"),
)
"""Of cells that attach all probes once and detach them: waits for grace periods are of the attaches
too, and follow by cause."""


def with_writers() -> pl.Expr:
    """Which cells have a workload."""
    given = pl.any_horizontal(pl.col(axis) != value for axis, value in DISTURBING.items())
    return given | (pl.col("bench") == STRESS)


def render(cells: pl.DataFrame) -> str:
    """The cells, one a line: where they differ, then medians and 99th percentiles."""
    others = [c for c in cells.columns if c not in (*ORDER, *AVERAGED, *POOLED)]
    shown = telling(cells.select(*ORDER, *others).to_dicts())
    same = [
        f"{axis} {cells[axis][0]}"
        for axis in AXES
        if axis not in shown and (axis in REQUIRED or cells[axis][0] != AXES[axis].default)
    ]
    hit = bool((cells["cpus"] > 0).any())
    made = numbers(table(*shown), *(FIGURES if hit else FIGURES[1:]))
    # A column of blanks is between two columns anyway.
    made.padding = (0, 0, 0, 0)
    for cell in cells.sort(shown or "cell_id").iter_rows(named=True):
        timed = [
            _time(cell[f"{what}_{quantile}_s"])
            for what in ("attach", "detach", "grace")
            for quantile in ("p50", "p99")
        ]
        made.add_row(
            *(str(cell[axis]) for axis in shown),
            *([f"{cell['hits_per_s'] / 1e6:.3f}"] if hit else []),
            *timed,
            str(cell["grace_waits"]),
            str(cell["grace_periods"]),
            f"{cell['unreaped_bytes'] / 1024:.1f}",
        )
    return to_text([", ".join(same), made, *_batches(cells, shown)])


def _batches(cells: pl.DataFrame, shown: Sequence[str]) -> Iterator[RenderableType]:
    """How long cells took to detach all their probes, and what they waited for."""
    batches = cells.filter((pl.col("batch") > 0) & pl.col("detach_total_s").is_not_null())
    if not len(batches):
        return
    yield ""
    made = numbers(table(*shown), *BATCH_FIGURES)
    made.padding = (0, 0, 0, 0)
    for cell in batches.sort(shown or "cell_id").iter_rows(named=True):
        waits = [cell[name] for name in WAITS]
        figures = (_time(cell["detach_total_s"]), _time(cell["detach_p50_s"]), sum(waits), *waits)
        made.add_row(*(str(cell[axis]) for axis in shown), *map(str, figures))
    yield made


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ABSENT
    for unit, length in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= length:
            return f"{seconds / length:.3g}{unit}"
    return f"{seconds * 1e6:.3g}us"
