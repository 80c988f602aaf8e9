"""What an id is made of, found by the id."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tiny import FakeExecutor, tiny_spec

import core.cell
import core.kernel.flavours
import sweep.store.schema
from core import MODEL_VERSION
from core.cell import Cell, identity_hash
from core.kernel.patches import PATCHES
from sweep.driver.driver import run
from sweep.errors import UsageError
from sweep.plan.identity import Identity, of_cells, of_run
from sweep.plan.plan import plan
from sweep.spec.files import load_spec
from sweep.store.scan import scan

SPEC = tiny_spec(cpus=[1, 2, 4], flavour=["srcu", "tasks-trace"], replicates=2, ensemble=12)
CELLS = plan(SPEC)


def test_every_cell_of_a_run_is_found_with_the_parts_of_the_plan(tmp_path: Path) -> None:
    run(SPEC, tmp_path, FakeExecutor())
    for cell in CELLS:
        planned, kept = of_cells(cell.cell_id, CELLS), of_run(cell.cell_id, tmp_path)
        assert planned == Identity(cell.cell_id, kept.model_version, cell.identity)
        assert (kept.parts, kept.is_whole, kept.today().changed) == (planned.parts, True, {})


def test_a_cell_that_failed_is_found(tmp_path: Path) -> None:
    def fail(cell: Cell) -> None:
        raise ValueError

    run(SPEC, tmp_path, FakeExecutor(fail))
    assert of_run(CELLS[0].cell_id[:10], tmp_path).parts == CELLS[0].identity


def test_another_model_or_machine_is_said_and_another_make_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(cpus=1)
    with monkeypatch.context() as patch:
        for module in (core.cell, sweep.store.schema):
            patch.setattr(module, "MODEL_VERSION", "0")
        [cell_id] = [cell.cell_id for cell in plan(spec)]
        run(spec, tmp_path, FakeExecutor())
    found = of_run(cell_id, tmp_path)
    assert found.is_whole
    assert found.today().changed == {"model_version": core.MODEL_VERSION}
    name, digest = found.parts["machine"]
    edited = replace(found, parts={**found.parts, "machine": [name, "0"]})
    assert edited.today().changed["machine"] == digest
    assert not edited.is_whole


@pytest.mark.parametrize(
    ("asked", "said"),
    [("12", "give 4 digits"), ("xxxx", "the plan has no such cell")],
)
def test_an_id_that_names_no_cell(asked: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        of_cells(asked, CELLS)


def test_an_id_that_names_several() -> None:
    class Twin:
        def __init__(self, cell_id: str) -> None:
            self.cell_id = cell_id

    twins = [Twin("abcd1"), Twin("abcd2")]
    with pytest.raises(UsageError, match="has 2: abcd1, abcd2"):
        of_cells("abcd", twins)  # type: ignore[arg-type]


def test_an_edited_patch_makes_other_cells_and_an_untouched_one_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(cpus=1, flavour=["tasks-trace", "baseline"])
    old = plan(spec)
    assert len({cell.cell_id for cell in old}) == 2
    run(spec, tmp_path, FakeExecutor())
    dearer = tuple(
        replace(patch, path=lambda path: path[1:]) if patch.name == "tasks-trace" else patch
        for patch in PATCHES
    )
    monkeypatch.setattr(core.kernel.flavours, "PATCHES", dearer)
    for cache in (core.cell._paths, core.cell._digest):
        cache.cache_clear()
    new = plan(spec)
    assert [a.cell_id == b.cell_id for a, b in zip(old, new, strict=True)] == [False, True]
    assert [a.stream_key for a in old] == [b.stream_key for b in new]
    summary = run(spec, tmp_path, FakeExecutor())
    assert (summary.done, summary.skipped) == (1, 1)
    assert set(scan(tmp_path).collect()["cell_id"]) == {cell.cell_id for cell in new}
    found = of_run(old[0].cell_id, tmp_path)
    assert found.is_whole
    assert found.today().changed == {"path": new[0].path_digest}
    for cache in (core.cell._paths, core.cell._digest):
        cache.cache_clear()


def test_an_id_is_the_hash_of_the_identity_whatever_it_is_made_of() -> None:
    cells = [
        *plan(load_spec("cover-letter")),
        *plan(load_spec("uprobe-stress")),
        *plan(tiny_spec(cpus=[1, 3], seed=[0, 7], probes=[1, 2], replicates=2, ensemble=2)),
    ]
    # A name may have what templates are filled in by.
    odd = cells[0].machine.model_copy(update={"name": '100%d "\\u0000cpus"'})
    cells.append(replace(cells[0], machine=odd, replicate=3))
    for cell in cells:
        assert cell.cell_id == identity_hash(MODEL_VERSION, cell.identity)
