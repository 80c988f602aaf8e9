"""A run's tables asked in SQL, through polars."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl
from polars.exceptions import PolarsError

from sweep.errors import UsageError, nearest
from sweep.store.schema import BY_NAME, Role
from sweep.store.settings import settings, telling
from sweep.terminal.text_table import TextTable, table, to_text

RESULTS = "results"
"""The table of cells."""

ROLES = {Role.KEY: "key", Role.PATH: "key", Role.FIGURE: "figure", Role.POOLED: "of one row"}

_READS = re.compile(r"\s*(\(\s*)*(select|with|from|values|show|explain)\b", re.IGNORECASE)
_MIXES = re.compile(r"\b(avg|mean|median|quantile\w*|sum|std\w*|var\w*|corr|covar)\s*\(", re.I)
_PIECE = re.compile(
    r"""'(?:[^']|'')*'|"[^"]*"|(?P<comment>--[^\n]*|/\*.*?\*/)"""
    r"""|(?<![\w.])(?P<decimal>\d+\.\d*|\.\d+)(?![\w.])""",
    re.DOTALL,
)
_COLUMN = re.compile(r"unable to find column \"(.*?)\"|no column named '(.*?)' found", re.DOTALL)
_TABLE = re.compile(r"relation '(.*?)' was not found")


def query(tables: Mapping[str, pl.DataFrame], sql: str) -> pl.DataFrame:
    """What `sql` selects from the tables. Raises UsageError, naming the nearest column or table.

    It only reads: a statement that would change a table is refused. A number with a point is a
    double, as figures are; polars would take it for a decimal, and cut what an integer is divided
    by it to six places.
    """
    text = _PIECE.sub(_read, sql)
    if not _READS.match(text):
        raise UsageError(f"a query begins with SELECT or WITH, and only reads; got {_short(sql)!r}")
    try:
        return pl.SQLContext(tables, eager=False).execute(text).collect()
    except PolarsError as error:
        raise UsageError(_said(error, tables, sql)) from None


def pooled(sql: str, results: pl.DataFrame) -> list[str]:
    """Keys in which the cells differ and which a query that averages or adds up does not name.

    Not all of such queries are wrong: those that choose one value by another key are not.
    """
    text = _PIECE.sub(_read, sql)
    if not _MIXES.search(text) or RESULTS not in text:
        return []
    named = set(re.findall(r"\w+", text))
    return [
        name for name in telling([s.values for s in settings(results, ())]) if name not in named
    ]


def as_text(found: pl.DataFrame, width: int | None = None) -> str:
    """A result as a table, figures in full; what is null is a dash."""
    if found.is_empty():
        return "no rows\n"
    numeric = [kind.is_numeric() for kind in found.dtypes]
    first = numeric.index(True) if True in numeric else found.width
    made = table(*found.columns[:first])
    for name, number in zip(found.columns[first:], numeric[first:], strict=True):
        made.add_column(name, justify="right" if number else "left", no_wrap=number)
    for row in found.iter_rows():
        made.add_row(*("-" if value is None else str(value) for value in row))
    return to_text([made], width=width)


def described(tables: Mapping[str, pl.DataFrame]) -> str:
    """The tables there are: their rows, and their columns with type and role."""
    return "\n".join(
        f"{name}, {len(frame):,} rows\n{to_text([_columns(frame)])}"
        for name, frame in tables.items()
    )


def _read(piece: re.Match[str]) -> str:
    """A quoted piece of SQL as it is, a comment as nothing, a decimal as a double."""
    if piece["comment"]:
        return " "
    return f"{piece[0]}e0" if piece["decimal"] else piece[0]


def _columns(frame: pl.DataFrame) -> TextTable:
    made = table("column", "type", "is")
    for name, kind in frame.schema.items():
        made.add_row(name, str(kind), ROLES[BY_NAME[name].role] if name in BY_NAME else "-")
    return made


def _said(error: PolarsError, tables: Mapping[str, pl.DataFrame], sql: str) -> str:
    message = str(error).split("\n\nResolved plan")[0].split("\n\nThis error")[0]
    if match := _TABLE.search(message):
        return f"no such table: {match[1]}: {nearest(match[1], tables)}"
    if not (match := _COLUMN.search(message)):
        return f"not a query that can be answered: {_short(message, 300)}"
    name = match[1] or match[2]
    near = nearest(name, dict.fromkeys(c for frame in tables.values() for c in frame.columns))
    # All of them would fill the screen.
    meant = near.partition(" allowed")[0] if "?" in near else "`query RUN` lists them"
    quotes = f"; text stands in single quotes: '{name}'" if f'"{name}"' in sql else ""
    return f"no such column: {name}: {meant}{quotes}"


def _short(text: str, most: int = 60) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else f"{words[:most]}..."
