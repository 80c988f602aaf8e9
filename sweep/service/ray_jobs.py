"""The Ray Jobs API of a cluster: jobs that run sweeps there."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sweep.errors import InfrastructureError, UsageError
from sweep.executors import ray_private
from sweep.executors.auth_token import HOW_TO_MAKE_ONE, guard_token, has_token
from sweep.service.runs import Job

log = logging.getLogger(__name__)

DEFAULT_ADDRESS = "http://127.0.0.1:8265"
"""Ray's dashboard on a head's loopback, or what `ray dashboard cluster.yaml` forwards there."""

VARIABLE = "RAY_API_SERVER_ADDRESS"

CHATTY = (
    "dashboard.modules.dashboard_sdk",
    "dashboard.modules.job.sdk",
    "_private.runtime_env.packaging",
)
"""Modules of Ray that tell of every package on stderr."""

LAST_LINES = 200
"""Lines at the end of a log in which the last status is looked for."""


PROBE_SECONDS = 10
"""How long something has to take a connection."""

NO_DASHBOARD = "Version check returned 404"
"""What Ray's client says of something else that speaks HTTP."""

NO_AGENT = "No available agent to submit job"
"""What it says of a head whose agent could not listen; Ray tells nobody else."""

MESSAGE_ENDS = ", last available logs"
"""Where the message of a job that failed begins to repeat its log."""


def dashboard_url(address: str | None, environment: Mapping[str, str]) -> str:
    """The URL that is given, or that of the environment, or DEFAULT_ADDRESS. Raises UsageError."""
    source, url = "--address", address
    if not address:
        source, url = VARIABLE, environment.get(VARIABLE)
    if not url:
        return DEFAULT_ADDRESS
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"{source} {url}: write a URL like {DEFAULT_ADDRESS}")
    return url


class Jobs:
    """The jobs of uprobe-sweep on the cluster whose dashboard is at `address`, a URL.

    By default that is RAY_API_SERVER_ADDRESS, or DEFAULT_ADDRESS. Raises UsageError for what is no
    such URL. Every method raises InfrastructureError if the cluster does not answer or does not
    take the token, or if there is none. What the user has to know of its file is `say`d.
    """

    def __init__(
        self, address: str | None = None, say: Callable[[str], None] = log.warning
    ) -> None:
        self._address = address = dashboard_url(address, os.environ)
        _probe(address)
        if os.environ.setdefault("RAY_AUTH_MODE", "token") == "token":
            guard_token(say)
            if not has_token():
                raise InfrastructureError(f"no token here: {HOW_TO_MAKE_ONE}")
        # Ray prefers its variables to what it is told.
        os.environ[VARIABLE] = address
        with self._answering():
            from ray.job_submission import JobSubmissionClient

            for chatty in CHATTY:
                logging.getLogger(f"ray.{chatty}").setLevel(logging.WARNING)
            self._client = JobSubmissionClient(address)

    def submit(self, job_id: str, command: str, folder: Path, about: Mapping[str, str]) -> bool:
        """Have `command` run on the head, in a copy of `folder`; False if there is such a job."""
        with self._answering():
            try:
                self._client.submit_job(
                    entrypoint=command,
                    submission_id=job_id,
                    runtime_env={"working_dir": str(folder)},
                    metadata=dict(about),
                )
            except RuntimeError as error:
                if "already exists" in str(error):
                    return False
                raise
        return True

    def all(self) -> list[Job]:
        """All jobs that `submit` has made, also those that ended."""
        with self._answering():
            listed = self._client.list_jobs()
        return [_job(details) for details in listed if "run" in (details.metadata or {})]

    def get(self, job_id: str) -> Job:
        """A job as it is now."""
        with self._answering():
            return _job(self._client.get_job_info(job_id))

    def log(self, job_id: str) -> list[str]:
        """The lines of a job's log so far."""
        with self._answering():
            return str(self._client.get_job_logs(job_id)).splitlines()

    def end_of_log(self, job: Job) -> list[str]:
        """The last lines of a job's log; none before it has started."""
        if not job.node_id:
            return []
        path = f"/api/v0/logs/file?node_id={job.node_id}&filename=job-driver-{job.id}.log"
        with self._answering():
            answer = ray_private.get(self._client, f"{path}&lines={LAST_LINES}")
        return str(answer.text).splitlines() if answer.status_code == 200 else []

    def follow(self, job_id: str) -> Iterator[str]:
        """The lines of a job's log, until the job ends."""
        rest = ""
        with self._answering(), asyncio.Runner() as runner:
            pieces = self._client.tail_job_logs(job_id)
            while (piece := runner.run(anext(pieces, None))) is not None:
                *lines, rest = (rest + piece).split("\n")
                yield from lines
        if rest:
            yield rest

    def stop(self, job_id: str) -> None:
        """Ask a job to end; it may take some seconds."""
        with self._answering():
            self._client.stop_job(job_id)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (GeneratorExit, UsageError, InfrastructureError):
            raise
        except Exception as error:
            raise InfrastructureError(explained(error, self._address)) from error


def explained(error: Exception, url: str) -> str:
    """What an error of Ray's client means to the user of the cluster at `url`."""
    kind, text = type(error).__name__, str(error)
    if "Authentication" in kind or re.search(r"\b40[13]\b", text):
        said = "it does not take our token, which belongs in ~/.ray/auth_token"
    elif isinstance(error, OSError):
        return _nothing_at(url)
    elif NO_DASHBOARD in text:
        said = "what answers there is no dashboard of Ray"
    elif NO_AGENT in text:
        said = (
            "its head takes no jobs; if it is not just starting, another head on that machine has "
            "the port: give each a --dashboard-agent-listen-port of its own, by default all have "
            "52365"
        )
    else:
        said = f"{kind}: {error}"
    return f"the cluster at {url}: {said}"


def _probe(url: str) -> None:
    """Raises InfrastructureError unless something listens there, at once; Ray would try on."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=PROBE_SECONDS).close()
    except OSError as error:
        raise InfrastructureError(_nothing_at(url)) from error


def _nothing_at(url: str) -> str:
    return f"nothing answers at {url}; is the cluster up, and its dashboard forwarded?"


def _job(details: Any) -> Job:
    about = details.metadata
    return Job(
        id=details.submission_id,
        run=about["run"],
        spec=about["spec"],
        out=about["out"],
        state=str(details.status).rpartition(".")[2].lower(),
        started=details.start_time / 1000 if details.start_time else None,
        ended=details.end_time / 1000 if details.end_time else None,
        exit_code=details.driver_exit_code,
        message=" ".join((details.message or "").partition(MESSAGE_ENDS)[0].split()),
        node_id=details.driver_node_id or "",
    )
