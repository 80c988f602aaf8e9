"""How far a calibration is, on stderr: a bar a stage on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from sweep.driver.progress import SECONDS_BETWEEN_LINES

if TYPE_CHECKING:
    from core.calibrate.fit import Step


@contextmanager
def shown_steps() -> Iterator[Callable[[Step], None]]:
    """Give `calibrate` its callback that shows progress to a person."""
    if not sys.stderr.isatty():
        yield PlainSteps()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[loss]} at most"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def report(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bars.add_task(step.stage, loss="")
            task = tasks[step.stage]
            bars.update(task, total=step.total, completed=step.done, loss=_loss(step))

        yield report


class PlainSteps:
    """Prints a line for the last step of each stage, and one every few seconds before."""

    def __init__(self) -> None:
        self._stage = ""
        self._began = self._next = time.monotonic()

    def __call__(self, step: Step) -> None:
        """Print the line, if it is time for one."""
        now = time.monotonic()
        if step.stage != self._stage:
            self._stage, self._began, self._next = step.stage, now, now
        if step.done == 0 or (now < self._next and step.done < step.total):
            return
        self._next = now + SECONDS_BETWEEN_LINES
        left = (now - self._began) / step.done * (step.total - step.done)
        # In one write, so that an interrupt leaves no half of a line.
        click.echo(
            f"{step.stage}: {step.done}/{step.total}, {_loss(step)} at most {left:.0f} s left",
            err=True,
        )


def _loss(step: Step) -> str:
    return "" if step.loss is None else f"loss {step.loss:.4f},"
