from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from math import inf
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import ABOUT, CELLS, ROWS, files, ids, ids_of
from tiny import fake_result

import sweep
from sweep.errors import InfrastructureError, UsageError
from sweep.store import whole_file
from sweep.store.folder import JOURNAL
from sweep.store.journal import Journal
from sweep.store.scan import finished, read_run, scan
from sweep.store.schema import COLUMNS, SCHEMA, SCHEMA_VERSION, row
from sweep.store.store import ROWS_PER_FILE, Store


def die(store: Store) -> None:
    """Let go of the lock as the kernel does when the writer is killed: nothing else happens."""
    os.close(store._journal._fd)
    store.folder.release()


def test_a_row_has_the_columns_of_the_schema() -> None:
    cell, result = CELLS[3], fake_result(CELLS[3])
    made = row(cell, result, "r")
    assert list(made) == SCHEMA.names
    assert made["cpus"] == 4
    assert made["hits"] == result.hits == sum(result.hits_per_sample)
    assert made["sim_seconds"] == pytest.approx(40e-6)
    assert made["hits_per_s"] == pytest.approx(result.hits / 40e-6)
    assert made["hits_per_s_per_cpu"] == pytest.approx(made["hits_per_s"] / 4)
    assert (made["samples"], made["sample_s"], made["schema_version"]) == (2, 2e-5, SCHEMA_VERSION)


def test_a_row_is_seen_before_and_after_it_is_in_parquet(tmp_path: Path) -> None:
    with Store(tmp_path, ABOUT) as store:
        store.append(ROWS[0])
        assert finished(tmp_path) == {ROWS[0]["cell_id"]}
        assert ids(tmp_path) == ids_of(ROWS[:1])
        assert files(tmp_path) == []
    assert finished(tmp_path) == {ROWS[0]["cell_id"]}
    frame = scan(tmp_path).collect()
    assert frame.rows(named=True) == ROWS[:1]
    assert (tmp_path / JOURNAL).read_bytes() == b""


@pytest.mark.parametrize("interval", [(None, None), (2.5e6, 3.5e6)])
def test_an_interval_or_none_survives_journal_and_parquet(
    tmp_path: Path, interval: tuple[float | None, float | None]
) -> None:
    low, high = interval
    result = replace(fake_result(CELLS[0]), predicted_low=low, predicted_high=high)
    with Store(tmp_path, ABOUT) as store:
        store.append(row(CELLS[0], result, "tiny-0"))
        columns = ["predicted_low", "predicted_high"]
        assert scan(tmp_path).select(columns).collect().rows() == [interval]
    assert scan(tmp_path).select(columns).collect().rows() == [interval]


def test_a_file_is_written_every_hundred_rows_and_at_the_end(tmp_path: Path) -> None:
    with Store(tmp_path, ABOUT) as store:
        for r in ROWS:
            store.append(r)
        assert len(files(tmp_path)) == len(ROWS) // ROWS_PER_FILE
    assert [path.suffix for path in files(tmp_path)] == [".parquet"] * 3
    assert ids(tmp_path) == ids_of(ROWS)


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_a_file_of_an_earlier_schema_has_what_it_was_simulated_with(
    version: int, tmp_path: Path
) -> None:
    with Store(tmp_path, ABOUT) as store:
        store.append(ROWS[0])
    [path] = files(tmp_path)
    lacking = {column.name: column.before for column in COLUMNS if column.since > version}
    pq.write_table(pq.read_table(path).drop_columns(list(lacking)), path)
    [found] = scan(tmp_path).collect().rows(named=True)
    assert found == {**ROWS[0], **lacking}
    assert {column: found[column] for column in lacking} == lacking


def test_what_files_of_versions_1_and_2_lack() -> None:
    since = {n: {column.name for column in COLUMNS if column.since == n} for n in (2, 3)}
    assert since[2] == {"rcu", "owner_beside_count", "processes", "ensemble"}
    assert {"attach_threads", "stalls", "source", "kernel", "attaches", "grace_max_s"} < since[3]


def test_files_carry_schema_and_provenance(tmp_path: Path) -> None:
    with Store(tmp_path, ABOUT) as store:
        store.append(ROWS[0])
    [path] = files(tmp_path)
    schema = pq.read_schema(path)
    assert schema.equals(SCHEMA)
    assert schema.metadata[b"host"] == b"here"
    assert json.loads(schema.metadata[b"machines"]) == ABOUT["provenance"]["machines"]
    assert read_run(tmp_path) == ABOUT


def test_rows_of_a_killed_writer_are_recovered_under_its_provenance(tmp_path: Path) -> None:
    killed = Store(tmp_path, ABOUT)
    for r in ROWS[:3]:
        killed.append(r)
    die(killed)
    there = {"run_id": "", "provenance": {**ABOUT["provenance"], "host": "there"}}
    with Store(tmp_path, there) as store:
        [path] = files(tmp_path)
        assert pq.read_metadata(path).metadata[b"host"] == b"here"
        store.append(ROWS[3])
    assert ids(tmp_path) == ids_of(ROWS[:4])
    assert {pq.read_metadata(p).metadata[b"host"] for p in files(tmp_path)} == {b"here", b"there"}


