from __future__ import annotations

import pytest

from sweep.commands.submit import exit_code
from sweep.errors import UsageError
from sweep.service.runs import Job, by_run, find, job_id


def job(id_: str, started: float | None = None, state: str = "failed", **more: int) -> Job:
    run = id_.partition(".")[0]
    return Job(id_, run, run.partition("-")[0], "", state, started, **more)


JOBS = [job("b-1", 30), job("a-1.2", 40), job("a-1", 10), job("a-2", 20), job("c-1")]


def test_runs_have_their_jobs_oldest_first_and_the_newest_run_is_last() -> None:
    runs = {run: [j.id for j in jobs] for run, jobs in by_run(JOBS).items()}
    assert list(runs.items()) == [
        ("a-2", ["a-2"]),
        ("b-1", ["b-1"]),
        ("a-1", ["a-1", "a-1.2"]),
        ("c-1", ["c-1"]),
    ]


def test_more_than_nine_jobs_keep_their_order() -> None:
    jobs = [job(job_id("a-1", number)) for number in range(1, 13)]
    assert by_run(reversed(jobs))["a-1"] == jobs


def test_a_run_is_found_by_its_name_or_its_specs() -> None:
    assert find(JOBS, "a-2").id == "a-2"
    assert find(JOBS, "a-1").id == "a-1.2"
    assert find(JOBS, "a").id == "a-1.2"


def test_no_such_run() -> None:
    with pytest.raises(UsageError, match="no such run: a-3: did you mean 'a-"):
        find(JOBS, "a-3")
    with pytest.raises(UsageError, match="the cluster has none"):
        find([], "a")


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (job("a", state="succeeded", exit_code=0), 0),
        (job("a", state="failed", exit_code=1), 1),
        (job("a", state="failed", exit_code=3), 3),
        (job("a", state="failed", exit_code=-9), 4),
        (job("a", state="failed"), 4),
        (job("a", state="stopped", exit_code=15), 130),
    ],
)
def test_waiting_exits_as_the_run_did(ended: Job, code: int) -> None:
    assert exit_code(ended) == code
