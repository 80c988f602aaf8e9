"""`-o FILE`: no command replaces what is there unless it is asked to."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tiny import FakeExecutor, tiny_spec

from sweep.cli import cli
from sweep.driver.driver import run
from sweep.errors import UsageError

NEW = "machine new a --sockets 1 --cores 2 --siblings 1"
WRITES = {
    "plot": "plot {run} -o {folder}/a.svg",
    "report": "report {run} --no-what-if -o {folder}/a.html",
    "export": "export {run} -o {folder}/a.csv",
    "machine new": NEW + " -o {folder}/a.yaml",
    "machine host": "machine host -o {folder}/a.yaml",
}


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("output") / "tiny"
    run(tiny_spec(), folder, FakeExecutor())
    return folder


def writers(group: click.Group, above: str = "") -> set[str]:
    found = set()
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= writers(command, f"{above}{name} ")
        elif any(parameter.name == "output" for parameter in command.params):
            found.add(above + name)
    return found


def test_every_command_with_an_output_is_here() -> None:
    with click.Context(cli) as context:
        named = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    whole = click.Group(commands={n: c for n, c in named.items() if c is not None})
    assert writers(whole) == set(WRITES)


@pytest.mark.parametrize("command", WRITES)
def test_a_file_that_is_there_is_replaced_by_force_only(
    command: str, there: Path, tmp_path: Path
) -> None:
    words = WRITES[command].format(run=there, folder=tmp_path).split()
    file = Path(words[-1])
    file.write_text("mine")
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, UsageError)
    assert str(done.exception).startswith(f"-o {file}: it is there; --force replaces it")
    assert file.read_text() == "mine"
    done = CliRunner().invoke(cli, [*words, "--force"])
    assert done.exit_code == 0, done.output
    assert file.read_text() != "mine"


@pytest.mark.parametrize("command", WRITES)
def test_a_folder_that_is_not_there_is_said_first(
    command: str, there: Path, tmp_path: Path
) -> None:
    words = WRITES[command].format(run=there, folder=tmp_path / "no").split()
    done = CliRunner().invoke(cli, words)
    assert f"no such folder: {tmp_path / 'no'}" in str(done.exception)
