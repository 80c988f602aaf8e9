"""A frame as text or bytes that another program reads: no number is rounded, nothing is dropped."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from sweep.errors import UsageError

NULL = {"csv": "nothing", "json": "null", "markdown": "null", "parquet": "null"}
"""How each format writes what is not known; empty text is two quotes in CSV."""


def as_csv(frame: pl.DataFrame) -> bytes:
    """Comma-separated values: a number in the fewest digits that give it back, null as nothing."""
    _refuse_nested(frame, "CSV")
    return frame.write_csv().encode()


def as_json(frame: pl.DataFrame) -> bytes:
    """A list of objects, one a line. JSON has no NaN or Infinity: they are texts of these names."""
    rows = (json.dumps(_plain(row), default=str) for row in frame.iter_rows(named=True))
    lines = ",\n".join(rows)
    return f"[\n{lines}\n]\n".encode()


def as_markdown(frame: pl.DataFrame) -> bytes:
    """A table of GitHub's Markdown, numbers right-justified and in full."""
    _refuse_nested(frame, "Markdown")
    kinds = ["--:" if kind.is_numeric() else ":--" for kind in frame.dtypes]
    lines = [frame.columns, kinds, *map(_marked, frame.iter_rows())]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).encode()


def as_parquet(frame: pl.DataFrame) -> bytes:
    """A Parquet file."""
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


FORMATS: dict[str, Callable[[pl.DataFrame], bytes]] = {
    "csv": as_csv,
    "json": as_json,
    "markdown": as_markdown,
    "parquet": as_parquet,
}

SUFFIXES = {".csv": "csv", ".json": "json", ".md": "markdown", ".parquet": "parquet"}
"""What a file's name says of its format."""


def absent(frame: pl.DataFrame, kind: str) -> list[str]:
    """What is null or no finite number in a frame, and how format `kind` writes it, for people."""
    nulls = {name: count for name, count in frame.null_count().row(0, named=True).items() if count}
    whole = [name for name, count in nulls.items() if count == len(frame)]
    some = [f"{name} in {n} rows" for name, n in nulls.items() if n < len(frame)]
    real = frame.select(pl.col(pl.Float32, pl.Float64))
    odd = real.select((~pl.all().is_finite()).sum()).row(0, named=True) if real.width else {}
    said = []
    if some or whole:
        all_null = [f"{len(whole)} columns in every row"] if whole else []
        said.append(f"null, written as {NULL[kind]}: {', '.join([*some, *all_null])}")
    if strange := [f"{name} in {count} rows" for name, count in odd.items() if count]:
        words = ' as "NaN", "Infinity"' if kind == "json" else ""
        said.append(f"no finite number{words and f', written{words}'}: {', '.join(strange)}")
    return said


def _refuse_nested(frame: pl.DataFrame, what: str) -> None:
    if nested := [name for name, kind in frame.schema.items() if kind.is_nested()]:
        raise UsageError(
            f"{what} has no place for columns that are lists or structs: {', '.join(nested)}; "
            "JSON and Parquet have"
        )


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _marked(row: tuple[Any, ...]) -> Iterator[str]:
    for value in row:
        text = "null" if value is None else str(value)
        yield text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "<br>")
