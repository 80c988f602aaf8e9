"""`uprobe-sweep calibrate`: fit the shipped machines anew from the published figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweep.commands.shared import (
    INTERRUPTED,
    json_option,
    print_columns,
    print_json,
    refuse_unwritable,
)
from sweep.errors import UsageError

if TYPE_CHECKING:
    from core.calibrate.fit import Step
    from core.machine.machine import Machine


@click.command()
@click.option("--check", is_flag=True, help="Compare with the shipped files, write nothing.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the files, not the shipped ones'."
)
@click.option(
    "--starts",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    metavar="N",
    help="Places that the search begins at: the best of what they lead to is kept.",
)
@click.option("--host", is_flag=True, help="Measure this host instead, in a minute. Needs root.")
@json_option
def calibrate(check: bool, out: Path | None, starts: int, host: bool, as_json: bool) -> int:
    """Fit the machine files anew from the published figures, or measure this host.

    Takes minutes, on all cores, and gives the same files every time: values, their 90 % intervals,
    the model's discrepancy, and the members of the ensemble. Files are written at the end; an
    interrupt leaves them as they were. With --check the exit code is 1 if the shipped files differ
    from what calibration gives.

    The loss has several minima. --starts N searches from N - 1 further places, minutes each, and
    may find one that is better than the shipped files.

    With --host, locked operations, system calls and real uprobes are timed on this machine, and
    the machine called host has its costs from then on. With --check, nothing is kept.

    \b
    uprobe-sweep calibrate --check
    uprobe-sweep calibrate --starts 8 --out /tmp/machines
    uprobe-sweep calibrate --host
    """
    if check and out is not None:
        raise UsageError("--check writes nothing: leave --out away")
    if host:
        from sweep.commands.calibrate_host import calibrate_host

        return calibrate_host(None if check else out or host_folder(), as_json)
    from sweep.calibration import calibrate as calibration
    from sweep.terminal.progress import Look, shown_progress

    folder = out or calibration.SHIPPED
    if not check:
        refuse_unwritable(folder)
    try:
        with shown_progress() as show:

            def report(step: Step) -> None:
                loss = "" if step.loss is None else f"loss {step.loss:.4f}"
                show(Look(step.done, step.total, "steps", loss, step.stage))

            fitted = calibration.calibrate(calibration.task(starts=starts), report)
    except KeyboardInterrupt:
        click.echo("interrupted: no file was written", err=True)
        return INTERRUPTED
    differs = calibration.differences_from_shipped(fitted)
    written: list[Path] = []
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        written = [calibration.write_machine(machine, folder) for machine in fitted]
    if as_json:
        files = [str(path) for path in written]
        print_json({"written": files, "differs": differs, "machines": _summaries(fitted)})
    elif check:
        for name, paths in differs.items():
            print("\n".join(f"{name}: {path} differs" for path in paths))
        print("the shipped files differ" if differs else "the shipped files are what it gives")
    else:
        _print_parameters(fitted)
        print("\n".join(map(str, written)))
    return 1 if check and differs else 0


def host_folder() -> Path:
    """Where the machine called host is looked for."""
    from sweep.machines.host import host_file

    return host_file().parent


def _summaries(fitted: Sequence[Machine]) -> dict[str, Any]:
    """By machine: what its calibration section says, with the values, without the members."""
    summaries: dict[str, Any] = {}
    for machine in fitted:
        if machine.calibration is None:
            continue
        section = machine.calibration.model_dump(mode="json")
        values = {path: machine.number(path) for path in machine.calibration.intervals}
        summaries[machine.name] = {**section, "members": len(section["members"]), "values": values}
    return summaries


def _print_parameters(fitted: Sequence[Machine]) -> None:
    for name, summary in _summaries(fitted).items():
        rows: list[list[object]] = [[name, "value", "90 %", "interval"]]
        for path, (low, high) in summary["intervals"].items():
            rows.append([path, summary["values"][path], low, high])
        print_columns(rows)
        print(
            "discrepancy: {uncontended}, {contended} contended\n".format(**summary["discrepancy"])
        )
