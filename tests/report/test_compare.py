"""Published, simulated, live and logged figures in one table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from frames import frame, letter_frame, row

from core.kernel.flavours import FLAVOURS
from sweep.cli import cli
from sweep.errors import UsageError
from sweep.report.compare import Comparison, beside_published, compare, design
from sweep.report.compare_text import render
from sweep.report.picture import picture
from sweep.report.plot import draw

LIVE = {"source": "live", "machine": "host", "kernel": "6.18.1", "attach": "bpf", "nop_bytes": 5}


def names(found: Comparison) -> list[str]:
    return [column.name for column in found.columns]


def test_designs_are_matched_by_their_patches() -> None:
    before = list(FLAVOURS)[list(FLAVOURS).index("nop5") - 1]
    assert [design(f) for f in ("v6.18", "nop5", "v6.14", "nop5~nop5", "v6.12")] == [
        *("nop5", "nop5", "ri-reuse", before, "v6.12")
    ]
    assert design("a design that this tree lacks") == "a design that this tree lacks"
    live = frame(row(flavour="nop5", hits_per_s=4e6, **LIVE))
    predicted = frame(row(flavour="v6.18", hits_per_s=5e6, predicted_low=4.5e6, predicted_high=6e6))
    [cell] = compare({"live": live, "here": predicted}).cells
    assert (cell.bench, cell.design, cell.cpus) == ("uprobe-nop", "nop5", 1)
    first, second = cell.figures
    assert first is not None
    assert first.error is None
    assert second is not None
    assert (second.mean, second.low, second.high, second.error) == (5.0, 4.5, 6.0, 0.25)


def test_two_states_are_told_below_the_interval() -> None:
    bounds = {"predicted_low": 1e6, "predicted_high": 4e6, "state_low": 2e6, "state_high": 3e6}
    here = frame(row(hits_per_s=2.5e6, **bounds))
    text = render(compare({"live": frame(row(**LIVE)), "here": here}))
    assert "2.000|3.000" in text
    assert "a|b below a figure: two states, by how the CPUs start" in text
    assert "|" not in render(compare({"live": frame(row(**LIVE)), "here": frame(row())}))


def test_the_first_column_is_what_errors_are_against() -> None:
    mixed = compare({"published": None, "half": letter_frame(0.5), "twice": letter_frame(2.0)})
    assert names(mixed) == ["published", "half", "twice"]
    assert len(mixed.cells) == 42
    for cell in mixed.cells:
        errors = [figure.error for figure in cell.figures if figure is not None]
        assert errors == [None, pytest.approx(-0.5), pytest.approx(1.0)]


def test_what_may_not_be_averaged_is_a_column_of_its_own() -> None:
    ways = [row(flavour="nop5", **{**LIVE, "attach": attach}) for attach in ("bpf", "perf")]
    mixed = compare({"live": frame(*ways), "here": frame(row(flavour="nop5"))})
    assert names(mixed) == ["live attach=bpf", "live attach=perf", "here"]


def test_replicates_are_averaged() -> None:
    rows = [row(flavour="nop5", replicate=r, hits_per_s=r * 1e6, **LIVE) for r in (1, 3)]
    [cell] = compare({"live": frame(*rows), "here": frame(row(flavour="nop5"))}).cells
    assert cell.figures[0] is not None
    assert (cell.figures[0].mean, cell.figures[0].replicates) == (2.0, 2)


def test_a_cell_that_one_column_lacks_has_a_dash() -> None:
    live = frame(row(flavour="nop5", **LIVE))
    predicted = frame(row(flavour="nop5"), row(flavour="nop5", cpus=2))
    mixed = compare({"live": live, "here": predicted})
    assert [cell.figures[0] is None for cell in mixed.cells] == [False, True]
    text = render(mixed)
    assert "Errors are against live." in text
    [line] = [line for line in text.splitlines() if line.split()[2:3] == ["2"]]
    assert line.split()[3] == line.split()[-1] == "-"


def test_different_models_are_columns_of_their_own() -> None:
    rows = [row(flavour="srcu", cpus=n, model_version=str(n)) for n in (1, 2)]
    mixed = compare({"here": frame(*rows), "published": None})
    assert names(mixed) == ["here model_version=1", "here model_version=2", "published"]


def test_what_only_the_published_figures_have_is_counted_and_shown_if_asked_for() -> None:
    found = beside_published("run", frame(row(), row(cpus=2)))
    text = render(found)
    lines = [line for line in text.splitlines() if re.match(r"u(ret)?probe-\S+ +\S+ +\d+ ", line)]
    assert [line.split()[:3] for line in lines] == [["uprobe-nop", "baseline", n] for n in "12"]
    absent = len(found.cells) - 2
    assert f"Without {absent} published figures of cells that no run has: see --all." in text
    assert "The run lacks 40 of the letter's 42 cells." in text
    assert "rise from" not in text
    assert "headlines" not in text
    whole = render(found, whole=True)
    assert "Without" not in whole
    assert "the letter's headlines" in whole
    assert "rise from 32 to 64 CPUs" in whole
    shown = re.findall(r"^u(?:ret)?probe-\S+ +\S+ +\d+ ", whole, re.MULTILINE)
    assert len(shown) == len(found.cells)


def test_a_rise_and_headlines_are_those_that_a_column_has_a_figure_of() -> None:
    rates = {16: 3e6, 32: 2e6, 64: 3e6}
    text = render(
        beside_published("run", frame(*(row(cpus=n, hits_per_s=rates[n]) for n in rates)))
    )
    assert text.count("\nuprobe-nop, baseline  ") == 1
    assert "x 1.50" in text
    assert "uretprobe-nop, " not in text
    assert not re.search(r"^(calibration|held-out) +0 ", text, re.MULTILINE)


def test_two_flavours_of_one_design_are_two_lines() -> None:
    both = frame(row(flavour="nop5", hits_per_s=1e6), row(flavour="v6.18", hits_per_s=3e6))
    mixed = compare({"both": both, "other": frame(row(flavour="nop5"))})
    means = {cell.design: cell.figures[0] and cell.figures[0].mean for cell in mixed.cells}
    assert means == {"nop5": 1.0, "v6.18": 3.0}


def test_what_a_column_is_of_is_said_if_it_is_not_as_the_first() -> None:
    text = render(compare({"published": None, "run": frame(row(consumers=8, seed=0))}))
    assert "\nrun: consumers=8\n" in text
    assert "headlines" not in text
    live = frame(row(flavour="nop5", **LIVE))
    text = render(compare({"here": frame(row(flavour="nop5")), "live": live}))
    assert "\nlive: machine=host source=live kernel=6.18.1" in " ".join(text.split(" ")).replace(
        "  ", " "
    )


def test_one_run_beside_the_letter_is_the_comparison_of_two() -> None:
    run = letter_frame(0.5)
    assert beside_published("run", run) == compare({"published": None, "run": run})


def test_more_columns_than_fit_are_further_tables() -> None:
    many = {f"a-run-of-{n}": letter_frame(n, consumers=n) for n in range(2, 12)}
    text = render(compare({"published": None, **many}))
    assert max(map(len, text.splitlines())) <= 100
    assert "…" not in text
    for n in range(2, 12):
        assert f"{3.032 * n:.3f} ± {0.023 * n:.3f}" in text


def test_nothing_in_common_is_said() -> None:
    with pytest.raises(UsageError, match="no two of live, published have a bench"):
        compare({"live": frame(row(flavour="nop5", **LIVE)), "published": None})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["published", "published"], "a run is named twice"),
        (["published", "nowhere"], "no such run: results/runs/nowhere"),
        (["published", "nowhere", "--baselines"], "--baselines is for one run"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    asked: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["compare", *asked])
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)


def test_a_live_run_is_drawn_as_live_and_its_time_is_not_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = draw(picture(frame(row(flavour="nop5", **LIVE), row(flavour="nop5", cpus=2, **LIVE))))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["nop5", "live"]
    monkeypatch.chdir(tmp_path)
    Path("bench.log").write_text("uprobe-nop ( 1 cpus): 3.032 ± 0.023M/s ( 3.032M/s/cpu)")
    assert CliRunner().invoke(cli, ["read-log", "bench.log", "--flavour=srcu"]).exit_code == 0
    done = CliRunner().invoke(cli, ["explain", "log"])
    assert "was measured" in str(done.exception)
    done = CliRunner().invoke(cli, ["compare", "log"])
    assert "name a second RUN, or `published`" in str(done.exception)


def test_designs_that_are_one_path_are_said_to_be() -> None:
    same = {"path_digest": "a" * 16}
    rows = frame(
        row(flavour="v6.13", **same),
        row(flavour="srcu-uretprobe", **same),
        row(flavour="srcu", path_digest="b" * 16),
    )
    found = compare({"here": rows, "there": rows})
    assert found.one_path == [("srcu-uretprobe", "v6.13")]
    said = "srcu-uretprobe and v6.13 are one path: the model has one figure for them"
    assert said in render(found)
    apart = frame(row(flavour="v6.13", bench="uretprobe-nop", path_digest="c" * 16))
    assert compare({"here": pl.concat([rows, apart]), "there": rows}).one_path == []


DESIGN = "tasks-trace+percpu-nhit"


def beside_later(**changes: Any) -> Comparison:
    """A run of a design of later messages beside what is published."""
    at = {"seed": 0, "predicted_low": 5e6, "predicted_high": 6e6}
    rows = [
        row(flavour=DESIGN, cpus=n, hits_per_s=rate * 1e6, **{**at, **changes})
        for n, rate in ((1, 3.0), (2, 5.5), (3, 8.0))
    ]
    return compare({"published": None, "run": frame(*rows)})


def test_later_figures_have_lines_beside_cells_that_a_run_has() -> None:
    found = [c for c in beside_later().cells if c.published and c.published.group != "cover letter"]
    assert [(c.cpus, c.published and c.published.group) for c in found] == [
        (1, "mmap_lock_only"),
        (1, "one_cpu"),
        (2, "mmap_lock_only"),
        (3, "mmap_lock_only"),
    ]
    ours = [cell.figures[1] for cell in found]
    assert [one and one.calibration for one in ours] == [True, True, True, False]
    assert [one and one.covers for one in ours] == [False, False, True, False]
    assert ours[2] is not None
    assert ours[2].error == pytest.approx(5.5 / 5.724 - 1)


def test_every_group_of_published_figures_is_named_with_its_errors() -> None:
    found = beside_later()
    summary = found.later["run", "mmap_lock_only"]
    assert (summary["all"].cells, summary["calibration"].cells) == (3, 2)
    assert summary["held-out"].worst == pytest.approx(1 - 8 / 8.543)
    text = render(found)
    assert "5.724 ± 0.006 a " in text
    assert "a mmap_lock_only: the letter's machine" in text
    assert "one_cpu: all" in text
    assert {(one["column"], one["group"]) for one in found.to_dict()["later"]} == {
        ("run", "mmap_lock_only"),
        ("run", "one_cpu"),
    }


def test_a_figure_of_another_rcu_is_beside_runs_of_that_rcu() -> None:
    design = f"{DESIGN}+speculative-vma"
    rows = [row(flavour=design, rcu=rcu, seed=0) for rcu in ("default", "srcu", "srcu-fast")]
    found = compare({"published": None, "run": frame(*rows)})
    lines = [cell for cell in found.cells if cell.design == design]
    assert [line.published and line.published.mhits_per_s for line in lines] == [
        3.562,
        3.534,
        3.413,
    ]
    there = [[figure is not None for figure in line.figures[1:]] for line in lines]
    assert there == [[True, False, True], [True, False, True], [False, True, False]]
    assert "3.413 b rcu=srcu" in render(found)


def test_a_live_run_was_fitted_on_nothing() -> None:
    [*lines] = (cell.figures[1] for cell in beside_later(**LIVE).cells)
    assert not any(figure.calibration for figure in lines if figure)


def test_one_run_with_later_cells_alone_is_beside_them() -> None:
    rows = frame(*(row(flavour=DESIGN, cpus=n, seed=0) for n in (2, 9)))
    found = beside_published("run", rows)
    assert [cell.cpus for cell in found.cells if cell.figures[1]] == [2]
    assert found.left_out == 1
