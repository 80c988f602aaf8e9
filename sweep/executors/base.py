"""What the driver needs of whoever simulates its cells."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.cell import Cell, CellResult


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: its result, or None and the traceback of its failure."""

    cell: Cell
    result: CellResult | None
    error: str | None = None

    @classmethod
    def of(cls, cell: Cell, simulate: Callable[[Cell], CellResult]) -> Outcome:
        """What becomes of `cell` if it is simulated so."""
        try:
            return cls(cell, simulate(cell))
        except Exception:
            return cls(cell, None, traceback.format_exc())


class Executor(Protocol):
    """Simulates cells."""

    def run(self, cells: Sequence[Cell]) -> Iterator[Outcome]:
        """Yield an outcome for each cell as it completes, in any order.

        A cell that fails is an outcome like others. Raises InfrastructureError if what carries the
        cells is lost. Closing the iterator gives up the cells that are still to be done.
        """

    def close(self) -> None:
        """Give up what is running, and whatever is held to run it."""
