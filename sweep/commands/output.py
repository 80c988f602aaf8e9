"""`-o FILE`: one rule for every command that writes a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from sweep.commands.shared import refuse_unwritable
from sweep.errors import UsageError

force_option = click.option("--force", is_flag=True, help="Replace FILE if it is there.")


def output_option(required: bool = True, said: str | None = None) -> Callable[..., Any]:
    """The option `-o FILE`; `said` is its help."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        required=required,
        metavar="FILE",
        help=said or "The file to write.",
    )


def refuse_output(output: Path, force: bool, suffixes: Iterable[str] = ()) -> None:
    """Raises UsageError, before anything is done, for a file that is not to be written.

    That is one that is there, but with `force`, one of none of `suffixes` if there are any, and one
    in no folder or in one that cannot be written.
    """
    suffixes = tuple(suffixes)
    if suffixes and output.suffix.lower() not in suffixes:
        raise UsageError(f"-o {output}: allowed are {', '.join(suffixes)}")
    if (output.exists() or output.is_symlink()) and not force:
        raise UsageError(f"-o {output}: it is there; --force replaces it")
    if not output.parent.is_dir():
        raise UsageError(f"-o {output}: no such folder: {output.parent}")
    refuse_unwritable(output.parent)
