"""Where a run comes from: the command that makes it again, and the cells that its spec has."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import polars as pl

from core.cell import Cell
from sweep.errors import UsageError
from sweep.plan.plan import plan
from sweep.report.html.material import Run
from sweep.spec.files import SPECS, load_spec
from sweep.spec.spec import Spec, usual
from sweep.store.folder import Location
from sweep.store.scan import RUNS
from sweep.store.schema import LIVE

SPEC_FILE = "spec.yaml"
"""What the report calls a file with a spec that does not ship."""

MEASURED = ("kernel", "cpu_model", "topology", "attach")
"""Columns that say where measured rows come from."""


def spec_of(about: Mapping[str, Any]) -> Spec | None:
    """The spec of a run's run.json; None if it has none, or none that this version can read."""
    try:
        return Spec(**about["spec"]) if about.get("spec") else None
    except (UsageError, ValueError, TypeError):
        return None


def planned(spec: Spec | None, rows: pl.DataFrame) -> list[Cell]:
    """Those of the spec's cells that `rows` are of: the same machine, path and model as now."""
    if spec is None:
        return []
    try:
        there = set(rows["cell_id"])
        return [cell for cell in plan(spec) if cell.cell_id in there]
    except UsageError:  # A machine's or a design's file is gone.
        return []


def run_of(name: str, where: Location, about: Mapping[str, Any], rows: pl.DataFrame) -> Run:
    """What the report says of a run: `about` is its run.json, `rows` its cells."""
    provenance = dict(about.get("provenance", {}))
    machines, paths = provenance.pop("machines", {}), provenance.pop("paths", {})
    facts: dict[str, object] = {"cells": len(rows), **_measured(rows), **provenance}
    facts |= {f"machine {one}": digest for one, digest in machines.items()}
    facts |= {f"path {one}": ", ".join(digests) for one, digests in paths.items()}
    spec = spec_of(about)
    if spec is None:
        return Run(name, facts, _live(where, rows))
    ships = SPECS / f"{spec.name}.yaml"
    same = ships.is_file() and load_spec(ships) == spec
    command = ["uprobe-sweep", "run", spec.name if same else SPEC_FILE]
    if where != RUNS / spec.name:
        command += ["--out", str(where)]
    return Run(name, facts, shlex.join(command), None if same else yaml_of(spec))


def yaml_of(spec: Spec) -> str:
    """The spec as a file that `run` takes: what is not a default, as YAML."""
    values = spec.model_dump(mode="json")
    chosen = {n: v for n, v in values.items() if getattr(spec, n) != usual(n, spec.duration)}
    # JSON is YAML.
    return "\n".join(f"{n}: {json.dumps(_alone(v))}" for n, v in chosen.items()) + "\n"


def _live(where: Location, rows: pl.DataFrame) -> str | None:
    """The command that measured the rows; None for others, and where one would not do."""
    times = ("warmup", "duration", "sample")
    same = rows.select("source", "attach", *(f"{name}_s" for name in times)).unique()
    if len(same) != 1 or same["source"][0] != LIVE:
        return None
    benches = ",".join(rows["bench"].unique(maintain_order=True))
    counts = ",".join(map(str, rows["cpus"].unique().sort()))
    command = ["uprobe-sweep", "live", "--bench", benches, "--cpus", counts]
    command += [word for name in times for word in (f"--{name}", f"{same[f'{name}_s'][0]:g}")]
    return shlex.join([*command, "--attach", same["attach"][0], "--out", str(where)])


def _alone(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _measured(rows: pl.DataFrame) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in ("source", *MEASURED):
        if known := rows[name].drop_nulls().unique().sort().to_list():
            found[name] = ", ".join(map(str, known))
    return found
