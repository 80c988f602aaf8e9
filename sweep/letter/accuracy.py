"""How accurate the model is, from a fresh simulation: `make accuracy`."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from sweep.driver.driver import run
from sweep.errors import SweepError
from sweep.executors.in_process import InProcessExecutor
from sweep.letter.accuracy_text import render
from sweep.letter.comparison import Comparison, compare
from sweep.letter.curves import simulate_curves
from sweep.letter.targets import CURVES, TARGETS, Measured, Verdict, judge
from sweep.spec.files import load_spec
from sweep.spec.spec import Spec
from sweep.store.scan import scan

LETTER = "cover-letter"
THREADS = 2


def measure() -> Measured:
    """Simulate the primitives and the shipped spec of the letter; seconds.

    Raises SweepError where a cell fails or there is no room for the run.
    """
    return Measured(simulated_letter(load_spec(LETTER)), simulate_curves(CURVES, THREADS))


def simulated_letter(spec: Spec) -> Comparison:
    """`spec` run into a folder of its own, which is gone afterwards, beside the letter."""
    with TemporaryDirectory() as folder, closing(InProcessExecutor(THREADS)) as executor:
        summary = run(spec, Path(folder) / "run", executor)
        if summary.failed:
            raise SweepError(
                f"{summary.failed} cells failed: uprobe-sweep run {spec.name} says why"
            )
        return compare(scan(summary.out).collect())


def to_dict(verdicts: list[Verdict], measured: Measured) -> dict[str, Any]:
    """JSON-ready: `targets`, `curves` point by point, and `letter`, what `compare --json` gives."""
    return {
        "targets": [asdict(verdict) for verdict in verdicts],
        "curves": [{**asdict(c), "mean_error": c.mean_error} for c in measured.curves],
        "letter": measured.comparison.to_dict(),
    }


@click.command()
@click.option("--curves", is_flag=True, help="Show the primitives' curves point by point.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(curves: bool, as_json: bool) -> None:
    """Print each accuracy target, the model's figure, and whether it is met.

    Everything is simulated afresh, with the shipped machines and spec. Exits with 0 even where
    targets are missed: this is a report.

    \b
    python -m sweep.letter.accuracy --curves
    """
    try:
        measured = measure()
    except SweepError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    verdicts = [judge(target, measured) for target in TARGETS]
    if as_json:
        print(json.dumps(to_dict(verdicts, measured), indent=1))
    else:
        text = render(verdicts, measured.curves, points=curves, colour=sys.stdout.isatty())
        print(text, end="")


if __name__ == "__main__":
    main()
