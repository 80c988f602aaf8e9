"""Files of a run that are damaged or foreign: refused by name, wherever a run is read."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal
from tiny import FakeExecutor, tiny_spec

import sweep.store.parts
from core.kernel.hot_path import BENCHES
from core.workload import STRESS
from sweep import scan, scan_attribution, scan_failures
from sweep.cli import cli
from sweep.driver.driver import run
from sweep.errors import UsageError
from sweep.store.compact import compact
from sweep.store.schema import SCHEMA, SCHEMA_VERSION

SPEC = tiny_spec(cpus=[1, 2])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    run(SPEC, tmp_path / "run", FakeExecutor())
    return tmp_path / "run"


def part(out: Path, table: str = "cells") -> Path:
    [path] = (out / table).glob("*.parquet")
    return path


def with_column(path: Path, name: str, values: pa.Array) -> None:
    table = pq.read_table(path)
    place = table.schema.names.index(name)
    pq.write_table(table.set_column(place, name, values), path)


def with_columns(path: Path, **values: list[object]) -> None:
    for name, column in values.items():
        with_column(path, name, pa.array(column, SCHEMA.field(name).type))


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("no"), "Parquet"),
    "empty": (lambda path: path.write_bytes(b""), "Parquet"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-50]), "Parquet"),
    "foreign": (
        lambda path: pq.write_table(pa.table({"a": [1]}), path),
        "it has no column cell_id",
    ),
    "text column": (
        lambda path: with_column(path, "cpus", pa.array(["1", "2"])),
        "its column cpus is string, not int64",
    ),
    "newer": (
        lambda path: with_column(path, "schema_version", pa.array([SCHEMA_VERSION + 1] * 2)),
        f"later version of this program: schema {SCHEMA_VERSION + 1}, known are up to",
    ),
    "NaN": (
        lambda path: with_column(path, "hits_per_s", pa.array([1.0, float("nan")])),
        "its column hits_per_s has values that are no numbers",
    ),
    "infinite": (
        lambda path: with_column(path, "hits_per_s_stddev", pa.array([1.0, float("inf")])),
        "its column hits_per_s_stddev has values that are no numbers",
    ),
    "null": (
        lambda path: with_column(path, "hits_per_s", pa.array([1.0, None])),
        "its column hits_per_s has rows without a value",
    ),
    "negative rate": (
        lambda path: with_column(path, "hits_per_s", pa.array([1.0, -5.0])),
        "its column hits_per_s has -5.0",
    ),
    "negative count": (
        lambda path: with_column(path, "cpus", pa.array([1, -1])),
        "its column cpus has -1",
    ),
    "source": (
        lambda path: with_column(path, "source", pa.array(["simulatd"] * 2)),
        "unknown source 'simulatd': did you mean 'simulated'",
    ),
    "interval": (
        lambda path: with_columns(path, predicted_low=[2.0, 1.0], predicted_high=[3.0, 0.5]),
        "it has a row of predicted_low 1.0, predicted_high 0.5",
    ),
    "half an interval": (
        lambda path: with_columns(path, predicted_low=[2.0, 1.0], predicted_high=[3.0, None]),
        "it has a row of predicted_low 1.0, predicted_high None",
    ),
    "quantiles": (
        lambda path: with_columns(path, grace_p50_s=[0.2, 0.1], grace_p99_s=[0.1, 0.2]),
        "it has a row of grace_p50_s 0.2, grace_p99_s 0.1",
    ),
    "NaN of an interval": (
        lambda path: with_columns(path, predicted_low=[2.0, float("nan")]),
        "its column predicted_low has values that are no numbers",
    ),
    "rate of a CPU": (
        lambda path: with_columns(path, hits_per_s=[3e6, 4e6], hits_per_s_per_cpu=[3e6, 3e6]),
        "it has a row of hits_per_s 4000000.0, hits_per_s_per_cpu 3000000.0, cpus 2",
    ),
    "share of CPUs": (
        lambda path: with_columns(path, cpu_share=[1.0, 1.5]),
        "its column cpu_share has 1.5",
    ),
    "axis": (
        lambda path: with_columns(path, hz=[1000, 251]),
        "251: choose from 100, 250, 300, 1000",
    ),
    "workload without counts": (
        lambda path: with_columns(path, hz=[1000, 250]),
        "hz 250, attach_kind multi, unreaped_bytes None",
    ),
    "flavour": (
        lambda path: with_columns(path, flavour=["srcu", "tasks-trac"]),
        "unknown flavour 'tasks-trac': did you mean 'tasks-trace'",
    ),
    "one cell twice": (
        lambda path: with_columns(path, cell_id=["ab", "ab"]),
        "it has two rows of cell_id ab that differ",
    ),
    "bench": (
        lambda path: with_column(path, "bench", pa.array(["uprobe-nob"] * 2)),
        "unknown bench 'uprobe-nob': did you mean 'uprobe-nop'",
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_every_reader_names_the_file(out: Path, kind: str) -> None:
    damage, said = ODD[kind]
    damage(part(out))
    readers: list[Callable[[], object]] = [
        lambda: scan(out).collect(),
        lambda: scan(out).select("flavour").collect(),
        lambda: scan_attribution(out).collect(),
        lambda: scan_failures(out).collect(),
        lambda: run(SPEC, out, FakeExecutor()),
        lambda: compact(out),
    ]
    for reader in readers:
        with pytest.raises(UsageError) as caught:
            reader()
        assert str(caught.value).startswith(f"{part(out)} holds no cells, move it away: ")
        assert said in str(caught.value)


def test_two_files_with_other_rates_of_a_cell_are_both_named(out: Path) -> None:
    path = part(out)
    other = path.with_name("f" * 16 + ".parquet")
    other.write_bytes(path.read_bytes())
    assert len(scan(out).collect()) == 2
    with_columns(other, hits_per_s=[7.0, 8.0], hits_per_s_per_cpu=[7.0, 4.0])
    for reader in (
        lambda: scan(out).select("cpus").collect(),
        lambda: run(SPEC, out, FakeExecutor()),
    ):
        with pytest.raises(UsageError, match=r"differ in cell .* hits/s: move one") as caught:
            reader()
        assert str(path) in str(caught.value)
        assert str(other) in str(caught.value)


@pytest.mark.parametrize("command", ["tables", "compare", "explain", "failures", "plot", "compact"])
def test_every_command_names_the_file(out: Path, command: str, tmp_path: Path) -> None:
    part(out).write_text("no")
    arguments = ["-o", str(tmp_path / "x.png")] if command == "plot" else []
    done = CliRunner().invoke(cli, [command, str(out), *arguments])
    assert isinstance(done.exception, UsageError)
    assert str(done.exception).startswith(f"{part(out)} holds no cells, move it away: ")


def test_a_failure_of_another_kind_is_named(out: Path) -> None:
    (out / "failures" / "x.parquet").write_text("no")
    with pytest.raises(UsageError, match=r"x\.parquet holds no failures"):
        scan_failures(out).collect()
    assert len(scan(out).collect()) == 2


def test_what_macos_keeps_beside_a_file_is_no_part(out: Path) -> None:
    before = scan(out).collect()
    for table in ("cells", "attribution", "failures"):
        (out / table / "._x.parquet").write_bytes(b"\0\5\26\7Mac OS X")
    assert_frame_equal(scan(out).collect(), before)
    assert run(SPEC, out, FakeExecutor()).done == 0
    compact(out)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(b""),
    ],
)
def test_cells_whose_shares_are_missing_or_cut_are_simulated_again(
    out: Path, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    before = scan(out).sort("cell_id").collect()
    lost = part(out, "attribution")
    content = lost.read_bytes()
    damage(lost)
    kept = lost.read_bytes() if lost.exists() else None
    assert run(SPEC, out, FakeExecutor()).done == 2
    assert scan_attribution(out).collect()["cell_id"].n_unique() == 2
    assert_frame_equal(scan(out).sort("cell_id").collect(), before)
    assert run(SPEC, out, FakeExecutor()).done == 0
    if kept is not None:
        assert lost.with_name(f"{lost.name}.damaged").read_bytes() == kept != content
        assert f"{lost} was cut short; it is kept as {lost}.damaged" in caplog.text


def test_cells_without_shares_stay_apart_when_files_become_one(out: Path) -> None:
    part(out, "attribution").unlink()
    run(tiny_spec(cpus=[1, 2, 3]), out, FakeExecutor())
    kept = {path.name for path in (out / "attribution").iterdir()}
    for spec in (tiny_spec(cpus=[4]), tiny_spec(cpus=[5])):
        run(spec, out, FakeExecutor())
    compact(out)
    assert kept
    assert run(tiny_spec(cpus=[1, 2, 3, 4, 5]), out, FakeExecutor()).done == 0
    assert scan_attribution(out).collect()["cell_id"].n_unique() == 5


def test_a_scan_that_compacting_overtakes_is_whole(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files go after they are listed, and before they are read."""
    for cpus in range(3, 9):
        run(tiny_spec(cpus=[cpus]), out, FakeExecutor())
    before = scan(out).sort("cell_id").collect()
    early = scan(out).sort("cell_id")
    read, done = sweep.store.parts.read_part, []

    def overtaken(*asked: object) -> object:
        if not done:
            done.append(compact)
            monkeypatch.setattr(sweep.store.parts, "read_part", read)
            compact(out)
        return read(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(sweep.store.parts, "read_part", overtaken)
    assert_frame_equal(early.collect(), before)
    assert done
    assert_frame_equal(early.collect(), before)
    assert len(list((out / "cells").iterdir())) == 1


def test_columns_and_rows_that_are_not_asked_for_are_left_out(out: Path) -> None:
    found = scan(out).filter(cpus=2).select("cpus", "hits").collect()
    assert (found.columns, found["cpus"].to_list()) == (["cpus", "hits"], [2])
    assert len(scan(out).head(1).collect()) == 1
    assert scan(out).collect_schema().names() == SCHEMA.names


def test_every_bench_of_a_spec_can_be_read_again(out: Path) -> None:
    path = part(out)
    with_columns(path, unreaped_bytes=[0, 0])
    for bench in (*BENCHES, STRESS):
        with_column(path, "bench", pa.array([bench] * 2))
        assert scan(out).collect()["bench"].unique().to_list() == [bench]


def test_nothing_is_said_of_a_run_that_is_whole(
    out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "sweep"):
        run(SPEC, out, FakeExecutor())
        compact(out)
    assert caplog.messages == []
