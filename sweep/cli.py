"""The command line. Heavy libraries are imported where they are used: --help must be quick."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from sweep import __version__
from sweep.catalogue import CATALOGUE
from sweep.commands.calibrate import calibrate
from sweep.commands.cancel import cancel
from sweep.commands.explain import explain
from sweep.commands.logs import logs
from sweep.commands.machine import machine
from sweep.commands.mutants import mutants
from sweep.commands.replay import replay
from sweep.commands.runs import runs
from sweep.commands.shared import (
    INTERRUPTED,
    fan_out_options,
    frame,
    load,
    print_columns,
    print_json,
)
from sweep.commands.show import show
from sweep.commands.status import status
from sweep.commands.submit import submit
from sweep.commands.whatif import whatif
from sweep.errors import SweepError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweep.executors.base import Executor
    from sweep.service.status import Loads

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_set = click.option(
    "--set", "settings", multiple=True, metavar="AXIS=V,V", help="Replace an axis of the spec."
)
_out = click.option("--out", type=click.Path(path_type=Path), help="The run's own folder.")
_spec = click.argument("spec")
_run = click.argument("run")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Predict how uprobes scale: any kernel design, machine and number of CPUs.

    \b
    uprobe-sweep run cover-letter       simulate what the letter measured
    uprobe-sweep tables cover-letter    its tables
    uprobe-sweep compare cover-letter   beside the published figures
    uprobe-sweep explain cover-letter   where the CPUs' time goes

    SPEC is the name of a shipped spec or a .yaml or .py file; RUN is the name of a run under
    results/runs or a run's folder.

    Exit codes: 0 done, 1 some cells failed, 2 usage, 4 infrastructure, 130 interrupted.
    """


