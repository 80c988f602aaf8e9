"""Rows of cells that take no time, and what is in the run folder that has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tiny import fake_result, tiny_spec

from sweep.plan.plan import plan
from sweep.store.scan import scan
from sweep.store.schema import row

CELLS = plan(tiny_spec(cpus=range(1, 81), replicates=3))
ROWS = [row(cell, fake_result(cell), "tiny-0") for cell in CELLS]
ABOUT: dict[str, Any] = {
    "run_id": "tiny-0",
    "provenance": {
        "host": "here",
        "model_version": ROWS[0]["model_version"],
        "machines": {ROWS[0]["machine"]: ROWS[0]["machine_digest"]},
    },
}


def ids(path: Path) -> list[str]:
    return sorted(scan(path).collect()["cell_id"])


def ids_of(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(r["cell_id"] for r in rows)


def files(out: Path) -> list[Path]:
    return sorted((out / "cells").iterdir())
