"""`query` and `export`: a run's rows for people and programs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from polars.testing import assert_frame_equal
from tiny import FakeExecutor, tiny_spec

import sweep
from sweep.cli import cli
from sweep.driver.driver import run
from sweep.errors import UsageError


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("runs") / "r"

    def fails(cell: object) -> None:
        if getattr(cell, "cpus", 0) == 3:
            raise ValueError

    run(tiny_spec(flavour=["srcu", "nop5"], cpus=[1, 2, 3]), out, FakeExecutor(fails))
    return str(out)


def invoke(*args: str, stdin: str | None = None) -> Result:
    done = CliRunner().invoke(cli, args, input=stdin)
    assert done.exit_code == 0, (done.output, done.exception)
    return done


def refused(*args: str) -> str:
    done = CliRunner().invoke(cli, args)
    assert isinstance(done.exception, UsageError), done.output
    return str(done.exception)


def test_a_query_is_answered_as_table_json_and_csv(there: str) -> None:
    sql = "select flavour, count(*) as n from results group by flavour order by flavour"
    assert [line.split() for line in invoke("query", there, sql).stdout.splitlines()[2:]] == [
        ["nop5", "2"],
        ["srcu", "2"],
    ]
    expected = [{"flavour": "nop5", "n": 2}, {"flavour": "srcu", "n": 2}]
    assert json.loads(invoke("query", there, sql, "--json").stdout) == expected
    assert invoke("query", there, "-", "--csv", stdin=sql).stdout == "flavour,n\nnop5,2\nsrcu,2\n"


def test_every_table_is_there(there: str) -> None:
    for table, rows in (("results", 4), ("attribution", 8), ("failures", 2), ("published", 42)):
        found = invoke("query", there, f"select count(*) as n from {table}", "--json").stdout
        assert json.loads(found) == [{"n": rows}]
        assert f"{table}, {rows} rows" in invoke("query", there).stdout


def test_only_chooses_cells_and_their_shares(there: str) -> None:
    sql = "select count(*) as n from attribution"
    assert json.loads(invoke("query", there, sql, "--only", "cpus=1", "--json").stdout) == [
        {"n": 4}
    ]


def test_an_average_over_settings_is_noted_and_a_group_is_not(there: str) -> None:
    sql = "select avg(hits_per_s) as x from results"
    assert "differ in flavour, cpus, which the query does not name" in (
        invoke("query", there, sql).stderr
    )
    assert invoke("query", there, f"{sql} group by flavour, cpus").stderr == ""


def test_a_query_that_cannot_be_is_refused(there: str) -> None:
    assert "did you mean 'flavour'?" in refused("query", there, "select flavor from results")
    assert "exclude each other" in refused("query", there, "select 1", "--json", "--csv")
    assert "need SQL" in refused("query", there, "--json")
    assert "no such run" in refused("query", f"{there}-not", "select 1")


def test_an_export_is_the_run(there: str, tmp_path: Path) -> None:
    cells = sweep.scan(there).collect().sort("cell_id")
    for suffix in ("csv", "parquet"):
        file = tmp_path / f"r.{suffix}"
        assert invoke("export", there, "-o", str(file)).stdout == f"4 rows: {file}\n"
        read = pl.read_csv(file, schema=cells.schema) if suffix == "csv" else pl.read_parquet(file)
        assert_frame_equal(read.sort("cell_id"), cells, check_exact=True)
    rows = json.loads(invoke("export", there, "--json").stdout)
    read = pl.DataFrame(rows, schema=cells.schema).sort("cell_id")
    assert_frame_equal(read, cells, check_exact=True)
    assert invoke("export", there, "--markdown").stdout.count("\n") == 6


def test_an_export_says_what_is_null(there: str) -> None:
    assert "null, written as nothing: " in invoke("export", there, "--csv").stderr


def test_an_export_has_the_other_tables_and_chosen_rows(there: str) -> None:
    text = invoke("export", there, "--table", "attribution", "--only", "cpus=2", "--csv").stdout
    shares = pl.read_csv(io.StringIO(text))
    assert len(shares) == 4
    failed = json.loads(invoke("export", there, "--table", "failures", "--json").stdout)
    assert [(row["cpus"], row["flavour"]) for row in failed] == [(3, "srcu"), (3, "nop5")][::-1]


def test_nothing_is_overwritten_silently(there: str, tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("mine")
    assert "--force replaces it" in refused("export", there, "-o", str(file))
    assert file.read_text() == "mine"
    invoke("export", there, "-o", str(file), "--force")
    assert file.read_text().startswith("cell_id,")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "a format is missing: --csv, --json, --markdown or --parquet"),
        (["--csv", "--json"], "one format at a time, got --csv, --json"),
        (["-o", "r.txt"], "-o r.txt: of suffix .csv, .json, .md, .parquet"),
        (["-o", "nowhere/x/r.csv"], "no such folder: nowhere/x"),
        (["--csv", "--only", "cpus=9"], "no such row"),
    ],
)
def test_an_export_that_cannot_be_is_refused(
    args: list[str], said: str, there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in refused("export", there, *args)
    assert list(tmp_path.iterdir()) == []
