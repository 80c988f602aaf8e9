"""How far something is, on stderr: a bar on a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

SECONDS_BETWEEN_LINES = 5.0
WINDOW_SECONDS = 60.0
"""The rate is that of the last minute: what was slow before is soon forgotten."""
SETTLED_SECONDS = 2.0
SETTLED_STEPS = 3
"""From so many steps in so many seconds on, a rate says something about what is left."""


@dataclass(frozen=True)
class Look:
    """`done` of `total` steps, called `unit`, of a `stage`; `note` is what else there is to say.

    `share`, 0 to 1, is what those done are of all by what they cost; None if all cost the same.
    """

    done: int
    total: int
    unit: str
    note: str = ""
    stage: str = ""
    share: float | None = None


class Pace:
    """The rate of steps in the last minute, and the time left; `clock` gives seconds.

    Time counts from the first look that has a step done: before, code is compiled and nodes come.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._looks: deque[tuple[float, int, float | None]] = deque()
        self.left: float | None = None
        """Seconds until all is done if what is left, by cost, goes on as in the last minute."""

    def look(self, look: Look) -> float | None:
        """As `update`, and `left` is known if that can be said."""
        rate = self.update(look.done, look.total, look.share)
        self.left = None
        if rate is not None and look.done < look.total:
            began, _, share_before = self._looks[0]
            now, done, share = self._looks[-1]
            if share is None or share_before is None:
                self.left = (look.total - done) / rate
            elif share > share_before:
                self.left = (1 - share) * (now - began) / (share - share_before)
        return rate

    def update(
        self, done: int, total: int | None = None, share: float | None = None
    ) -> float | None:
        """Steps a second with `done` now; None until that can be said. At the end, of all steps."""
        now = self._clock()
        if done == total and now > self._began:
            return done / (now - self._began)
        if not self._looks and not done:
            return None
        self._looks.append((now, done, share))
        # One from before the last minute is kept, as what the minute began with; more of them
        # where steps are so long that a minute has too few.
        while (
            len(self._looks) > 2
            and self._looks[1][0] <= now - WINDOW_SECONDS
            and done - self._looks[1][1] >= SETTLED_STEPS
        ):
            self._looks.popleft()
        began, before, _ = self._looks[0]
        if now - began < SETTLED_SECONDS or done - before < SETTLED_STEPS:
            return None
        return (done - before) / (now - began)


def text(look: Look, rate: float | None, left: float | None = None) -> str:
    """A look on one line, with steps a second and seconds left; what is not known is a "?"."""
    pace = "?" if rate is None else f"{rate:,.1f}"
    parts = [f"{look.done:,}/{look.total:,} {look.unit}", look.note, f"{pace} {look.unit}/s"]
    if left is not None:
        parts.append(f"{seconds_text(left)} left")
    stage = f"{look.stage}: " if look.stage else ""
    return stage + ", ".join(part for part in parts if part)


def seconds_text(seconds: float) -> str:
    """A time as people say it, two figures: "0.35 s", "42 s", "7.5 min", "3.0 h"."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


@contextmanager
def shown_progress() -> Iterator[Callable[[Look], None]]:
    """Give the callback that shows looks to a person."""
    if not sys.stderr.isatty():
        yield PlainLines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(bar_width=20), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=False) as bars:
        tasks: dict[str, Any] = {}
        paces: dict[str, Pace] = {}

        def show(look: Look) -> None:
            if look.stage not in tasks:
                tasks[look.stage], paces[look.stage] = bars.add_task(""), Pace()
            pace = paces[look.stage]
            line = text(look, pace.look(look), pace.left)
            bars.update(tasks[look.stage], total=look.total, completed=look.done, description=line)

        yield show


class PlainLines:
    """Prints a line for the first step of a stage and its last, and one now and then between."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stage: str | None = None
        self._next = 0.0
        self._over = False
        self._pace = Pace(clock)

    def __call__(self, look: Look) -> None:
        """Print the line, if it is time for one."""
        now = self._clock()
        if look.stage != self._stage:
            self._stage, self._next, self._over = look.stage, now, False
            self._pace = Pace(self._clock)
        rate = self._pace.look(look)
        last = look.done >= look.total
        if look.done == 0 or (now < self._next and not last) or (last and self._over):
            return
        self._over = last
        self._next = now + SECONDS_BETWEEN_LINES
        # In one write, so that an interrupt leaves no half of a line.
        click.echo(text(look, rate, self._pace.left), err=True)
