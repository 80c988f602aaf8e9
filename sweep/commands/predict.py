"""`uprobe-sweep predict`: what a machine would do, beyond its own size too."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from sweep.commands.shared import cells_of, json_option, print_json
from sweep.errors import UsageError, nearest

if TYPE_CHECKING:
    from core.cell import Cell, CellResult

USUAL = "uprobe-nop,uretprobe-nop"


@click.command()
@click.option("--cpus", required=True, metavar="N,N", help="Numbers of CPUs; any up to 1,024.")
@click.option(
    "--kernel",
    metavar="V",
    help="A release, like v6.12 or what uname -r prints; else the running one.",
)
@click.option("--flavour", metavar="F", help="A design in place of a kernel's.")
@click.option("--bench", default=USUAL, show_default=True, metavar="B,B")
@click.option(
    "--machine",
    default="host",
    show_default=True,
    metavar="M",
    help="A shipped machine, a .yaml file, or host: this one, see `calibrate --host`.",
)
@click.option(
    "--ensemble",
    type=click.IntRange(0, 64),
    default=12,
    show_default=True,
    metavar="K",
    help="Members of the machine's ensemble that the interval is over, if it has one.",
)
@json_option
def predict(
    cpus: str,
    kernel: str | None,
    flavour: str | None,
    bench: str,
    machine: str,
    ensemble: int,
    as_json: bool,
) -> None:
    """Predict hits per second on a machine, also with more CPUs than it has.

    Beyond its size, more cores of the same kind are assumed at the same costs; what was assumed is
    printed. Nothing is stored.

    \b
    uprobe-sweep predict --cpus 64 --kernel v6.12
    uprobe-sweep predict --cpus 1,2,128 --flavour srcu --machine epyc-milan
    """
    if kernel is not None and flavour is not None:
        raise UsageError("--kernel and --flavour exclude each other")
    counts = _numbers(cpus)
    from core.kernel.bench import NAMED
    from sweep.executors.in_process import InProcessExecutor
    from sweep.live.kernel import described, modelled, running, said
    from sweep.machines.host import HOST
    from sweep.machines.larger import for_counts
    from sweep.machines.named import calibrated_host, named_machine

    benches = bench.split(",")
    for name in benches:
        if name not in NAMED:
            raise UsageError(f"--bench {name}: {nearest(name, NAMED)}")
    release = None if flavour is not None else modelled(running() if kernel is None else kernel)
    design = flavour if release is None else release.release.name
    own = named_machine(machine)
    enlarged = for_counts(own, counts)
    assumed = [*(release.assumed if release else ()), *filter(None, [enlarged.assumed])]
    if machine == HOST and calibrated_host() is None:
        assumed.append(
            "this host is not calibrated: its costs are borrowed, see `calibrate --host`"
        )
    if own.calibration is None:
        ensemble = 0
    [cell] = cells_of(bench=benches[0], flavour=design, cpus=1)
    cells = [
        replace(cell, bench=name, cpus=count, machine=enlarged.machine, ensemble=ensemble)
        for name in benches
        for count in counts
    ]
    with closing(InProcessExecutor()) as executor:
        outcomes = {outcome.cell.cell_id: outcome for outcome in executor.run(cells)}
    results: list[tuple[Cell, CellResult]] = []
    for asked in cells:
        outcome = outcomes[asked.cell_id]
        if outcome.result is None:
            raise RuntimeError(outcome.error)
        results.append((asked, outcome.result))
    if as_json:
        rows = [_row(*pair) for pair in results]
        about = {"machine": enlarged.machine.title, "kernel": release and described(release)}
        print_json({**about, "assumed": assumed, "rows": rows})
        return
    if release is not None:
        print(said(release))
    print(f"{design} on {machine}: {own.title}")
    for asked, result in results:
        print(_line(asked, result))
    for assumption in assumed:
        print(f"assumed: {assumption}")


def _row(cell: Cell, result: CellResult) -> dict[str, Any]:
    return {
        "bench": cell.bench,
        "flavour": cell.flavour,
        "cpus": cell.cpus,
        "hits_per_s": result.hits_per_s,
        "predicted_low": result.predicted_low,
        "predicted_high": result.predicted_high,
    }


def _line(cell: Cell, result: CellResult) -> str:
    total = result.hits_per_s / 1e6
    span = ""
    if result.predicted_low is not None and result.predicted_high is not None:
        span = f"  90 % [{result.predicted_low / 1e6:.3f}, {result.predicted_high / 1e6:.3f}]"
    each = f"({total / cell.cpus:7.3f}M/s/cpu)"
    return f"{cell.bench:<15} ({cell.cpus:2d} cpus): {total:8.3f}M/s  {each}{span}"


def _numbers(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--cpus {text}: write whole numbers from 1, as in 1,64")
    return [int(part) for part in parts]
