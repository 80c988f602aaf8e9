"""The domain's questions to a polars frame of a run: `sweep.scan(run).uprobe.peak()`.

Importing this registers the namespace `uprobe` of DataFrame and LazyFrame.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from sweep.errors import UsageError, nearest
from sweep.report.compare import PUBLISHED, compare
from sweep.report.explain import explain
from sweep.report.published_lines import is_of
from sweep.store.disturbed import disturbed_note
from sweep.store.schema import SCHEMA
from sweep.store.settings import averaged, keys, of_machine, settings, telling

NAMES = ("bench", "flavour", "machine")
"""Keys that every answer shows, beside those in which its settings differ."""

RATE = "hits_per_s"
HALF = 0.5


@pl.api.register_lazyframe_namespace("uprobe")
@pl.api.register_dataframe_namespace("uprobe")
class Uprobe:
    """Questions to rows of `sweep.scan`, `sweep.predict` or `sweep.live.measure`.

    Every answer is a DataFrame. Repeats of a cell are put together, and nothing else: cells that
    differ in a key, whichever it is, are in lines of their own, and the keys in which they differ
    are its columns, beside `bench`, `flavour` and `machine`. A curve is cells that differ in `cpus`
    alone. Rates are hits per second. Raises UsageError for a frame that lacks a key of the schema:
    nobody could tell what its rows have in common. Warns of measurements whose threads did not have
    their CPUs.
    """

    def __init__(self, frame: pl.DataFrame | pl.LazyFrame) -> None:
        rows = frame.lazy().collect()
        if missing := [n for n in [*keys(SCHEMA.names), RATE] if n not in rows.columns]:
            raise UsageError(
                f"the frame lacks {', '.join(missing)}: choose rows, and keep all columns of "
                "sweep.scan, else cells that differ could not be told apart"
            )
        if said := disturbed_note(rows, "the frame"):
            warnings.warn(said, stacklevel=2)
        self._rows = rows

    def cells(self) -> pl.DataFrame:
        """Each cell once: `cpus`, `hits_per_s`, and what `sweep.store.settings.averaged` gives."""
        return self._answer(("cpus",), lambda rows: averaged(rows, ("cpus",)).sort("cpus"))

    def speedup(self, over: object, by: str = "flavour") -> pl.DataFrame:
        """Each cell's rate over that of the cell with `by` = `over` which agrees in all other keys.

        Columns `cpus`, `hits_per_s`, `over` (the other's rate) and `speedup`, null where there is
        no such cell. Raises UsageError if no row has `over`, or nothing is beside one.
        """
        known = keys(self._rows.columns)
        if by not in known:
            raise UsageError(f"no such key: {by}: {nearest(by, known)}")
        there = self._rows[by].unique().sort().to_list()
        if over not in there:
            raise UsageError(f"{by}={over}: no such row: {nearest(str(over), map(str, there))}")
        own = of_machine(self._rows, by)
        on = [name for name in ("cpus",) if name != by]

        def against(rows: pl.DataFrame) -> pl.DataFrame:
            cells = averaged(rows, (by, *on))
            base = cells.filter(pl.col(by) == over).select(*on, over=RATE)
            joined = cells.join(base, on=on, how="left") if on else cells.join(base, how="cross")
            ratio = _ratio(pl.col(RATE), pl.col("over"))
            return joined.select(by, *on, RATE, "over", speedup=ratio).sort(by, *on)

        found = self._answer((by, "cpus", *own), against)
        others = found.filter(pl.col(by) != over)
        if len(others) and others["over"].null_count() == len(others):
            raise UsageError(f"no other cell agrees with one of {by}={over} in all keys but {by}")
        return found

    def efficiency(self) -> pl.DataFrame:
        """Each cell's rate over `cpus` times that of one CPU: 1 where none is in another's way.

        Columns `cpus`, `hits_per_s`, `efficiency`, null for a curve without one CPU. Raises
        UsageError if none has it.
        """
        return self._of_one_cpu(self._answer(("cpus",), self._with_efficiency))

    def peak(self) -> pl.DataFrame:
        """The greatest rate of each curve, among the CPU counts that it has.

        Columns `cpus`, `hits_per_s`; `low` and `high`, its 90 % interval, null without one;
        `at_end`, whether it is the curve's last count, so that the peak may be beyond.
        """

        def highest(rows: pl.DataFrame) -> pl.DataFrame:
            cells = averaged(rows, ("cpus",)).sort("cpus").with_columns(at_end=_last())
            return (
                cells.filter(pl.col(RATE) == pl.col(RATE).max())
                .head(1)
                .select("cpus", RATE, "low", "high", "at_end")
            )

        return self._answer(("cpus",), highest)

    def knee(self) -> pl.DataFrame:
        """Where more CPUs stop paying, for each curve, by two definitions.

        `cpus` is the count, of those that the curve has, with the most speed-up times efficiency,
        S(n)^2 / n: the knee of D. L. Eager, J. Zahorjan and E. D. Lazowska, "Speedup versus
        efficiency in parallel systems" (IEEE Trans. Computers 38(3), 1989); `at_end` says that it
        is the last. `half` is where efficiency falls to one half: linear in log n between the two
        counts around it, null for a curve that stays above. Raises UsageError if no curve has one
        CPU; one without it is null.
        """

        def bent(rows: pl.DataFrame) -> pl.DataFrame:
            cells = self._with_efficiency(rows).with_columns(at_end=_last())
            power = pl.col("efficiency").pow(2) * pl.col("cpus")
            best = cells.sort(power, descending=True, nulls_last=True, maintain_order=True).head(1)
            known = pl.col("efficiency").is_not_null()
            return best.select(
                *(pl.when(known).then(name).alias(name) for name in ("cpus", RATE, "efficiency")),
                half=pl.lit(_half(cells), pl.Float64),
                at_end=pl.when(known).then("at_end"),
            )

        return self._of_one_cpu(self._answer(("cpus",), bent))

    def error(self) -> pl.DataFrame:
        """Each cell beside what is published of it.

        Columns `cpus`, `mhits_per_s`, `published`, `group` (where: "cover letter", or a group of
        later figures), `error` (ours / published - 1), `calibration` (costs were fitted on it) and
        `covers` (the published figure is inside the interval); the last five are null for a cell of
        which nothing is published. A cell with several figures has as many rows. Raises UsageError
        if none is.
        """
        found = compare({PUBLISHED: None, "run": self._rows})
        columns = found.columns[1:]
        told = telling([column.setting for column in columns])
        lines = []
        for cell in found.cells:
            for column, figure in zip(columns, cell.figures[1:], strict=True):
                if figure is None:
                    continue
                named = {n: column.setting.get(n) for n in ("machine", *told)}
                line = {"bench": cell.bench, "flavour": cell.design, **named, "cpus": cell.cpus}
                one = cell.published
                beside = one if one and is_of(one, column.setting) else None
                line["mhits_per_s"] = figure.mean
                line["published"] = beside and beside.mhits_per_s
                line["group"] = beside and beside.group
                line["error"] = figure.mean / beside.mhits_per_s - 1 if beside else None
                line["calibration"] = figure.calibration if beside else None
                line["covers"] = figure.covers
                lines.append(line)
        if all(line["published"] is None for line in lines):
            raise UsageError("nothing is published of any of these cells, machine and setting")
        return pl.DataFrame(lines, infer_schema_length=None)

    def share(self, shares: pl.DataFrame | pl.LazyFrame, line: str) -> pl.DataFrame:
        """How much of the CPUs' time went to a cache line, by cell.

        `shares` are of `sweep.scan_attribution`; `line` is a name as in `explain`, "private work"
        for time on none. Columns `cpus`, `ns_per_hit` and `share`, a fraction. Cells without shares
        are left out. Raises UsageError for a line that no cell has.
        """
        curves = explain(self._rows, shares.lazy().collect())
        if not curves:
            raise UsageError("none of these cells has shares: are they of the same run?")
        times = [
            (curve.setting, point, {"private work": point.private_ps, **point.parts("line")})
            for curve in curves
            for point in curve.points
        ]
        known = dict.fromkeys(name for _, _, parts in times for name in parts)
        if line not in known:
            raise UsageError(f"no such line: {line}: {nearest(line, known)}")
        told = telling([curve.setting for curve in curves])
        return pl.DataFrame(
            [
                {
                    **_named(setting, told),
                    "cpus": point.cpus,
                    "ns_per_hit": point.ns_per_hit(parts.get(line, 0)),
                    "share": parts.get(line, 0) / point.ps,
                }
                for setting, point, parts in times
            ],
            infer_schema_length=None,
        )

    def _answer(
        self, over: Sequence[str], answer: Callable[[pl.DataFrame], pl.DataFrame]
    ) -> pl.DataFrame:
        """What `answer` makes of the rows of each setting, below each other, with its keys."""
        found = settings(self._rows, over)
        if not found:
            raise UsageError("the frame has no rows")
        told = telling([setting.values for setting in found])
        parts = []
        for setting in found:
            try:
                made = answer(setting.rows)
            except ValueError as error:
                raise UsageError(str(error)) from None
            named = {n: v for n, v in _named(setting.values, told).items() if n not in over}
            kinds = {name: setting.rows.schema[name] for name in named}
            parts.append(
                made.select(*(pl.lit(v, kinds[n]).alias(n) for n, v in named.items()), "*")
            )
        return pl.concat(parts)

    def _of_one_cpu(self, found: pl.DataFrame) -> pl.DataFrame:
        if found["efficiency"].null_count() == len(found):
            raise UsageError("efficiency is against one CPU, and no curve has a cell of cpus=1")
        return found

    def _with_efficiency(self, rows: pl.DataFrame) -> pl.DataFrame:
        cells = averaged(rows, ("cpus",)).sort("cpus")
        one = pl.col(RATE).filter(pl.col("cpus") == 1).first()
        return cells.select("cpus", RATE, efficiency=_ratio(pl.col(RATE), pl.col("cpus") * one))


def _ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    """A ratio of rates, null where there is nothing to divide by."""
    return pl.when(below > 0).then(above / below)


def _last() -> pl.Expr:
    return pl.col("cpus") == pl.col("cpus").max()


def _half(cells: pl.DataFrame) -> float | None:
    """Where efficiency falls to one half, see `Uprobe.knee`."""
    points = cells.select("cpus", "efficiency").drop_nulls().rows()
    for (n, above), (m, below) in pairwise(points):
        if below <= HALF < above:
            steps = (above - HALF) / (above - below)
            return float(n * (m / n) ** steps)
    return None


def _named(values: Mapping[str, Any], told: Sequence[str]) -> dict[str, Any]:
    return {name: values.get(name) for name in dict.fromkeys((*NAMES, *told))}