@cli.command()
@_spec
@_set
@_out
@_json
def plan(spec: str, settings: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """List the cells of SPEC, and which of them are done. Writes nothing.

    \b
    uprobe-sweep plan cover-letter --set flavour=srcu --set cpus=1,64
    """
    loaded = load(spec, settings)
    from sweep.driver import survey
    from sweep.plan import ORDER, parameters, run_id

    work = survey(loaded, out)
    listed = [
        {**parameters(cell), "done": cell_id in work.finished}
        for cell_id, cell in work.cells.items()
    ]
    count = {"count": len(listed), "done": len(work.finished), "to_do": len(work.to_do)}
    if as_json:
        print_json({"run_id": run_id(loaded), "out": str(work.out), **count, "cells": listed})
        return
    shown = ["bench", "flavour", "cpus"]
    varying = [axis for axis in ORDER if len({entry[axis] for entry in listed}) > 1]
    shown += [axis for axis in varying if axis not in shown]
    marks = ["done" if entry["done"] else "to do" for entry in listed]
    cells = [[*(entry[a] for a in shown), m] for entry, m in zip(listed, marks, strict=True)]
    print_columns([[*shown, ""], *cells])
    print(f"{count['count']} cells: {count['done']} done in {work.out}, {count['to_do']} to do")


@cli.command()
@_spec
@_set
@_out
@click.option("--ray", is_flag=True, help="Simulate on Ray, on gangs of actors.")
@click.option("--address", metavar="A", help="Join the Ray cluster at A; needs --ray.")
@fan_out_options
@click.option(
    "--progress",
    type=click.Choice(["auto", "json"]),
    default="auto",
    help="json: for programs that read it, as `submit` does.",
)
@_json
def run(
    spec: str,
    settings: tuple[str, ...],
    out: Path | None,
    ray: bool,
    address: str | None,
    cpus_per_actor: int | None,
    gangs: int | None,
    priority: int,
    progress: str,
    as_json: bool,
) -> int:
    """Simulate the cells of SPEC that its run folder lacks.

    The folder is results/runs/NAME unless --out names one. What is finished stays whatever
    happens; the same command again does the rest.

    \b
    uprobe-sweep run cover-letter
    uprobe-sweep run my.yaml --set cpus=1,2 --out try
    uprobe-sweep run cover-letter --ray --cpus-per-actor auto
    """
    for option, value in (("--address", address), ("--gangs", gangs)):
        if value is not None and not ray:
            raise UsageError(f"{option} needs --ray")
    loaded = load(spec, settings)
    from sweep import driver
    from sweep.progress import shown_progress

    try:
        with ExitStack() as stack:
            executor: Executor | None = None
            loads: Callable[[], Loads] = dict
            if ray:
                from sweep.executors.ray_executor import RayExecutor

                ray_executor = RayExecutor(address, cpus_per_actor, gangs, priority, _say)
                executor = stack.enter_context(closing(ray_executor))
                loads = ray_executor.loads
            if progress == "json":
                from sweep.service.status import status_lines

                report = stack.enter_context(status_lines(loads))
            else:
                report = stack.enter_context(shown_progress())
            summary = driver.run(loaded, out, executor, report)
    except KeyboardInterrupt:
        work = driver.survey(loaded, out)
        _say(
            f"interrupted: {len(work.finished)} of {len(work.cells)} cells are done and kept in "
            f"{work.out}; the same command again does the rest"
        )
        return INTERRUPTED
    if as_json:
        print_json({**asdict(summary), "out": str(summary.out)})
    elif summary.done + summary.failed == 0:
        print(f"nothing to do: all {summary.skipped} cells are in {summary.out}")
    else:
        before = f", {summary.skipped} were there" if summary.skipped else ""
        print(f"{summary.done} cells done{before}: {summary.out}")
    if not summary.failed:
        return 0
    notes = summary.out / "failures.json"
    first = json.loads(notes.read_text())[0]["error"].splitlines()[-1]
    _say(f"{summary.failed} cells failed, the first with {first}; tracebacks are in {notes}")
    return 1


@cli.command()
@_run
def tables(run: str) -> None:
    """Print RUN as the cover letter's tables, one for each flavour.

    \b
    uprobe-sweep tables cover-letter
    """
    cells = frame(run)
    from sweep.tables import letter_lines

    print(letter_lines(cells))


@cli.command()
@_run
@click.option("--rivals", is_flag=True, help="Hold two simple laws of scaling against them too.")
@_json
def compare(run: str, rivals: bool, as_json: bool) -> None:
    """Hold RUN against the published figures.

    Every cell, the errors, and the letter's headline claims.

    \b
    uprobe-sweep compare cover-letter
    uprobe-sweep compare cover-letter --rivals
    """
    cells = frame(run)
    from sweep.compare import compare as compare_with_letter
    from sweep.compare_text import render
    from sweep.rivals import RIVALS

    comparison = compare_with_letter(cells, RIVALS if rivals else ())
    if as_json:
        print_json(comparison.to_dict())
    else:
        print(render(comparison, colour=sys.stdout.isatty()))


@cli.command()
@_run
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
def plot(run: str, output: Path) -> None:
    """Draw RUN's curves beside the published ones, as .svg or .png.

    \b
    uprobe-sweep plot cover-letter -o letter.svg
    """
    if output.suffix not in (".svg", ".png"):
        raise UsageError(f"-o {output}: allowed are .svg and .png")
    cells = frame(run)
    from sweep.plot import plot as draw

    try:
        draw(cells, output)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror or error}") from None
    print(output)


@cli.command("list")
@click.argument("what", type=click.Choice(list(CATALOGUE)), metavar="WHAT")
@_json
def list_(what: str, as_json: bool) -> None:
    """List what a spec can name: flavours, patches, rcu, machines, specs or benches.

    \b
    uprobe-sweep list flavours
    """
    entries = CATALOGUE[what]()
    if as_json:
        print_json(entries)
    else:
        print_columns([list(entry.values()) for entry in entries])


def _say(message: str) -> None:
    click.echo(message, err=True)


for command in (
    *(show, explain, whatif, machine, calibrate, mutants, replay),
    *(submit, status, logs, cancel, runs),
):
    cli.add_command(command)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    try:
        code = cli.main(args, prog_name="uprobe-sweep", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        _say(error.format_message())
        code = error.exit_code
    except click.ClickException as error:
        _say(f"error: {' '.join(error.format_message().split())}")
        code = UsageError.exit_code
    except SweepError as error:
        _say(f"error: {error}")
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    if code == INTERRUPTED:
        # A normal exit would wait for the cells in flight, which nobody wants any more.
        sys.stdout.flush()
        os._exit(INTERRUPTED)
    sys.exit(code)
