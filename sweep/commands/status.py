"""`uprobe-sweep status`: how far runs on a cluster are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sweep.commands import completing
from sweep.commands.shared import address_option, json_option, print_columns, print_json

if TYPE_CHECKING:
    from sweep.service.runs import Job
    from sweep.service.status import Status


@click.command()
@click.argument("run", required=False, shell_complete=completing.runs)
@address_option
@json_option
def status(run: str | None, address: str | None, as_json: bool) -> None:
    """Say how far RUN is, a run on a cluster; without it, all runs that have not ended.

    Cells done, failed and in flight, the rate, the time left, and the same by node.

    \b
    uprobe-sweep status
    uprobe-sweep status cover-letter
    """
    from sweep.service.ray_jobs import Jobs
    from sweep.service.runs import by_run, find
    from sweep.service.status import entry

    jobs = Jobs(address)
    listed = jobs.all()
    if run is not None:
        chosen = [find(listed, run)]
    else:
        last = [run_jobs[-1] for run_jobs in by_run(listed).values()]
        chosen = [job for job in last if not job.is_over]
    found = [(job, *_latest(job, jobs.end_of_log(job))) for job in chosen]
    if as_json:
        entries = [entry(job, now) for job, now, _ in found]
        print_json(entries if run is None else entries[0])
    elif not found:
        print("no run is going on")
    for job, now, words in found if not as_json else ():
        _print(job, now, words)


def _latest(job: Job, log: Sequence[str]) -> tuple[Status | None, str | None]:
    """The last status in a log; and of a job that ended by itself, what else its end needs said."""
    from sweep.service.status import last_words, latest

    now = latest(log)
    if not job.is_over:
        return now, None
    untold = job.state == "failed" or (job.state == "succeeded" and now is None)
    return now and now.at_end(), last_words(log) if untold else None


def _print(job: Job, now: Status | None, words: str | None) -> None:
    text = now and (now.counts if job.is_over else now.text())
    print(f"{job.run}: {job.state}{f', {text}' if text else ''}")
    if job.is_over and job.state != "succeeded" and job.message:
        print(f"  {job.message}")
    if words:
        print(f"  {words}")
    if now is not None and now.nodes:
        columns = ("groups", "in_flight", "done")
        lines: list[list[object]] = [["  node", "actor groups", "in flight", "done"]]
        for node, load in now.nodes.items():
            lines.append([f"  {node}", *(load[column] for column in columns)])
        print_columns(lines)
