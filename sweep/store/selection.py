"""The rows of a run that are asked for by their values: --only axis=value,value."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sweep.errors import UsageError, nearest
from sweep.spec.settings import read_settings
from sweep.spec.spec import ALIASES
from sweep.store.settings import keys


def only(frame: pl.DataFrame, asked: Sequence[str]) -> pl.DataFrame:
    """The rows that have one of the values asked for, of every key that is asked for.

    Each of `asked` is "axis=value" or "axis=v,v"; other keys of rows, seed and replicate will do
    too. `attach` of rows that were simulated is the axis, as in a spec. Raises UsageError, naming
    the key or the value that there is not.
    """
    known = [*keys(frame.columns), "seed", "replicate"]
    for name, values in read_settings(asked, "--only ").items():
        if name not in known:
            raise UsageError(f"--only {name}: rows have no such key: {nearest(name, known)}")
        if name in ALIASES and frame[name].null_count() == len(frame):
            name = ALIASES[name]
        there = {_text(value): value for value in frame[name].unique().sort()}
        found = []
        for text in map(_text, values if isinstance(values, list) else [values]):
            if text not in there:
                raise UsageError(f"--only {name}={text}: no such row: {nearest(text, [*there])}")
            found.append(pl.col(name).eq_missing(pl.lit(there[text])))
        frame = frame.filter(pl.any_horizontal(found))
    return frame


def _text(value: object) -> str:
    """A value as people write it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
