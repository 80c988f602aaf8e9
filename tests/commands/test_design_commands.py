"""A design of the user's own, given to the commands that take a flavour."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command_line import cli

from sweep.spec.files import SPECS

OWN_LINE = "trace_uprobe.nhit of a process"
ON = ("--bench", "uprobe-nop", "--cpus", "2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(SPECS / "sharded-nhit.py", tmp_path / "my.py")
    return tmp_path


def test_show_prints_what_it_changes(folder: Path) -> None:
    done = cli("show", "srcu", "--vs", "srcu+my.py", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {step["work"] or step["line"] for step in found["added"]} >= {"find_count", OWN_LINE}
    assert found["vs_totals"][OWN_LINE] == {"lock xadd": 1}


@pytest.mark.parametrize(
    "command",
    [
        ("predict", "--machine", "generic", "--flavour", "my.py", *ON),
        ("explain", "--flavour", "my.py", *ON),
        ("whatif", "--flavour", "my.py", "--ensemble", "0", "--replicates", "2", *ON),
    ],
    ids=lambda command: command[0],
)
def test_commands_take_it(command: tuple[str, ...], folder: Path) -> None:
    done = cli(*command, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "tasks-trace+my.py" in done.stdout
    assert (OWN_LINE in done.stdout) == (command[0] != "predict")


def test_what_it_prints_is_no_part_of_the_output(folder: Path) -> None:
    text = (folder / "my.py").read_text()
    (folder / "my.py").write_text(text + 'print("here I am")\n')
    done = cli("show", "my.py", "--json", cwd=folder)
    assert json.loads(done.stdout)["flavour"] == "tasks-trace+my.py"
    assert "here I am" in done.stderr


def test_a_fault_in_it_is_one_line_and_exit_2(folder: Path) -> None:
    with (folder / "my.py").open("a") as file:
        file.write("other = Patch('other', path=lambda path: path[0])\n")
    line = len((folder / "my.py").read_text().splitlines())
    for command in ("show my.py", "predict --machine generic --cpus 2 --flavour my.py"):
        done = cli(*command.split(), cwd=folder)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"my.py:{line}: other: its path is no tuple of Calls" in done.stderr
        assert done.stderr.count("\n") == 1
