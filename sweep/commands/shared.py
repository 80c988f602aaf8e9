"""What several commands need: specs and runs by name, and ways to print."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import UsageError

INTERRUPTED = 130

if TYPE_CHECKING:
    import polars as pl

    from sweep.spec import Spec


def load(spec: str, settings: Sequence[str]) -> Spec:
    """The spec that a name or path stands for, with the axes of --set. Raises UsageError."""
    from sweep.spec import load_spec, override

    return override(load_spec(spec), settings)


def frame(run: str) -> pl.DataFrame:
    """The cells of a run, given as its folder or as its name under results/runs.

    Raises UsageError where there is none, and for a run without finished cells.
    """
    from polars.exceptions import PolarsError

    from sweep.store import RUNS, is_run, scan

    path = Path(run)
    if os.sep not in run and not is_run(path):
        path = RUNS / path
    try:
        frame = scan(path).collect()
    except PolarsError as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if frame.is_empty():
        raise UsageError(f"{path} has no finished cells yet")
    return frame


def print_json(value: object) -> None:
    """Print `value` as JSON."""
    print(json.dumps(value, indent=1))


def print_columns(lines: Sequence[Sequence[object]]) -> None:
    """Print lines of equally many values each, in aligned columns."""
    texts = [[str(value) for value in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for text in texts:
        print("  ".join(v.ljust(w) for v, w in zip(text, widths, strict=True)).rstrip())
