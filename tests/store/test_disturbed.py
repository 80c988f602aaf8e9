"""Measurements whose threads did not have their CPUs: marked, refused, never averaged with good."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from sweep import scan
from sweep.cli import cli
from sweep.errors import UsageError
from sweep.live.bench_log import figures
from sweep.live.log_rows import rows
from sweep.report.compare import compare
from sweep.report.tables import letter_lines
from sweep.store.provenance import provenance
from sweep.store.schema import LIVE, NO_MODEL, SCHEMA, Row
from sweep.store.store import Store


def measured(*figure_and_share: tuple[float, float | None], cpus: int = 2) -> list[Row]:
    found = []
    for i, (mhits, share) in enumerate(figure_and_share):
        log = f"uprobe-nop ( {cpus} cpus): {mhits:.3f} ± 0.{i:03d}M/s".encode()
        [row] = rows([(figures(log, "log").lines[0], "srcu", "6.12")], "host", "live")
        found.append({**row, "source": LIVE, "cpu_share": share})
    return found


def frame(*figure_and_share: tuple[float, float | None]) -> pl.DataFrame:
    schema = pl.DataFrame(SCHEMA.empty_table()).schema
    return pl.DataFrame(measured(*figure_and_share), schema=schema)


def test_a_disturbed_row_beside_good_ones_is_left_out() -> None:
    printed = letter_lines(frame((8.0, 0.99), (2.0, 0.4), (6.0, 1.0)))
    assert "   7.000 ±" in printed
    assert "!" not in printed


def test_where_all_are_disturbed_they_are_marked() -> None:
    printed = letter_lines(frame((2.0, 0.4), (3.0, 0.5)))
    assert "   2.500 ±" in printed
    assert printed.endswith("  ! had 45% of its CPUs")


def test_what_no_share_is_known_of_is_not_disturbed() -> None:
    assert "   5.000 ±" in letter_lines(frame((4.0, None), (6.0, 1.0)))


def test_compared_runs_leave_them_out_and_keep_the_share() -> None:
    mixed = compare({"a": frame((8.0, 0.99), (2.0, 0.4)), "b": frame((2.0, 0.4))})
    [cell] = mixed.cells
    assert [(f.mean, f.cpu_share) for f in cell.figures if f] == [(8.0, 0.99), (2.0, 0.4)]


SAID = (
    ": 1 of 1 measurements were disturbed, so they are too low: "
    "uprobe-nop on 2 CPUs had 40% of them"
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    about = {**provenance({}), "model_version": NO_MODEL}
    with Store(tmp_path / "live", {"run_id": "live", "spec": {}, "provenance": about}) as store:
        for row in measured((2.0, 0.4)):
            store.append(row)
    return tmp_path / "live"


@pytest.mark.parametrize("command", [["tables"], ["compare", "published"]])
def test_strict_refuses_them(run: Path, command: list[str]) -> None:
    done = CliRunner().invoke(cli, [*command, str(run), "--strict"])
    assert isinstance(done.exception, UsageError)
    assert str(done.exception).endswith(f"{run}{SAID}")


def test_a_comparison_marks_them_and_says_what_the_mark_means(run: Path) -> None:
    done = CliRunner().invoke(cli, ["compare", str(run), "published"])
    assert "2.000 ± 0.000~" in done.output
    assert "~ others had the CPUs as well: too low." in done.output


@pytest.mark.parametrize(
    "words",
    ["tables {} --json", "diff {} {}", "query {} --sql", "export {} --csv", "plot {} -o {}.svg"],
)
def test_every_command_that_shows_rows_says_which_are_too_low(run: Path, words: str) -> None:
    typed = words.replace("--sql", "@").format(*[run] * 2).split()
    typed = ["select hits_per_s from results" if word == "@" else word for word in typed]
    done = CliRunner().invoke(cli, typed)
    assert done.exit_code == 0, done.output
    assert f"note: {run}{SAID}\n" in done.stderr


def test_the_namespace_warns_of_them(run: Path) -> None:
    rows = scan(run).collect()
    with pytest.warns(UserWarning, match=SAID.removeprefix(": 1 of 1 ")):
        rows.uprobe.peak()
