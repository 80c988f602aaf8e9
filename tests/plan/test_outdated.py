"""Rows that a run of today would not give are said to be so, and another run replaces them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from frames import frame as rows_of
from frames import row
from tiny import FakeExecutor, tiny_spec

import core.cell
from sweep.commands.shared import frame
from sweep.driver.driver import run
from sweep.plan.identity import outdated
from sweep.report.compare import compare
from sweep.report.compare_text import render
from sweep.report.tables import letter_lines
from sweep.store.scan import scan, scan_sessions

SPEC = tiny_spec(flavour=["srcu", "tasks-trace"])


@pytest.fixture(name="edited")
def _edited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A tree in which the path of tasks-trace was edited."""
    digest = core.cell._digest

    def other(kernel: object, *rest: object) -> str:
        return "edited" if kernel == "tasks-trace" else digest(kernel, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(core.cell, "_digest", other)


def test_what_is_of_this_tree_is_not_outdated(tmp_path: Path) -> None:
    run(SPEC, tmp_path, FakeExecutor())
    assert not any(outdated(scan(tmp_path).collect()))


@pytest.fixture(name="old")
def _old(tmp_path: Path) -> Path:
    run(SPEC, tmp_path / "run", FakeExecutor())
    return tmp_path / "run"


def test_an_edited_patch_is_said_of_the_rows_that_it_concerns(
    old: Path, edited: None, capsys: pytest.CaptureFixture[str]
) -> None:
    frame(str(old))
    assert f"note: {old}: 2 of 4 cells are not of the path of now" in capsys.readouterr().err


def test_a_run_of_an_edited_patch_shows_no_old_figures(old: Path, edited: None) -> None:
    done = run(SPEC, old, FakeExecutor())
    assert (done.done, done.skipped) == (2, 2)
    cells = scan(old).collect()
    assert not any(outdated(cells))
    assert letter_lines(cells).count("cpus):") == 4
    everything = scan_sessions(old).collect()
    assert len(everything) == 6
    assert letter_lines(everything).count("cpus):") == 6, "never averaged"


def test_runs_of_two_trees_are_compared_and_it_is_said(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scan(old).collect()
    after = before.with_columns(
        path_digest=pl.when(flavour="tasks-trace").then(pl.lit("edited")).otherwise("path_digest")
    )
    found = compare({"before": before, "after": after})
    assert found.to_dict()["other_paths"] == {"before": [], "after": ["tasks-trace"]}
    assert "after: another path of tasks-trace than in a column before it" in render(found)


def test_models_machines_and_rows_that_do_not_say() -> None:
    now = {"model_version": core.cell.MODEL_VERSION, "machine": "another"}
    live = {"source": "live", "model_version": "none"}
    found = outdated(rows_of(row(), row(**now), row(**now, flavour="srcu"), row(**live)))
    assert found.changed == {"model, machine, path (not kept then)": 1, "path (not kept then)": 2}
    assert found.unknown == {"where 'another' is from was not kept": 2}
