"""`uprobe-sweep calibrate --host`: measure this machine, and check what it predicts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweep.commands.shared import INTERRUPTED, note, print_json, refuse_unwritable
from sweep.errors import UsageError
from sweep.terminal.progress import Look, shown_progress

if TYPE_CHECKING:
    from core.machine.machine import Machine
    from sweep.calibration.host import HitCheck
    from sweep.live.host_timings import Report
    from sweep.live.timing import Timing


def calibrate_host(folder: Path | None, as_json: bool) -> int:
    """Measure, write `folder`/host.yaml (None: nothing), print costs and check.

    Says where the calibration before it disagrees beyond both intervals. Raises UsageError,
    RefusedError and InfrastructureError.
    """
    from sweep.calibration.host import calibrated_and_untold, check, disagreements
    from sweep.calibration.host_text import host_text
    from sweep.live import host_timings
    from sweep.machines.host import host_machine
    from sweep.machines.machine_file import write_machine_file
    from sweep.terminal.text_table import numbers, table, to_text

    if folder is not None:
        refuse_unwritable(folder)
    detected, about = host_machine()
    before = _before()
    try:
        with _shown_timings(host_timings.steps(detected)) as report:
            timings = host_timings.measure(detected, report)
        machine, untold = calibrated_and_untold(detected, timings)
        found = check(machine, [*timings.hits, *host_timings.check(detected)])
    except KeyboardInterrupt:
        click.echo("interrupted: no file was written", err=True)
        return INTERRUPTED
    differs = [] if before is None else disagreements(before, machine)
    written = None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        written = folder / "host.yaml"
        now = datetime.now(UTC).isoformat(timespec="minutes")
        write_machine_file(
            written, host_text(machine, timings, about.costs_of, now, untold), force=True
        )
    assert machine.calibration is not None
    intervals = machine.calibration.intervals
    values = {path: machine.number(path) for path in intervals}
    if as_json:
        checks = [{**asdict(hit), "error": hit.error} for hit in found]
        costs = {"values": values, "intervals": intervals}
        print_json(
            {
                "written": None if written is None else str(written),
                "timings": timings.to_dict(),
                **costs,
                "check": checks,
                "untold": untold,
                "disagrees": differs,
            }
        )
        return 0
    costs_table = numbers(table("host"), "value", "low", "high")
    for path, (low, high) in intervals.items():
        costs_table.add_row(path, *(f"{number:,.6g}" for number in (values[path], low, high)))
    print(to_text([costs_table]), end="")
    print(f"the other costs are those of {about.costs_of}\n")
    if untold:
        print("hand-offs that tell no cost, by themselves or in this model:")
        print("\n".join(f"  {said}" for said in untold) + "\n")
    _print_check(found)
    if differs:
        note(
            "\nthis calibration and the last disagree beyond both intervals, so neither's intervals"
        )
        note("hold; calibrate again while nothing else runs here:")
        for said in differs:
            note(f"  {said}")
    if written is not None:
        print(f"\n{written}")
    return 0


def _before() -> Machine | None:
    """This host as it was calibrated last; None if it never was, or its file is no machine."""
    from sweep.machines.named import calibrated_host

    try:
        return calibrated_host()
    except UsageError as error:
        note(f"the last calibration cannot be read: {error}")
        return None


@contextmanager
def _shown_timings(total: int) -> Iterator[Report]:
    """Give the callback that shows how far measuring is, with the last figure."""
    done = 0
    with shown_progress() as show:

        def report(name: str, timing: Timing) -> None:
            nonlocal done
            done += 1
            show(Look(done, total, "timings", f"{name} {timing.ns:,.2f} ns"))

        yield report
        show(Look(done, done, "timings"))


def _print_check(found: list[HitCheck]) -> None:
    from sweep.terminal.text_table import numbers, table, to_text

    checked = numbers(table("", "design"), "CPUs", "live M/s", "predicted", "error")
    checked.add_column("")
    for hit in found:
        fitted = "fitted" if hit.cpus == 1 else ""
        figures = [f"{hit.measured:.3f}", f"{hit.predicted:.3f}", f"{hit.error:+.1%}"]
        checked.add_row(hit.bench, hit.flavour, str(hit.cpus), *figures, fitted)
    print(to_text([checked]), end="")
