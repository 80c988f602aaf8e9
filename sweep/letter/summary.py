"""How far off predictions are, in a few figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sweep.letter.published import CellKey


@dataclass(frozen=True)
class Summary:
    """Absolute errors of some cells, as fractions; `p90` interpolates linearly between ranks.

    Errors are None where there are no cells. `coverage` is the share of published figures inside
    the prediction's 90 % interval, over the `intervals` cells that have one; None if none has.
    """

    cells: int
    mean: float | None = None
    median: float | None = None
    p90: float | None = None
    worst: float | None = None
    worst_cell: CellKey | None = None
    intervals: int = 0
    coverage: float | None = None

    @classmethod
    def of(
        cls,
        errors: Mapping[CellKey, float] | Sequence[tuple[CellKey, float]],
        within: Sequence[bool] = (),
    ) -> Summary:
        """The summary of signed `errors`; of equally bad ones the first is the worst.

        A cell with several figures has as many. `within` says of each cell with an interval whether
        the published figure is inside.
        """
        if not errors:
            return cls(0)
        pairs = list(errors.items()) if isinstance(errors, Mapping) else list(errors)
        sizes = np.abs([error for _, error in pairs])
        return cls(
            cells=len(pairs),
            mean=float(sizes.mean()),
            median=float(np.median(sizes)),
            p90=float(np.quantile(sizes, 0.9)),
            worst=float(sizes.max()),
            worst_cell=pairs[int(sizes.argmax())][0],
            intervals=len(within),
            coverage=sum(within) / len(within) if within else None,
        )
