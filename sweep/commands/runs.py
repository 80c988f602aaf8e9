"""`uprobe-sweep runs`: the runs of a cluster."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from sweep.commands.shared import address_option, json_option, print_columns, print_json


@click.command()
@address_option
@json_option
def runs(address: str | None, as_json: bool) -> None:
    """List the runs of a cluster, the newest last.

    \b
    uprobe-sweep runs
    """
    from sweep.service.ray_jobs import Jobs
    from sweep.service.runs import by_run

    listed = by_run(Jobs(address).all())
    if as_json:
        print_json(
            [
                {
                    "run": run,
                    "spec": jobs[-1].spec,
                    "state": jobs[-1].state,
                    "jobs": [job.id for job in jobs],
                    "started": _time(jobs[0].started),
                    "ended": _time(jobs[-1].ended),
                    "out": jobs[-1].out or None,
                }
                for run, jobs in listed.items()
            ]
        )
        return
    if not listed:
        print("no runs yet")
        return
    lines = [["run", "state", "jobs", "started", "ended"]]
    for run, jobs in listed.items():
        times = (_time(jobs[0].started) or "-", _time(jobs[-1].ended) or "-")
        lines.append([run, jobs[-1].state, str(len(jobs)), *times])
    print_columns(lines)


def _time(seconds: float | None) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ") if seconds else None
