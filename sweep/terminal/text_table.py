"""Tables and paragraphs as text, as wide as the terminal; a figure is never cut or broken."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Column, Table

WIDTH = 100
"""Columns of text where there is no terminal and COLUMNS says nothing."""

NARROWEST = 40
ABSENT = "-"
WIDEST = 100_000
MANY = 1000
"""Rows of a listing of which the widths are not made to fit, as that takes too long."""


class TextTable(Table):
    """A table that is split where it is too wide: its `left` columns are then in every part.

    `groups` are numbers of columns that stay together.
    """

    def __init__(self, left: Sequence[str]) -> None:
        super().__init__(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        self.padding = (0, 1, 0, 0)
        self.left = len(left)
        self.groups: list[int] = []
        for header in left:
            self.add_column(header)

    def needed(self, columns: Iterable[int]) -> int:
        """The least width of these columns side by side."""
        widths = [_needed(self.columns[at]) for at in columns]
        return sum(widths) + (len(widths) - 1) * (1 + self.padding[1])

    def parts(self, width: int) -> Iterator[Table]:
        """The table if it is not wider than `width`, else tables beneath each other.

        Columns right of the left ones in which nothing is said are dropped.
        """
        self._drop_empty()
        if self.needed(range(len(self.columns))) <= width:
            yield self
            return
        left, taken = list(range(self.left)), list[int]()
        for group in self._groups(width):
            if taken and self.needed([*left, *taken, *group]) > width:
                yield self._of([*left, *taken], first=taken[0] == self.left)
                taken = []
            taken += group
        yield self._of([*left, *taken], first=not taken or taken[0] == self.left)

    def _drop_empty(self) -> None:
        """Not of a table without rows, and never all columns."""
        said = [
            at < self.left or any(str(cell) not in ("", ABSENT) for cell in column.cells)
            for at, column in enumerate(self.columns)
        ]
        if not self.rows or all(said) or not any(said[self.left :]):
            return
        at, sizes = self.left, []
        for size in self.groups:
            sizes.append(sum(said[at : at + size]))
            at += size
        self.groups = [size for size in sizes if size]
        self.columns = [c for c, keep in zip(self.columns, said, strict=True) if keep]
        for index, column in enumerate(self.columns):
            column._index = index

    def _groups(self, width: int) -> Iterator[list[int]]:
        at = self.left
        for size in [*self.groups, *[1] * (len(self.columns) - self.left - sum(self.groups))]:
            group = list(range(at, at + size))
            fits = self.needed([*range(self.left), *group]) <= width
            yield from [group] if fits else [[one] for one in group]
            at += size

    def _of(self, columns: Sequence[int], first: bool) -> Table:
        """Some columns; but for the first part without lines in which these say nothing."""
        part = Table(box=self.box, show_edge=False, pad_edge=False, padding=self.padding)
        for at in columns:
            column = self.columns[at]
            part.add_column(column.header, justify=column.justify, no_wrap=column.no_wrap)
        cells = [list(self.columns[at].cells) for at in columns]
        for row, texts in zip(self.rows, zip(*cells, strict=True), strict=True):
            if first or any(str(text) not in ("", ABSENT) for text in texts[self.left :]):
                part.add_row(*texts, end_section=row.end_section)
        return part


def table(*left: str) -> TextTable:
    """A table whose first columns are text."""
    return TextTable(left)


def numbers(made: TextTable, *headers: str) -> TextTable:
    """Add columns of numbers, right-justified, that stay together if the table is split."""
    for header in headers:
        made.add_column(header, justify="right", no_wrap=True)
    made.groups.append(len(headers))
    return made


def kept(made: TextTable) -> TextTable:
    """Have the columns so far in every part if the table is split."""
    made.left, made.groups = len(made.columns), []
    return made


def to_text(parts: Sequence[RenderableType], colour: bool = False, width: int | None = None) -> str:
    """The parts below each other, in `width` columns, without blanks at line ends.

    The width is by default that of the terminal. Only a word may be wider.
    """
    width = terminal_width() or WIDTH if width is None else width
    colour = colour and not os.environ.get("NO_COLOR")
    file = io.StringIO()
    console = Console(
        file=file,
        width=WIDEST,
        force_terminal=colour,
        color_system="auto" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for part in parts:
        for at, piece in enumerate(part.parts(width) if isinstance(part, TextTable) else [part]):
            if at:
                console.print()
            console.print(piece, width=max(width, _least(piece)), crop=False)
    return "\n".join(line.rstrip() for line in file.getvalue().strip("\n").split("\n")) + "\n"


def columns_text(rows: Sequence[Sequence[object]], width: int | None = None) -> str:
    """Rows of equally many values each, in aligned columns without a heading.

    As wide as they are if `width` is None and there is no terminal.
    """
    texts = [[str(value) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    room = terminal_width() if width is None else width
    if room is None or len(rows) > MANY or sum(widths) + 2 * (len(widths) - 1) <= room:
        lines = (
            "  ".join(t + " " * (w - cell_len(t)) for t, w in zip(row, widths, strict=True))
            for row in texts
        )
        return "".join(f"{line.rstrip()}\n" for line in lines)
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in widths:
        grid.add_column()
    for row in texts:
        grid.add_row(*row)
    return to_text([grid], width=room)


def terminal_width() -> int | None:
    """Columns of the terminal that stdout is, or what COLUMNS says; None without either."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return max(int(said), NARROWEST)
    try:
        return max(os.get_terminal_size(sys.stdout.fileno()).columns, NARROWEST)
    except (OSError, ValueError):
        return None


def percent(share: float | None, sign: str = "") -> str:
    """A fraction as "4.3%", or ABSENT; `sign` "+" shows it always, but for a nought never "-"."""
    return ABSENT if share is None else f"{share:{sign}z.1%}"


def _least(piece: RenderableType) -> int:
    """The least width of a table in which no word is broken, and no figure; 0 of a text."""
    if not isinstance(piece, Table):
        return 0
    gap = (1 if piece.box else 0) + piece.padding[1]
    return sum(map(_needed, piece.columns)) + gap * len(piece.columns)


def _needed(column: Column) -> int:
    """The widest word of a column of text, the widest line of one that is not wrapped."""
    split = str.splitlines if column.no_wrap else str.split
    texts = (str(text) for text in (column.header, *column.cells))
    return max((cell_len(piece) for text in texts for piece in split(text)), default=1)
