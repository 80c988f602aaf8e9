"""`uprobe-sweep rm`: remove a run."""

from __future__ import annotations

import sys

import click

from sweep.commands.shared import note, run_argument, run_path
from sweep.errors import UsageError


@click.command()
@run_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def rm(run: str, yes: bool) -> None:
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
            print(f"{path} stays")
            return
    left = remove_run(path)
    if left:
        note(f"other files stay there: {', '.join(left)}")
    print(f"removed: {path}")


def _can_answer() -> bool:
    return sys.stdin.isatty()
