"""Where figures come from: stored with every file of a run."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from core import MODEL_VERSION
from sweep import __version__

PROJECT = Path(__file__).resolve().parents[2]

Provenance = Mapping[str, Any]


def provenance(
    machines: Mapping[str, str], paths: Mapping[str, Sequence[str]] | None = None
) -> Provenance:
    """Versions, host, creation time (UTC), git commit if there is one, `machines` and `paths`.

    `machines` maps names to digests, `paths` is that of `sweep.store.scan.path_words`. A commit
    that ends in "-dirty" has been edited.
    """
    return {
        "project_version": __version__,
        "model_version": MODEL_VERSION,
        **({"git_commit": commit} if (commit := _git_commit()) else {}),
        "machines": dict(machines),
        "paths": dict(paths or {}),
        "host": platform.node(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@cache
def _git_commit() -> str:
    if not (PROJECT / ".git").exists():
        return ""
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(
            [*command, "--exclude=*"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
