"""`uprobe-sweep rm`: remove a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sweep.commands.shared import json_option, note, print_json, run_argument, run_path
from sweep.errors import UsageError

if TYPE_CHECKING:
    from sweep.store.folder import Location


@click.command()
@run_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def rm(run: str, yes: bool, as_json: bool) -> None:
    """Remove RUN, after a question: its cells, where their time went, its failures.

    Other files in its folder stay. Not while RUN is being written.

    \b
    uprobe-sweep rm /tmp/try
    uprobe-sweep rm s3://bucket/letter --yes
    """
    from sweep.store.place import folder_at
    from sweep.store.remove import remove_run
    from sweep.store.scan import rates, runs_at

    path = run_path(run)
    if not folder_at(path).is_run():
        runs_at(path)
    elif not yes:
        try:
            cells = f"{len(rates(path)):,} finished cells"
        except UsageError as error:
            cells = f"cells that cannot be read ({error})"
        if not _can_answer():
            raise UsageError(f"{path} has {cells}: nobody can be asked here, so say --yes")
        if not click.confirm(f"remove {path} with {cells}?", err=True):
            _print(path, None, as_json)
            return
    _print(path, remove_run(path), as_json)


def _print(path: Location, left: list[str] | None, as_json: bool) -> None:
    """What has become of a run: the files that are left where it was, None if it stays."""
    if as_json:
        print_json({"run": str(path), "removed": left is not None, "left": left or []})
        return
    if left:
        note(f"other files stay there: {', '.join(left)}")
    print(f"{path} stays" if left is None else f"removed: {path}")


def _can_answer() -> bool:
    return sys.stdin.isatty()
