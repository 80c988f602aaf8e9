"""`uprobe-sweep submit`: have a cluster run a sweep by itself."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweep.commands.run_options import as_words, run_options
from sweep.commands.shared import (
    INTERRUPTED,
    address_option,
    json_option,
    load,
    print_json,
    set_option,
    spec_argument,
)

if TYPE_CHECKING:
    from sweep.service.parcel import Parcel
    from sweep.service.ray_jobs import Jobs
    from sweep.service.runs import Job


@click.command()
@spec_argument
@set_option
@click.option("--out", default="", metavar="PATH", help="The run's folder or URI on the cluster.")
@run_options
@click.option("--wait", is_flag=True, help="Show its log until it ends; exit with its code.")
@address_option
@json_option
def submit(
    spec: str,
    settings: tuple[str, ...],
    out: str,
    wait: bool,
    address: str | None,
    as_json: bool,
    **chosen: Any,
) -> int:
    """Have a Ray cluster run SPEC by itself.

    The spec and its machine files are sent as data. The run lands on the head, in
    ~/uprobe-sweep/results/runs/NAME unless --out names another place. The same spec again joins
    the run that is there, whose options stay as they are, or goes on with it if it has ended.
    --wait may be interrupted: the run goes on.

    \b
    uprobe-sweep submit cover-letter --cpus-per-actor auto --wait
    uprobe-sweep submit my.yaml --priority 3 --address http://127.0.0.1:8265
    uprobe-sweep submit my.yaml --retry-failed
    """
    from sweep.service.parcel import pack
    from sweep.service.ray_jobs import Jobs

    parcel = pack(load(spec, settings, trial=not out), out)
    jobs = Jobs(address)
    job, joined = _submit(jobs, parcel, parcel.command(*as_words(chosen)))
    said = "is there already, joined it" if joined else "submitted"
    if as_json:
        print_json({"run": job.run, "job": job.id, "joined": joined, "state": job.state})
    else:
        print(f"{job.run}: {said}")
    return _wait(jobs, job) if wait else 0


def _submit(jobs: Jobs, parcel: Parcel, command: str) -> tuple[Job, bool]:
    """The job that now runs the parcel, and whether it was there."""
    from sweep.service.runs import by_run, job_id

    about = {"run": parcel.run, "spec": parcel.spec, "out": parcel.out}
    while True:
        before = by_run(jobs.all()).get(parcel.run, [])
        for job in before:
            if not job.is_over:
                return job, True
        name = job_id(parcel.run, len(before) + 1)
        with tempfile.TemporaryDirectory() as folder:
            parcel.write(Path(folder))
            # If somebody else was quicker, theirs is joined in the next round.
            if jobs.submit(name, command, Path(folder), about):
                return jobs.get(name), False


def _wait(jobs: Jobs, job: Job) -> int:
    from sweep.commands.logs import print_followed
    from sweep.service.status import readable

    try:
        print_followed(jobs, job, readable)
        return exit_code(jobs.get(job.id))
    except KeyboardInterrupt:
        click.echo(f"{job.run} goes on; uprobe-sweep cancel {job.run} ends it", err=True)
        return INTERRUPTED


def exit_code(job: Job) -> int:
    """What `run` would have exited with."""
    if job.state == "succeeded":
        return 0
    if job.state == "stopped":
        return INTERRUPTED
    return job.exit_code if job.exit_code and job.exit_code > 0 else 4
