"""Every command of docs/guide/ is run as it stands there; those that cannot be are parsed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from guide import GUIDE, ROOT, Command, commands, files, shown

from sweep.cli import cli

PAGES = {page.stem: page.read_text() for page in sorted(GUIDE.glob("*.md"))}

SHORT = {
    "cover-letter": {"warmup": "50us", "duration": "50us", "sample": "50us", "ensemble": "2"},
    "detach-batch": {},
}
"""Specs that ship, made short for a test: a file in the working folder goes first."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    for name, changes in SHORT.items():
        text = (ROOT / "specs" / f"{name}.yaml").read_text()
        for key, value in changes.items():
            text = re.sub(rf"^{key}: .*\n", "", text, flags=re.MULTILINE) + f"{key}: {value}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", [name for name in PAGES if commands(PAGES[name])])
def test_a_page_does_what_it_says(name: str, folder: Path) -> None:
    for file, text in files(PAGES[name]).items():
        (folder / file).write_text(text)
    for command in commands(PAGES[name]):
        done = CliRunner().invoke(cli, command.args, standalone_mode=False)
        assert (done.exception, done.return_value or 0) == (None, 0), (command.text, done.output)
        assert command.missing(done.output) is None, (command.text, done.output)


def parsed(args: list[str]) -> None:
    command: click.Command = cli
    ctx = click.Context(cli, info_name="uprobe-sweep")
    while isinstance(command, click.Group):
        below = command.get_command(ctx, args[0])
        assert below is not None, args
        command, args = below, args[1:]
    command.make_context(command.name, list(args), parent=ctx)


@pytest.mark.parametrize("page", PAGES)
def test_other_commands_are_commands(page: str, folder: Path) -> None:
    (folder / "dump").mkdir()
    for line in shown(PAGES[page]):
        program, *args = shlex.split(line, comments=True)
        if program == "uprobe-sweep":
            parsed(args)
        elif program == "make":
            assert re.search(rf"^{args[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        else:
            assert program in ("ray", "."), line


def test_a_wrong_line_is_seen() -> None:
    printed = "a  1.00\nb 20 of 30\n"
    assert Command("x", ["a 1.10", "b 20 of ..."]).missing(printed) is None
    assert Command("x", ["...", "b 20 of 31"]).missing(printed) is None
    assert Command("x", ["b 20 of 30", "a 1.00"]).missing(printed) == "a 1.00"
    assert Command("x", ["c 1.00"]).missing(printed) == "c 1.00"
    assert Command("x", ["a 9.00"]).missing(printed) == "a 9.00"
