"""The cells of a plan by their ids. None is kept that is made by a grid: a million take 24 MB."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from core.cell import Cell
from sweep.plan.plan import Grid

Indices = NDArray[np.int64]
ID = re.compile("[0-9a-f]{16}")


class Cells(Mapping[str, Cell]):
    """Cells by id, in the order of `cells`, a grid or a list, in which none is twice."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._cells = cells
        self._ids = _numbers((cell.cell_id for cell in cells), len(cells))
        self._order = np.argsort(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return (f"{number:016x}" for number in map(int, self._ids))

    def __contains__(self, cell_id: object) -> bool:
        return self._at(str(cell_id)) is not None

    def __getitem__(self, cell_id: str) -> Cell:
        at = self._at(cell_id)
        if at is None:
            raise KeyError(cell_id)
        return self._cells[at]

    @property
    def in_order(self) -> Sequence[Cell]:
        """The cells themselves."""
        return self._cells

    def kinds(self) -> Iterable[Cell]:
        """Some of the cells: all that may differ in machine or path."""
        return self._cells.kinds() if isinstance(self._cells, Grid) else self._cells

    def without(self, ids: Collection[str]) -> Chosen:
        """The cells that have none of `ids`, among which may be some of no cell."""
        known = [one for one in ids if ID.fullmatch(one)]
        left = ~np.isin(self._ids, _numbers(known, len(known)))
        return Chosen(self._cells, np.flatnonzero(left))

    def _at(self, cell_id: str) -> int | None:
        if not ID.fullmatch(cell_id):
            return None
        [number] = _numbers([cell_id], 1)
        at = int(np.searchsorted(self._ids, number, sorter=self._order))
        if at == len(self._ids) or self._ids[self._order[at]] != number:
            return None
        return int(self._order[at])


class Chosen(Sequence[Cell]):
    """Those of `cells` at `indices`, which rise; each is made when it is asked for."""

    def __init__(self, cells: Sequence[Cell], indices: Indices) -> None:
        self._cells, self._indices = cells, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[Cell]:
        if len(self) == len(self._cells):
            return iter(self._cells)
        return (self._cells[at] for at in map(int, self._indices))

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> Chosen: ...
    def __getitem__(self, index: Any) -> Cell | Chosen:
        if isinstance(index, slice):
            return Chosen(self._cells, self._indices[index])
        return self._cells[int(self._indices[index])]

    def counted(self) -> Iterator[tuple[Cell, int]]:
        """Cells, and how many are like each but for seed and replicate: some may be there twice."""
        if not isinstance(self._cells, Grid):
            yield from ((cell, 1) for cell in self)
            return
        first, counts = np.unique(self._cells.alike(self._indices), return_counts=True)
        for at, count in zip(first.tolist(), counts.tolist(), strict=True):
            yield self._cells[at], count


def counted(cells: Sequence[Cell]) -> Iterable[tuple[Cell, int]]:
    """As `Chosen.counted`, of any cells."""
    return cells.counted() if isinstance(cells, Chosen) else ((cell, 1) for cell in cells)


def _numbers(ids: Iterable[str], count: int) -> NDArray[np.uint64]:
    return np.fromiter((int(cell_id, 16) for cell_id in ids), np.uint64, count)
