"""Inputs that are odd or too much: said in a line, refused in bounded time, or meant one way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import AXES, cli

from sweep.errors import UsageError, quoted
from sweep.spec.axes import MAX_CELLS
from sweep.spec.files import load_spec
from sweep.spec.spec import Spec, override

HEAD = "bench: uprobe-nop\nflavour: srcu\ncpus: 1\n"


@pytest.mark.parametrize("text", ["0.5", "0.005", "0.5%", "1e-3"])
def test_a_precision_means_the_same_in_a_file_and_with_set(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.yaml").write_text(HEAD + f"precision: {text}\n")
    (tmp_path / "without.yaml").write_text(HEAD)
    written = load_spec(tmp_path / "p.yaml")
    given = override(load_spec(tmp_path / "without.yaml"), [f"precision={text}"])
    assert written.precision == given.precision


def test_a_wide_precision_is_said(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(HEAD)
    done = cli("plan", "p.yaml", "--set", "precision=0.5", cwd=tmp_path)
    assert done.stderr == "note: the precision asked for is ±50% of the mean\n"


def test_an_edit_without_effect_is_said(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(HEAD)
    said = "note: v6.14~filter-ctx: ~filter-ctx changes nothing that is modelled\n"
    for line in ("plan p.yaml --set flavour=v6.14~filter-ctx", "show v6.14~filter-ctx"):
        done = cli(*line.split(), cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, said)


def test_more_cells_than_memory_are_refused() -> None:
    with pytest.raises(UsageError, match="makes 1,000,001 cells in all; allowed are 1,000,000"):
        Spec(bench="uprobe-nop", flavour="srcu", cpus=1, seed=range(MAX_CELLS + 1))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("self: 1", "4: self: unknown axis: allowed: "),
        ("info: 1", "4: info: unknown axis: allowed: "),
        ("seed: " + "9" * 5000, "4: a number of 5,000 digits; 40 are read"),
        ("seed: 1:10", "4: seed: '1:10' is not a whole number"),
        ("name: " + "x" * 300, "4: name: 'xxxxxxxxxxxx...xxxxxxxxxxxxx' cannot name a folder"),
    ],
)
def test_a_spec_that_is_odd_is_one_line(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "odd.yaml").write_text(HEAD + line + "\n")
    done = cli("run", "odd.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: odd.yaml:{said}")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["odd.yaml"]


@pytest.mark.parametrize(
    "line",
    [
        "run folder.yaml",
        "run {long}",
        "run {long}.yaml",
        "plan tiny.yaml --out {long}",
        "run tiny.yaml --out {long}",
        "run tiny.yaml --machine {long}.yaml",
        "run tiny.yaml --machine folder.yaml",
        "tables {long}",
        "tables folder.yaml",
        "compare {long}",
        "failures {long}",
        "compact {long}",
        "explain {long}",
        "plot {long} -o x.png",
        "explain-id ab --run {long}",
        "machine show {long}.yaml",
        "machine show folder.yaml",
        "machine new x --sockets 1 --cores 1 --siblings 1 -o {long}.yaml",
        "machine new x --sockets 1 --cores 1 --siblings 1 -o folder.yaml",
        "read-log {long} --kernel v6.12",
        "read-log folder.yaml --kernel v6.12",
    ],
)
def test_a_folder_or_a_name_that_is_too_long_is_exit_2(tmp_path: Path, line: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "tiny.yaml").write_text(json.dumps(AXES))
    before = sorted(tmp_path.rglob("*"))
    done = cli(*line.format(long="x" * 300).split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_number_that_python_does_not_write_can_be_quoted() -> None:
    assert quoted(10**5000) == "int of thousands of digits"
