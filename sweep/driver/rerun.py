"""The one cell that a rerun command names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.cell import Cell
from sweep.errors import UsageError
from sweep.plan.plan import plan
from sweep.spec.axes import AXES, MAX_COUNT, SpecError, whole_number
from sweep.spec.settings import read_settings
from sweep.spec.spec import Spec


def cell_named(settings: Sequence[str]) -> Cell:
    """The cell of `settings`, each "axis=value"; axes that are not among them are a spec's default.

    Raises UsageError, naming the setting.
    """
    values = read_settings(settings, "")
    try:
        replicate = whole_number(0, MAX_COUNT - 1, str(MAX_COUNT - 1))(
            "replicate", None, values.pop("replicate", 0)
        )
        for axis in AXES:
            if isinstance(values.get(axis), list):
                raise SpecError(axis, None, "a cell has one value")
        for axis in ("name", "replicates"):
            if axis in values:
                raise SpecError(axis, None, "a cell has none")
        [cell] = plan(Spec(**values))
    except SpecError as error:
        raise UsageError(f"{' '.join(settings)}: {error}") from None
    return replace(cell, replicate=replicate)
