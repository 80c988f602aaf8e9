"""`uprobe-sweep explain`: where the CPUs' time goes, in a run or in one cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.commands.shared import (
    cells_of,
    collected,
    frame,
    json_option,
    note,
    only_option,
    print_json,
    run_path,
    shown_cells,
)
from sweep.errors import UsageError, counted, nearest

if TYPE_CHECKING:
    import polars as pl

    from sweep.report.explain import Curve

VIEWS = ("line", "operation", "distance")


@click.command()
@click.argument("run", required=False)
@click.option("--cell", metavar="CELL_ID", help="Only this cell of RUN.")
@click.option("--flavour", multiple=True, metavar="F", help="Only this one; may be repeated.")
@click.option("--bench", multiple=True, metavar="B", help="Only this one; may be repeated.")
@click.option("--cpus", multiple=True, type=int, metavar="N", help="Only these; may be repeated.")
@click.option("--machine", multiple=True, metavar="M", help="Only this one; may be repeated.")
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
@only_option
@json_option
def explain(
    run: str | None,
    cell: str | None,
    flavour: tuple[str, ...],
    bench: tuple[str, ...],
    cpus: tuple[int, ...],
    machine: tuple[str, ...],
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
    options = {"flavour": flavour, "bench": bench, "cpus": cpus, "machine": machine}
    wanted: dict[str, tuple[Any, ...]] = {name: v for name, v in options.items() if v}
    left_out = 0
    if run is None:
        if cell is not None:
            raise UsageError("--cell needs RUN, the run that has it")
        if only:
            raise UsageError("--only needs RUN, of which it chooses rows")
        curves = [_simulated(wanted)]
    else:
        curves, left_out = _of_run(run, cell, wanted, only)
    views = VIEWS if by == "all" else (by,)
    if as_json:
        points = [
            {**curve.setting, "points": [point.to_dict(views) for point in curve.points]}
            for curve in curves
        ]
        print_json({"curves": points, "without_attribution": left_out})
        return
    from sweep.report.explain_text import render

    print(render(curves, views, top), end="")
    if left_out:
        print(f"\n{left_out} cells left out: simulated before it was kept where time goes.")


def _simulated(wanted: dict[str, tuple[Any, ...]]) -> Curve:
    """The one cell that the options name, simulated."""
    for name in ("flavour", "bench", "cpus"):
        if name not in wanted:
            raise UsageError(f"--{name} is missing: give RUN, or --flavour, --bench and --cpus")
    for name, values in wanted.items():
        if len(values) > 1:
            raise UsageError(f"--{name}: one cell has one, got {', '.join(map(str, values))}")
    [cell] = cells_of(**{name: value for name, [value] in wanted.items()})
    from core.engine.simulate import simulate
    from sweep.driver.driver import Progress
    from sweep.report.explain import Curve, point
    from sweep.store.schema import row
    from sweep.store.settings import keys

    with shown_cells() as show:
        show(Progress(1))
        result = simulate(cell)
        show(Progress(1, 1))
    made = row(cell, result, "")
    setting = {name: made[name] for name in ("seed", *keys(made)) if name != "cpus"}
    return Curve(setting, (point(cell.cpus, [result]),))


def _of_run(
    run: str, cell: str | None, wanted: dict[str, tuple[Any, ...]], only: tuple[str, ...]
) -> tuple[list[Curve], int]:
    """The curves of the cells that the options leave, and how many of those have no shares."""
    from sweep.report.explain import explain as explained
    from sweep.store.attribution import scan_attribution
    from sweep.store.schema import SIMULATED

    path = run_path(run)
    cells = frame(run, only)
    hit = cells.filter(cells["cpus"] > 0)
    if hit.is_empty():
        raise UsageError(f"{path}: no CPU hits a probe in any of these cells")
    if idle := len(cells) - len(hit):
        note(f"note: {run}: {counted(idle, 'cell')} left out, in which no CPU hits a probe")
    cells = hit
    if cell is not None:
        cells = _only(cells, "cell_id", (cell,), "--cell")
    for name, values in wanted.items():
        cells = _only(cells, name, values, f"--{name}")
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


def _only(cells: pl.DataFrame, column: str, values: tuple[Any, ...], option: str) -> pl.DataFrame:
    """The cells that have one of the values. Raises UsageError for a value that none has."""
    import polars as pl

    present = cells[column].unique().sort().to_list()
    for value in values:
        if value in present:
            continue
        if isinstance(value, int):
            near = min(present, key=lambda other: abs(other - value))
            known = f"allowed are {', '.join(map(str, present))}, nearest {near}"
        else:
            known = nearest(value, present)
        if column == "cell_id":
            # All of them would fill the screen.
            known = "`uprobe-sweep query RUN 'select cell_id from run'` lists them"
        raise UsageError(f"{option} {value}: no such cell in the run: {known}")
    return cells.filter(pl.col(column).is_in(values))
