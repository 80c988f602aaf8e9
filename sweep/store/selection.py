"""The rows of a run that are asked for by their values: --only axis=value,value."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sweep.errors import UsageError, nearest
from sweep.spec.settings import ranges, read_settings, read_values
from sweep.spec.spec import ALIASES
from sweep.store.settings import keys


def only(frame: pl.DataFrame, asked: Sequence[str]) -> pl.DataFrame:
    """The rows that have one of the values asked for, of every key that is asked for.

    Each of `asked` is "axis=value", "axis=v,v" or "cpus=1-8", which is what there is from 1 to 8;
    other keys of rows, seed and replicate will do too. `attach` of rows that were simulated is the
    axis, as in a spec. Raises UsageError, naming the key or the value that there is not.
    """
    known = [*keys(frame.columns), "seed", "replicate"]
    texts = {axis: text for axis, _, text in (setting.partition("=") for setting in asked)}
    for name in read_settings(asked, "--only "):
        if name not in known:
            raise UsageError(f"--only {name}: rows have no such key: {nearest(name, known)}")
        spans, parts = ranges(name, texts[name]), texts[name].split(",")
        single = {_text(v) for p in parts if not ranges(name, p) for v in read_values(name, p)}
        if name in ALIASES and frame[name].null_count() == len(frame):
            name = ALIASES[name]
        there = {_text(value): value for value in frame[name].unique().sort()}
        inside = {t for t, v in there.items() if any(low <= v <= high for low, high in spans)}
        for word in (w for w in single or ([] if inside else parts) if w not in there):
            raise UsageError(f"--only {name}={word}: no such row: {nearest(word, [*there])}")
        chosen = [pl.lit(there[word]) for word in (*single, *inside)]
        frame = frame.filter(pl.any_horizontal(pl.col(name).eq_missing(v) for v in chosen))
    return frame


def _text(value: object) -> str:
    """A value as people write it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
