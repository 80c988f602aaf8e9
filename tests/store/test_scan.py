"""Rows of runs as they are read: what of several sessions, models and versions is given."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import ABOUT, ROWS, files, ids, ids_of

from sweep.errors import UsageError
from sweep.store.scan import finished, scan
from sweep.store.schema import LIVE, SCHEMA
from sweep.store.store import Store


def test_an_empty_run_has_the_columns(tmp_path: Path) -> None:
    Store(tmp_path, ABOUT).close()
    frame = scan(tmp_path).collect()
    assert frame.columns == SCHEMA.names
    assert frame.is_empty()
    assert isinstance(scan(tmp_path), pl.LazyFrame)


def test_a_folder_of_runs_gives_each_cell_once(tmp_path: Path) -> None:
    for name, rows in {"a": ROWS[:2], "b": ROWS[1:4], "c": []}.items():
        with Store(tmp_path / name, ABOUT) as store:
            for r in rows:
                store.append(r)
    assert ids(tmp_path) == ids_of(ROWS[:4])


@pytest.mark.parametrize("in_files", [True, False])
def test_two_runs_with_other_rates_of_one_cell_are_refused(tmp_path: Path, in_files: bool) -> None:
    """The first run's was given, and nothing said of the other's."""
    cpus = ROWS[0]["cpus"]
    for name, rate in (("a", 1e6 * cpus), ("b", 2e6 * cpus)):
        store = Store(tmp_path / name, ABOUT)
        store.append({**ROWS[0], "hits_per_s": rate, "hits_per_s_per_cpu": rate / cpus})
        if in_files:
            store.close()
    with pytest.raises(UsageError, match=r"/a and .*/b differ in cell .*: scan one of them"):
        scan(tmp_path)


def test_no_such_run_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such run: .*letter: there is none in"):
        scan(tmp_path / "letter")
    Store(tmp_path / "cover-letter", ABOUT).close()
    with pytest.raises(UsageError, match="did you mean 'cover-letter'"):
        scan(tmp_path / "letter")
    with pytest.raises(UsageError, match="no such run"):
        scan(tmp_path / "cover-letter" / "cells")


def test_rows_of_an_earlier_model_or_machine_are_not_mixed_in(tmp_path: Path) -> None:
    old = {**ROWS[0], "cell_id": 16 * "0", "model_version": "0"}
    edited = {**ROWS[0], "cell_id": 16 * "1", "machine_digest": "0"}
    other = {**ROWS[0], "cell_id": 16 * "2", "machine": "other"}
    with Store(tmp_path, ABOUT) as store:
        for r in (old, edited, other, ROWS[1]):
            store.append(r)
        assert ids(tmp_path) == sorted([16 * "2", ROWS[1]["cell_id"]])
    assert ids(tmp_path) == sorted([16 * "2", ROWS[1]["cell_id"]])
    assert {16 * "0", 16 * "1"} < finished(tmp_path)


def test_what_was_measured_outlives_models_and_machines(tmp_path: Path) -> None:
    about = {"run_id": "x", "provenance": {"model_version": "later", "machines": {"host": "new"}}}
    measured = {**ROWS[0], "source": LIVE, "model_version": "none", "machine": "host"}
    with Store(tmp_path, about) as store:
        store.append(measured)
        store.append(ROWS[1])
    assert scan(tmp_path).collect()["cell_id"].to_list() == [measured["cell_id"]]


@pytest.mark.parametrize("beside", [True, False])
def test_a_column_that_was_no_text_once_is_read_as_text(beside: bool, tmp_path: Path) -> None:
    with Store(tmp_path, ABOUT) as store:
        store.append(ROWS[0])
    [path] = files(tmp_path)
    table = pq.read_table(path)
    place = table.column_names.index("owner_beside_count")
    table = table.set_column(place, pa.field("owner_beside_count", pa.bool_()), [[beside]])
    pq.write_table(table, path)
    with Store(tmp_path, ABOUT) as store:
        store.append(ROWS[1])
    found = scan(tmp_path).sort("cell_id").collect()["owner_beside_count"].to_list()
    expected = {ROWS[0]["cell_id"]: str(beside).lower(), ROWS[1]["cell_id"]: "default"}
    assert found == [expected[cell] for cell in sorted(expected)]


def test_a_longer_nop_of_earlier_rows_has_its_benchs_name(tmp_path: Path) -> None:
    benches = ("uprobe-nop", "uretprobe-multi-nop", "uprobe-nop5", "uprobe-ret")
    named = {f"{at:015}{nop}": (bench, nop) for at, bench in enumerate(benches) for nop in (1, 5)}
    measured = [
        {**ROWS[0], "cell_id": cell, "bench": bench, "nop_bytes": nop, "source": LIVE}
        for cell, (bench, nop) in named.items()
    ]
    with Store(tmp_path, ABOUT) as store:
        for r in measured:
            store.append(r)
        before = dict(scan(tmp_path).select("cell_id", "bench").collect().iter_rows())
    found = dict(scan(tmp_path).select("cell_id", "bench").collect().iter_rows())
    assert found == before
    assert found.pop(f"{0:015}5") == "uprobe-nop5"
    assert found.pop(f"{1:015}5") == "uretprobe-multi-nop5"
    assert all(named[cell][0] == bench for cell, bench in found.items())


def test_what_is_no_parquet_is_named(tmp_path: Path) -> None:
    Store(tmp_path, ABOUT).close()
    (tmp_path / "cells" / "x.parquet").write_text("no")
    with pytest.raises(UsageError, match=r"x\.parquet holds no cells"):
        finished(tmp_path)
