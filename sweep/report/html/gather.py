"""What a report is made of, put together from runs as they were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from core.cell import Cell
from core.machine.machine import Machine, load_machine, machine_names
from sweep.letter.baselines import BASELINES
from sweep.letter.published import LETTER_KEY, LETTER_SETTING, published_mhits
from sweep.report.compare import PUBLISHED, together
from sweep.report.explain import explain
from sweep.report.html.machine import Drawing, draw
from sweep.report.html.material import Material
from sweep.report.html.origin import planned, run_of, spec_of
from sweep.report.html.parts import with_hits
from sweep.report.html.waits import waits
from sweep.store.disturbed import disturbed
from sweep.store.folder import Location
from sweep.store.schema import SIMULATED
from sweep.store.settings import in_setting

REPEATS = 3
"""Repetitions of a cell that intervals of gains are over, a sample each."""


@dataclass(frozen=True)
class Given:
    """A run as it was read: its run.json, its cells, where their time goes, and notes on them."""

    name: str
    where: Location
    about: Mapping[str, Any]
    cells: pl.DataFrame
    shares: pl.DataFrame
    notes: Sequence[str]


def gather(given: Sequence[Given], beside: bool) -> tuple[Material, list[Cell]]:
    """The material of these runs, and the cells that a what-if ranking is worth simulating for.

    The published figures are there if a run has one of the letter's cells, or with `beside`.
    """
    runs: dict[str, pl.DataFrame | None] = {run.name: run.cells for run in given}
    frames = {run.name: run.cells for run in given}
    if beside or any(_of_letter(cells) for cells in frames.values()):
        runs = {PUBLISHED: None, **runs}
    plans = {run.name: planned(spec_of(run.about), run.cells) for run in given}
    drawings, missing = _drawings(frames, plans)
    missing += [
        f"{run.name}: no what-if ranking: its cells are not what its spec gives today"
        for run in given
        if not plans[run.name] and (run.cells["source"] == SIMULATED).any()
    ]
    missing += [
        f"{name}: {count} of {len(cells)} measurements are too low: others had the CPUs as well"
        for name, cells in frames.items()
        if (count := len(cells.filter(disturbed())))
    ]
    material = Material(
        title=", ".join(Path(name).name for name in frames),
        comparison=together(runs, BASELINES),
        curves=with_hits([c for run in given for c in explain(run.cells, run.shares)]),
        waits=waits(frames),
        machines=drawings,
        runs=[run_of(run.name, run.where, run.about, run.cells) for run in given],
        notes=[*(note for run in given for note in run.notes), *missing],
    )
    return material, [cell for cells in plans.values() for cell in _largest(cells)]


def brief(cell: Cell) -> list[Cell]:
    """Repeats of a cell of one sample each, for intervals of what-if gains."""
    once = replace(cell, ensemble=0, precision=None, duration_ps=0)
    return [replace(once, replicate=cell.replicate + at) for at in range(REPEATS)]


def _of_letter(cells: pl.DataFrame) -> bool:
    letter = published_mhits()
    rows = cells.filter(*in_setting(LETTER_SETTING)).select(LETTER_KEY)
    return any(line in letter for line in rows.iter_rows())


def _largest(cells: Sequence[Cell]) -> list[Cell]:
    """The one with most CPUs of each bench and flavour, in the plan's first setting.

    None with writers, whose links come and go, and none that has been edited.
    """
    plain = [cell for cell in cells if cell.workload is None]
    found: dict[tuple[str, str], Cell] = {}
    for cell in plain:
        before = found.setdefault((cell.bench, cell.flavour), cell)
        same = replace(before, cpus=cell.cpus)
        if cell.cpus > before.cpus and same.cell_id == cell.cell_id:
            found[cell.bench, cell.flavour] = cell
    return list(found.values())


def _drawings(
    frames: Mapping[str, pl.DataFrame], plans: Mapping[str, Sequence[Cell]]
) -> tuple[list[Drawing], list[str]]:
    """The machines of all runs with the CPUs that were used, and which could not be drawn."""
    used: dict[str, set[int]] = {}
    named: dict[str, str] = {}
    for cells in frames.values():
        for name, digest, cpus in cells.select("machine", "machine_digest", "cpus").iter_rows():
            used.setdefault(digest, set()).add(cpus)
            named[digest] = name
    known = {cell.machine.digest: cell.machine for cells in plans.values() for cell in cells}
    drawings, missing = [], []
    for digest, name in named.items():
        machine = known.get(digest) or _shipped(name, digest)
        if machine is None:
            missing.append(f"the machine {name} is not drawn: its description is not known here")
        else:
            drawings.append(draw(machine, sorted(used[digest])))
    return drawings, missing


def _shipped(name: str, digest: str) -> Machine | None:
    if name not in machine_names():
        return None
    machine = load_machine(name)
    return machine if machine.digest == digest else None
