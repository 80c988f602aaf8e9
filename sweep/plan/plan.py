"""From a spec to its cells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from core.cell import SAMPLES_OF_START, VARYING, Cell
from sweep.machines.named import named_machine
from sweep.spec.axes import AXES, ORDER
from sweep.spec.designs import named_flavour
from sweep.spec.parameters import cell_at
from sweep.spec.spec import AUTO_STARTS, Spec


class Grid(Sequence[Cell]):
    """Every cell of a spec, once, without the replicates that its precision may ask for later.

    The order is that of nested loops over ORDER, each axis in the spec's own order. So the curve
    over CPUs of one configuration is a contiguous piece. A cell is made when it is asked for.
    Raises UsageError for a machine's or a design's file gone since.
    """

    def __init__(self, spec: Spec) -> None:
        replicates = {"replicate": range(spec.first_replicates)}
        machines = {"machine": [named_machine(name) for name in spec.machine]}
        flavours = {"flavour": [named_flavour(name) for name in spec.flavour]}
        values = {**dict(spec), **machines, **flavours, **replicates}
        self._values = [values[axis] for axis in ORDER]
        self._rest = {
            "warmup_ps": spec.warmup,
            "duration_ps": spec.duration or (AUTO_STARTS * SAMPLES_OF_START - 1) * spec.sample,
            "sample_ps": spec.sample,
            "ensemble": spec.ensemble,
            "precision": spec.cell_precision,
        }
        self._strides = [prod(map(len, self._values[at + 1 :])) for at in range(len(ORDER))]

    def __len__(self) -> int:
        return prod(map(len, self._values))

    def __iter__(self) -> Iterator[Cell]:
        return map(self._cell, product(*self._values))

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> list[Cell]: ...
    def __getitem__(self, index: Any) -> Cell | list[Cell]:
        if isinstance(index, slice):
            return [self[at] for at in range(len(self))[index]]
        at = range(len(self))[index]
        digits = zip(self._values, self._strides, strict=True)
        return self._cell([values[at // stride % len(values)] for values, stride in digits])

    def kinds(self) -> Iterator[Cell]:
        """The first cell of each machine and path."""
        alike = zip(ORDER, self._values, strict=True)
        ones = (values[:1] if axis in VARYING else values for axis, values in alike)
        return map(self._cell, product(*ones))

    def alike(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of each index that of the cell with the first seed and replicate."""
        first = indices
        for axis in ("seed", "replicate"):
            at = ORDER.index(axis)
            stride, count = self._strides[at], len(self._values[at])
            first = first - first // stride % count * stride
        return first

    def _cell(self, point: Sequence[Any]) -> Cell:
        return cell_at(dict(zip(ORDER, point, strict=True)), **self._rest)


def plan(spec: Spec) -> list[Cell]:
    """The cells of a spec's Grid."""
    return list(Grid(spec))


def run_id(spec: Spec) -> str:
    """The spec's name and 8 hex digits of the hash of what it asks for.

    The order of an axis' values does not count, nor how a time is written.
    """
    precision = {"precision", "max_replicates"} if spec.precision is None else set()
    asked = spec.model_dump(exclude={"name", *precision})
    asked.update({axis: sorted(asked[axis]) for axis in AXES})
    digest = hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=4)
    return f"{spec.name}-{digest.hexdigest()}"
