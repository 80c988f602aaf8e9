"""What commands that simulate without a spec ask for: designs by kernel, and axes by option."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from sweep.commands import completing
from sweep.commands.shared import note_idle_edits
from sweep.errors import UsageError

LETTER_MACHINE = "xeon-gold-6138"
"""The machine of one cell, if none is named."""

if TYPE_CHECKING:
    from core.cell import Cell
    from sweep.plan.beyond import Beyond

MEMBERS = 12
"""Of an ensemble, if nobody says how many."""

ensemble_option = click.option(
    "--ensemble",
    type=click.IntRange(0, 64),
    default=MEMBERS,
    show_default=True,
    metavar="K",
    help="Members of the machine's ensemble that intervals are over, if it has one.",
)
kernel_option = click.option(
    "--kernel",
    metavar="V,V",
    shell_complete=completing.kernels,
    help="Releases, like v6.12 or what uname -r prints.",
)


def values(axes: Mapping[str, str], **defaults: Any) -> dict[str, Any]:
    """The values of the axes' options, or of their defaults. Raises UsageError for no range."""
    from sweep.spec.settings import read_values

    found = dict(defaults)
    for axis, text in axes.items():
        try:
            items = read_values(axis, text)
        except ValueError as error:
            raise UsageError(f"--{axis}: {error}") from None
        found[axis] = items if len(items) > 1 else items[0]
    return found


def kernels(text: str) -> tuple[list[str], list[str], list[dict[str, str]]]:
    """Flavours of the kernels that "V,V" names, what was assumed, and each kernel described.

    Two that are modelled as one are one flavour, which is said. Raises UsageError.
    """
    from sweep.live.kernel import described, modelled

    found: dict[str, str] = {}
    assumed: list[str] = []
    facts = []
    for name in text.split(","):
        made = modelled(name)
        assumed += made.assumed
        facts.append(described(made))
        if made.release.name in found:
            assumed.append(f"{name} is modelled as {found[made.release.name]} is")
        found.setdefault(made.release.name, name)
    return list(found), assumed, facts


def design_named(text: str) -> tuple[str, tuple[str, ...]]:
    """The flavour that a design or kernel names, and what was assumed. Raises UsageError."""
    from sweep.live.kernel import modelled
    from sweep.spec.axes import AXES, SpecError

    try:
        return str(AXES["flavour"].check("flavour", None, text)), ()
    except SpecError as error:
        try:
            made = modelled(text)
        except UsageError as unknown:
            raise (unknown if re.match(r"v?[0-9]", text) else UsageError(str(error))) from None
    return made.release.name, made.assumed


def cells_asked(asked: Mapping[str, Any], ensemble: int) -> Beyond:
    """The cells of the axes, see `sweep.plan.beyond`. Raises UsageError, naming the option."""
    from sweep.plan.beyond import beyond
    from sweep.spec.axes import SpecError

    try:
        return beyond(asked, ensemble)
    except SpecError as error:
        raise UsageError(f"--{error}") from None


def one_cell(
    axes: Mapping[str, str], kernel: str | None, needed: str, ensemble: int = 0
) -> tuple[Cell, list[str]]:
    """The one cell that the options name, and what was assumed. Raises UsageError."""
    asked = values(axes, machine=LETTER_MACHINE)
    assumed: list[str] = []
    if kernel is not None:
        if "flavour" in axes:
            raise UsageError("--kernel and --flavour exclude each other")
        asked["flavour"], assumed, _ = kernels(kernel)
    for name in ("flavour", "bench", "cpus"):
        if name not in asked:
            raise UsageError(f"--{name} is missing: {needed}")
    for name, value in asked.items():
        if isinstance(value, list):
            if len(value) > 1:
                raise UsageError(f"--{name}: one cell has one, got {', '.join(map(str, value))}")
            asked[name] = value[0]
    found = cells_asked(asked, ensemble)
    if found.cells[0].design is None:
        note_idle_edits([found.cells[0].flavour])
    return found.cells[0], [*assumed, *found.assumed, *not_calibrated(asked["machine"])]


def not_calibrated(machine: object) -> list[str]:
    """What is assumed of this host before `calibrate --host`."""
    from sweep.machines.host import HOST
    from sweep.machines.named import calibrated_host

    if HOST in (machine if isinstance(machine, list) else [machine]) and calibrated_host() is None:
        return ["this host is not calibrated: its costs are borrowed, see `calibrate --host`"]
    return []
