"""How far a run is, on stderr: a bar on a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from sweep.driver.driver import Progress

SECONDS_BETWEEN_LINES = 5.0

Report = Callable[[Progress], None]


@contextmanager
def shown_progress() -> Iterator[Report]:
    """Give the callback for `sweep.driver.driver.run` that shows progress to a person."""
    if not sys.stderr.isatty():
        yield PlainLines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cells, {task.fields[failed]} failed, {task.fields[rate]},"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, failed=0, rate="? cells/s")
        began = time.monotonic()

        def report(progress: Progress) -> None:
            ended = progress.done + progress.failed
            rate = _rate(ended, time.monotonic() - began)
            bar.update(
                task, total=progress.total, completed=ended, failed=progress.failed, rate=rate
            )

        yield report


class PlainLines:
    """Prints a line for the first cell and the last, and one every few seconds between."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        """Print the line, if it is time for one."""
        ended = progress.done + progress.failed
        now = time.monotonic()
        if ended == 0 or (now < self._next and ended < progress.total):
            return
        self._next = now + SECONDS_BETWEEN_LINES
        seconds = now - self._began
        left = seconds / ended * (progress.total - ended)
        # In one write, so that an interrupt leaves no half of a line.
        click.echo(
            f"{ended}/{progress.total} cells, {progress.failed} failed, "
            f"{_rate(ended, seconds)}, {left:.0f} s left",
            err=True,
        )


def _rate(cells: int, seconds: float) -> str:
    return f"{cells / seconds:.1f} cells/s" if cells and seconds > 0 else "? cells/s"
