"""`uprobe-sweep run`: simulate what a run lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from sweep.commands import completing
from sweep.commands.run_options import run_options
from sweep.commands.shared import (
    INTERRUPTED,
    json_option,
    load,
    load_on,
    note,
    out_option,
    print_json,
    set_option,
    shown_cells,
    spec_argument,
)
from sweep.errors import UsageError, counted

if TYPE_CHECKING:
    from sweep.driver.driver import RunSummary
    from sweep.executors.base import Executor
    from sweep.plan.precision import Unsure
    from sweep.service.status import Loads
    from sweep.store.folder import Location

IMPRECISE = 3
"""The exit code if every cell is done, and some are not as precise as the spec asks."""


@click.command()
@spec_argument
@set_option
@out_option
@click.option("--ray", is_flag=True, help="Simulate on Ray, on groups of actors.")
@click.option("--address", metavar="A", help="Join the Ray cluster at A; needs --ray.")
@run_options
@click.option(
    "--progress",
    type=click.Choice(["auto", "json"]),
    default="auto",
    help="json: for programs that read it, as `submit` does.",
)
@click.option(
    "--machine",
    metavar="M",
    shell_complete=completing.axis("machine"),
    help="Replace the spec's machines, and leave out CPU counts that this one does not have.",
)
@json_option
def run(
    spec: str,
    settings: tuple[str, ...],
    out: Location | None,
    machine: str | None,
    ray: bool,
    address: str | None,
    cpus_per_actor: int | None,
    actor_groups: int | None,
    priority: int,
    progress: str,
    retry_failed: bool,
    fail_fast: bool,
    as_json: bool,
) -> int:
    """Simulate the cells of SPEC that its run folder lacks.

    The folder is results/runs/NAME unless --out names one; with --set of what is no axis, a time or
    the ensemble, it is one of its own, whose name says that. What is finished stays whatever
    happens; the same command again does the rest. A cell that fails is listed by `failures` and
    not tried again without --retry-failed; the exit code is 1 for as long as the run has one. A
    spec with a precision has cells simulated until their means are known that well; the exit code
    is 3 if some still are not.

    \b
    uprobe-sweep run cover-letter
    uprobe-sweep run my.yaml --set cpus=1,2 --out try
    uprobe-sweep run cover-letter --out s3://bucket/letter
    uprobe-sweep run cover-letter --set precision=0.2%
    uprobe-sweep run cover-letter --ray --cpus-per-actor auto
    uprobe-sweep run cover-letter --machine host --out here
    """
    for option, value in (("--address", address), ("--actor-groups", actor_groups)):
        if value is not None and not ray:
            raise UsageError(f"{option} needs --ray")
    trial = out is None
    if machine is None:
        loaded = load(spec, settings, trial)
    else:
        loaded = load_on(spec, settings, machine, trial)
    from sweep.driver import driver

    try:
        with ExitStack() as stack:
            executor: Executor | None = None
            loads: Callable[[], Loads] = dict
            if ray:
                from sweep.executors.ray_executor import RayExecutor

                ray_executor = RayExecutor(address, cpus_per_actor, actor_groups, priority, note)
                executor = stack.enter_context(closing(ray_executor))
                loads = ray_executor.loads
            if progress == "json":
                from sweep.service.status import status_lines

                report = stack.enter_context(status_lines(loads))
            else:
                report = stack.enter_context(shown_cells())
            summary = driver.run(
                loaded, out, executor, report, retry_failed=retry_failed, fail_fast=fail_fast
            )
    except KeyboardInterrupt:
        work = driver.survey(loaded, out)
        note(
            f"interrupted: {len(work.finished)} of {len(work.cells)} cells are done and kept in "
            f"{work.out}; the same command again does the rest"
        )
        return INTERRUPTED
    if as_json:
        print_json(_described(summary))
    else:
        # At once: in the log of a job it belongs before what follows on stderr.
        print(_told(summary), flush=True)
    return _complained(summary, loaded.precision is not None)


def _told(summary: RunSummary) -> str:
    """What became of the cells, in a line."""
    if summary.done + summary.failed:
        before = f", {summary.skipped} were there" if summary.skipped else ""
        return f"{counted(summary.done, 'cell')} done{before}: {summary.out}"
    if summary.failed_before:
        return f"nothing was simulated; {summary.skipped} cells are in {summary.out}"
    return f"nothing to do: all {summary.skipped} cells are in {summary.out}"


def _complained(summary: RunSummary, asked: bool) -> int:
    """Say on stderr what is missing, and give the exit code."""
    see = f"see uprobe-sweep failures {summary.out}"
    if summary.left:
        note(f"{counted(summary.left, 'cell')} given up after the failure; run it again to go on")
    if summary.failed_before:
        note(
            f"{counted(summary.failed_before, 'cell')} failed before, not tried again; {see}; "
            f"--retry-failed does that"
        )
    if summary.failed:
        from sweep.commands.shared import collected
        from sweep.store.failures import last_line
        from sweep.store.scan import scan_failures

        failures = collected(summary.out, scan_failures(summary.out)).sort("failed_at")
        first = last_line(failures["error"][-summary.failed])
        note(f"{counted(summary.failed, 'cell')} failed, the first with {first}; {see}")
    if summary.unsure and asked:
        _name_unsure(summary.unsure)
    elif summary.unsure:
        from sweep.spec.spec import AUTO_PRECISION

        usual = f"±{100 * AUTO_PRECISION:g}%"
        note(f"{counted(len(summary.unsure), 'cell')} known less well than to {usual}: see tables")
    if summary.failed or summary.failed_before:
        return 1
    return IMPRECISE if summary.unsure and asked else 0


def _name_unsure(unsure: Sequence[Unsure]) -> None:
    from sweep.spec.axes import ORDER
    from sweep.spec.parameters import parameters

    of = "replicates" if unsure[0].cell.precision is None else "starts"
    note(f"{counted(len(unsure), 'cell')} less precise than asked, with all {of} allowed:")
    cells = [parameters(one.cell) for one in unsure]
    varying = [axis for axis in ORDER if len({cell[axis] for cell in cells}) > 1]
    for one, cell in zip(unsure, cells, strict=True):
        named = {axis: cell[axis] for axis in ("bench", "flavour", "cpus", *varying)}
        where = "  ".join(f"{axis}={value}" for axis, value in named.items())
        after = f" after {one.replicates}" if one.cell.precision is None else ""
        note(f"  {where}  ±{100 * one.half_width:.2g}%{after}")


def _described(summary: RunSummary) -> dict[str, Any]:
    """For JSON."""
    from sweep.spec.parameters import parameters

    unsure = [
        {**parameters(u.cell), "replicates": u.replicates, "half_width": u.half_width}
        for u in summary.unsure
    ]
    counts = {f.name: getattr(summary, f.name) for f in fields(summary)}
    return {**counts, "out": str(summary.out), "unsure": unsure}
