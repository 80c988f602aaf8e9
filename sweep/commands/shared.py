"""What several commands need: specs, runs and cells by name, and ways to print."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from sweep.commands import completing
from sweep.errors import UsageError

INTERRUPTED = 130

WIDE = 0.1
"""A precision that may be meant in per cent."""

if TYPE_CHECKING:
    import polars as pl

    from core.cell import Cell
    from sweep.driver.driver import Progress
    from sweep.spec.spec import Spec
    from sweep.store.folder import Location


class LocationType(click.ParamType["Location"]):
    """A path, or the URI of a prefix in an object store."""

    name = "folder"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Location:
        """The location that the text names. Raises UsageError."""
        from sweep.store.place import located

        return located(str(value))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Folders."""
        return [CompletionItem(incomplete, type="dir")]


spec_argument = click.argument("spec", shell_complete=completing.specs)
run_argument = click.argument("run", shell_complete=completing.runs)
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="AXIS=V,V",
    shell_complete=completing.settings,
    help="Replace an axis of the spec.",
)
out_option = click.option(
    "--out", type=LocationType(), metavar="DIR|URI", help="The run's own folder, or s3:// or gs://."
)
only_option = click.option(
    "--only",
    multiple=True,
    metavar="AXIS=V,V-V",
    shell_complete=completing.cells,
    help="Only rows that have one of these values.",
)
strict_option = click.option(
    "--strict", is_flag=True, help="Refuse measurements whose threads did not have their CPUs."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def load(spec: str, settings: Sequence[str], trial: bool = False) -> Spec:
    """The spec that a name or path stands for, with the axes of --set. Raises UsageError.

    A `trial` goes to a folder of its own if a setting is of what is no axis, and that is said.
    """
    from sweep.spec.files import SPECS, load_spec, spec_file
    from sweep.spec.spec import override
    from sweep.spec.trial import as_trial

    path, ships = spec_file(spec), SPECS / f"{spec}.yaml"
    if ships.is_file() and not path.samefile(ships):
        note(f"note: {spec} is {path}, not the spec of that name that ships")
    named = load_spec(path)
    loaded = override(named, settings)
    if trial and (renamed := as_trial(loaded, named)).name != loaded.name:
        click.echo(
            f"note: another run than {named.name}, with a folder of its own: {renamed.name}",
            err=True,
        )
        loaded = renamed
    if loaded.ensemble:
        _note_missing_members(loaded)
    note_idle_edits(loaded.flavour)
    if loaded.precision is not None and loaded.precision > WIDE:
        note(f"note: the precision asked for is ±{loaded.precision:.0%} of the mean")
    return loaded


def note_idle_edits(flavours: Iterable[str]) -> None:
    """Say on stderr which edits of flavours change nothing that is modelled."""
    from core.kernel.idle_edits import idle_edits
    from sweep.spec.designs import names_file

    for flavour in flavours:
        if names_file(flavour):
            continue  # A patch of a file that changes nothing is refused.
        for edit in idle_edits(flavour):
            note(f"note: {flavour}: {edit} changes nothing that is modelled")


def load_on(spec: str, settings: Sequence[str], machine: str, trial: bool = False) -> Spec:
    """As `load`, on one machine: CPU counts that it does not have are left out, and said.

    Raises UsageError, also if none is left.
    """
    from sweep.machines.named import named_machine

    there = named_machine(machine).cpus
    asked = load(spec, settings, trial)
    fitting = [cpus for cpus in asked.cpus if cpus <= there]
    if not fitting:
        raise UsageError(f"--machine {machine}: it has {there} CPUs, and the spec asks for more")
    if left_out := [str(cpus) for cpus in asked.cpus if cpus > there]:
        beyond = "`uprobe-sweep predict` goes beyond"
        note(f"note: {machine} has {there} CPUs; left out: {', '.join(left_out)}. {beyond}")
    from sweep.spec.spec import Spec

    changed = {**asked.model_dump(), "machine": machine, "cpus": fitting}
    return Spec(**changed)


def _note_missing_members(spec: Spec) -> None:
    """Say on stderr which machines cannot give all the members that are asked for."""
    from sweep.machines.named import named_machine

    for name in spec.machine:
        members = len(named_machine(name).members)
        if members < 2:
            note(f"note: {name} has no ensemble, so its cells get no interval")
        elif members < spec.ensemble:
            note(f"note: the ensemble of {name} has {members} members, all used")


def run_path(run: str) -> Location:
    """Where a run is, see `named_run`."""
    from sweep.store.scan import named_run

    return named_run(run)


def rows_asked(only: Sequence[str], axes: Mapping[str, str]) -> list[str]:
    """What --only and the options of axes ask for together. Raises UsageError for one in both."""
    settings = [f"{axis}={text}" for axis, text in axes.items()]
    if twice := {setting.partition("=")[0] for setting in only} & axes.keys():
        raise UsageError(f"--only {min(twice)}: --{min(twice)} is given too")
    return [*only, *settings]


def frame(run: str, asked: Sequence[str] = ()) -> pl.DataFrame:
    """The cells of a run, see `run_path`, or those that `asked` gives, see `only_option`.

    Says which are not what a run of today would give, and which did not have their CPUs.

    Raises UsageError if it has none or cannot be read.
    """
    from sweep.store.disturbed import disturbed_note
    from sweep.store.scan import scan
    from sweep.store.selection import only

    path = run_path(run)
    cells = collected(path, scan(path))
    if cells.is_empty():
        raise UsageError(f"{path} has no finished cells yet")
    cells = only(cells, asked)
    note_outdated(run, path, cells)
    if said := disturbed_note(cells, run):
        note(f"note: {said}")
    return cells


def note_outdated(run: str, path: Location, cells: pl.DataFrame) -> None:
    """Say on stderr which `cells` of `run`, which is at `path`, are not of today, or may not be."""
    from sweep.plan.identity import outdated
    from sweep.plan.sources import sources_at

    for said in outdated(cells, sources_at(path)).notes(run, len(cells)):
        note(said)


def collected(path: Location, scanned: pl.LazyFrame) -> pl.DataFrame:
    """What was scanned at `path`. Raises UsageError for a file that cannot be read."""
    from polars.exceptions import PolarsError

    try:
        return scanned.collect()
    except PolarsError as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


def cells_of(**axes: Any) -> list[Cell]:
    """The cells of a spec whose axes are options of a command. Raises UsageError, naming one."""
    from sweep.plan.plan import plan
    from sweep.spec.axes import SpecError
    from sweep.spec.spec import Spec

    try:
        spec = Spec(**axes)
    except SpecError as error:
        raise UsageError(f"--{error}") from None
    note_idle_edits(spec.flavour)
    return plan(spec)


@contextmanager
def shown_cells() -> Iterator[Callable[[Progress], None]]:
    """Give the callback that shows a person how far a run is."""
    from sweep.terminal.progress import Look, shown_progress

    with shown_progress() as show:
        yield lambda now: show(
            Look(
                *(now.done + now.failed, now.total, "cells", f"{now.failed} failed"),
                share=now.share,
            )
        )


def note(message: str) -> None:
    """Print `message` on stderr: stdout is for results."""
    click.echo(message, err=True)


address_option = click.option(
    "--address",
    metavar="URL",
    help="The cluster's dashboard; else RAY_API_SERVER_ADDRESS, else http://127.0.0.1:8265.",
)


def refuse_unwritable(out: Path) -> None:
    """Raises UsageError now for a folder in which files could not be written in the end."""
    path = out.absolute()
    folder = next(known for known in (path, *path.parents) if known.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        reason = "Permission denied" if folder.is_dir() else "Not a directory"
        raise UsageError(f"cannot write to {out}: {folder}: {reason}")


def print_json(value: object) -> None:
    """Print `value` as JSON."""
    print(json.dumps(value, indent=1))


def print_columns(lines: Sequence[Sequence[object]]) -> None:
    """Print lines of equally many values each, in aligned columns."""
    from sweep.terminal.text_table import columns_text

    print(columns_text(lines), end="")
