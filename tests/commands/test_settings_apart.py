"""Cells that differ in an axis are never shown as repeats, on the real command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import cli

import sweep

TIMES = ("--set", "warmup=0us", "--set", "duration=100us", "--set", "sample=100us")
ASKED = ("--set", "flavour=tasks-trace", "--set", "bench=uprobe-nop", "--set", "ensemble=0")


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of 1 and of 8 consumers, and what they gave."""
    made = tmp_path_factory.mktemp("apart")
    axes = ("--set", "cpus=2", "--set", "consumers=1,8")
    done = cli("run", "cover-letter", *TIMES, *ASKED, *axes, "--out", "apart", cwd=made)
    assert done.returncode == 0, done.stderr
    return made


def test_compare(folder: Path) -> None:
    found = json.loads(cli("compare", "published", "./apart", "--json", cwd=folder).stdout)
    assert found["columns"] == ["published", "./apart consumers=1", "./apart consumers=8"]
    [cell] = [c for c in found["cells"] if all(c["figures"])]
    published, one, eight = cell["figures"]
    assert [f["replicates"] for f in (published, one, eight)] == [1, 1, 1]
    cells = sweep.scan(folder / "apart").collect()
    rates = dict(cells.select("consumers", "hits_per_s").iter_rows())
    assert (one["mean"], eight["mean"]) == pytest.approx((rates[1] / 1e6, rates[8] / 1e6))
    assert rates[8] < 0.6 * rates[1]
    assert list(found["letter"]) == ["./apart consumers=1"]
    alone = json.loads(cli("compare", "./apart", "--json", cwd=folder).stdout)
    assert [row["simulated"] for row in alone["rows"]] == [one["mean"]]
    assert alone["left_out"] == 1


def test_explain(folder: Path) -> None:
    found = json.loads(cli("explain", "./apart", "--json", cwd=folder).stdout)["curves"]
    assert [c["consumers"] for c in found] == [1, 8]
    assert [p["replicates"] for c in found for p in c["points"]] == [1, 1]


def test_tables(folder: Path) -> None:
    text = cli("tables", "./apart", cwd=folder).stdout
    assert text.count(" cpus): ") == 1
    assert "consumers 8" in text


def test_plot_says_what_it_leaves_out(folder: Path) -> None:
    assert cli("plot", "./apart", "-o", "x.svg", cwd=folder).returncode == 0
    assert "left out: 1 result of other settings" in (folder / "x.svg").read_text()


def test_a_picture_has_an_axis_for_what_varies_and_shows_what_is_chosen(tmp_path: Path) -> None:
    axes = ("--set", "cpus=2", "--set", "consumers=4,8", "--out", "more")
    assert cli("run", "cover-letter", *TIMES, *ASKED, *axes, cwd=tmp_path).returncode == 0
    assert cli("plot", "./more", "-o", "y.svg", cwd=tmp_path).returncode == 0
    assert "<!-- consumers -->" in (tmp_path / "y.svg").read_text()
    chosen = ("--consumers", "4")
    assert cli("plot", "./more", *chosen, "--force", "-o", "y.svg", cwd=tmp_path).returncode == 0
    assert "<!-- CPUs -->" in (tmp_path / "y.svg").read_text()