@pytest.mark.parametrize("torn", [b"{", b'{"cell_id": "x"}\n', b"\xff\n", b"3\n", b"\n"])
def test_a_line_that_is_no_row_is_left_out(tmp_path: Path, torn: bytes) -> None:
    killed = Store(tmp_path, ABOUT)
    killed.append(ROWS[0])
    os.write(killed._journal._fd, torn)
    die(killed)
    assert finished(tmp_path) == {ROWS[0]["cell_id"]}
    with Store(tmp_path, ABOUT) as store:
        store.append(ROWS[1])
    assert ids(tmp_path) == ids_of(ROWS[:2])


def test_a_writer_killed_between_file_and_journal_leaves_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = Store(tmp_path, ABOUT)
    killed.append(ROWS[0])
    monkeypatch.setattr(Journal, "clear", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        killed.flush()
    die(killed)
    monkeypatch.undo()
    assert ids(tmp_path) == ids_of(ROWS[:1])
    before = files(tmp_path)
    Store(tmp_path, ABOUT).close()
    assert files(tmp_path) == before
    assert ids(tmp_path) == ids_of(ROWS[:1])


steps = st.lists(st.integers(0, 60) | st.sampled_from(["flush", "reopen", "kill", "tear"]))


@settings(deadline=None, max_examples=60)
@given(steps)
def test_any_order_of_appends_flushes_and_deaths_gives_each_row_once(steps: list[Any]) -> None:
    out = Path(tempfile.mkdtemp())
    store = Store(out, ABOUT)
    appended = set()
    for step in steps:
        if isinstance(step, int):
            store.append(ROWS[step])
            appended.add(ROWS[step]["cell_id"])
        elif step == "flush":
            store.flush()
        elif step == "reopen":
            store.close()
            store = Store(out, ABOUT)
        else:
            if step == "tear":
                os.write(store._journal._fd, json.dumps(ROWS[61]).encode()[:40])
            die(store)
            store = Store(out, ABOUT)
        assert finished(out) == appended
    store.close()
    assert ids(out) == sorted(appended)
    shutil.rmtree(out)


class InterruptAt:
    """Raises KeyboardInterrupt at the n-th line that runs in the project's own files.

    `count` is how many have run, `first` when each of them ran first.
    """

    def __init__(self, last: float) -> None:
        self.last, self.count = last, 0
        self.first: dict[tuple[str, int], int] = {}

    def __call__(self, frame: FrameType, event: str, arg: Any) -> InterruptAt | None:
        if not frame.f_code.co_filename.startswith(str(Path(sweep.__file__).parent)):
            return None
        if event == "line":
            self.count += 1
            self.first.setdefault((frame.f_code.co_filename, frame.f_lineno), self.count)
            if self.count == self.last:
                raise KeyboardInterrupt
        return self


def interrupted_at(line: float, out: Path) -> InterruptAt:
    """Append a row, then another one and flush until the interrupt; then close."""
    store = Store(out, ABOUT)
    store.append(ROWS[0])
    tracer, before = InterruptAt(line), sys.gettrace()
    sys.settrace(tracer)
    try:
        store.append(ROWS[1])
        store.flush()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    store.close()
    return tracer


def test_an_interrupt_anywhere_loses_no_row(tmp_path: Path) -> None:
    whole = interrupted_at(inf, tmp_path / "whole")
    assert ids(tmp_path / "whole") == ids_of(ROWS[:2])
    moments = {*whole.first.values(), *range(1, whole.count, 11)}
    assert len(moments) > len(whole.first) > 20
    for line in sorted(moments):
        out = tmp_path / str(line)
        assert interrupted_at(line, out).count >= line
        found = ids(out)
        assert ids_of(ROWS[:1])[0] in found
        assert set(found) == finished(out) <= set(ids_of(ROWS[:2]))


def test_there_is_one_writer(tmp_path: Path) -> None:
    with (
        Store(tmp_path, ABOUT),
        pytest.raises(UsageError, match="another process is writing to"),
    ):
        Store(tmp_path, ABOUT)
    Store(tmp_path, ABOUT).close()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write to .*file/run: Not a directory"):
        Store(tmp_path / "file" / "run", ABOUT)
    with pytest.raises(UsageError, match=r"cannot write to .*file: "):
        Store(tmp_path / "file", ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="Permission denied"):
        Store(tmp_path / "run", ABOUT)


def test_a_folder_of_runs_is_no_run(tmp_path: Path) -> None:
    Store(tmp_path / "a", ABOUT).close()
    with pytest.raises(UsageError, match="is a folder of runs"):
        Store(tmp_path, ABOUT)


def test_a_full_disk_is_infrastructure_and_keeps_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    store = Store(tmp_path, ABOUT)
    store.append(ROWS[0])
    monkeypatch.setattr(whole_file, "write_all", no_room)
    with pytest.raises(InfrastructureError, match=r"cannot write .*\.parquet: No space left"):
        store.close()
    monkeypatch.undo()
    assert ids(tmp_path) == ids_of(ROWS[:1])
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith("tmp")] == []
    Store(tmp_path, ABOUT).close()
    assert len(files(tmp_path)) == 1


def test_a_line_cut_short_by_the_disk_is_infrastructure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path, ABOUT) as store:
        monkeypatch.setattr(os, "write", lambda fd, line: len(line) - 1)
        with pytest.raises(InfrastructureError, match="no room"):
            store.append(ROWS[0])
        monkeypatch.undo()


def test_writing_does_not_import_polars() -> None:
    code = "import sweep.driver.driver, sys; sys.exit('polars' in sys.modules)"
    root = Path(sweep.__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
