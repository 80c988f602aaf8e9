"""`uprobe-sweep accuracy`: how far the model is from what was published."""

from __future__ import annotations

import sys

import click

from sweep.commands.shared import json_option, print_json


@click.command()
@click.option("--curves", is_flag=True, help="Show the primitives' curves point by point.")
@json_option
def accuracy(curves: bool, as_json: bool) -> None:
    """Print each accuracy target, the model's figure, and whether it is met.

    The letter and the primitives' curves are simulated afresh, with the shipped machines and spec.
    The exit code is 0 even where targets are missed: this is a report.

    \b
    uprobe-sweep accuracy --curves
    """
    from sweep.letter.accuracy import measure, to_dict
    from sweep.letter.accuracy_text import render
    from sweep.letter.targets import TARGETS, judge

    measured = measure()
    verdicts = [judge(target, measured) for target in TARGETS]
    if as_json:
        print_json(to_dict(verdicts, measured))
    else:
        text = render(verdicts, measured.curves, points=curves, colour=sys.stdout.isatty())
        print(text, end="")
