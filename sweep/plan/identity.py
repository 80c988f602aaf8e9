"""What a cell's id is made of: found by the id, in runs or in the plan of a spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import polars as pl

from core import MODEL_VERSION
from core.cell import PS_PER_SECOND, Cell, identity_hash
from core.machine.machine import load_machine, machine_names
from sweep.errors import UsageError
from sweep.spec.axes import AXES, DISTURBING
from sweep.spec.parameters import workload
from sweep.store.folder import Location
from sweep.store.scan import scan_failures, scan_sessions
from sweep.store.schema import SIMULATED, TIMES

SHORTEST = 4
"""Digits of an id that are asked for at least."""


KERNEL = tuple(n for n in AXES if n not in (*DISTURBING, "machine", "cpus", "seed"))
"""Axes that a path may follow from: all but who hits it, where, and who disturbs."""


@dataclass(frozen=True)
class Identity:
    """The parts of a cell's id: the model's version, and `Cell.identity`."""

    cell_id: str
    model_version: str
    parts: Mapping[str, Any]

    @property
    def is_whole(self) -> bool:
        """Whether the parts give the id; not so if it was made of others, by another version."""
        return identity_hash(self.model_version, self.parts) == self.cell_id

    def changed(self) -> dict[str, str]:
        """What of it a run of today would have otherwise, and what instead.

        A machine that does not ship cannot be looked up by its name, nor a design of the user's.
        """
        name, digest = self.parts["machine"]
        now = {"model_version": MODEL_VERSION}
        if (had_path := self.parts.get("path")) is not None:
            now["path"] = self._path_now() or had_path
        if name in machine_names():
            now["machine"] = load_machine(name).digest
        had = {"model_version": self.model_version, "machine": digest, "path": had_path}
        return {part: value for part, value in now.items() if value != had[part]}

    def _path_now(self) -> str:
        """The digest of its path in this tree; "" if that has no such flavour or bench."""
        known = {name: self.parts[name] for name in KERNEL}
        edits = tuple(self.parts["edits"])
        try:
            return replace(_ANY, **known, edits=edits).path_digest
        except (KeyError, ValueError):
            return ""


_ANY = Cell("uprobe-nop", "baseline", 1, 1, "shared", load_machine("generic"), 0, 0, 0, 1, 1)


def outdated(cells: pl.DataFrame) -> dict[str, int]:
    """How many of the simulated rows a run of today would have otherwise, by what of them.

    Rows of before schema version 4 do not say which path they are of.
    """
    parts = ("model_version", "machine", "machine_digest", *KERNEL, "path_digest")
    counted: Counter[str] = Counter()
    simulated = cells.filter(pl.col("source") == SIMULATED)
    for row in simulated.group_by(parts).len("rows").iter_rows(named=True):
        machine = [row["machine"], row["machine_digest"]]
        named = {**row, "machine": machine, "edits": (), "path": row["path_digest"]}
        found = [*Identity("", row["model_version"], named).changed()]
        if row["path_digest"] is None:
            found.append("path (not kept then)")
        counted.update({", ".join(found): row["rows"]} if found else {})
    return {what.replace("model_version", "model"): rows for what, rows in counted.items()}


def of_cells(cell_id: str, cells: Iterable[Cell]) -> Identity:
    """That of the one of `cells` whose id begins with `cell_id`. Raises UsageError."""
    found = {cell.cell_id: cell for cell in cells if cell.cell_id.startswith(cell_id)}
    [cell] = _one(cell_id, found, "the plan").values()
    return Identity(cell.cell_id, MODEL_VERSION, cell.identity)


def of_run(cell_id: str, location: Location) -> Identity:
    """That of the cell of a run, or of all runs in a folder, whose id begins with `cell_id`.

    Cells that failed, and those of earlier models and machines, are looked through too. Raises
    UsageError.
    """
    begins = pl.col("cell_id").str.starts_with(cell_id)
    frames = (scan_sessions(location), scan_failures(location))
    rows = [row for frame in frames for row in frame.filter(begins).collect().to_dicts()]
    [row] = _one(cell_id, {row["cell_id"]: row for row in rows}, location).values()
    times = {f"{name}_ps": round(row[f"{name}_s"] * PS_PER_SECOND) for name in TIMES}
    machine = [row["machine"], row["machine_digest"]]
    # Edits are no axis of a spec, so no row has any.
    had = {**row, **times, "machine": machine, "edits": ()}
    apart = ("workload", "design")
    parts = {field.name: had[field.name] for field in fields(Cell) if field.name not in apart}
    if row["path_digest"] is not None:
        parts["path"] = row["path_digest"]
    if (disturbed := workload(row)) is not None:
        parts["workload"] = asdict(disturbed)
    return Identity(row["cell_id"], row["model_version"], parts)


def _one(cell_id: str, found: dict[str, Any], where: object) -> dict[str, Any]:
    if len(cell_id) < SHORTEST:
        raise UsageError(f"{cell_id}: give {SHORTEST} digits of the id at least")
    if not found:
        raise UsageError(f"{cell_id}: {where} has no such cell")
    if len(found) > 1:
        raise UsageError(f"{cell_id}: {where} has {len(found)}: {', '.join(sorted(found)[:5])}")
    return found
