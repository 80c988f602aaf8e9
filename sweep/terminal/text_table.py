"""Tables for a terminal, and the text that they make."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

WIDTH = 100
ABSENT = "-"


def to_text(parts: Sequence[RenderableType], colour: bool = False) -> str:
    """The parts below each other, at most WIDTH columns, without blanks at line ends."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=WIDTH,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(*parts, sep="\n")
    return "\n".join(line.rstrip() for line in file.getvalue().strip("\n").split("\n")) + "\n"


def table(*left: str) -> Table:
    """A table whose first columns are text."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for header in left:
        made.add_column(header)
    return made


def numbers(made: Table, *headers: str) -> Table:
    """Add columns of numbers, right-justified."""
    for header in headers:
        made.add_column(header, justify="right")
    return made


def percent(share: float | None, sign: str = "") -> str:
    """A fraction as "4.3%", or ABSENT; `sign` "+" shows it always."""
    # What rounds to nothing has no sign: round leaves -0.0.
    return ABSENT if share is None else f"{round(share, 3) + 0.0:{sign}.1%}"
