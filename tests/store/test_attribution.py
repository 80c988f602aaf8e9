"""Where the time of a run's cells went: sweep.store.attribution and the store below it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from tiny import FakeExecutor, fake_result, tiny_spec

import sweep
from core.outcome import PRIVATE_WORK, Share
from sweep.driver.driver import run
from sweep.errors import InfrastructureError, UsageError
from sweep.plan.plan import plan
from sweep.store import whole_file
from sweep.store.attribution import scan_attribution
from sweep.store.folder import JOURNAL
from sweep.store.journal import Contents, Entry, Journal, read_journal
from sweep.store.scan import scan
from sweep.store.schema import ATTRIBUTION_SCHEMA, ATTRIBUTION_VERSION, SHARE_KEY, row, share_rows
from sweep.store.store import Store

CELLS = plan(tiny_spec(cpus=range(1, 9)))
RESULTS = [fake_result(cell) for cell in CELLS]
ENTRIES = [
    Entry(row(cell, result, "tiny-0"), result.attribution)
    for cell, result in zip(CELLS, RESULTS, strict=True)
]
ABOUT: dict[str, Any] = {
    "run_id": "tiny-0",
    "provenance": {
        "host": "here",
        "model_version": ENTRIES[0].row["model_version"],
        "machines": {ENTRIES[0].row["machine"]: ENTRIES[0].row["machine_digest"]},
    },
}


def die(store: Store) -> None:
    """Let go of the lock as the kernel does when the writer is killed: nothing else happens."""
    os.close(store._journal._fd)
    store.folder.release()


def shares(path: Path) -> pl.DataFrame:
    return scan_attribution(path).sort(SHARE_KEY).collect()


def assert_whole(path: Path, cells: int) -> None:
    """Every cell that is seen has all of its time, once."""
    found = shares(path)
    seen = scan(path).collect()
    assert len(seen) == cells
    whole = {
        r["cell_id"]: r["cpus"] * r["samples"] * round(r["sample_s"] * 1e12)
        for r in seen.iter_rows(named=True)
    }
    assert dict(found.group_by("cell_id").agg(pl.col("ps").sum()).iter_rows()) == whole
    assert found.select(SHARE_KEY).is_unique().all()


def names(path: Path, folder: str) -> list[str]:
    return sorted(part.name for part in (path / folder).iterdir())


def test_the_rows_of_shares_by_hand() -> None:
    shared = Share("mmap_read_lock", "locked", "mm->mmap_lock.count", "same cache", 3000)
    cell = {"cell_id": "c", "hits": 2}
    made = list(share_rows(cell, [Share("", PRIVATE_WORK, "", "", 1000), shared]))
    assert [list(r) for r in made] == [ATTRIBUTION_SCHEMA.names] * 2
    assert made[1] == {
        "cell_id": "c",
        "function": "mmap_read_lock",
        "operation": "locked",
        "line": "mm->mmap_lock.count",
        "distance": "same cache",
        "ps": 3000,
        "ns_per_hit": 1.5,
        "share": 0.75,
        "schema_version": ATTRIBUTION_VERSION,
    }
    [idle] = share_rows({"cell_id": "c", "hits": 0}, [shared])
    assert (idle["ns_per_hit"], idle["share"]) == (None, 1.0)


def test_a_simulated_run_keeps_every_picosecond(tmp_path: Path) -> None:
    spec = tiny_spec(cpus=[1, 3, 8], flavour=["baseline", "tasks-trace"], duration="40us")
    assert run(spec, tmp_path).done == 6
    assert_whole(tmp_path, 6)
    joined = shares(tmp_path).join(scan(tmp_path).collect(), on="cell_id")
    sums = joined.group_by("cell_id").agg(
        pl.col("ns_per_hit", "share").sum(), pl.col("cpus", "hits_per_s").first()
    )
    for r in sums.iter_rows(named=True):
        assert r["share"] == pytest.approx(1)
        assert r["ns_per_hit"] == pytest.approx(1e9 * r["cpus"] / r["hits_per_s"])
    lines = set(joined.filter(pl.col("flavour") == "baseline")["line"])
    assert "struct uprobe, bytes 0-63: rb_node, ref, register_rwsem" in lines


def test_shares_are_seen_before_and_after_they_are_in_parquet(tmp_path: Path) -> None:
    with Store(tmp_path, ABOUT) as store:
        store.append(*ENTRIES[0])
        waiting = shares(tmp_path)
        assert names(tmp_path, "attribution") == []
    assert shares(tmp_path).equals(waiting)
    assert waiting.columns == ATTRIBUTION_SCHEMA.names
    assert waiting["ps"].dtype == pl.Int64
    assert_whole(tmp_path, 1)


def test_a_part_has_the_name_and_the_metadata_of_its_cells(tmp_path: Path) -> None:
    with Store(tmp_path, ABOUT) as store:
        for entry in ENTRIES:
            store.append(*entry)
    [name] = names(tmp_path, "cells")
    assert names(tmp_path, "attribution") == [name]
    schemas = [pq.read_schema(tmp_path / kind / name) for kind in ("cells", "attribution")]
    assert schemas[0].metadata == schemas[1].metadata
    assert schemas[1].metadata[b"host"] == b"here"
    assert schemas[1].equals(ATTRIBUTION_SCHEMA)


def test_entries_of_a_killed_writer_are_recovered(tmp_path: Path) -> None:
    killed = Store(tmp_path, ABOUT)
    for entry in ENTRIES[:3]:
        killed.append(*entry)
    line = json.dumps(ENTRIES[3]._asdict()).encode()
    os.write(killed._journal._fd, line[: len(line) // 2])
    die(killed)
    assert_whole(tmp_path, 3)
    Store(tmp_path, ABOUT).close()
    assert len(names(tmp_path, "attribution")) == 1
    assert_whole(tmp_path, 3)


@pytest.mark.parametrize(
    "line", ["{}", "[]", '{"row": 3, "attribution": []}', '{"row": {}, "attribution": [["a"]]}']
)
def test_a_line_of_something_else_is_left_out(tmp_path: Path, line: str) -> None:
    (tmp_path / JOURNAL).write_text(f"{line}\n{json.dumps(ENTRIES[0]._asdict())}\n")
    assert read_journal(tmp_path / JOURNAL) == Contents(ENTRIES[:1], [])


KILLED = """
import os, signal, sys
from pathlib import Path
import sweep.store.journal
import sweep.store.whole_file
from test_attribution import ABOUT, ENTRIES
from sweep.store.store import Store

