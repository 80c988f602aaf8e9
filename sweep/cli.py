"""The command line. Heavy libraries are imported where they are used: --help must be quick."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from sweep import __version__
from sweep.commands.calibrate import calibrate
from sweep.commands.cancel import cancel
from sweep.commands.catalogue import CATALOGUE
from sweep.commands.compact import compact
from sweep.commands.explain import explain
from sweep.commands.explain_id import explain_id
from sweep.commands.failures import failures
from sweep.commands.grace import grace
from sweep.commands.live import live
from sweep.commands.logs import logs
from sweep.commands.machine import machine
from sweep.commands.mutants import mutants
from sweep.commands.plan import plan
from sweep.commands.predict import predict
from sweep.commands.read_log import read_log
from sweep.commands.replay import replay
from sweep.commands.rerun import rerun
from sweep.commands.run import run
from sweep.commands.runs import runs
from sweep.commands.shared import INTERRUPTED, frame, note, print_columns, print_json
from sweep.commands.show import show
from sweep.commands.status import status
from sweep.commands.stress import stress
from sweep.commands.submit import submit
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

    Cells whose hits something disturbs come in a table of their own, with latencies.

    \b
    uprobe-sweep tables cover-letter
    uprobe-sweep tables detach-batch
    """
    cells = frame(run)
    from sweep.report.stress_text import render, with_writers
    from sweep.report.tables import letter_lines

    alone, with_others = cells.filter(~with_writers()), cells.filter(with_writers())
    if len(alone):
        print(letter_lines(alone))
    if len(with_others):
        print(render(with_others), end="")


@cli.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--rivals", is_flag=True, help="Hold two simple laws of scaling against them too.")
@_json
def compare(runs: tuple[str, ...], rivals: bool, as_json: bool) -> None:
    """Hold a RUN against the published figures, or several against each other.

    Of one run: every cell, the errors, and the letter's headline claims. Of several, simulated,
    live or read from logs, and `published` among them: every cell in one table, with errors against
    the first.

    \b
    uprobe-sweep compare cover-letter
    uprobe-sweep compare cover-letter --rivals
    uprobe-sweep compare live here
    """
    if len(runs) > 1:
        if rivals:
            raise UsageError("--rivals is for one run beside the published figures")
        _compare_mixed(runs, as_json)
        return
    cells = frame(runs[0])
    from sweep.letter.baselines import RIVALS
    from sweep.letter.comparison import compare as compare_with_letter
    from sweep.letter.comparison_text import render

    comparison = compare_with_letter(cells, RIVALS if rivals else ())
    if as_json:
        print_json(comparison.to_dict())
    else:
        print(render(comparison, colour=sys.stdout.isatty()))


def _compare_mixed(runs: Sequence[str], as_json: bool) -> None:
    from sweep.report.mix import PUBLISHED, mix
    from sweep.report.mix_text import render

    if len(set(runs)) < len(runs):
        raise UsageError(f"{' '.join(runs)}: a run is named twice")
    mixed = mix({run: None if run == PUBLISHED else frame(run) for run in runs})
    if as_json:
        print_json(mixed.to_dict())
    else:
        print(render(mixed, colour=sys.stdout.isatty()), end="")


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
    from sweep.report.plot import plot as draw

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


COMMANDS = (
    *(plan, run, failures, rerun, explain_id, compact),
    *(show, explain, whatif, machine, calibrate),
    *(mutants, replay, grace, stress),
    *(live, predict, read_log),
    *(submit, status, logs, cancel, runs),
)
for command in COMMANDS:
    cli.add_command(command)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    try:
        code = cli.main(args, prog_name="uprobe-sweep", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        note(error.format_message())
        code = error.exit_code
    except click.ClickException as error:
        note(f"error: {' '.join(error.format_message().split())}")
        code = UsageError.exit_code
    except SweepError as error:
        note(f"error: {error}")
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    if code == INTERRUPTED:
        # A normal exit would wait for the cells in flight, which nobody wants any more.
        sys.stdout.flush()
        os._exit(INTERRUPTED)
    sys.exit(code)
