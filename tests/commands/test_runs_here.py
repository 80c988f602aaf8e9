"""Runs in results/runs: listed, and removed after a question."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny import FakeExecutor, tiny_spec

from core.cell import Cell
from sweep.cli import cli
from sweep.driver.driver import run
from sweep.errors import UsageError
from sweep.store.store import Store


def fails(cell: Cell) -> None:
    if cell.cpus == 2:
        raise ValueError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)
    run(tiny_spec(cpus=[1, 2]), Path("results/runs/a[1]"), FakeExecutor(fails))
    run(tiny_spec(cpus=[1, 2, 3]), Path("results/runs/b"), FakeExecutor())
    return tmp_path / "results" / "runs"


@pytest.fixture(autouse=True)
def nothing_listens(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """At a port that is bound and never listened at."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        monkeypatch.setattr("sweep.service.ray_jobs.DEFAULT_ADDRESS", f"http://127.0.0.1:{port}")
        yield


def invoke(*args: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(cli, args, input=answer)


def test_runs_here_are_listed_without_a_cluster(here: Path) -> None:
    done = invoke("runs")
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:5] for line in lines] == [
        ["run", "state", "cells", "failed", "jobs"],
        ["a[1]", "here", "1", "1", "-"],
        ["b", "here", "3", "0", "-"],
    ]
    assert done.stderr.startswith("no cluster answers at http://127.0.0.1:")
    listed = json.loads(invoke("runs", "--json").stdout)
    assert [(r["run"], r["cells"], r["out"]) for r in listed] == [
        ("a[1]", 1, "results/runs/a[1]"),
        ("b", 3, "results/runs/b"),
    ]


def test_a_run_that_cannot_be_read_is_listed_and_named(here: Path) -> None:
    (here / "b" / "cells" / "x.parquet").write_text("no")
    done = invoke("runs")
    assert "results/runs/b/cells/x.parquet holds no cells" in done.stderr
    assert ["b", "here", "-", "-"] in [line.split()[:4] for line in done.stdout.splitlines()]


def test_a_cluster_that_is_asked_for_has_to_answer(here: Path) -> None:
    done = invoke("runs", "--address", "http://127.0.0.1:1")
    assert done.exception is not None
    assert getattr(done.exception, "exit_code", 0) == 4


def test_a_run_is_removed_after_a_question(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweep.commands.rm._can_answer", lambda: True)
    done = invoke("rm", "b", answer="n\n")
    assert "remove results/runs/b with 3 finished cells?" in done.stderr
    assert done.stdout == "results/runs/b stays\n"
    assert (here / "b").is_dir()
    done = invoke("rm", "b", answer="y\n")
    assert done.stdout == "removed: results/runs/b\n"
    assert [path.name for path in here.iterdir()] == ["a[1]"]


def test_what_became_of_a_run_as_json(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweep.commands.rm._can_answer", lambda: True)
    (here / "b" / "notes.txt").write_text("mine")
    run = {"run": "results/runs/b"}
    stays = json.loads(invoke("rm", "b", "--json", answer="n\n").stdout)
    assert stays == {**run, "removed": False, "left": []}
    gone = invoke("rm", "b", "--yes", "--json")
    assert (json.loads(gone.stdout), gone.stderr) == (
        {**run, "removed": True, "left": ["notes.txt"]},
        "",
    )


def test_where_nobody_can_be_asked_yes_is_needed(here: Path) -> None:
    done = invoke("rm", "a[1]")
    assert isinstance(done.exception, UsageError)
    assert "1 finished cells: nobody can be asked here, so say --yes" in str(done.exception)
    assert invoke("rm", "a[1]", "--yes").exit_code == 0
    assert [path.name for path in here.iterdir()] == ["b"]


def test_other_files_stay_when_a_run_is_removed(here: Path) -> None:
    (here / "b" / "notes.txt").write_text("mine")
    done = invoke("rm", "b", "--yes")
    assert done.stderr == "other files stay there: notes.txt\n"
    assert [path.name for path in (here / "b").iterdir()] == ["notes.txt"]


def test_a_run_that_is_damaged_can_be_removed(here: Path) -> None:
    (here / "b" / "cells" / "x.parquet").write_text("no")
    assert invoke("rm", "b", "--yes").exit_code == 0
    assert not (here / "b").exists()


def test_a_run_that_is_being_written_or_is_none_stays(here: Path) -> None:
    about = json.loads((here / "b" / "run.json").read_text())
    with Store(here / "b", about):
        assert "another process is writing" in str(invoke("rm", "b", "--yes").exception)
    assert "no such run" in str(invoke("rm", "c", "--yes").exception)
    assert "is a folder of runs" in str(invoke("rm", str(here), "--yes").exception)
    assert len(list((here / "b" / "cells").iterdir())) == 1
