"""How far a run on a cluster is: the line of its log that says so, and that line for people."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from sweep.driver.driver import Progress
from sweep.terminal.progress import Look, Pace

if TYPE_CHECKING:
    from sweep.service.runs import Job

MARK = "status "
"""What a line of a log begins with that has a status; the rest of it is JSON."""

SECONDS_BETWEEN = 2.0

Loads = Mapping[str, Mapping[str, int]]
"""By node: its actor `groups`, its cells `in_flight` and `done`."""


@dataclass(frozen=True)
class Status:
    """Cells `done` and `failed` of the `total` that the run set out to simulate, and the nodes.

    `rate` is in cells a second, 0 as long as it cannot be told; `expected_s` the seconds left by
    what cells cost.
    """

    total: int
    done: int = 0
    failed: int = 0
    rate: float = 0.0
    nodes: Loads = field(default_factory=dict)
    expected_s: float | None = None

    @property
    def in_flight(self) -> int:
        """Cells that are being simulated."""
        return sum(load["in_flight"] for load in self.nodes.values())

    @property
    def left(self) -> int:
        """Cells that have not ended."""
        return self.total - self.done - self.failed

    @property
    def seconds_left(self) -> float | None:
        """As expected, or at the present rate; None if that gives no finite time."""
        if self.expected_s is not None:
            return self.expected_s
        seconds = self.left / self.rate if self.rate else math.inf
        return seconds if math.isfinite(seconds) else None

    def line(self) -> str:
        """As a line of a log."""
        return MARK + json.dumps(asdict(self))

    @property
    def counts(self) -> str:
        """What has ended, for people."""
        return f"{self.done + self.failed}/{self.total} cells, {self.failed} failed"

    @property
    def entry(self) -> dict[str, Any]:
        """For programs."""
        values = asdict(self) | {"in_flight": self.in_flight, "seconds_left": self.seconds_left}
        del values["expected_s"]  # It is in seconds_left.
        return values

    def at_end(self) -> Status:
        """The same of a run that has ended, however it did: it has no groups any more."""
        nodes = {node: {**load, "groups": 0, "in_flight": 0} for node, load in self.nodes.items()}
        return replace(self, rate=0.0, nodes=nodes, expected_s=None)

    def text(self) -> str:
        """For people, on one line."""
        left = self.seconds_left
        groups = sum(load["groups"] for load in self.nodes.values())
        return (
            f"{self.counts}, {self.in_flight} in flight on {groups} actor groups, "
            f"{self.rate:.1f} cells/s, "
            f"{'?' if left is None else math.ceil(left)} s left"
        )


def parse(line: str) -> Status | None:
    """The status in a line of a log; None if it has none."""
    if not line.startswith(MARK):
        return None
    try:
        return Status(**json.loads(line.removeprefix(MARK)))
    except (ValueError, TypeError):
        return None


def latest(lines: Iterable[str]) -> Status | None:
    """The last status in the lines of a log."""
    return next((s for line in reversed(list(lines)) if (s := parse(line))), None)


def last_words(lines: Iterable[str]) -> str | None:
    """The last line of a log that is no status; None if it has none."""
    written = (line for line in reversed(list(lines)) if line.strip() and not line.startswith(MARK))
    return next(written, None)


def readable(line: str) -> str:
    """A line of a log as people want it."""
    status = parse(line)
    return status.text() if status else line


def as_json(line: str) -> str:
    """The same as programs want it: an object with a `status`, or with the `text` of the line."""
    status = parse(line)
    return json.dumps({"status": status.entry} if status else {"text": line})


def entry(job: Job, now: Status | None) -> dict[str, Any]:
    """How far a job is, for programs; without a status only what it is."""
    known = {"run": job.run, "state": job.state, "exit_code": job.exit_code}
    return known | (now.entry if now else {})


class Meter:
    """Turns progress and loads into statuses; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace(clock)

    def status(self, progress: Progress, loads: Loads) -> Status:
        """How far a run is now."""
        ended = progress.done + progress.failed
        rate = self._pace.look(Look(ended, progress.total, "cells", share=progress.share)) or 0.0
        left = self._pace.left and round(self._pace.left, 1)
        counts = (progress.total, progress.done, progress.failed)
        return Status(*counts, round(rate, 3), dict(loads), left)


@contextmanager
def status_lines(loads: Callable[[], Loads]) -> Iterator[Callable[[Progress], None]]:
    """Give the callback for `sweep.driver.driver.run` that writes statuses to stderr.

    One every SECONDS_BETWEEN, also between two cells, if anything has changed; and one at the end.
    """
    meter = Meter()
    current: list[Progress] = []
    written = ""
    over = threading.Event()

    def write() -> None:
        nonlocal written
        if not current:
            return
        line = meter.status(current[-1], loads()).line()
        if line != written:
            click.echo(line, err=True)
        written = line

    def repeat() -> None:
        while not over.wait(SECONDS_BETWEEN):
            write()

    def report(progress: Progress) -> None:
        current[:] = [progress]

    thread = threading.Thread(target=repeat, name="status", daemon=True)
    thread.start()
    try:
        yield report
    finally:
        over.set()
        thread.join()
        write()
