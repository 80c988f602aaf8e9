"""Measurements beside what is predicted of this host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.driver.driver import Progress
from sweep.executors.base import Executor
from sweep.machines.host import HOST
from sweep.plan.beyond import beyond
from sweep.report.what_if import simulated
from sweep.store.disturbed import mark
from sweep.store.schema import Row
from sweep.store.settings import MHITS
from sweep.terminal.text_table import ABSENT, numbers, percent, table, to_text


@dataclass(frozen=True)
class Beside:
    """A row and what is predicted of it, hits per second; `error` is predicted / measured - 1."""

    row: Row
    predicted: float
    low: float | None
    high: float | None

    @property
    def error(self) -> float | None:
        """None where nothing was measured."""
        return self.predicted / self.row["hits_per_s"] - 1 if self.row["hits_per_s"] else None

    @property
    def inside(self) -> bool | None:
        """Whether the measurement is in the interval; None without one."""
        if self.low is None or self.high is None:
            return None
        return bool(self.low <= self.row["hits_per_s"] <= self.high)

    def to_dict(self) -> dict[str, Any]:
        """The row, and the prediction beside it."""
        return {
            **self.row,
            "predicted": self.predicted,
            "predicted_low": self.low,
            "predicted_high": self.high,
            "inside": self.inside,
        }


def beside(
    rows: Sequence[Row],
    ensemble: int,
    executor: Executor,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> list[Beside]:
    """Each of the rows of live measurements as a cell of this host, simulated."""
    cells = [
        beyond(
            {name: row[name] for name in ("bench", "flavour", "cpus")} | {"machine": HOST}, ensemble
        ).cells[0]
        for row in rows
    ]
    on_progress(Progress(len(cells)))
    results = simulated(cells, executor, on_progress, 0, len(cells))
    return [
        Beside(row, result.hits_per_s, result.predicted_low, result.predicted_high)
        for row, result in zip(rows, results, strict=True)
    ]


def render(found: Sequence[Beside]) -> str:
    """A line for each measurement."""
    made = numbers(table("bench", "design"), "cpus", "measured", "predicted", "90 %", "error")
    made.add_column("")
    for one in found:
        row = one.row
        span = ABSENT
        if one.low is not None and one.high is not None:
            span = f"[{one.low / MHITS:.3f}, {one.high / MHITS:.3f}]"
        outside = "outside" if one.inside is False else ""
        made.add_row(
            row["bench"],
            row["flavour"],
            str(row["cpus"]),
            f"{row['hits_per_s'] / MHITS:.3f} ± {row['hits_per_s_stddev'] / MHITS:.3f}",
            f"{one.predicted / MHITS:.3f}",
            span,
            percent(one.error, "+"),
            " ".join(filter(None, [outside, mark(row["cpu_share"]).strip()])),
        )
    return to_text([made, "M hits/s; the error is predicted / measured - 1."])
