"""cancel, of jobs that are only said to be."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from sweep.commands.cancel import cancel
from sweep.service import ray_jobs
from sweep.service.runs import Job
from sweep.service.status import Status, entry

RUNNING = Job("tiny-1", "tiny-1", "tiny", "", "running")


class FakeJobs:
    """One job, of which `done` of 4 cells are done; it succeeds by itself after some looks.

    Between a look at its log and the stop, `meanwhile` more are done.
    """

    def __init__(self, done: int, looks: int, meanwhile: int = 0) -> None:
        self.done, self.looks, self.stopped = done, looks, False
        self.meanwhile = meanwhile

    def all(self) -> list[Job]:
        return [RUNNING]

    def end_of_log(self, job: Job) -> list[str]:
        return [Status(4, self.done).line()]

    def get(self, job_id: str) -> Job:
        self.looks -= 1
        if self.stopped:
            return replace(RUNNING, state="stopped")
        return replace(RUNNING, state="running" if self.looks > 0 else "succeeded")

    def stop(self, job_id: str) -> None:
        self.stopped = True
        self.done += self.meanwhile


@pytest.mark.parametrize(
    ("done", "looks", "meanwhile", "state"),
    [
        (3, 2, 0, "stopped"),
        (4, 2, 0, "succeeded"),
        (4, 10**6, 0, "stopped after its last cell, 4/4 cells, 0 failed"),
        (3, 2, 1, "stopped after its last cell, 4/4 cells, 0 failed"),
    ],
    ids=["cells left", "none left", "none left, but it hangs", "none left when it is stopped"],
)
def test_a_run_that_is_finished_stays_so(
    monkeypatch: pytest.MonkeyPatch, done: int, looks: int, meanwhile: int, state: str
) -> None:
    jobs = FakeJobs(done, looks, meanwhile)
    monkeypatch.setattr(ray_jobs, "Jobs", lambda address: jobs)
    monkeypatch.setattr("sweep.commands.cancel.LAST_SECONDS", 0.0 if looks > 2 else 10.0)
    monkeypatch.setattr("sweep.commands.cancel.POLL_SECONDS", 0.0)
    ended = CliRunner().invoke(cancel, ["tiny"], standalone_mode=False)
    assert ended.output == f"tiny-1: {state}\n"
    assert jobs.stopped == state.startswith("stopped")


def test_as_json_it_is_what_status_says_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_jobs, "Jobs", lambda address: FakeJobs(3, 2))
    monkeypatch.setattr("sweep.commands.cancel.POLL_SECONDS", 0.0)
    ended = CliRunner().invoke(cancel, ["tiny", "--json"], standalone_mode=False)
    said = json.loads(ended.output)
    assert said == entry(replace(RUNNING, state="stopped"), Status(4, 3).at_end())
    assert (said["run"], said["state"], said["done"], said["total"]) == ("tiny-1", "stopped", 3, 4)
