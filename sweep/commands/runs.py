"""`uprobe-sweep runs`: the runs here, and those of a cluster."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from sweep.commands.shared import address_option, json_option, note, print_columns, print_json
from sweep.errors import UsageError

if TYPE_CHECKING:
    from sweep.store.folder import Folder

LOCAL = "here"
"""The state of a run of results/runs; a cluster's has its job's."""


@click.command()
@address_option
@json_option
def runs(address: str | None, as_json: bool) -> None:
    """List the runs in results/runs, then those of a cluster, the newest last.

    Without --address, a cluster is asked if anything listens where one is looked for.

    \b
    uprobe-sweep runs
    """
    found = [*_local(), *_of_cluster(address)]
    if as_json:
        print_json(found)
        return
    if not found:
        print("no runs yet")
        return
    lines = [["run", "state", "cells", "failed", "jobs", "started", "ended"]]
    for run in found:
        lines.append([_text(run[key]) for key in lines[0]])
    print_columns(lines)


def _local() -> list[dict[str, Any]]:
    from sweep.store.place import folder_at
    from sweep.store.scan import RUNS, run_names

    runs = [_described(folder_at(RUNS / name), name) for name in run_names(RUNS)]
    return sorted(runs, key=lambda run: run["ended"] or "")


def _described(folder: Folder, name: str) -> dict[str, Any]:
    from sweep.store.scan import failed, rates, read_about

    counts: dict[str, Any] = {"cells": None, "failed": None}
    about: dict[str, Any] = {}
    try:
        there = rates(folder.location)
        counts = {"cells": len(there), "failed": len(failed(folder.location) - there.keys())}
        about = read_about(folder)
    except UsageError as error:
        note(str(error))
    created = about.get("provenance", {}).get("created")
    return {
        "run": name,
        "spec": about.get("spec", {}).get("name"),
        "state": LOCAL,
        **counts,
        "jobs": [],
        "started": None,
        "ended": None if created is None else _time(datetime.fromisoformat(created).timestamp()),
        "out": str(folder.location),
    }


def _of_cluster(address: str | None) -> list[dict[str, Any]]:
    from sweep.service.ray_jobs import VARIABLE, Jobs, dashboard_url

    url = dashboard_url(address, os.environ)
    if address is None and VARIABLE not in os.environ and not _listens(url):
        note(f"no cluster answers at {url}; --address names another")
        return []
    from sweep.service.runs import by_run

    return [
        {
            "run": run,
            "spec": jobs[-1].spec,
            "state": jobs[-1].state,
            "cells": None,
            "failed": None,
            "jobs": [job.id for job in jobs],
            "started": _time(jobs[0].started),
            "ended": _time(jobs[-1].ended),
            "out": jobs[-1].out or None,
        }
        for run, jobs in by_run(Jobs(address).all()).items()
    ]


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=1).close()
    except OSError:
        return False
    return True


def _text(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value)) if value else "-"
    return "-" if value is None else str(value)


def _time(seconds: float | None) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ") if seconds else None
