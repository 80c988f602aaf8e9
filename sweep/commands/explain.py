"""`uprobe-sweep explain`: where the CPUs' time goes, in a run or in one cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sweep.commands import completing
from sweep.commands.asked import kernel_option, one_cell
from sweep.commands.axis_options import AxesCommand
from sweep.commands.shared import (
    collected,
    frame,
    json_option,
    note,
    only_option,
    print_json,
    rows_asked,
    run_path,
    shown_cells,
)
from sweep.errors import UsageError, counted

if TYPE_CHECKING:
    from sweep.report.explain import Curve

VIEWS = ("line", "operation", "distance")

STARTS = 12
"""Of the one cell that is simulated for a given time, to see whether it has two states."""


@click.command(cls=AxesCommand)
@click.argument("run", required=False, shell_complete=completing.runs)
@click.option("--cell", metavar="CELL_ID", help="Only this cell of RUN.")
@click.option(
    "--by",
    type=click.Choice([*VIEWS, "all"]),
    default="line",
    show_default=True,
    help="Put time together by cache line, by kernel function and operation, or by distance.",
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    metavar="K",
    help="Show the K largest, and the rest as one.",
)
@kernel_option
@only_option
@json_option
def explain(
    run: str | None,
    cell: str | None,
    axes: dict[str, str],
    kernel: str | None,
    only: tuple[str, ...],
    by: str,
    top: int | None,
    as_json: bool,
) -> None:
    """Say where the CPUs' time goes, in RUN or in one cell.

    A hit's time is private work, and operations on lines; a CPU that waits for a line is charged to
    the operation that waits. The total is CPUs / rate: what a hit takes of one CPU. Without RUN,
    one cell is simulated: give --flavour, --bench and --cpus.

    \b
    uprobe-sweep explain cover-letter --flavour tasks-trace
    uprobe-sweep explain cover-letter --cpus 32 --by operation --top 5
    uprobe-sweep explain --flavour v6.14 --bench uretprobe-nop --cpus 64 --machine epyc-milan
    """
    left_out, assumed = 0, list[str]()
    if run is None:
        if cell is not None:
            raise UsageError("--cell needs RUN, the run that has it")
        if only:
            raise UsageError("--only needs RUN, of which it chooses rows")
        curve, assumed = _simulated(axes, kernel)
        curves = [curve]
    else:
        if kernel is not None:
            raise UsageError("--kernel is for one cell; rows of RUN are chosen by --flavour")
        curves, left_out = _of_run(run, cell, rows_asked(only, axes))
    views = VIEWS if by == "all" else (by,)
    if as_json:
        points = [
            {**curve.setting, "points": [point.to_dict(views) for point in curve.points]}
            for curve in curves
        ]
        print_json({"curves": points, "without_attribution": left_out, "assumed": assumed})
        return
    from sweep.report.explain_text import render

    print(render(curves, views, top), end="")
    for assumption in assumed:
        print(f"assumed: {assumption}")
    if left_out:
        print(f"\n{left_out} cells left out: simulated before it was kept where time goes.")


def _simulated(axes: dict[str, str], kernel: str | None) -> tuple[Curve, list[str]]:
    """The one cell that the options name, simulated, and what was assumed."""
    cell, assumed = one_cell(axes, kernel, "give RUN, or --flavour, --bench and --cpus")
    from core.engine.simulate import simulate
    from core.predict import starts
    from core.replications import replicated
    from core.two_states import two_states
    from sweep.driver.driver import Progress
    from sweep.report.explain import Curve, point
    from sweep.store.schema import row
    from sweep.store.settings import keys

    with shown_cells() as show:
        show(Progress(1))
        if cell.precision is None:
            result = simulate(cell)
            apart = starts(cell, STARTS) if cell.cpus > 1 else []
            states = two_states([start.hits_per_s for start in apart])
        else:
            result = replicated(cell)
            states = result.states
        show(Progress(1, 1))
    made = row(cell, result, "")
    setting = {name: made[name] for name in ("seed", *keys(made)) if name != "cpus"}
    return Curve(setting, (point(cell.cpus, [result], states),)), assumed


def _of_run(run: str, cell: str | None, asked: Sequence[str]) -> tuple[list[Curve], int]:
    """The curves of the cells that the options leave, and how many of those have no shares."""
    from sweep.report.explain import explain as explained
    from sweep.store.attribution import scan_attribution
    from sweep.store.schema import SIMULATED

    path = run_path(run)
    cells = frame(run, asked)
    hit = cells.filter(cells["cpus"] > 0)
    if hit.is_empty():
        raise UsageError(f"{path}: no CPU hits a probe in any of these cells")
    if idle := len(cells) - len(hit):
        note(f"note: {run}: {counted(idle, 'cell')} left out, in which no CPU hits a probe")
    cells = hit
    if cell is not None:
        cells = cells.filter(cell_id=cell)
        if cells.is_empty():
            listing = f"`uprobe-sweep query {run} 'select cell_id from results'` lists them"
            raise UsageError(f"--cell {cell}: no such cell in the run: {listing}")
    shares = collected(path, scan_attribution(path))
    curves = explained(cells, shares)
    left_out = len(cells) - sum(point.replicates for curve in curves for point in curve.points)
    if not curves and not (cells["source"] == SIMULATED).any():
        raise UsageError(f"{path} was measured: only of simulated time is it known where it goes")
    if not curves:
        raise UsageError(
            f"{path} was made before it was kept where time goes: "
            "explain one cell by --flavour, --bench and --cpus, or run it again into another folder"
        )
    return curves, left_out
