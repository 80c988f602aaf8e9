from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from sweep.commands.logs import logs, print_followed
from sweep.errors import InfrastructureError
from sweep.service import ray_jobs
from sweep.service.runs import Job
from sweep.service.status import Status, readable


class Followed:
    """Jobs of a cluster whose log has one status, after which the job is `then`."""

    def __init__(self, then: Job) -> None:
        self._then = then

    def all(self) -> list[Job]:
        return [self._then]

    def log(self, job_id: str) -> list[str]:
        return ["hello", Status(4, 1).line()]

    def follow(self, job_id: str) -> Iterator[str]:
        yield from self.log(job_id)

    def get(self, job_id: str) -> Job:
        return self._then


def job(state: str, message: str = "") -> Any:
    return Job("tiny-1", "tiny-1", "tiny", "", state, message=message)


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (job("succeeded", "Job finished successfully."), ""),
        (
            job("failed", "Job failed with exit code 2"),
            "tiny-1 failed: Job failed with exit code 2\n",
        ),
    ],
)
def test_how_it_ended_is_said_if_not_well(
    then: Job, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs: Any = Followed(then)
    print_followed(jobs, job("running"), readable)
    printed = capsys.readouterr()
    assert printed.out.startswith("hello\n1/4 cells, 0 failed")
    assert printed.err == said


def test_a_log_that_breaks_off_is_no_end() -> None:
    jobs: Any = Followed(job("running", "Job is currently running."))
    with pytest.raises(InfrastructureError, match="ended the log of tiny-1, which was running"):
        print_followed(jobs, job("running"), readable)


@pytest.mark.parametrize("args", [["tiny"], ["tiny", "--follow"]])
def test_as_json_a_line_is_a_text_or_a_status(
    args: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_jobs, "Jobs", lambda address: Followed(job("succeeded")))
    done = CliRunner().invoke(logs, [*args, "--json"], standalone_mode=False)
    text, status = map(json.loads, done.output.splitlines())
    assert text == {"text": "hello"}
    assert status == {"status": Status(4, 1).entry}
    assert (status["status"]["total"], status["status"]["seconds_left"]) == (4, None)
