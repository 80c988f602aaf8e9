"""The figures are the letter's, and out of the engine's reach."""

import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import sweep.letter.published
from core.kernel.flavours import FLAVOURS, parse_flavour
from core.machine.machine import load_machine
from sweep.letter.published import (
    LETTER_MACHINE,
    PUBLISHED,
    calibration_cells,
    later_figures,
    published,
    published_figures,
    published_mhits,
)

ROOT = Path(__file__).resolve().parents[2]


def test_every_flavour_bench_and_cpu_count_of_the_letter_once() -> None:
    cells = published().select("flavour", "bench", "cpus").rows()
    cpus = (1, 2, 4, 8, 16, 32, 64)
    benches = ("uprobe-nop", "uretprobe-nop")
    flavours = ("baseline", "srcu", "tasks-trace")
    assert cells == [(f, b, n) for f in flavours for b in benches for n in cpus]


def test_figures_read_off_the_letter() -> None:
    rows = {row[:3]: row[3:] for row in published().rows()}
    assert rows["baseline", "uprobe-nop", 1] == (3.032, 0.023, 3.032)
    assert rows["srcu", "uretprobe-nop", 32] == (3.622, 0.003, 0.113)
    assert rows["tasks-trace", "uprobe-nop", 8] == (10.355, 0.028, 1.294)


def test_figures_of_one_cpu_have_their_sources() -> None:
    rows = later_figures("one_cpu")
    assert len(rows) == 11
    assert set(rows["flavour"]) <= {parse_flavour(design).name for design in rows["flavour"]}
    by = {row["mhits_per_s"]: row for row in rows.iter_rows(named=True)}
    assert by[3.413]["rcu"] == "srcu"
    assert by[3.413]["mhits_per_s_stddev"] is None
    assert by[3.413]["source"].startswith("rcu list, September 2024, reply")
    assert (by[0.981]["bench"], by[2.253]["mhits_per_s_stddev"]) == ("uretprobe-ret", 0.004)


def test_every_figure_is_of_a_group_and_says_whether_costs_were_fitted_on_it() -> None:
    found = published_figures()
    assert Counter(one.group for one in found) == {
        "cover letter": 42,
        "mmap_lock_only": 20,
        "one_cpu": 11,
    }
    cells = calibration_cells()
    for one in found:
        named = (one.flavour, one.bench, one.cpus) in cells
        assert one.fitted == (named or one.group == "one_cpu")
        assert one.source


def test_the_share_of_a_cpu_is_the_mean_over_the_cpus_up_to_rounding() -> None:
    share = pl.col("mhits_per_s") / pl.col("cpus")
    off = published().select((share - pl.col("mhits_per_s_per_cpu")).abs().max()).item()
    assert off <= 0.001


def test_mhits_keep_the_order_of_the_letter() -> None:
    assert list(published_mhits().values()) == published()["mhits_per_s"].to_list()


def test_the_letter_names_only_what_the_project_knows() -> None:
    assert set(published()["flavour"]) <= set(FLAVOURS)
    assert load_machine(LETTER_MACHINE).cpus == 80


def test_calibration_cells_are_at_most_14_of_the_letters() -> None:
    cells = calibration_cells()
    assert 0 < len(cells & set(published_mhits())) <= 14


def test_calibration_cells_are_read_from_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cells.yaml"
    monkeypatch.setattr(sweep.letter.published, "CELLS", file)
    assert calibration_cells() == frozenset()
    file.write_text("- [srcu, uprobe-nop, 8]\n- [baseline, uretprobe-nop, 1]\n")
    assert calibration_cells() == {("srcu", "uprobe-nop", 8), ("baseline", "uretprobe-nop", 1)}


@pytest.mark.parametrize("text", ["", "srcu", "- srcu", "- [srcu, uprobe-nop]", "- [8, srcu, x]"])
def test_a_file_of_something_else_is_refused(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cells.yaml"
    file.write_text(text)
    monkeypatch.setattr(sweep.letter.published, "CELLS", file)
    with pytest.raises(ValueError, match="list of"):
        calibration_cells()


def test_the_readme_names_the_source_of_every_figure() -> None:
    readme = (PUBLISHED / "README.md").read_text()
    assert "RCU-protected hot path optimizations" in readme
    assert "Andrii Nakryiko" in readme
    curves = pl.read_csv(PUBLISHED / "primitive_curves.csv")
    for source, rows in curves.group_by("source").len().iter_rows():
        line = next(x for x in readme.splitlines() if source.removeprefix("perfbook ") in x)
        assert f"| {rows} |" in line


def test_core_neither_imports_sweep_nor_names_the_letters_file() -> None:
    imports_sweep = re.compile(r"^\s*(from|import) sweep\b", re.MULTILINE)
    for file in (ROOT / "core").rglob("*.py"):
        text = file.read_text()
        assert not imports_sweep.search(text), file
        if "calibrate" not in file.parts:
            assert "cover_letter" not in text, file