def kill(*args):
    os.kill(os.getpid(), signal.SIGKILL)

store = Store(Path(sys.argv[1]), ABOUT)
for entry in ENTRIES:
    store.append(*entry)
real, written = sweep.store.whole_file.write_all, []

def write_all(fd, content):
    written.append(fd)
    if sys.argv[2] == f"before part {len(written)}":
        kill()
    if sys.argv[2] == f"in part {len(written)}":
        real(fd, content[:100])
        kill()
    real(fd, content)

sweep.store.whole_file.write_all = write_all
if sys.argv[2] == "before the journal is cleared":
    sweep.store.journal.Journal.clear = kill
store.close()
"""


@pytest.mark.parametrize(
    ("moment", "parts"),
    [
        ("before part 1", (0, 0)),
        ("in part 1", (0, 0)),
        ("before part 2", (1, 0)),
        ("in part 2", (1, 0)),
        ("before the journal is cleared", (1, 1)),
    ],
)
def test_kill_9_loses_and_doubles_nothing(
    tmp_path: Path, moment: str, parts: tuple[int, int]
) -> None:
    here = Path(__file__).resolve().parent
    paths = (here.parents[1], here.parent, here)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), moment], env=environment, cwd=here
    )
    assert done.returncode == -signal.SIGKILL
    found = (len(names(tmp_path, "attribution")), len(names(tmp_path, "cells")))
    assert found == parts
    assert_whole(tmp_path, len(ENTRIES))
    Store(tmp_path, ABOUT).close()
    assert_whole(tmp_path, len(ENTRIES))
    assert len(names(tmp_path, "attribution")) == len(names(tmp_path, "cells")) == 1
    assert (tmp_path / JOURNAL).read_bytes() == b""
    assert list(tmp_path.glob(".*")) == []


def test_a_part_written_twice_with_more_cells_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path, ABOUT)
    store.append(*ENTRIES[0])
    monkeypatch.setattr(Journal, "clear", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.flush()
    monkeypatch.undo()
    store.append(*ENTRIES[1])
    store.close()
    assert len(names(tmp_path, "attribution")) == 2
    assert_whole(tmp_path, 2)


def test_a_cell_that_is_seen_has_its_shares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever moves from the journal to files between the two scans."""
    store = Store(tmp_path, ABOUT)
    store.append(*ENTRIES[0])

    def flushed(path: Path) -> Contents:
        store.flush()
        return read_journal(path)

    monkeypatch.setattr("sweep.store.attribution.read_journal", flushed)
    assert shares(tmp_path)["cell_id"].unique().to_list() == [CELLS[0].cell_id]
    store.close()


def test_a_full_disk_keeps_cells_and_shares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = whole_file.write_all, []

    def no_room(fd: int, content: bytes) -> None:
        written.append(fd)
        if len(written) > 1:
            raise OSError(28, "No space left on device")
        real(fd, content)

    store = Store(tmp_path, ABOUT)
    store.append(*ENTRIES[0])
    monkeypatch.setattr(whole_file, "write_all", no_room)
    with pytest.raises(InfrastructureError, match="No space left"):
        store.close()
    monkeypatch.undo()
    assert_whole(tmp_path, 1)


def test_shares_of_an_earlier_model_are_not_mixed_in(tmp_path: Path) -> None:
    old = {**ENTRIES[0].row, "cell_id": 16 * "0", "model_version": "0"}
    edited = {**ENTRIES[0].row, "cell_id": 16 * "1", "machine_digest": "0"}
    with Store(tmp_path, ABOUT) as store:
        store.append(old, ENTRIES[0].attribution)
        store.append(edited, ENTRIES[0].attribution)
        store.append(*ENTRIES[1])
        assert_whole(tmp_path, 1)
    assert_whole(tmp_path, 1)
    [part] = (tmp_path / "attribution").iterdir()
    assert pl.read_parquet(part)["cell_id"].n_unique() == 3


def test_a_folder_of_runs_gives_each_share_once(tmp_path: Path) -> None:
    for name, entries in {"a": ENTRIES[:3], "b": ENTRIES[1:5], "c": []}.items():
        with Store(tmp_path / name, ABOUT) as store:
            for entry in entries:
                store.append(*entry)
    assert_whole(tmp_path, 5)


def test_a_run_without_its_shares_has_none_and_is_simulated_again(tmp_path: Path) -> None:
    spec = tiny_spec()
    run(spec, tmp_path, FakeExecutor())
    shutil.rmtree(tmp_path / "attribution")
    assert scan_attribution(tmp_path).collect().is_empty()
    assert shares(tmp_path).columns == ATTRIBUTION_SCHEMA.names
    assert run(spec, tmp_path, FakeExecutor()).done == 2
    assert shares(tmp_path)["cell_id"].n_unique() == 2


def test_no_such_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such run"):
        sweep.scan_attribution(tmp_path / "none")
