"""The runs of a cluster: a run is one or more jobs, each of which goes on where the last ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sweep.errors import UsageError, nearest

ENDED = ("succeeded", "failed", "stopped")
"""States that a job does not leave; the others are pending and running."""


@dataclass(frozen=True)
class Job:
    """A job as the Jobs API lists it. Times are in seconds since 1970; None: not yet, not known.

    `message` is Ray's, in a line.
    """

    id: str
    run: str
    spec: str
    out: str
    state: str
    started: float | None = None
    ended: float | None = None
    exit_code: int | None = None
    message: str = ""
    node_id: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.state in ENDED


def job_id(run: str, number: int) -> str:
    """What the `number`-th job of a run is called; the first is number 1."""
    return run if number == 1 else f"{run}.{number}"


def by_run(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    """The jobs of each run, oldest first; runs by when their last job started, newest last."""
    runs: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=_age):
        runs.setdefault(job.run, []).append(job)
    return dict(sorted(runs.items(), key=lambda item: _age(item[1][-1])))


def find(jobs: Iterable[Job], name: str) -> Job:
    """The last job of the run `name`, or of the newest run of the spec of that name.

    Raises UsageError.
    """
    runs = by_run(jobs)
    if name in runs:
        return runs[name][-1]
    named = [run for run in runs.values() if run[-1].spec == name]
    if not named:
        names = dict.fromkeys([*(run[-1].spec for run in runs.values()), *runs])
        known = nearest(name, names) if runs else "the cluster has none"
        raise UsageError(f"no such run: {name}: {known}")
    return named[-1][-1]


def _age(job: Job) -> tuple[float, int, str]:
    # A job that has not started is younger than any that has.
    return job.started or float("inf"), len(job.id), job.id
