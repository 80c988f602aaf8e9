"""`uprobe-sweep compact`: few files instead of many."""

from __future__ import annotations

from dataclasses import asdict

import click

from sweep.commands.shared import json_option, print_json, run_argument, run_path
from sweep.errors import counted


@click.command()
@run_argument
@json_option
def compact(run: str, as_json: bool) -> None:
    """Make few Parquet files of RUN's many; its rows stay as they are.

    A sweep writes a file for every hundred cells. Not while RUN is being written.

    \b
    uprobe-sweep compact cover-letter
    """
    from sweep.store.compact import compact as made_few

    path = run_path(run)
    done = made_few(path)
    if as_json:
        print_json(asdict(done))
    else:
        print(f"{counted(done.before, 'file')}, now {done.after}: {path}")
