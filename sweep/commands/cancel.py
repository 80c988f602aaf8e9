"""`uprobe-sweep cancel`: end a run on a cluster."""

from __future__ import annotations

import time

import click

from sweep.commands.shared import address_option, run_argument
from sweep.errors import InfrastructureError, UsageError

SECONDS = 60.0
"""How long a run has to end. Ray kills it after a few seconds."""

POLL_SECONDS = 0.3


@click.command()
@run_argument
@address_option
def cancel(run: str, address: str | None) -> None:
    """End RUN, a run on a cluster. Cells that are done are kept; submitting again does the rest.

    \b
    uprobe-sweep cancel cover-letter
    """
    from sweep.service.ray_jobs import Jobs
    from sweep.service.runs import find

    jobs = Jobs(address)
    job = find(jobs.all(), run)
    if job.is_over:
        raise UsageError(f"{job.run} has {job.state} already")
    jobs.stop(job.id)
    give_up = time.monotonic() + SECONDS
    while not (job := jobs.get(job.id)).is_over:
        if time.monotonic() > give_up:
            raise InfrastructureError(f"{job.run} is still {job.state} after {SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    print(f"{job.run}: {job.state}")
