"""`uprobe-sweep cancel`: end a run on a cluster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from sweep.commands.shared import address_option, json_option, print_json, run_argument
from sweep.errors import InfrastructureError, UsageError

if TYPE_CHECKING:
    from sweep.service.ray_jobs import Jobs
    from sweep.service.runs import Job
    from sweep.service.status import Status

SECONDS = 60.0
"""How long a run has to end. Ray kills it after a few seconds."""

LAST_SECONDS = 10.0
"""How long a run whose cells are all done has to end by itself, and be what it is: finished."""

POLL_SECONDS = 0.3


@click.command()
@run_argument
@address_option
@json_option
def cancel(run: str, address: str | None, as_json: bool) -> None:
    """End RUN, a run on a cluster. Cells that are done are kept; submitting again does the rest.

    \b
    uprobe-sweep cancel cover-letter
    """
    from sweep.service.ray_jobs import Jobs
    from sweep.service.runs import find
    from sweep.service.status import entry, latest

    jobs = Jobs(address)
    job = find(jobs.all(), run)
    if job.is_over:
        raise UsageError(f"{job.run} has {job.state} already")
    now = latest(jobs.end_of_log(job))
    if now is None or now.left or not (ended := _ended(jobs, job, LAST_SECONDS)):
        jobs.stop(job.id)
        ended = _ended(jobs, job, SECONDS)
    if ended is None:
        raise InfrastructureError(f"{job.run} has not ended within {SECONDS:.0f} s")
    now = latest(jobs.end_of_log(ended))
    if as_json:
        print_json(entry(ended, now and now.at_end()))
    else:
        print(f"{ended.run}: {ended.state}{_after_its_last_cell(ended, now)}")


def _after_its_last_cell(job: Job, now: Status | None) -> str:
    """What to say of a job that Ray stopped when nothing was left to do, in its last moment."""
    if job.state != "stopped" or now is None or now.left:
        return ""
    return f" after its last cell, {now.counts}"


def _ended(jobs: Jobs, job: Job, seconds: float) -> Job | None:
    """The job once it is over; None if it is not within so many seconds."""
    give_up = time.monotonic() + seconds
    while not (now := jobs.get(job.id)).is_over:
        if time.monotonic() > give_up:
            return None
        time.sleep(POLL_SECONDS)
    return now
