"""What a cell's id is made of: found by the id, in runs or in the plan of a spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

import polars as pl

from core import MODEL_VERSION
from core.cell import PS_PER_SECOND, Cell, identity_hash
from core.kernel.design import Design
from core.machine.machine import load_machine
from sweep.errors import UsageError
from sweep.plan.sources import NO_SOURCES, Sources, flavours_today, machines_today
from sweep.spec.axes import OF_PATH
from sweep.spec.parameters import workload
from sweep.store.folder import Location
from sweep.store.scan import scan_failures, scan_sessions
from sweep.store.schema import SIMULATED, TIMES

SHORTEST = 4
"""Digits of an id that are asked for at least."""


class Today(NamedTuple):
    """What of an identity a run of today would have otherwise, with the value that it would have.

    `unknown` says why a part cannot be told: the file of a machine or a design is gone, or is none
    any more.
    """

    changed: Mapping[str, str]
    unknown: tuple[str, ...]


class Outdated(NamedTuple):
    """How many rows a run of today would have otherwise, by what of them; `unknown` by the why."""

    changed: Mapping[str, int]
    unknown: Mapping[str, int]

    def notes(self, run: str, of: int) -> Iterator[str]:
        """What to say of `of` cells of `run`."""
        for what, rows in self.changed.items():
            again = "`uprobe-sweep run` simulates them again"
            yield f"note: {run}: {rows} of {of} cells are not of the {what} of now; {again}"
        for why, rows in self.unknown.items():
            yield (
                f"note: {run}: {rows} of {of} cells cannot be checked, they may be older than "
                f"what made them: {why}"
            )


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

    def today(self, sources: Sources = NO_SOURCES) -> Today:
        """What of it a run of today would have otherwise, and what cannot be told.

        Machines and designs that the tree does not have are looked up in `sources`.
        """
        name, digest = self.parts["machine"]
        had, path = {"model_version": self.model_version}, self.parts.get("path")
        now: dict[str, list[str]] = {"model_version": [MODEL_VERSION]}
        unknown = []
        if path is not None:
            try:
                now["path"], had["path"] = self._paths_today(sources) or [path], path
            except UsageError as error:
                unknown.append(str(error))
        try:
            now["machine"] = [machine.digest for machine in machines_today(name, sources)]
            had["machine"] = digest
        except UsageError as error:
            unknown.append(str(error))
        changed = {part: values[0] for part, values in now.items() if had[part] not in values}
        return Today(changed, tuple(unknown))

    def _paths_today(self, sources: Sources) -> list[str]:
        """The digests of its path today; none if the tree has no such flavour or bench."""
        known = {name: self.parts[name] for name in OF_PATH}
        edits, found = tuple(self.parts["edits"]), []
        for flavour in flavours_today(known["flavour"], sources):
            design = flavour if isinstance(flavour, Design) else None
            try:
                cell = replace(_ANY, **known, edits=edits, design=design)
                found.append(cell.path_digest)
            except (KeyError, ValueError):
                continue
        return found


_ANY = Cell("uprobe-nop", "baseline", 1, 1, "shared", load_machine("generic"), 0, 0, 0, 1, 1)


def outdated(cells: pl.DataFrame, sources: Sources = NO_SOURCES) -> Outdated:
    """Which of the rows, of cells that were simulated or that failed, are not of today.

    Rows of before schema version 4 do not say which path they are of.
    """
    parts = ("model_version", "machine", "machine_digest", *OF_PATH, "path_digest")
    counted: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    measured = "source" in cells.columns
    simulated = cells.filter(pl.col("source") == SIMULATED) if measured else cells
    for row in simulated.group_by(parts).len("rows").iter_rows(named=True):
        machine = [row["machine"], row["machine_digest"]]
        named = {**row, "machine": machine, "edits": (), "path": row["path_digest"]}
        today = Identity("", row["model_version"], named).today(sources)
        found = [*today.changed]
        if row["path_digest"] is None:
            found.append("path (not kept then)")
        counted.update({", ".join(found): row["rows"]} if found else {})
        unknown.update(dict.fromkeys(today.unknown, row["rows"]))
    changed = {what.replace("model_version", "model"): rows for what, rows in counted.items()}
    return Outdated(changed, unknown)


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
    apart = ("workload", "design", *(("precision",) if had["precision"] is None else ()))
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
