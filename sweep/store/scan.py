"""Runs as they are read: which there are, what is finished in them, and `scan`."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import UsageError, nearest
from sweep.spec.axes import OF_PATH
from sweep.store.failures import FAILURE_SCHEMA
from sweep.store.folder import ATTRIBUTION, CELLS, FAILURES, RUN, Folder, Location
from sweep.store.journal import read_journal, read_rows
from sweep.store.parts import KINDS, is_whole, read_parts, scan_parts
from sweep.store.place import folder_at, located
from sweep.store.schema import BEFORE, SCHEMA, SIMULATED

if TYPE_CHECKING:
    import polars as pl

    from core.cell import Cell

RUNS = Path("results/runs")
"""Where runs land by default, from the working directory."""


def is_run(location: Location) -> bool:
    """Whether a run is kept at `location`."""
    return folder_at(location).is_run()


def named_run(run: str) -> Location:
    """Where a run is, given as that or as its name in RUNS."""
    where = located(run)
    return RUNS / where if os.sep not in run and not is_run(where) else where


def run_names(location: Location) -> list[str]:
    """Names of the runs in the folder at `location`."""
    folder = folder_at(location)
    return [name for name in folder.folders() if folder.within(name).is_run()]


def runs_at(location: Location) -> list[Folder]:
    """The run at `location`, or those in it. Raises UsageError if there is none."""
    folder = folder_at(location)
    if folder.is_run():
        return [folder]
    if runs := run_names(location):
        return [folder.within(name) for name in runs]
    parent, name = _parent(folder.location)
    names = run_names(parent)
    known = nearest(name, names) if names else f"there is none in {parent}"
    raise UsageError(f"no such run: {folder.location}: {known}")


def read_run(location: Location) -> dict[str, Any]:
    """What the run.json at `location` says; {} if there is none. Raises UsageError."""
    return read_about(folder_at(location))


def read_about(folder: Folder) -> dict[str, Any]:
    """What the run.json in `folder` says; {} if there is none. Raises UsageError."""
    text = folder.read(RUN)
    if text is None:
        return {}
    try:
        about = json.loads(text)
        provenance = about["provenance"]
        machines, paths = provenance["machines"], provenance.get("paths", {})
        texts = [provenance["model_version"], *machines.values()]
        texts += [word for words in paths.values() for word in words]
        odd = not isinstance(about, dict) or not all(isinstance(text, str) for text in texts)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"cannot read {folder.uri(RUN)}: {error}") from None
    except (KeyError, TypeError, AttributeError):
        odd = True
    if odd:
        raise UsageError(f"cannot read {folder.uri(RUN)}: it is no description of a run")
    found: dict[str, Any] = about
    return found


def about_or_none(folder: Folder) -> dict[str, Any]:
    """As `read_about` for who writes it anew: {} for one that cannot be read, with a warning."""
    try:
        return read_about(folder)
    except UsageError as error:
        logging.getLogger(__name__).warning("left out: %s", error)
        return {}


def finished(location: Location) -> set[str]:
    """Ids of the cells that the run has, in Parquet or journal; none if it is no run.

    Raises UsageError for a file among them that is no Parquet.
    """
    return set(rates(location))


def rates(location: Location) -> dict[str, float]:
    """Hits per second of the `finished` cells, by id; raises as that does.

    A file without the whole file of its cells' shares counts for nothing: they are simulated again.
    """
    return _by_id(location, "hits_per_s")


def half_widths(location: Location) -> dict[str, float]:
    """How well the mean is known of the `finished` cells that end at a precision, by id."""
    found = _by_id(location, "half_width")
    return {cell_id: wide for cell_id, wide in found.items() if wide is not None}


def _by_id(location: Location, column: str) -> dict[str, Any]:
    folder = folder_at(location)
    if not folder.is_run():
        return {}
    found = {row["cell_id"]: row[column] for row in read_rows(folder.journal)}
    for name, part in read_parts(folder, CELLS, ["cell_id", column]):
        there = column in part.schema.names  # Files of before may lack it.
        if there and is_whole(folder, name.replace(CELLS, ATTRIBUTION, 1)):
            found.update(zip(*(column.to_pylist() for column in part.columns), strict=True))
    return found


def failed(location: Location) -> set[str]:
    """Ids of the cells that the run has a failure of, be they finished since or not.

    Raises as `finished` does.
    """
    folder = folder_at(location)
    if not folder.is_run():
        return set()
    ids = {row["cell_id"] for row in read_journal(folder.journal).failures}
    for _, part in read_parts(folder, FAILURES, ["cell_id"]):
        ids.update(part["cell_id"].to_pylist())
    return ids


def scan(location: Location) -> pl.LazyFrame:
    """The cells of a run, or of all runs in a folder, with the columns of `SCHEMA`.

    `location` is a path, or a URI of an object store. One row for each `cell_id`, those in the
    journal included, in no particular order. Where a run was taken again after the model or a
    machine changed, only rows of its last session's model and machines are given, and all that was
    measured; so with a patch that was edited. The others are still in the files. Raises UsageError
    if there is no run, and for two runs with other rates of one cell.
    """
    import polars as pl

    runs = runs_at(location)
    if len(runs) > 1:
        _refuse_other_rates(runs)
    return pl.concat([_scan_run(run) for run in runs]).unique(
        "cell_id", keep="first", maintain_order=True
    )


def _refuse_other_rates(runs: Iterable[Folder]) -> None:
    """One file's or run's rates are told from another's in `read_parts`; here those of runs."""
    known: dict[str, tuple[float, Folder]] = {}
    for run in runs:
        for cell, rate in _columns(run, "hits_per_s"):
            first, other = known.setdefault(cell, (rate, run))
            if first != rate:
                raise UsageError(
                    f"{other.location} and {run.location} differ in cell {cell}, {first:g} and "
                    f"{rate:g} hits/s: scan one of them, or move one away"
                )


