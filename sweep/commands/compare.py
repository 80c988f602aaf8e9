"""`uprobe-sweep compare`: runs beside the published figures, or beside each other."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from sweep.commands.shared import frame, json_option, print_json
from sweep.errors import UsageError


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--rivals", is_flag=True, help="Hold two simple laws of scaling against them too.")
@json_option
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
