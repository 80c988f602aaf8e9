"""The command line. Heavy libraries are imported where they are used: --help must be quick."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from sweep import __version__
from sweep.catalogue import CATALOGUE
from sweep.commands.calibrate import calibrate
from sweep.commands.compact import compact
from sweep.commands.explain import explain
from sweep.commands.explain_id import explain_id
from sweep.commands.failures import failures
from sweep.commands.machine import machine
from sweep.commands.mutants import mutants
from sweep.commands.plan import plan
from sweep.commands.replay import replay
from sweep.commands.rerun import rerun
from sweep.commands.run import run
from sweep.commands.shared import INTERRUPTED, frame, print_columns, print_json, say
from sweep.commands.show import show
from sweep.commands.whatif import whatif
from sweep.errors import SweepError, UsageError

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
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
    results/runs, a run's folder, or its s3:// or gs:// URI.

    Exit codes: 0 done, 1 some cells failed, 2 usage, 3 done but less precise than asked,
    4 infrastructure, 130 interrupted.
    """


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


for command in (
    plan,
    run,
    failures,
    rerun,
    explain_id,
    compact,
    show,
    explain,
    whatif,
    machine,
    calibrate,
    mutants,
    replay,
):
    cli.add_command(command)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    try:
        code = cli.main(args, prog_name="uprobe-sweep", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message())
        code = error.exit_code
    except click.ClickException as error:
        say(f"error: {' '.join(error.format_message().split())}")
        code = UsageError.exit_code
    except SweepError as error:
        say(f"error: {error}")
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    if code == INTERRUPTED:
        # A normal exit would wait for the cells in flight, which nobody wants any more.
        sys.stdout.flush()
        os._exit(INTERRUPTED)
    sys.exit(code)
