"""`uprobe-sweep logs`: what a run on a cluster has written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from sweep.commands.shared import address_option, run_argument
from sweep.errors import InfrastructureError

if TYPE_CHECKING:
    from sweep.service.ray_jobs import Jobs
    from sweep.service.runs import Job


@click.command()
@run_argument
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@address_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
def logs(run: str, follow: bool, address: str | None, as_json: bool) -> None:
    """Print what RUN, a run on a cluster, has written.

    \b
    uprobe-sweep logs cover-letter -f
    """
    from sweep.service import status
    from sweep.service.ray_jobs import Jobs
    from sweep.service.runs import find

    shown = status.as_json if as_json else status.readable
    jobs = Jobs(address)
    job = find(jobs.all(), run)
    if follow:
        print_followed(jobs, job, shown)
        return
    for line in jobs.log(job.id):
        print(shown(line))


def print_followed(jobs: Jobs, job: Job, shown: Callable[[str], str]) -> None:
    """Print a job's log until it ends, each line as it is `shown`, and how it ended if not well.

    Raises InfrastructureError if the log breaks off before.
    """
    from sweep.terminal.streams import reader_left

    for line in jobs.follow(job.id):
        print(shown(line), flush=True)
        if reader_left():
            return
    job = jobs.get(job.id)
    if not job.is_over:
        raise InfrastructureError(
            f"the cluster ended the log of {job.run}, which was {job.state}; "
            f"uprobe-sweep status {job.run} says whether it still is"
        )
    if job.state != "succeeded":
        click.echo(f"{job.run} {job.state}: {job.message}", err=True)
