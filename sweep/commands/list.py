"""`uprobe-sweep list`: what a spec can name."""

from __future__ import annotations

import click

from sweep.commands.catalogue import CATALOGUE
from sweep.commands.shared import json_option, print_columns, print_json


@click.command("list")
@click.argument("what", type=click.Choice(list(CATALOGUE)), metavar="WHAT")
@json_option
def list_(what: str, as_json: bool) -> None:
    """List what a spec can name: axes, flavours, patches, rcu, machines, specs or benches.

    \b
    uprobe-sweep list flavours
    """
    entries = CATALOGUE[what]()
    if as_json:
        print_json(entries)
    else:
        print_columns([list(entry.values()) for entry in entries])
