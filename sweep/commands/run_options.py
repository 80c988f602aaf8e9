"""The options that `run` and `submit` share, and how `submit` passes them on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click


class CpusPerActor(click.ParamType[int | None]):
    """A positive number, or `auto`, which becomes None."""

    name = "k"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """The number that `value` is, None for `auto`."""
        if value == "auto":
            return None
        text = str(value)
        if not text.isdecimal() or int(text) < 1:
            self.fail(f"{text!r}: allowed are auto, or 1 and more", param, ctx)
        return int(text)


RUN_OPTIONS = (
    click.option(
        "--cpus-per-actor",
        type=CpusPerActor(),
        default="1",
        show_default=True,
        metavar="K",
        help="Simulated CPUs in each actor; auto: by cells and cores.",
    ),
    click.option(
        "--actor-groups",
        "--gangs",
        "actor_groups",
        type=click.IntRange(min=1),
        metavar="N",
        help="Cells simulated at a time, at most; a group of actors each.",
    ),
    click.option(
        "--priority",
        type=click.IntRange(1, 100),
        default=1,
        show_default=True,
        metavar="P",
        help="Sweeps at the same time share a cluster in proportion.",
    ),
    click.option("--retry-failed", is_flag=True, help="Also the cells that failed before."),
    click.option("--fail-fast", is_flag=True, help="Give up the rest when a cell fails."),
)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add RUN_OPTIONS to a command."""
    for option in reversed(RUN_OPTIONS):
        command = option(command)
    return command


def as_words(chosen: Mapping[str, Any]) -> list[str]:
    """The words of a command line that choose the same: RUN_OPTIONS as a command gets them."""
    words = []
    for name, value in chosen.items():
        option = f"--{name.replace('_', '-')}"
        if name == "cpus_per_actor":
            words += [option, str(value or "auto")]
        elif value is True:
            words.append(option)
        elif value not in (None, False):
            words += [option, str(value)]
    return words