def _columns(run: Folder, column: str) -> Iterator[tuple[str, Any]]:
    """Id and column of each row of a run, the journal's first."""
    yield from ((row["cell_id"], row[column]) for row in read_rows(run.journal))
    for _, part in read_parts(run, CELLS, ["cell_id", column]):
        yield from zip(*(found.to_pylist() for found in part.columns), strict=True)


def scan_failures(location: Location) -> pl.LazyFrame:
    """The cells that failed and have not been finished since; the columns of `FAILURE_SCHEMA`.

    One row for each `cell_id`, of its last failure, in no particular order. Raises UsageError
    if there is no run.
    """
    import polars as pl

    # In this order: a cell that is finished meanwhile is left out.
    failures = pl.concat([_scan_failures(run) for run in runs_at(location)])
    last = failures.sort("failed_at").unique("cell_id", keep="last", maintain_order=True)
    return last.join(scan(location).select("cell_id"), on="cell_id", how="anti")


def scan_sessions(location: Location) -> pl.LazyFrame:
    """As `scan`, but with the rows of all sessions, whatever their model and machines."""
    import polars as pl

    return pl.concat([_scan_cells(run) for run in runs_at(location)])


def _scan_run(run: Folder) -> pl.LazyFrame:
    import polars as pl

    return _of_last_session(_scan_cells(run), run, pl.col("source") != SIMULATED)


def _scan_cells(run: Folder) -> pl.LazyFrame:
    import polars as pl

    schema = pl.DataFrame(SCHEMA.empty_table()).schema
    # The journal first: rows may move to a file meanwhile; seen twice is better than never.
    frame = pl.LazyFrame(read_rows(run.journal), schema=schema)
    # Before `uprobe-nop5` had its name, a longer nop was told by its bytes alone.
    bench, longer = pl.col("bench"), pl.col("nop_bytes") == 5
    named = pl.when(longer & bench.str.ends_with("-nop")).then(bench + "5").otherwise(bench)
    return pl.concat([_scan_parts(run, CELLS), frame]).with_columns(bench=named)


def _scan_parts(run: Folder, table: str) -> pl.LazyFrame:
    """The files of a table as one frame; what old ones lack is what they were made with."""
    import polars as pl

    found = scan_parts(run, table)
    names = KINDS[table].schema.names
    return found.with_columns(pl.col(n).fill_null(v) for n, v in BEFORE.items() if n in names)


def _scan_failures(run: Folder) -> pl.LazyFrame:
    import polars as pl

    schema = pl.DataFrame(FAILURE_SCHEMA.empty_table()).schema
    frame = pl.LazyFrame(read_journal(run.journal).failures, schema=schema)
    frame = pl.concat([_scan_parts(run, FAILURES), frame])
    return _of_last_session(frame, run)


def _of_last_session(
    frame: pl.LazyFrame, run: Folder, measured: pl.Expr | None = None
) -> pl.LazyFrame:
    """The rows of the model, machines and paths that the last session at `run` had.

    Those that are `measured` are of no model.
    """
    import polars as pl

    measured = pl.lit(False) if measured is None else measured
    if about := read_run(run.location):
        current = about["provenance"]
        frame = frame.filter(measured | (pl.col("model_version") == current["model_version"]))
        for name, digest in current["machines"].items():
            same = (pl.col("machine") != name) | (pl.col("machine_digest") == digest)
            frame = frame.filter(measured | same)
        paths = current.get("paths", {})
        named = pl.concat_str([pl.col(name).cast(pl.String) for name in OF_PATH], separator=" ")
        digest = pl.col("path_digest").fill_null("")
        with_digest = pl.concat_str([named, digest], separator=" ")
        now = [f"{path} {word}" for path, words in paths.items() for word in words]
        frame = frame.filter(measured | ~named.is_in(list(paths)) | with_digest.is_in(now))
    return frame


def path_words(cells: Iterable[Cell]) -> dict[str, list[str]]:
    """Digests of the paths of `cells`, for a run's provenance: what `scan` takes rows for of now.

    By the axes that OF_PATH names.
    """
    words: dict[str, set[str]] = {}
    for cell in cells:
        values = [getattr(cell, name) for name in OF_PATH]
        named = " ".join(str(v).lower() if isinstance(v, bool) else str(v) for v in values)
        words.setdefault(named, set()).add(cell.path_digest)
    return {named: sorted(digests) for named, digests in words.items()}


def _parent(location: Location) -> tuple[Location, str]:
    """The folder that `location` is in, and its name there."""
    if isinstance(location, Path):
        return location.parent, location.name
    parent, _, name = location.rpartition("/")
    return (location, name) if parent.endswith("/") else (parent, name)
