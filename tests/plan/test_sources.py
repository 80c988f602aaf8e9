"""Designs and machines in files of the user's: rows of another text than today's are said to be."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny import FakeExecutor, tiny_spec

from core.machine.machine import load_machine
from sweep.cli import cli
from sweep.driver.driver import run
from sweep.machines.located_yaml import yaml_text
from sweep.store.folder import RUN
from sweep.store.scan import read_run

DESIGN = """from core.kernel.designs import Call, Patch, hp, replace, work


def slower(path):
    return replace(path, hp.IRET, Call("slower", work("more", cycles={cycles})), hp.IRET)


base = "srcu"
patch = Patch("slower", path=slower)
"""

COMMANDS = (
    "tables {run}",
    "compare {run}",
    "compare published {run}",
    "explain {run}",
    "plot {run} -o {run}.svg --force",
)

Say = Callable[..., Result]


@pytest.fixture(name="say")
def _say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run a command in a folder with my.py, whose run is in "old"; what it says."""
    monkeypatch.chdir(tmp_path)
    write(200)
    run(tiny_spec(flavour=["srcu", "my.py"]), tmp_path / "old", FakeExecutor())

    def said(command: str) -> Result:
        found = CliRunner().invoke(cli, command.format(run="old").split())
        assert found.exit_code == 0, found.output
        return found

    return said


def write(cycles: object) -> None:
    Path("my.py").write_text(DESIGN.format(cycles=cycles))


def tables() -> str:
    """What `tables old` says on stderr."""
    return CliRunner().invoke(cli, ["tables", "old"]).stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_an_edited_design_is_said_by_every_command_that_shows_rows(command: str, say: Say) -> None:
    assert "note:" not in say(command).stderr
    write(20_000)
    note = "note: old: 2 of 4 cells are not of the path of now; `uprobe-sweep run` simulates"
    assert note in say(command).stderr
    write(200)
    assert "note:" not in say(command).stderr


def test_what_changes_no_path_is_not_said(say: Say) -> None:
    Path("my.py").write_text(f"# Only a remark.\n{DESIGN.format(cycles=200)}")
    assert not say("tables {run}").stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "my.py': No such file"),
        ("x = (", "{at}/my.py:1: '(' was never closed"),
        ("x = 1", "{at}/my.py: it must define a Patch at its top level"),
        (DESIGN.format(cycles="1 / 0"), "{at}/my.py:5: ZeroDivisionError"),
    ],
)
def test_a_file_that_gives_no_design_any_more_is_said(
    text: str | None, why: str, say: Say, tmp_path: Path
) -> None:
    Path("my.py").unlink() if text is None else Path("my.py").write_text(text)
    said = say("tables {run}").stderr
    assert "note: old: 2 of 4 cells cannot be checked" in said
    assert why.format(at=tmp_path) in said


def test_the_file_is_the_one_of_the_run_from_wherever_it_is_asked(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    write(300)
    assert not say(f"tables {tmp_path}/old").stderr


def test_a_design_of_the_same_name_from_another_file_takes_over(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    Path("elsewhere/my.py").write_text(DESIGN.format(cycles=200))
    spec = tiny_spec(flavour=["srcu", "elsewhere/my.py"])
    assert run(spec, tmp_path / "old", FakeExecutor()).done == 0
    write(300)
    assert not say("tables {run}").stderr
    Path("elsewhere/my.py").write_text(DESIGN.format(cycles=300))
    assert "2 of 4 cells are not of the path of now" in say("tables {run}").stderr


def test_what_a_module_that_it_imports_says_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("lengths_of_mine.py").write_text("LENGTH = 200\n")
    text = DESIGN.format(cycles="lengths_of_mine.LENGTH")
    Path("my.py").write_text(f"import lengths_of_mine\n{text}")
    run(tiny_spec(flavour="my.py"), tmp_path / "old", FakeExecutor())
    assert not tables()
    monkeypatch.setattr(import_module("lengths_of_mine"), "LENGTH", 300)
    assert "2 of 2 cells are not of the path" in tables()


def test_an_edited_machine_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    values = {**load_machine("generic").model_dump(mode="json"), "name": "mine"}
    Path("mine.yaml").write_text(yaml_text(values))
    run(tiny_spec(machine="mine.yaml"), tmp_path / "old", FakeExecutor())
    assert not tables()
    values["execution"]["work_cycles"]["emulate"] += 1
    Path("mine.yaml").write_text(yaml_text(values))
    assert "2 of 2 cells are not of the machine" in tables()
    Path("mine.yaml").unlink()
    assert "2 of 2 cells cannot be checked" in tables()


def test_files_of_another_host_are_not_looked_for_here(say: Say) -> None:
    about = json.loads(Path("old", RUN).read_text())
    about["files"]["flavour"]["srcu+my.py"][0][2] = "elsewhere"
    Path("old", RUN).write_text(json.dumps(about))
    write(300)
    assert "cannot be checked" in (said := say("tables {run}").stderr)
    assert "srcu+my.py is my.py on elsewhere" in said


@pytest.mark.parametrize(
    "files", [3, {"flavour": 3}, {"flavour": {"srcu+my.py": [["my.py", 3, 4]]}}]
)
def test_what_is_no_list_of_files_is_as_none(files: object, say: Say) -> None:
    about = read_run("old")
    Path("old", RUN).write_text(json.dumps({**about, "files": files}))
    assert "where 'srcu+my.py' is from was not kept" in say("tables {run}").stderr


def test_explain_id_says_it_of_a_cell(say: Say) -> None:
    write(300)
    shown = json.loads(say("explain {run} --json").stdout)
    assert shown["curves"]
    from sweep.store.scan import scan

    cells = scan("old").filter(flavour="srcu+my.py").collect()
    cell = cells["cell_id"][0]
    found = json.loads(say(f"explain-id {cell} --run {{run}} --json").stdout)
    assert set(found["now"]) == {"path"}
    Path("my.py").unlink()
    said = say(f"explain-id {cell} --run {{run}}").stdout
    assert "what it would be today is not known: cannot read" in said


def test_an_old_text_is_no_measure_of_what_a_new_one_costs(say: Say) -> None:
    write(300)
    Path("s.yaml").write_text("name: s\nbench: uprobe-nop\nflavour: my.py\ncpus: [1, 2]\n")
    assert "2 of them only by cells that are most alike" in say("plan s.yaml --out {run}").stdout
