"""Few files instead of many, with the same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from command_line import cli
from polars.testing import assert_frame_equal
from tiny import FakeExecutor, fake_result, tiny_spec

import sweep.store.store
from core.cell import Cell
from sweep import scan, scan_attribution, scan_failures
from sweep.driver.driver import run
from sweep.errors import UsageError
from sweep.plan.plan import plan
from sweep.store.compact import Compacted, compact
from sweep.store.folder import TABLES
from sweep.store.local_folder import LocalFolder
from sweep.store.schema import SHARE_KEY
from sweep.store.store import Store

SPEC = tiny_spec(cpus=range(1, 21), flavour=["srcu", "tasks-trace"])


def fails(cell: Cell) -> None:
    if cell.cpus in (3, 17):
        raise ValueError(str(cell.cpus))


def rows(out: Path) -> list[pl.DataFrame]:
    return [
        scan(out).sort("cell_id").collect(),
        scan_attribution(out).sort(SHARE_KEY).collect(),
        scan_failures(out).sort("cell_id").collect(),
    ]


def files(out: Path) -> dict[str, list[str]]:
    return {table: LocalFolder(out).parts(table) for table in TABLES}


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of 36 cells, 4 failures, and 20 files of a table or so."""
    monkeypatch.setattr(sweep.store.store, "ROWS_PER_FILE", 2)
    out = tmp_path / "run"
    run(SPEC, out, FakeExecutor(fails))
    assert len(files(out)["cells"]) > 10
    return out


def assert_same(one: list[pl.DataFrame], other: list[pl.DataFrame]) -> None:
    for ours, theirs in zip(one, other, strict=True):
        assert_frame_equal(ours, theirs)


def test_the_rows_stay_and_the_files_are_few(many: Path) -> None:
    before, count = rows(many), sum(map(len, files(many).values()))
    metadata = pq.read_schema(many / files(many)["cells"][0]).metadata
    assert compact(many) == Compacted(count, 3)
    assert_same(rows(many), before)
    assert {table: len(names) for table, names in files(many).items()} == dict.fromkeys(TABLES, 1)
    [cells], [shares] = files(many)["cells"], files(many)["attribution"]
    assert Path(cells).name == Path(shares).name
    kept = pq.read_schema(many / cells).metadata
    assert {**kept, b"created": b""} == {**metadata, b"created": b""}
    assert compact(many) == Compacted(3, 3)
    assert run(SPEC, many, FakeExecutor()).done == 0


def test_files_of_another_provenance_or_schema_stay_apart(
    many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    run(tiny_spec(cpus=range(30, 34)), many, FakeExecutor())
    part = many / files(many)["cells"][0]
    pq.write_table(pq.read_table(part).drop_columns(["predicted_low"]), part)
    before = rows(many)
    compact(many)
    assert_same(rows(many), before)
    assert len(files(many)["cells"]) == 3


def test_a_file_does_not_grow_without_end(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweep.store.compact.CELLS_PER_FILE", 9)
    before = rows(many)
    compact(many)
    sizes = [pq.read_metadata(many / name).num_rows for name in files(many)["cells"]]
    assert sum(sizes) == 36
    assert max(sizes) <= 9
    assert len(sizes) <= 5
    assert_same(rows(many), before)


class BrokenError(Exception):
    pass


def test_broken_off_after_any_write_or_removal_nothing_is_lost_or_doubled(
    many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, step, finished = rows(many), 0, False
    with Store(many, json.loads((many / "run.json").read_text())) as store:
        [again] = scan(many).filter(cpus=1, flavour="srcu").collect().to_dicts()
        store.append(again, fake_result(plan(SPEC)[0]).attribution)
    while not finished:
        step += 7
        left = step

        def counted(real: Any) -> Any:
            def call(self: LocalFolder, name: str, *content: bytes) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    raise BrokenError
                real(self, name, *content)

            return call

        with monkeypatch.context() as patch:
            for method in ("write", "remove"):
                patch.setattr(LocalFolder, method, counted(getattr(LocalFolder, method)))
            try:
                compact(many)
                finished = True
            except BrokenError:
                pass
        assert_same(rows(many), before)
    assert step > 20
    assert len(files(many)["cells"]) == 1


def test_a_run_that_is_being_written_or_is_none_is_refused(many: Path) -> None:
    with (
        Store(many, json.loads((many / "run.json").read_text())),
        pytest.raises(UsageError, match="another process is writing to"),
    ):
        compact(many)
    with pytest.raises(UsageError, match="no such run"):
        compact(many / "cells")
    with pytest.raises(UsageError, match="is a folder of runs; compact one of them, like"):
        compact(many.parent)
    (many / "run.json").unlink()
    with pytest.raises(UsageError, match="it has no run"):
        compact(many)


def test_the_command(many: Path) -> None:
    done = cli("compact", str(many), cwd=many)
    assert done.stdout.endswith(f" files, now 3: {many}\n")
    assert json.loads(cli("compact", ".", "--json", cwd=many).stdout) == {"before": 3, "after": 3}
